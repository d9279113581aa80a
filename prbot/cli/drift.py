"""`prbot drift`: what the nightly looks found, and a look at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="The operator's configuration file.")
]
Repo = Annotated[
    str | None, typer.Option("--repo", metavar="NAME", help="Of this repository: owner/name.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
CONFIG = Path("prbot.server.yaml")

drift = typer.Typer(
    name="drift",
    help="What others changed: what was found, and a look at once.",
    no_args_is_help=True,
)


@drift.command()
def status(repo: Repo = None, config: Config = CONFIG, as_json: Json = False) -> int:
    """Print how much was looked at within a day, and the newest verdict of each project.

    From the service's database, also while it works. Exits 0 when all is in sync, or rules
    ignore what drifted, 2 when something is not, and 1 when something could not be looked at,
    or was never.
    """
    from prbot.app.drift import status as run

    return run(config, repo, as_json)


@drift.command(name="run")
def look(
    dirs: Annotated[
        list[str] | None,
        typer.Option("-d", "--dir", metavar="DIR", help="Only these directories; globs will do."),
    ] = None,
    repo: Repo = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Whether to wait for what is found.")
    ] = True,
    here: Annotated[
        bool, typer.Option("--here", help="Look in this checkout, also beside an operator's file.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="The operator's configuration file; left out: prbot.server.yaml.",
        ),
    ] = None,
    as_json: Json = False,
) -> int:
    """Look at projects now, and print what was found.

    With an operator's file the running service looks. Without one, or with --here, this machine
    plans the commit that is checked out, without a lock, and changes nothing.

    Exits 0 when all of them are in sync, or rules ignore what drifted, 2 when something is not,
    and 1 when something could not be looked at, or no service looks. With --no-wait it exits 0
    once the service is asked.
    """
    if here and config is not None:
        raise typer.BadParameter("Choose one of --here and --config.")
    if here or (config is None and not CONFIG.exists()):
        if repo is not None or not wait:
            raise typer.BadParameter("--repo and --no-wait ask a service: name its --config.")
        from prbot.app.drift_here import look_here

        return look_here(tuple(dirs or ()), as_json)
    from prbot.app.drift import look as run

    return run(config or CONFIG, tuple(dirs or ()), repo, wait, as_json)
