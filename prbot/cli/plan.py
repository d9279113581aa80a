"""`prbot plan`: what the bot would post for this branch, made on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plan(
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository.")] = Path(),
    base: Annotated[
        str | None,
        typer.Option(metavar="REV", help="What to compare with; left out: the default branch."),
    ] = None,
    head: Annotated[str, typer.Option(metavar="REV", help="What to plan.")] = "HEAD",
    dirs: Annotated[
        list[str] | None,
        typer.Option("--dir", "-d", metavar="DIR", help="Plan this project; may be repeated."),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option("--project", "-p", metavar="NAME", help="The same by its name."),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the comment's Markdown as it is.")
    ] = False,
) -> int:
    """Print the comment the bot would post.

    Plans commits, not uncommitted changes, and applies nothing.
    Exits 0 without changes, 2 with changes, 1 on failure.
    """
    from prbot.app.local import plan_locally
    from prbot.model import Selector

    if dirs and names:
        raise typer.BadParameter("-p says the directory already: leave out -d.")
    select = Selector(dirs=tuple(dirs or ()), projects=tuple(names or ()))
    return plan_locally(repo=repo, base=base, head=head, select=select, markdown=markdown)
