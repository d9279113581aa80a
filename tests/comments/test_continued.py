"""Lists that do not fit go on in numbered comments: nothing is lost, nothing breaks out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from prbot.comments.render import GITHUB_LIMIT, SMALLEST_LIMIT, parts, render
from prbot.model import ProjectKey, Sha
from prbot.plans.record import StoredPlan
from prbot.plans.summary import (
    Action,
    Counts,
    Drifted,
    PlanSummary,
    Rename,
    ShownChange,
    ShownOutput,
    Verdict,
)
from prbot.runs.run import Trouble
from prbot.runs.say import ApplyReport, HoldReport, PlanReport, ProjectResult, TooMany

StorePlan = Callable[..., StoredPlan]
MARKERS = ("marker", "marker", "marker")
HEAD, BASE = Sha("1" * 40), Sha("2" * 40)
ROOM = 60_000


def report(*results: ProjectResult) -> PlanReport:
    return PlanReport(results, HEAD, BASE, apply_on_merge=True, may_apply=True)


def planned(stored: StorePlan, name: str, summary: PlanSummary) -> ProjectResult:
    plan = replace(stored(name, summary), hash=name)
    return ProjectResult(plan.project, plan)


def changing(names: Sequence[str], action: Action) -> PlanSummary:
    changes = tuple(ShownChange(name, action, ("forced by `n`",)) for name in names)
    return PlanSummary(Counts(**{action.value: len(names)}), changes=changes)


def test_a_list_that_fits(stored: StorePlan) -> None:
    """It writes one comment, without a number, while everything fits."""
    one = planned(stored, "app", changing(["a.b", "a.c"], Action.DELETE))
    (only,) = parts(report(one), markers=MARKERS, limit=ROOM)
    assert only == render(report(one), marker="marker", limit=ROOM)
    assert "1 of" not in only


@pytest.mark.parametrize("action", [Action.DELETE, Action.REPLACE, Action.UPDATE, Action.CREATE])
@pytest.mark.parametrize("limit", [8_000, ROOM])
def test_every_resource_stands_once(stored: StorePlan, action: Action, limit: int) -> None:
    """It names each resource of a list that is too long in one of the parts; what is lost stands
    outside of every fold, whatever the folds hold."""
    many = 300 if limit < ROOM else 1_500
    names = [f'aws_thing.some["{number:04}"]' for number in range(many)]
    told = parts(
        report(planned(stored, "app", changing(names, action))), markers=MARKERS, limit=limit
    )
    assert len(told) > 1
    assert f"{many:,} to {action.value}" in told[0].split("\n")[0]
    assert "`prbot apply" in told[0]
    lost = action in (Action.DELETE, Action.REPLACE)
    mark = f"- **{action.value}** `" if lost else ""
    for name in names:
        assert sum(f"{mark}{name}" in text for text in told) == 1, name


def test_every_project_stands_once(stored: StorePlan) -> None:
    """It names 1,500 projects that all differ, with their counts, failures first."""
    results = [
        planned(stored, f"envs/e{number:04}", changing([f"a.b{number:04}"], Action.DELETE))
        for number in range(1_497)
    ]
    broken = [ProjectResult(ProjectKey(f"bad/{n}"), trouble=Trouble("It broke.")) for n in range(3)]
    told = parts(report(*results, *broken), markers=MARKERS, limit=ROOM)
    assert len(told) == 3
    assert "3 failed" in told[0].split("\n")[0]
    assert all(f"`bad/{number}`" in told[0] for number in range(3))
    rows = [
        sum(len(re.findall(rf"^(?:- |\| )`envs/e{n:04}`", text, re.M)) for text in told)
        for n in range(1_497)
    ]
    assert set(rows) == {1}


@pytest.mark.parametrize("limit", [SMALLEST_LIMIT, 65_535, GITHUB_LIMIT])
def test_many_small_groups(stored: StorePlan, limit: int) -> None:
    """It tells 500 groups of three apart in the table, each by one of its projects, and names
    every project where there is room."""
    results = []
    for number in range(1_500):
        line = f'~ tags = "a" -> "b{number // 3}"'
        change = ShownChange("a.b", Action.UPDATE, lines=(line,))
        summary = PlanSummary(Counts(update=1), changes=(change,))
        results.append(planned(stored, f"envs/e{number:04}", summary))
    told = parts(report(*results), markers=MARKERS, limit=limit)
    assert all(len(text) <= limit for text in told)
    rows = [line for line in told[0].split("\n") if line.startswith("| **3 projects**")]
    assert len(set(rows)) == len(rows)
    assert limit == SMALLEST_LIMIT or len(rows) >= 100
    whole = "".join(told)
    named = sum(f"envs/e{number:04}" in whole for number in range(1_500))
    assert limit == SMALLEST_LIMIT or named == 1_500


def test_more_than_three(stored: StorePlan) -> None:
    """It counts what three comments have no room for, and says where that stands."""
    names = [f"aws_thing.{'x' * 40}{number:05}" for number in range(6_000)]
    message = report(planned(stored, "app", changing(names, Action.DELETE)))
    told = parts(message, markers=MARKERS, limit=ROOM, beyond="in the check `prbot/plan`")
    assert len(told) == 3
    shown = sum(f"- **delete** `{name}" in text for text in told for name in names)
    assert f"… and {6_000 - shown:,} more items, in the check `prbot/plan`." in told[-1]
    assert "more items" not in told[1]


def test_what_else_goes_on(stored: StorePlan) -> None:
    """It goes on with what was changed by hand, renames, outputs and moves as well."""
    summary = PlanSummary(
        Counts(move=400, create=1, delete=1),
        changes=tuple(
            ShownChange(f"m.new{n:03}", Action.NO_OP, previous_address=f"m.old{n:03}")
            for n in range(400)
        ),
        output_changes=tuple(
            ShownOutput(f"out{n:03}", Action.UPDATE, (f"~ out{n:03}",)) for n in range(400)
        ),
        drift=tuple(Drifted(f"d.d{n:03}", "tags", Verdict.REVERTS) for n in range(400)),
        renames=tuple(Rename(f"r.old{n:03}", f"r.new{n:03}") for n in range(50)),
    )
    told = parts(report(planned(stored, "app", summary)), markers=MARKERS, limit=20_000)
    whole = "".join(told)
    for name in ("m.new", "out", "d.d"):
        assert all(f"{name}{n:03}" in whole for n in range(400)), name
    assert all(f"r.new{n:03}" in whole for n in range(50))


@pytest.mark.parametrize("kind", ["held", "applied", "too many"])
def test_other_reports(stored: StorePlan, kind: str) -> None:
    """It goes on after a merge, an apply and a run that is too large as well."""
    names = [f"envs/e{number:04}" for number in range(1_000)]
    plans = tuple(planned(stored, n, changing([f"a.{n}"], Action.UPDATE)) for n in names)
    message = {
        "held": HoldReport(plans, "it changed", (), "apply"),
        "applied": ApplyReport(plans, "alice", on_merge=False),
        "too many": TooMany(tuple(ProjectKey(name) for name in names), 100),
    }[kind]
    told = parts(message, markers=MARKERS, limit=ROOM)
    assert len(told) > 1
    whole = "".join(told)
    assert all(f"`{name}`" in whole for name in names)


@pytest.mark.parametrize("limit", [SMALLEST_LIMIT, 1_001, 65_535, GITHUB_LIMIT])
@pytest.mark.parametrize("text", ["`" * 300, "@|<&" * 900, "word " * 900, "\U0001f600" * 400])
def test_the_worst(stored: StorePlan, limit: int, text: str) -> None:
    """It fits with the longest markers, whatever the names are."""
    summary = replace(
        changing([f"{text}{n}" for n in range(40)], Action.DELETE),
        drift=(Drifted(text, text, Verdict.CONFLICT),) * 40,
        renames=(Rename(text, text),) * 40,
        output_changes=(ShownOutput(text, Action.UPDATE, (text,)),) * 40,
    )
    results = [planned(stored, f"{text}{number}", summary) for number in range(12)]
    broken = ProjectResult(ProjectKey(text), trouble=Trouble(text, text, text))
    markers = tuple(f"{number}" * 160 for number in range(3))
    message = report(*results, broken)
    for told in parts(message, markers=markers, limit=limit, beyond="in the check `prbot/plan`"):
        assert len(told.encode("utf-16-le", "replace")) // 2 <= limit
