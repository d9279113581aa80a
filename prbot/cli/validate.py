"""`prbot validate`: is this configuration what prbot reads?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def validate(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="The repository, or one of its files.")
    ] = Path(),
    server: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The operator's file, to be checked too.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Check prbot.yaml, atlantis.yaml and the operator's file.

    Exits 0 when nothing is wrong, 2 with findings, 1 when a file cannot be read.
    """
    import dataclasses
    import json as format_json

    from prbot.app.validate import validate as check

    result = check(path, server)
    if json:
        print(format_json.dumps(dataclasses.asdict(result), indent=2))
        return 2 if result.findings else 0
    for finding in (*result.findings, *result.notes):
        place = ":".join(str(part) for part in (finding.path, finding.line, finding.column) if part)
        print(f"{place}: {finding.message}. {finding.hint or ''}".rstrip())
    if not result.checked:
        print("no configuration file here, and none is needed")
    elif not result.findings:
        print(f"nothing is wrong in {', '.join(result.checked)}")
    return 2 if result.findings else 0
