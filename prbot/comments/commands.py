"""The exact words that people type next."""

from __future__ import annotations

import re
import shlex

from prbot.model import ProjectKey
from prbot.runs.say import ProjectResult

_EASY_DIRECTORY = re.compile(r"[\x20-\x5f\x61-\x7e]+\Z")


def apply_command(result: ProjectResult, command: str, longest: int) -> str:
    """The words that apply just this project; by plan id where its name is awkward to type."""
    line = _selecting(result.project)
    easy = _EASY_DIRECTORY.match(line) and len(line) <= longest
    if result.plan is not None and not easy:
        line = result.plan.id
    return f"{command} apply {line}"


def command_for(project: ProjectKey, words: str, longest: int) -> str:
    """The command for just this project; for all where its name is awkward to type."""
    line = _selecting(project)
    easy = _EASY_DIRECTORY.match(line) and len(line) <= longest
    return f"{words} {line}" if easy else words


def _selecting(project: ProjectKey) -> str:
    words = ["-d", shlex.quote(project.dir)]
    words += ["-w", shlex.quote(project.workspace)] if project.workspace != "default" else []
    return " ".join(words)
