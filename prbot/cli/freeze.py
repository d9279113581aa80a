"""`prbot freeze`: stop every apply at once."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from prbot.errors.verbs import BadMoment, NobodyFreezes, NoFreezeReason

Config = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The operator's file: prbot.server.yaml.")
]
By = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who you are; left out: your account here.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
CONFIG = Path("prbot.server.yaml")

freeze = typer.Typer(
    name="freeze",
    help="Stop every apply at once; list and lift such freezes.",
    invoke_without_command=True,
)


@freeze.callback()
def declare(
    context: typer.Context,
    everywhere: Annotated[bool, typer.Option("--all", help="Freeze everything.")] = False,
    repo: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="These repositories: a glob, such as 'acme/*'."),
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="This environment; with --repo only there."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why: whoever is stopped is told.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it ends: a time, or a span such as 8h or 2d."),
    ] = None,
    by: By = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Stop every apply at once, until the freeze is lifted or ends.

    What waits or was about to start is stopped too; an apply that runs is not interrupted,
    and is told here. Exits 0.
    """
    context.obj = config
    if context.invoked_subcommand is not None:
        if everywhere or any((repo, environment, reason, until, by, as_json)):
            raise typer.BadParameter("Options but --config stand behind list and lift.")
        return 0
    if not everywhere and repo is None and environment is None:
        raise typer.BadParameter("Say what: --all, --repo PATTERN or --environment NAME.")
    if everywhere and (repo is not None or environment is not None):
        raise typer.BadParameter("--all goes with neither --repo nor --environment.")
    if reason is None:
        raise typer.BadParameter("Say why: --reason TEXT.")

    from prbot.app.freezes import Order
    from prbot.app.freezes import declare as run

    order = Order(by or _who(), reason, repo, environment, until)
    try:
        return run(config or CONFIG, order, as_json)
    except (BadMoment, NoFreezeReason) as error:
        raise typer.BadParameter(f"{error} {error.next_step}") from None


@freeze.command(name="list")
def show(
    context: typer.Context,
    ended: Annotated[
        bool, typer.Option("--ended", help="Also those that ended or were lifted.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """List the freezes in force, oldest first."""
    from prbot.app.freezes import show as run

    return run(config or context.obj or CONFIG, ended, as_json)


@freeze.command()
def lift(
    context: typer.Context,
    freeze_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="Which, as `freeze list` shows it.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Lift all in force.")] = False,
    by: By = None,
    config: Config = None,
    as_json: Json = False,
) -> int:
    """Lift a freeze: what it stopped may be applied again.

    Exits 0, also when it was lifted before; 1 when there is none of this id.
    """
    if (freeze_id is None) != everything:
        raise typer.BadParameter("Name one ID, or all of them with --all.")
    from prbot.app.freezes import lift as run

    return run(config or context.obj or CONFIG, freeze_id, by or _who(), as_json)


def _who() -> str:
    """The account this runs as. Raises NobodyFreezes."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's number without a name
        raise NobodyFreezes from None
