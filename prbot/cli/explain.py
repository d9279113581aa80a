"""`prbot explain`: the bot's judgement, offline."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

explain = typer.Typer(
    name="explain",
    help="Say what the bot would make of something, without a server.",
    no_args_is_help=True,
)


class Forge(Enum):
    GITHUB = "github"
    GITLAB = "gitlab"


@explain.callback()
def _group() -> None:
    """Say what the bot would make of something, without a server."""


@explain.command()
def projects(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="More changed paths.")
    ] = None,
    repo: Annotated[Path, typer.Option(metavar="DIR", help="The repository.")] = Path(),
    base: Annotated[
        str | None,
        typer.Option(metavar="REV", help="What to compare with; left out: the default branch."),
    ] = None,
    head: Annotated[
        str | None, typer.Option(metavar="REV", help="What to look at; left out: HEAD.")
    ] = None,
    changed: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Files as they are now, of which this one changed."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All projects, as files are now.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Which projects a change affects, and why; or which there are.

    Compares commits; with --changed or --all it reads files as they are now, committed or
    not. Exits 0 when it could read them, 1 when not.
    """
    from prbot.app.explain import Asked, explain_projects

    named = (*(changed or ()), *(paths or ()))
    if paths and not changed:
        raise typer.BadParameter("PATH goes with --changed.")
    if sum((bool(named), every, bool(base or head))) > 1:
        raise typer.BadParameter("Choose one of --all, --changed, or --base and --head.")
    asked = Asked(repo=repo, base=base, head=head or "HEAD", changed=named, all=every)
    return explain_projects(asked, as_json)


@explain.command()
def comment(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The comment, in quotes.")],
    bot: Annotated[
        str, typer.Option(metavar="LOGIN", help="The bot's own login, for mentions.")
    ] = "prbot",
    alias: Annotated[
        list[str] | None, typer.Option(metavar="WORD", help="A further first word.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """How a comment on a pull request is read: a command, or why not.

    A TEXT that begins with a dash stands behind `--`. Exits 0.
    """
    from prbot.app.explain_heard import explain_comment

    return explain_comment(text, bot, tuple(alias or ()), as_json)


@explain.command()
def plan(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `show -json` printed; - reads it here.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the comment.")] = False,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=1_000, help="Characters the comment may have."),
    ] = None,
) -> int:
    """What a plan would change, what it takes back, and how risky it is.

    Exits 0 when it could read the plan, 1 when not.
    """
    from prbot.app.explain_plan import print_comment, print_json, print_text

    if as_json and markdown:
        raise typer.BadParameter("Choose one of --json and --markdown.")
    if limit is not None and not markdown:
        raise typer.BadParameter("--limit goes with --markdown.")
    if markdown:
        return print_comment(file, limit)
    return print_json(file) if as_json else print_text(file)


@explain.command()
def drift(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `show -json` printed; - reads it here.")
    ],
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The prbot.yaml whose rules decide.")
    ] = None,
    environment: Annotated[
        str | None, typer.Option(metavar="NAME", help="The project's environment, if it has one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """What others changed, which rule decides on each, and what follows.

    Exits 0 when it could read both files, 1 when not.
    """
    from prbot.app.explain_drift import explain_drift

    return explain_drift(file, config, environment, as_json)


@explain.command()
def event(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The body; - is stdin.")],
    forge: Annotated[Forge, typer.Option(help="Whose webhook it is.", show_choices=True)],
    name: Annotated[
        str | None,
        typer.Option(
            "--event",
            metavar="NAME",
            help="X-GitHub-Event or X-Gitlab-Event; left out: by the body's shape.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """What a webhook's body says, and what kind of event it is.

    Exits 0 when it could be read, 1 when not.
    """
    from prbot.app.explain_heard import explain_event

    return explain_event(forge.value, name, file, as_json)


@explain.command()
def apply(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The scene; - reads it here.")
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(metavar="ID", help="What this run of the service judged, instead of a file."),
    ] = None,
    scene: Annotated[
        bool, typer.Option("--scene", help="With --run: print that scene, as a file has it.")
    ] = False,
    config: Annotated[
        Path, typer.Option(metavar="FILE", help="With --run: the operator's configuration file.")
    ] = Path("prbot.server.yaml"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """What would become of an apply or a merge in a scene, and why not.

    A scene is one JSON document. Exits 0 when it could be read, 1 when not.
    """
    from prbot.app.explain_apply import explain_apply, explain_run

    if run is not None and file is None:
        return explain_run(config, run, as_json, scene)
    if file is None or run is not None:
        raise typer.BadParameter("Give a FILE, or --run ID.")
    if scene:
        raise typer.BadParameter("--scene goes with --run.")
    return explain_apply(file, as_json)
