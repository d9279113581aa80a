"""`prbot journal`: who did what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prbot.errors.verbs import BadMoment


def journal(
    repo: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of this repository: owner/name.")
    ] = None,
    pull: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Of pull or merge request N."),
    ] = None,
    actor: Annotated[
        str | None, typer.Option(metavar="LOGIN", help="What this account did.")
    ] = None,
    action: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Actions that begin so: apply, freeze, …")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From then on: a time, or 7d for a week ago.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before then.")] = None,
    plan: Annotated[str | None, typer.Option(metavar="ID", help="About this plan.")] = None,
    config: Annotated[
        Path, typer.Option(metavar="FILE", help="The operator's configuration file.")
    ] = Path("prbot.server.yaml"),
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document a line.")] = False,
) -> int:
    """Print the journal: who did what, when, on which commit and plan.

    Oldest first, from the service's database, also while it works. Exits 0.
    """
    from prbot.app.journal import Wanted
    from prbot.app.journal import journal as run

    wanted = Wanted(repo, pull, actor, action, since, until, plan)
    try:
        return run(config, wanted, json)
    except BadMoment as error:
        raise typer.BadParameter(f"{error} {error.next_step}") from None
