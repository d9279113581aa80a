"""Whole comments for the recorded plans, written by hand from the product's page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from prbot.comments.render import render
from prbot.model import Sha
from prbot.plans.plan import parse
from prbot.plans.record import StoredPlan
from prbot.plans.summary import summarise
from prbot.runs.say import PlanReport, ProjectResult

GOLDEN = Path(__file__).parent / "golden" / "plans"
RECORDED = Path(__file__).parent.parent / "fixtures" / "plans"
PLANS = sorted(path for path in RECORDED.glob("[0-9]*.json"))

StorePlan = Callable[..., StoredPlan]


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_it_tells_a_recorded_plan(path: Path, stored: StorePlan) -> None:
    """It is, letter by letter, the comment that stands in the golden file."""
    plan = stored("network", summarise(parse(path.read_bytes())))
    results = (ProjectResult(plan.project, plan),)
    report = PlanReport(results, Sha("1" * 40), Sha("2" * 40), apply_on_merge=False, may_apply=True)
    expected = (GOLDEN / f"{path.stem}.md").read_text(encoding="utf-8")
    assert render(report, marker="prbot:test:1:plan") == expected
