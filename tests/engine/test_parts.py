"""The comments of one report: how many letters they are, and what becomes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from prbot.adapters.artifacts import EncryptedFiles
from prbot.engine.letters import comment_letter, comment_letters, fold_letters, status_letter
from prbot.engine.logs import MOST, logs_of
from prbot.engine.world import World
from prbot.model import JobId, PlanId, ProjectKey, PullRef, RepoRef, RunId, Sha
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.summary import Action, Counts, PlanSummary, ShownChange
from prbot.ports.outbox import CommentLetter
from prbot.runs.checks import CheckDetail
from prbot.runs.run import Trouble
from prbot.runs.say import PlanReport, Progress, ProgressRow, ProjectResult, TooMany
from prbot.runs.steps import Check, Fold, Say, SetStatus, Verdict

PULL = PullRef(RepoRef("gh", "acme/infra"), 7)
SECRET = "correct-horse-battery"


def letters(world: World, many: int, again: bool = False) -> tuple[CommentLetter, ...]:
    world.redactor.register(SECRET)
    projects = tuple(ProjectKey(f"envs/{SECRET}/{number:05}") for number in range(many))
    return comment_letters(world, PULL, Say("r-1", TooMany(projects, 10)), again=again)


@pytest.mark.parametrize(("many", "count"), [(3, 1), (2_000, 2), (9_000, 3)])
def test_letters(world: World, many: int, count: int) -> None:
    """It writes as many as it takes, three at most, each marked as its own and redacted."""
    found = letters(world, many)
    assert len(found) == count
    assert len({letter.marker for letter in found}) == count
    for letter in found:
        assert letter.body.rstrip().endswith(letter.marker)
        assert SECRET not in letter.body
        assert len(letter.body) <= 65_536
        assert not letter.if_written


@pytest.mark.parametrize(("many", "count"), [(3, 1), (2_000, 2), (9_000, 3)])
def test_again(world: World, many: int, count: int) -> None:
    """It empties those that are not needed any more, where they were written."""
    written = [letter for letter in letters(world, many, again=True) if not letter.if_written]
    emptied = [letter for letter in letters(world, many, again=True) if letter.if_written]
    assert (len(written), len(emptied)) == (count, 3 - count)
    assert all("shorter by now" in letter.body for letter in emptied)
    markers = [letter.marker for letter in (*written, *emptied)]
    assert markers == [each.folds for each in fold_letters(world, PULL, Fold("r-1"))]


def test_where_the_rest_is(world: World) -> None:
    """It names the check where the forge has such pages, and else a way to see it."""
    assert "on a machine of your own" in letters(world, 9_000)[-1].body
    app = replace(world, forges={"gh": replace(world.forges["gh"], shows_reports=True)})
    assert "in the check `prbot/plan`" in letters(app, 9_000)[-1].body


def names(many: int) -> list[str]:
    return [f"aws_thing.{'x' * 60}{number:05}" for number in range(many)]


def long_report(page: str, many: int = 3_000) -> PlanReport:
    changes = tuple(ShownChange(name, Action.DELETE) for name in names(many))
    summary = PlanSummary(Counts(delete=len(changes)), changes=changes)
    plan = StoredPlan(
        id=PlanId("p-1"),
        pull=PULL,
        project=ProjectKey("app"),
        run_id=RunId("r-1"),
        job_id=JobId("j-1"),
        head=Sha("1" * 40),
        base=Sha("2" * 40),
        commit=Sha("3" * 40),
        hash="hash",
        inputs=Inputs("f", "l", "terraform 1.11.4"),
        summary=summary,
        plan_file="plan",
        plan_file_sha256="0",
        plan_json="json",
        state_is_lost=False,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    results = (ProjectResult(plan.project, plan),)
    return PlanReport(results, Sha("1" * 40), Sha("2" * 40), True, True, page=page)


def app_of(world: World) -> World:
    return replace(world, forges={"gh": replace(world.forges["gh"], shows_reports=True)})


def check_text(world: World, detail: CheckDetail) -> str:
    step = SetStatus(Sha("1" * 40), Check.PLAN, Verdict.SUCCESS, "planned", detail)
    letter = status_letter(world, PULL, step)
    assert letter is not None
    assert letter.report is not None
    assert len(letter.report.text) <= 65_535
    return letter.report.summary + letter.report.text


def test_the_check_goes_on(world: World) -> None:
    """It names each resource once: in the comments, and behind them in the check; and the
    comment leads there where a forge has checks."""
    message, app = long_report("https://forge.example/acme/infra/pull/7"), app_of(world)
    comments = comment_letters(app, PULL, Say("r-1", message))
    assert len(comments) == 3
    detail = CheckDetail(message.results, report=message, topic="r-1")
    step = SetStatus(Sha("1" * 40), Check.PLAN, Verdict.SUCCESS, "planned", detail)
    letter = status_letter(app, PULL, step)
    assert letter is not None
    assert letter.report is not None
    assert len(letter.report.text) <= 65_535
    told = [*(comment.body for comment in comments), letter.report.text]
    times = [sum(f"**delete** `{name}" in text for text in told) for name in names(3_000)]
    assert set(times[:2_000]) == {1}
    assert max(times) == 1
    assert letter.report.text.startswith("## Plan: what no comment has room for\n")
    assert "4 of" not in letter.report.text
    assert "in the check" in comments[-1].body
    assert "pull/7/checks" in comments[0].body
    assert "/checks" not in comment_letters(world, PULL, Say("r-1", message))[0].body


@pytest.mark.parametrize("output", ["Error: no\n" * 20_000, "`" * 90_000, "x" * 90_000, ""])
def test_the_log_stands_in_the_check(world: World, output: str) -> None:
    """It shows what the tool said where it failed, its end, redacted and in a fence."""
    world.redactor.register(SECRET)
    said = f"begin\n{output}\nthe end {SECRET}" if output else ""
    result = ProjectResult(ProjectKey("app"), trouble=Trouble("It broke.", "", said))
    step = SetStatus(
        Sha("1" * 40), Check.PLAN, Verdict.FAILURE, "no", CheckDetail((result, result))
    )
    letter = status_letter(app_of(world), PULL, step)
    assert letter is not None
    assert letter.report is not None
    text = letter.report.text
    assert len(text) <= 65_535
    assert text.count("the end [redacted]") == (2 if output else 0)
    assert SECRET not in text


def test_the_check_does_not_lead_to_itself(world: World) -> None:
    """It tells another way to see what even the check has no room for."""
    message, app = long_report("https://forge.example/acme/infra/pull/7", 6_000), app_of(world)
    text = check_text(app, CheckDetail(message.results, report=message, topic="r-1"))
    shown = [f"**delete** `{name}`" in text for name in names(6_000)]
    assert not shown[-1]
    assert re.search(r"… and [1-9],[0-9]{3} more items, shown by `prbot plan` on a", text)
    assert "in the check" not in text


@pytest.mark.parametrize("pad", [0, 70, 108, 148, 190, 287])
def test_half_a_secret(world: World, pad: int) -> None:
    """It cuts names only after it hid what is secret in them, wherever the cut falls."""
    world.redactor.register(SECRET)
    key = ProjectKey(f"{'x' * pad}/{SECRET}", f"{SECRET}{'y' * pad}")
    plan = replace(long_report("", 1).results[0].plan, project=key)
    result = ProjectResult(key, plan)
    broken = ProjectResult(key, trouble=Trouble("It broke.", "", "no"))
    report = PlanReport((result, broken) * 8, Sha("1" * 40), Sha("2" * 40), True, True)
    told = [letter.body for letter in comment_letters(world, PULL, Say("r-1", report))]
    told += [comment_letter(world, PULL, Say("r-1", Progress("plan", (ProgressRow(key),)))).body]
    told += [check_text(app_of(world), CheckDetail(report.results, report=report, topic="r-1"))]
    for text in told:
        assert SECRET[:6] not in text
        assert SECRET[-6:] not in text


def told_with(world: World, logs: Mapping[PlanId, str], *results: ProjectResult) -> str:
    step = SetStatus(Sha("1" * 40), Check.PLAN, Verdict.SUCCESS, "planned", CheckDetail(results))
    letter = status_letter(app_of(world), PULL, step, logs)
    assert letter is not None
    assert letter.report is not None
    assert len(letter.report.text) <= 65_535
    return letter.report.text


@pytest.mark.parametrize("said", ["Plan: 1 to add", "Plan\n" * 20_000, "`" * 90_000])
def test_what_was_said_of_a_plan(world: World, said: str) -> None:
    """It shows the end of it behind what failed, in a fence, and drops it first."""
    world.redactor.register(SECRET)
    good = long_report("", 1).results[0]
    bad = ProjectResult(ProjectKey("bad"), trouble=Trouble("It broke.", "", "Error: no"))
    logs = {PlanId("p-1"): f"{said}\nthe end {SECRET}"}
    text = told_with(world, logs, good, bad)
    assert text.index("Error: no") < text.index("the end [redacted]")
    assert "`app`" in text
    many = [replace(bad, project=ProjectKey(f"bad/{n}")) for n in range(42)]
    full = told_with(world, logs, good, *many)
    assert full.count("Error: no") == 42
    assert "the end" not in full
    assert told_with(world, {}, good) == ""


async def test_which_logs_are_read(world: World, tmp_path: Path) -> None:
    """It reads those of the plans that a check tells of, where it has a page; one that is gone
    or cannot be read is none."""
    plan = long_report("", 1).results[0].plan
    assert plan is not None
    plans = [replace(plan, id=PlanId(name)) for name in ("p-1", "p-gone", "p-bad")]
    results = tuple(ProjectResult(each.project, each) for each in plans)
    step = SetStatus(Sha("1" * 40), Check.PLAN, Verdict.SUCCESS, "", CheckDetail(results))
    artifacts = EncryptedFiles(tmp_path, bytes(32))
    await artifacts.put("p-1.log", b"said \xff")
    await EncryptedFiles(tmp_path, bytes([1] * 32)).put("p-bad.log", b"of another key")
    app = replace(app_of(world), artifacts=artifacts)
    assert await logs_of(app, [step, step]) == {"p-1": "said \ufffd"}
    assert await logs_of(replace(world, artifacts=artifacts), [step]) == {}
    crowd = tuple(
        ProjectResult(plan.project, replace(plan, id=PlanId(f"p-{n}"))) for n in range(MOST + 1)
    )
    assert await logs_of(app, [replace(step, detail=CheckDetail(crowd))]) == {}
