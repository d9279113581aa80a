"""A workflow's commands as processes: their words, their PATH, and what they said.

The command itself is a shell's business, as in Atlantis; prbot hands it over as one word.
What it leaves running in the background ends with it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from prbot.adapters.process import Completed
from prbot.adapters.terraform_output import plain
from prbot.ports.tool import ShellCommand, ShellEnd

LIMIT = 1024 * 1024
"""Most bytes of output that are read back."""
START = {True: 'exec "$@" 2>&1', False: 'exec "$@"'}
"""By a shell of ours, so that one that is not there is told like any other failure."""
TOOL = re.compile(r"(terraform|tofu)")


def words(command: ShellCommand) -> tuple[str, ...]:
    return ("/bin/sh", "-c", START[command.together], "sh", *command.argv)


def with_tool(environment: Mapping[str, str], tool: tuple[str, ...]) -> dict[str, str]:
    """The tool first on PATH, if it is a program of its own name."""
    path = environment.get("PATH", os.defpath)
    if len(tool) == 1 and TOOL.fullmatch(Path(tool[0]).name):
        path = os.pathsep.join((str(Path(tool[0]).parent), path))
    return {**environment, "PATH": path}


def end_of(answer: Completed, command: ShellCommand) -> ShellEnd:
    return ShellEnd(
        code=answer.code,
        printed=answer.stdout.decode("utf-8", "surrogateescape"),
        said=plain(answer.stdout if command.together else answer.stderr),
        timed_out=answer.timed_out,
    )
