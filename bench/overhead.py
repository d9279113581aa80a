"""`python -m bench.overhead`: what prbot adds to git and Terraform.

From the moment the forge posts a webhook to the moment the plan comment stands on the
forge, beside the same git and Terraform commands run by hand, pair by pair (prbot, hand,
prbot, hand, …) in the same run: as a ratio for a project on the real aws provider, in
milliseconds for a `terraform_data` project. Then what `prbot serve` needs while it
waits, and how long `prbot --help` takes.

Exits 0 when everything asked for was measured, 1 otherwise. No time is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import cases, cloud, vitals
from bench.by_hand import Hand, Laps
from bench.cases import DIRECTORY, Case
from bench.machine import machine, tell
from bench.table import Row, markdown
from bench.town import TOKEN, Heard, Street, Town, lock_file, town
from prbot.adapters.github_auth import git_header
from prbot.adapters.terraform_setup import tool_environment

KINDS = ("terraform_data", "aws", "idle", "help")
IDLE_ROUNDS = 3
"""Plans before memory is looked at again, when only idling is measured."""
MILLISECONDS = 1000.0
AIM_RATIO = "at most 1.25"
AIM_HELP = "under 300"


@dataclass(frozen=True)
class Pair:
    """One round of prbot, and the same by hand right after it."""

    prbot: Heard
    hand: Laps

    @property
    def ratio(self) -> float:
        return self.prbot.total / self.hand.total

    @property
    def difference(self) -> float:
        return self.prbot.total - self.hand.total


def main() -> int:
    arguments = _arguments()
    wanted = (arguments.only,) if arguments.only else KINDS
    rows, missing = _measured(wanted, arguments.pairs)
    print(_machine())
    print()
    print(markdown(rows) if rows else "nothing was measured")
    for why in missing:
        print(f"\nnot measured: {why}")
    return 1 if missing else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.overhead", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--pairs", type=_count, default=10, help="rounds of each (default 10)")
    parser.add_argument("--only", choices=KINDS, help="measure only this")
    return parser.parse_args()


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _measured(wanted: Sequence[str], pairs: int) -> tuple[list[Row], list[str]]:
    """The rows, and in sentences what could not be measured."""
    rows: list[Row] = []
    if "help" in wanted:
        rows += _help_rows(pairs)
    lacking = {kind: why for kind in wanted if (why := _lacking(kind))}
    missing = [f"{kind}: {why}" for kind, why in lacking.items()]
    if kinds := set(wanted) - {"help"} - lacking.keys():
        rows += _town_rows(kinds, pairs)
    return rows, missing


def _lacking(kind: str) -> str:
    """What this machine lacks for it; empty when it can be measured."""
    if kind == "help":
        return ""
    if not shutil.which("terraform"):
        return "terraform is not on PATH"
    if kind == "idle" and not Path("/proc/self/statm").exists():
        return "it needs /proc, as Linux has it"
    return cloud.missing() if kind == "aws" else ""


# --- a town ----------------------------------------------------------------------------------


def _town_rows(kinds: set[str], pairs: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name, _sky("aws" in kinds) as endpoint:
        directory = Path(name)
        mirror = directory / "providers" if endpoint else None
        if mirror is not None:
            tell("unpacking the aws provider")
            cloud.unpack_provider(mirror)
        return asyncio.run(_in_town(directory, mirror, endpoint, kinds, pairs))


@contextmanager
def _sky(wanted: bool) -> Iterator[str]:
    """An AWS to ask, or none."""
    if not wanted:
        yield ""
        return
    with cloud.cloud() as endpoint:
        yield endpoint


async def _in_town(
    directory: Path, mirror: Path | None, endpoint: str, kinds: set[str], pairs: int
) -> list[Row]:
    environment = tool_environment({**os.environ, **cloud.ENVIRONMENT}, ("AWS_*",), frozenset())
    rows: list[Row] = []
    async with town(directory, environment, mirror) as place:
        hand = Hand(directory / "hand", environment, place.prbot.cli_config)
        pid = place.prbot.process.pid
        if "idle" in kinds:
            tell("watching prbot serve after its start")
            rows += _rest_rows("after start", await vitals.at_rest(pid))
        if "aws" in kinds:
            rows += _aws_rows(await _rounds(place, hand, cases.aws(endpoint), pairs))
        if "terraform_data" in kinds:
            rows += _data_rows(await _rounds(place, hand, cases.terraform_data(), pairs))
        elif kinds == {"idle"}:
            await _rounds(place, hand, cases.terraform_data(), IDLE_ROUNDS)
        if "idle" in kinds:
            tell("watching prbot serve after its work")
            rows += _rest_rows("after the runs", await vitals.at_rest(pid))
    return rows


async def _rounds(place: Town, hand: Hand, case: Case, pairs: int) -> list[Pair]:
    """`pairs` measured rounds after one that opens the pull request and warms both."""
    state = place.directory / "states" / f"{case.name}.tfstate"
    root = place.directory / "begun" / case.name / DIRECTORY
    main = case.module(str(state), "round-0")
    await asyncio.to_thread(_apply, hand, root, main)
    street = await place.open(case, {f"{DIRECTORY}/main.tf": main, **await lock_file(root)})
    mirror = hand.directory / "mirrors" / f"{case.name}.git"
    await asyncio.to_thread(hand.make_mirror, mirror)
    tell(f"{case.title}: warming up")
    await _pair(street, hand, mirror, str(state), 1)
    found = []
    for number in range(2, pairs + 2):
        found.append(await _pair(street, hand, mirror, str(state), number))
        both = f"prbot {found[-1].prbot.total:.3f} s, by hand {found[-1].hand.total:.3f} s"
        tell(f"{case.title}: {number - 1}/{pairs}: {both}")
    return found


def _apply(hand: Hand, root: Path, module: str) -> None:
    root.mkdir(parents=True)
    (root / "main.tf").write_text(module)
    hand.apply(root)


async def _pair(street: Street, hand: Hand, mirror: Path, state: str, number: int) -> Pair:
    word = f"round-{number}"
    heard = await street.change(street.case.module(state, word), word)
    url = street.town.forge.clone_url(street.case.repository)
    pull = street.pull.number if street.pull else 0
    name = f"{street.case.name}-{number}"
    laps = await asyncio.to_thread(hand.plan, name, mirror, url, git_header(TOKEN), pull, DIRECTORY)
    return Pair(heard, laps)


# --- rows ------------------------------------------------------------------------------------


def _aws_rows(pairs: Sequence[Pair]) -> list[Row]:
    ratio = Row("aws: prbot / by hand", [p.ratio for p in pairs], "ratio", 2, AIM_RATIO)
    return [ratio, *_pair_rows("aws", pairs)]


def _data_rows(pairs: Sequence[Pair]) -> list[Row]:
    return _pair_rows("terraform_data", pairs)


def _pair_rows(name: str, pairs: Sequence[Pair]) -> list[Row]:
    rows = [
        Row(f"{name}: webhook to comment", _ms(p.prbot.total for p in pairs), "ms"),
        Row(f"{name}: by hand", _ms(p.hand.total for p in pairs), "ms"),
        Row(f"{name}: difference", _ms(p.difference for p in pairs), "ms"),
    ]
    rows += _part_rows(f"{name}: prbot,", [p.prbot.parts for p in pairs])
    rows += _part_rows(f"{name}: by hand,", [p.hand.seconds for p in pairs])
    return rows


def _part_rows(name: str, rounds: Sequence[Mapping[str, float]]) -> list[Row]:
    return [Row(f"{name} {part}", _ms(r[part] for r in rounds), "ms") for part in rounds[0]]


def _rest_rows(when: str, rest: vitals.Rest) -> list[Row]:
    return [
        Row(f"idle memory {when}", [rest.memory / vitals.MEGABYTE], "MiB", 1),
        Row(f"idle CPU {when}", [rest.cpu], "% of a core", 2),
    ]


def _help_rows(times: int) -> list[Row]:
    tell("prbot --help")
    vitals.start_of_help()  # warms the page cache, and writes what Python compiles
    found = [(vitals.start_of_help(), vitals.start_of_python()) for _ in range(times)]
    return [
        Row("`prbot --help`", _ms(ours for ours, _ in found), "ms", 0, AIM_HELP),
        Row("`python -c pass`", _ms(bare for _, bare in found), "ms"),
    ]


def _ms(seconds: Iterator[float]) -> list[float]:
    return [MILLISECONDS * each for each in seconds]


def _machine() -> str:
    return f"{machine()}, aws provider {cloud.VERSION}"


if __name__ == "__main__":
    sys.exit(main())
