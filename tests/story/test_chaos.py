"""kill -9 at three moments: trials of `bench.chaos`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.chaos.strike import Moment, Strike, Victim
from bench.chaos.trial import Kit, prepare, tried


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], None]) -> Kit:
    need("terraform")
    return prepare(tmp_path_factory.mktemp("kit"))


STRIKES = {
    "prbot while it plans": Strike(Victim.WORKER, Moment.TRANSITION, 4, 0.01, True, True, 0),
    "prbot while it applies": Strike(Victim.WORKER, Moment.APPLYING, 0, 0.1, False, True, 0),
    "all of it while it applies": Strike(Victim.GROUP, Moment.APPLYING, 0, 0.2, True, True, 0),
}
"""Who dies when. Nothing is drawn here: a test should fail for the same reason twice."""


@pytest.mark.parametrize("name", STRIKES)
def test_chaos(kit: Kit, name: str) -> None:
    """It loses no event, says nothing twice, applies once, frees its locks, and reports."""
    outcome = tried(kit, STRIKES[name])
    assert outcome.hit
    assert outcome.verdict.good, outcome.evidence
