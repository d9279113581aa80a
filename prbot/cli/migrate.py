"""`prbot migrate`: from Atlantis's files to prbot's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def migrate(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="The repository, or its atlantis.yaml.")
    ] = Path(),
    repos: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The server-side repos.yaml.")
    ] = None,
    flags: Annotated[
        str, typer.Option(metavar="TEXT", help="The flags of `atlantis server`, in quotes.")
    ] = "",
    env_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file of ATLANTIS_…=… lines.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Write prbot's files from Atlantis's, with a report.

    Writes prbot.yaml beside atlantis.yaml, and prbot.server.yaml here if the server's
    settings are given; the report says what became of each key.
    Exits 0 when all stays the same, 2 when something does not.
    """
    import json as format_json

    from prbot.app.migrate import migrate as run
    from prbot.config.atlantis_words import Verdict

    done = run(path, repos, flags, env_file, force)
    changed = any(entry.verdict is not Verdict.SAME for entry in done.report)
    if json:
        report = [vars(entry) for entry in done.report]
        files = [str(file) for file in done.written]
        print(format_json.dumps({"written": files, "report": report}, indent=2))
        return 2 if changed else 0
    for verdict in Verdict:
        entries = [entry for entry in done.report if entry.verdict is verdict]
        print(f"{verdict.value}: {len(entries)}")
        for entry in entries:
            place = f"{entry.source}:{entry.line}" if entry.line else entry.source
            print(f"  {entry.key} ({place}): {entry.words}")
    print(f"written: {', '.join(map(str, done.written))}")
    return 2 if changed else 0
