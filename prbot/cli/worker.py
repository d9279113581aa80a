"""`prbot worker`: the service without its web server, beside others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def worker(
    config: Annotated[
        Path, typer.Option(metavar="FILE", help="The operator's configuration file.")
    ] = Path("prbot.server.yaml"),
) -> int:
    """Work beside `prbot serve`: plan, apply, write. Needs PostgreSQL.

    SIGTERM or ctrl-C drains: no new work is begun, running tools may end first.
    """
    from prbot.app.serve import work as run

    return run(config)
