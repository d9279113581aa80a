"""`prbot schema`: the JSON Schema of a configuration file."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class File(StrEnum):
    """Which file's schema."""

    REPO = "repo"
    SERVER = "server"


def schema(
    which: Annotated[
        File, typer.Argument(metavar="FILE", help="`repo` (prbot.yaml) or `server`.")
    ] = File.REPO,
) -> int:
    """Print the JSON Schema of prbot.yaml, or of the operator's file."""
    from prbot.config.schema import schema_of

    print(schema_of(which), end="")
    return 0
