"""`prbot serve`: the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    config: Annotated[
        Path, typer.Option(metavar="FILE", help="The operator's configuration file.")
    ] = Path("prbot.server.yaml"),
) -> int:
    """Hear webhooks, plan and apply, until stopped (SIGTERM or ctrl-C drains first)."""
    from prbot.app.serve import serve as run

    return run(config)
