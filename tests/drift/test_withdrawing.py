"""What becomes of a pull request about drift after each check of its project, row by row."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prbot.config.drift import Reaction
from prbot.drift.adopt import wishes
from prbot.drift.issue import Found, Section, facts_of
from prbot.drift.state import Correction, Standing
from prbot.drift.verdict import ProjectVerdict
from prbot.drift.withdrawing import Fate, fate_of, is_to_be_proven, still_changed
from prbot.model import ProjectKey, PullRef, RepoRef, Sha
from prbot.plans.plan import parse
from prbot.plans.threeway import Verdict

PLANS = Path(__file__).parents[1] / "fixtures" / "plans"
NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
REPO, APP = RepoRef("gh", "acme/infra"), ProjectKey("app")
ROW = Found("x.r", "a", Verdict.REVERTS, Reaction.OPEN_PR, None, "9", "5")
SHOWN = Section(REPO, APP, ProjectVerdict.DRIFTED, Sha("a" * 40), NOW, found=(ROW,))
CLEAN = Section(REPO, APP, ProjectVerdict.IN_SYNC, Sha("a" * 40), NOW)
FAILING = replace(CLEAN, verdict=ProjectVerdict.CHECK_FAILED)
ERROR = replace(CLEAN, verdict=ProjectVerdict.ERROR)
OTHER = replace(SHOWN, found=(replace(ROW, live="10"),))
PULL = PullRef(REPO, 7)
OURS = Correction("c", REPO, APP, "adopt", NOW, None, PULL, None, "proposed", (*facts_of(SHOWN),))

ROWS: dict[str, tuple[Section | None, Section, dict[str, bool], Fate]] = {
    "the same drift": (SHOWN, SHOWN, {}, Fate.KEPT),
    "a first clean check": (SHOWN, CLEAN, {}, Fate.KEPT),
    "a second one": (CLEAN, CLEAN, {}, Fate.OVER),
    "a second one, and a check block fails": (CLEAN, FAILING, {}, Fate.OVER),
    "nobody could look in between": (ERROR, CLEAN, {}, Fate.KEPT),
    "nobody can look now": (CLEAN, ERROR, {}, Fate.KEPT),
    "never looked at before": (None, CLEAN, {}, Fate.KEPT),
    "clean after its apply": (SHOWN, CLEAN, {"applied": True}, Fate.PROVEN),
    "it was applied, and drifts still": (SHOWN, SHOWN, {"applied": True}, Fate.KEPT),
    "something else drifted": (SHOWN, OTHER, {}, Fate.OTHER),
    "something else, and it is proposed anew": (SHOWN, OTHER, {"again": True}, Fate.KEPT),
    "code was merged beside it": (
        SHOWN,
        replace(OTHER, verdict=ProjectVerdict.MIXED),
        {},
        Fate.KEPT,
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_fate(row: str) -> None:
    before, now, known, expected = ROWS[row]
    assert fate_of(OURS, before, now, **{"applied": False, "again": False, **known}) is expected


LATER = NOW + timedelta(minutes=1)
TO_BE_PROVEN: dict[str, tuple[Standing, bool]] = {
    "never looked at": (Standing(REPO, APP), True),
    "applied since the last look": (Standing(REPO, APP, checked_at=NOW), True),
    "looked at since": (Standing(REPO, APP, checked_at=LATER), False),
    "put off": (Standing(REPO, APP, checked_at=NOW, again_at=LATER), False),
}


@pytest.mark.parametrize(("standing", "expected"), TO_BE_PROVEN.values(), ids=TO_BE_PROVEN)
def test_to_be_proven(standing: Standing, expected: bool) -> None:
    """It is looked at once after an apply, and not asked for while somebody holds it."""
    assert is_to_be_proven(standing, LATER) is expected


def test_what_its_plan_still_changes() -> None:
    """It names what drifted as long as the plan of the pull request would take it back, also an
    object as a whole, and nothing once the code says it."""
    drifted = parse((PLANS / "02_managed_attr_drift.json").read_bytes())
    names = [f"{one.address}, {one.attribute}" for one in wishes(drifted)]
    assert names
    facts = [json.dumps([f"{REPO} {APP}", name, "reverts", "", ""]) for name in names]
    one = replace(OURS, facts=(*facts, json.dumps([f"{REPO} {APP}", "x.gone", "gone", "", ""])))
    assert still_changed(one, drifted) == tuple(names)
    adopted = parse((PLANS / "04_code_adopts_drift.json").read_bytes())
    assert still_changed(one, adopted) == ()
