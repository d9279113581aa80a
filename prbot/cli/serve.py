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
    """Run the service: hear webhooks, plan, apply.

    SIGTERM or ctrl-C drains: no new work is begun, running tools may end first.
    """
    from prbot.app.serve import serve as run

    return run(config)
