"""`prbot demo`: the whole loop on this machine, with a small forge beside it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Kind(StrEnum):
    GITHUB = "github"
    GITLAB = "gitlab"


def demo(
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="Port of the forge's page; 0: any free one."
        ),
    ] = 0,
    script: Annotated[
        bool, typer.Option("--script", help="Play the whole story without a person.")
    ] = False,
    repo: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Your own repository instead of the sample."),
    ] = None,
    head: Annotated[
        str | None, typer.Option(metavar="BRANCH", help="With --repo: the branch to propose.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(metavar="BRANCH", help="With --repo: the branch to merge into.")
    ] = None,
    allow_apply: Annotated[
        bool, typer.Option("--allow-apply", help="With --repo: let prbot apply, for real.")
    ] = False,
    forge: Annotated[
        Kind, typer.Option("--forge", help="Which forge to play: its API and its webhooks.")
    ] = Kind.GITHUB,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the demo's directory when it ends.")
    ] = False,
) -> int:
    """Try prbot on a small forge of its own.

    Opens a pull request there, tells what prbot does with it, and where to click.
    """
    from prbot.app.demo import demo as run

    return run(
        port=port,
        script=script,
        repo=repo,
        head=head,
        base=base,
        allow_apply=allow_apply,
        forge=forge.value,
        keep=keep,
    )
