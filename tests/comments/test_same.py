"""Projects with the same change are shown once; what differs is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from prbot.comments.render import SMALLEST_LIMIT, render
from prbot.comments.same import only, together
from prbot.model import ProjectKey, Sha
from prbot.plans.record import StoredPlan
from prbot.plans.summary import (
    Action,
    CheckCounts,
    Counts,
    Drifted,
    FailingCheck,
    Level,
    OutputCounts,
    PlanSummary,
    Risk,
    ShownChange,
    Verdict,
)
from prbot.runs.run import Trouble
from prbot.runs.say import PlanReport, ProjectResult

StorePlan = Callable[..., StoredPlan]

TAGS = ('~ tags_all.provider = "5.99" -> "5.100"',)
LOW = Risk(Level.LOW, ("nothing is deleted or replaced",))


def upgrade(*names: str, lines: tuple[str, ...] = TAGS, **rest: Any) -> PlanSummary:
    changes = tuple(ShownChange(name, Action.UPDATE, lines=lines) for name in names)
    return PlanSummary(Counts(update=len(names)), changes=changes, risk=LOW, **rest)


def gone(name: str) -> PlanSummary:
    change = ShownChange(name, Action.DELETE, ("no longer in the configuration",))
    high = Risk(Level.HIGH, (f"deletes `{name}`, which holds data",))
    return PlanSummary(Counts(delete=1), changes=(replace(change, risk=high),), risk=high)


ONE = upgrade("aws_vpc.a")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (ONE, True),
        (upgrade("aws_subnet.b", "aws_subnet.c"), True),
        (upgrade("aws_vpc.a", tool_version="1.9"), True),
        (replace(ONE, counts=Counts(update=1, no_op=7, read=2)), True),
        (replace(ONE, checks=CheckCounts(pass_=3)), True),
        (upgrade("aws_vpc.a", lines=(*TAGS, "~ x = 1 -> 2")), False),
        (upgrade("aws_vpc.a", lines=('~ tags_all.provider = "5.98" -> "5.100"',)), False),
        (replace(ONE, outputs=OutputCounts(update=1)), False),
        (replace(ONE, counts=Counts(update=1, move=1)), False),
        (
            replace(ONE, checks=CheckCounts(fail=1), failing_checks=(FailingCheck("c", "fail"),)),
            False,
        ),
        (replace(ONE, drift=(Drifted("aws_vpc.a", "tags", Verdict.REVERTS),)), False),
        (replace(ONE, risk=Risk(Level.MEDIUM, ("so",))), False),
        (replace(ONE, changes_left_out=1), False),
        (replace(ONE, complete=False), False),
        (gone("aws_vpc.a"), False),
        (PlanSummary(Counts(no_op=3)), False),
    ],
)
def test_the_same(other: PlanSummary, same: bool, stored: StorePlan) -> None:
    """It takes two changes for the same when a comment would say the same of them."""
    plans = [stored(name, ONE) for name in "ab"] + [stored("c", other)]
    groups = together(ProjectResult(plan.project, plan) for plan in plans)
    assert (len(groups) == 1) is same
    assert sorted(r.project.dir for group in groups for r in group) == ["a", "b", "c"]


def test_deletions_are_the_same_by_name_only(stored: StorePlan) -> None:
    """It keeps deletions of different resources apart."""
    plans = [stored(str(n), gone(f"aws_vpc.{'a' if n else 'b'}")) for n in range(4)]
    groups = together(ProjectResult(plan.project, plan) for plan in plans)
    assert sorted(map(len, groups)) == [1, 3]


def test_what_needs_a_person_stands_alone(stored: StorePlan) -> None:
    """It never groups what failed, was interrupted, or differs from what was reviewed."""
    plan = stored("a", ONE)
    one = ProjectResult(ProjectKey("a"), plan)
    odd = (
        replace(one, trouble=Trouble("no")),
        replace(one, plan=None),
        replace(one, interrupted=True),
        replace(one, differences=("x",)),
        replace(one, plan=replace(plan, state_is_lost=True)),
    )
    for result in odd:
        assert len(together([result] * 5)) == 5


def test_only_names_the_attributes(stored: StorePlan) -> None:
    """It names what a group changes."""
    lines = ('~ tags_all["a b"] = "x"', "+ region = 1", "-     text", "  known after apply: id")
    plan = stored("a", upgrade("x.a", lines=lines))
    assert only((ProjectResult(plan.project, plan),)) == ("region", "tags_all")


def test_a_few_alike_are_named(stored: StorePlan) -> None:
    """It names each of a few projects with the same change, outside of any fold."""
    results = [stored(f"app-{at}", gone("aws_vpc.a"), f"p-{at:06x}") for at in range(9)]
    results += [stored(f"same-{at}", ONE, f"p-{at + 99:06x}") for at in range(40)]
    report = PlanReport(
        tuple(ProjectResult(plan.project, plan) for plan in results),
        Sha("1" * 40),
        Sha("2" * 40),
        apply_on_merge=True,
        may_apply=True,
    )
    seen = re.sub(r"<details.*?</details>", "", render(report, marker="m"), flags=re.DOTALL)
    assert all(f"`app-{at}`" in seen for at in range(9))
    assert "`same-7`" not in seen


def _town(stored: StorePlan) -> PlanReport:
    """1,500 projects: an upgrade everywhere; in nine something else as well."""
    odd = {f"team-{at % 30:02}/app-{at:04}": at for at in range(7, 1500, 180)}
    results = []
    for at in range(1500):
        name = f"team-{at % 30:02}/app-{at:04}"
        names = [f"aws_x.r{n}" for n in range(at % 5 + 1)]
        summary = gone(f"aws_db_instance.d{at}") if name in odd else upgrade(*names)
        plan = stored(name, summary, f"p-{at:06x}")
        results.append(ProjectResult(plan.project, plan))
    assert len(odd) == 9
    return PlanReport(tuple(results), Sha("1" * 40), Sha("2" * 40), True, True)


@pytest.mark.parametrize("limit", [60_000, 8_000])
def test_a_provider_upgrade(limit: int, stored: StorePlan) -> None:
    """It fits, shows the one change once, and names the nine that differ."""
    text = render(_town(stored), marker="m", limit=limit)
    assert len(text) <= limit
    assert "1,491 projects" in text
    assert "9 differ" in text
    assert "only `tags_all`" in text
    assert text.count("~ tags_all") + text.count("tags_all.provider") == 1
    table = [line for line in text.split("\n") if line.startswith("| `team-")]
    assert len(table) == 9
    assert set(re.findall(r"app-(\d+)", "".join(table))) == {f"{n:04}" for n in range(7, 1500, 180)}


def test_a_provider_upgrade_at_the_smallest_limit(stored: StorePlan) -> None:
    """It keeps the counts and the next step."""
    text = render(_town(stored), marker="m", limit=SMALLEST_LIMIT)
    assert "9 to delete" in text.split("\n")[0]
    assert "**Next:**" in text
