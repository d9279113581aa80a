"""kill -9 at three moments: trials of `bench.chaos`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.chaos.books import AskedRun
from bench.chaos.strike import Moment, Strike, Victim
from bench.chaos.trial import Kit, prepare, tried
from bench.chaos.verdict import duplicates, lost, second_applies

pytestmark = pytest.mark.no_forge(
    "who dies when is the same whoever asked; the trials of `bench.chaos` play on GitHub"
)


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], None]) -> Kit:
    need("terraform")
    return prepare(tmp_path_factory.mktemp("kit"))


STRIKES = {
    "prbot while it plans": Strike(Victim.WORKER, Moment.TRANSITION, 4, 0.01, True, True, 0),
    "prbot while it applies": Strike(Victim.WORKER, Moment.APPLYING, 0, 0.1, False, True, 0),
    "the tool while it applies": Strike(Victim.TOOL, Moment.APPLYING, 0, 0.1, True, True, 0),
    "all of it while it applies": Strike(Victim.GROUP, Moment.APPLYING, 0, 0.2, True, True, 0),
}
"""Who dies when. Nothing is drawn here: a test should fail for the same reason twice."""


@pytest.mark.parametrize("name", STRIKES)
def test_chaos(kit: Kit, name: str) -> None:
    """It loses no event, says nothing twice, applies once, frees its locks, and reports."""
    outcome = tried(kit, STRIKES[name])
    assert outcome.hit
    assert outcome.verdict.good, outcome.evidence


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ([], 0),
        ([("t0", 7), ("t1", 7)], 0),
        ([("t0", 7), ("t0", 8), ("t1", 8)], 1),
        ([("t0", 7), ("t1", 8)], 1),
        ([("t0", 7), ("t1", 7), ("t0", 7), ("t1", 7)], 2),
    ],
)
def test_second_applies(made: list[tuple[str, int]], expected: int) -> None:
    """It counts what was made again, and who made anything after the first maker."""
    assert second_applies(made) == expected


PLANNED = AskedRun("r-1", "plan", "done", "abc", None)
TWIN = AskedRun("r-2", "plan", "done", "abc", None)
APPLIED = AskedRun("r-3", "apply", "done", None, 11)
MERGED = AskedRun("r-4", "merge", "done", "abc", None)


@pytest.mark.parametrize(
    ("topics", "expected"),
    [(["r-1", "r-3"], 0), (["r-1", "r-3", "r-3"], 1), (["r-1", "r-2"], 1), (["fork"], 0)],
)
def test_duplicates(topics: list[str], expected: int) -> None:
    """It counts what was written twice, and two answers to the same event."""
    assert duplicates(topics, [PLANNED, TWIN, APPLIED]) == expected


@pytest.mark.parametrize(
    ("asked", "merged", "told", "expected"),
    [
        ([11], False, ["r-1", "r-3"], 0),
        ([11], True, ["r-1", "r-3"], 0),
        ([11], False, ["r-1"], 1),
        ([11, 12], False, ["r-1", "r-3"], 1),
        ([], False, [], 1),
    ],
)
def test_lost(asked: list[int], merged: bool, told: list[str], expected: int) -> None:
    """It misses commands without an answer, and an opening that nobody told about."""
    assert lost(asked, merged, [PLANNED, APPLIED, MERGED], told) == expected


def test_lost_merge() -> None:
    """It misses a merge that no run came of."""
    assert lost([], True, [PLANNED], ["r-1"]) == 1
