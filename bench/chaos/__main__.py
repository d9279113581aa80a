"""`python -m bench.chaos`: many trials, and the table of what was lost, doubled or left.

In each trial a pull request is opened, planned, approved and applied by comment or by
merge, and prbot, its tool or both are killed with SIGKILL at a drawn moment. Trials are
dealt out to the classes in turn. `--seed` draws the same moments again, `--only N` tries
the one trial with that number. Exits 1 if a figure that must be 0 is not.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from bench.chaos.series import Numbered, one
from bench.chaos.strike import CLASSES
from bench.chaos.trial import Kit, Outcome, prepare, tried

TESTS = Path(__file__).parents[2] / "tests" / "shared"
HEAD = (
    *("class", "trials", "lost events", "duplicate comments", "second applies"),
    *("orphan locks", "interrupted", "reported", "other faults"),
)


def main() -> int:
    arguments = _arguments()
    if not shutil.which("terraform"):
        print("terraform is not on PATH", file=sys.stderr)
        return 1
    wanted = range(arguments.trials) if arguments.only is None else [arguments.only]
    print(f"seed {arguments.seed}, {arguments.database}, {len(wanted)} trials", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-kit-") as name, _server(arguments) as url:
        kit = prepare(Path(name), url)
        calm = tried(kit, None)
        if not calm.verdict.good:
            print(f"not even undisturbed does all go well\n{calm.evidence}")
            return 1
        found = _all(kit, arguments.seed, calm.lines, wanted, arguments.jobs)
    print()
    print(_table(found))
    print(f"\n{len(found)} trials in {time.monotonic() - begun:.0f} s")
    return 0 if all(each.outcome.verdict.good and each.outcome.hit for each in found) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--trials", type=int, default=100, help="how many (default 100)")
    choices = ("sqlite", "postgresql")
    parser.add_argument("--database", choices=choices, default="sqlite")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="draw as in another run")
    parser.add_argument("--only", type=int, help="try only the trial with this number")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count(), help="trials at once (default: cores)"
    )
    return parser.parse_args()


@contextmanager
def _server(arguments: argparse.Namespace) -> Iterator[str | None]:
    """The URL of a PostgreSQL of our own, the one of the tests, if it is wanted."""
    if arguments.database == "sqlite":
        yield None
        return
    sys.path.insert(0, str(TESTS))
    from postgres import running_postgres

    with running_postgres() as server:
        yield server.url("postgres")


def _all(kit: Kit, seed: str, lines: int, wanted: Sequence[int], jobs: int) -> list[Numbered]:
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        found = []
        for each in pool.map(partial(one, kit, seed, lines), wanted):
            _tell(each)
            found.append(each)
        return found


def _tell(each: Numbered) -> None:
    outcome = each.outcome
    if not outcome.verdict.good:
        print(f"\n=== trial {each.number} is bad; drawn from `{each.seed}`")
        print(outcome.evidence, flush=True)
        return
    said = "good" if outcome.hit else "NOBODY WAS HIT"
    print(f"{each.number:4} {outcome.title}: {said} ({each.seconds:.0f} s)", flush=True)


def _table(found: Sequence[Numbered]) -> str:
    titles = list(dict.fromkeys(_class(each) for each in found))
    rows = [_row(title, [e.outcome for e in found if _class(e) == title]) for title in titles]
    rows.append(_row("all", [each.outcome for each in found]))
    cells = [HEAD, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_lines([HEAD, rule, *rows], widths))


def _class(each: Numbered) -> str:
    victim, moments = CLASSES[each.number % len(CLASSES)]
    return f"{victim}, {' or '.join(dict.fromkeys(moments))}"


def _row(title: str, outcomes: Sequence[Outcome]) -> Sequence[str]:
    verdicts = [outcome.verdict for outcome in outcomes]
    figures = (
        len(verdicts),
        sum(v.lost for v in verdicts),
        sum(v.duplicates for v in verdicts),
        sum(v.second for v in verdicts),
        sum(v.orphans for v in verdicts),
        sum(v.interrupted for v in verdicts),
        sum(v.reported for v in verdicts),
        sum(len(v.faults) for v in verdicts),
    )
    return (title, *map(str, figures))


def _lines(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    for row in rows:
        first, *rest = row
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
