"""What follows from a check, decided from values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prbot.config.drift import DriftSettings, GroupBy, Reaction
from prbot.drift.aftermath import (
    CompleteBaseline,
    CorrectByRule,
    DriftStep,
    Ended,
    Known,
    after_check,
)
from prbot.drift.issue import KINDS, Found, Kept, Kind, Section, facts_of, group_of
from prbot.drift.schedule import Reach
from prbot.drift.sight import TellIssue
from prbot.drift.state import Answer, AnswerKind, Correction, IssueOf, Standing, Watch
from prbot.drift.verdict import ProjectVerdict
from prbot.model import Login, ProjectKey, RepoRef, Sha
from prbot.plans.threeway import Verdict
from prbot.runs.reasons import Reason
from prbot.runs.run import Trouble

REPO, NOW = RepoRef("gh", "acme/infra"), datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
APP, DB = (Standing(REPO, ProjectKey(name)) for name in ("app", "db"))
WATCH = Watch(REPO, "main", NOW)


def checked(standing: Standing) -> Standing:
    return replace(standing, checked_at=NOW)


@pytest.mark.parametrize(
    ("watch", "others", "steps"),
    [
        pytest.param(WATCH, (), (CompleteBaseline(),), id="it was the only project"),
        pytest.param(WATCH, (DB,), (), id="another one was never looked at"),
        pytest.param(WATCH, (checked(DB),), (CompleteBaseline(),), id="it was the last one"),
        pytest.param(replace(WATCH, baseline_at=NOW), (checked(DB),), (), id="long complete"),
    ],
)
def test_the_first_complete_sweep(
    watch: Watch, others: tuple[Standing, ...], steps: tuple[DriftStep, ...]
) -> None:
    """It is complete with the first check of the last project, and once."""
    section = Section(REPO, APP.project, ProjectVerdict.IN_SYNC, Sha("c" * 40), NOW)
    known = Known(watch, DriftSettings(), (checked(APP), *others), NOW)
    after = after_check(Ended(section, APP), known)
    assert tuple(step for step in after if isinstance(step, CompleteBaseline)) == steps
    told = [step.kind for step in after if isinstance(step, TellIssue)]
    assert told == ["baseline"] * len(steps)


ROW = Found("aws_vpc.v", "tags", Verdict.REVERTS, Reaction.AUTO, "drift.rules[0]", "1", "2")
DRIFTED = Section(REPO, APP.project, ProjectVerdict.DRIFTED, Sha("c" * 40), NOW, found=(ROW,))
COMPLETE = replace(WATCH, baseline_at=NOW - timedelta(days=1))
FROZEN = Reason("frozen", "everything is frozen", "ask dave", comes=True)
LATER = NOW + timedelta(days=1)


def answer(kind: AnswerKind, project: str = "app") -> Answer:
    return Answer(REPO, ProjectKey(project), kind, Login("ann"), NOW, LATER)


def going(outcome: str | None, how: str = "revert", project: str = "app") -> Correction:
    return Correction("c-1", REPO, ProjectKey(project), how, NOW, outcome=outcome)


BY_RULE: dict[str, tuple[Ended, dict[str, Any], bool]] = {
    "nothing is against it": (Ended(DRIFTED, APP, ()), {}, True),
    "no rule says auto": (Ended(DRIFTED, APP, None), {}, False),
    "something is against it": (Ended(DRIFTED, APP, (FROZEN,)), {}, False),
    "it is what a correction left": (Ended(DRIFTED, APP, (), corrected=True), {}, False),
    "nothing is told in issues": (
        Ended(DRIFTED, APP, ()),
        {"settings": DriftSettings()},
        False,
    ),
    "before the baseline, and issues are opened at once": (
        Ended(DRIFTED, APP, ()),
        {"watch": WATCH, "settings": DriftSettings(baseline=False)},
        True,
    ),
    "put off": (Ended(DRIFTED, APP, ()), {"answers": (answer(AnswerKind.SNOOZE),)}, False),
    "another project is put off": (
        Ended(DRIFTED, APP, ()),
        {"answers": (answer(AnswerKind.SNOOZE, "db"),)},
        True,
    ),
    "somebody's word waits": (Ended(DRIFTED, APP, ()), {"corrections": (going(None),)}, False),
    "one has ended": (Ended(DRIFTED, APP, ()), {"corrections": (going("refused"),)}, True),
    "a pull request is asked for": (
        Ended(DRIFTED, APP, ()),
        {"corrections": (going(None, "adopt"),)},
        True,
    ),
    "another project is corrected": (
        Ended(DRIFTED, APP, ()),
        {"corrections": (going(None, "auto", "db"),)},
        True,
    ),
}


@pytest.mark.parametrize(("ended", "around", "begins"), BY_RULE.values(), ids=BY_RULE)
def test_by_rule(ended: Ended, around: dict[str, Any], begins: bool) -> None:
    """It begins a correction where a rule asks for one and nothing is against it, once."""
    usual: dict[str, Any] = {"watch": COMPLETE, "settings": DriftSettings(issues=True)}
    known = Known(standings=(checked(APP), DB), now=NOW, **(usual | around))
    wanted = [CorrectByRule(tuple(facts_of(DRIFTED)))] if begins else []
    found = [step for step in after_check(ended, known) if isinstance(step, CorrectByRule)]
    assert found == wanted


# --- in the middle of a sweep ----------------------------------------------------------------

FAILED = Trouble("It could not be planned.", "Error: no credentials")
HAD = tuple(facts_of(DRIFTED))


def found(verdict: ProjectVerdict, name: str) -> Standing:
    """One that was checked an hour ago."""
    drifted = verdict in (ProjectVerdict.DRIFTED, ProjectVerdict.MIXED)
    section = replace(
        DRIFTED,
        project=ProjectKey(name),
        verdict=verdict,
        found=(ROW,) if drifted else (),
        trouble=FAILED if verdict is ProjectVerdict.ERROR else None,
    )
    at = NOW - timedelta(hours=1)
    return Standing(REPO, section.project, checked_at=at, section=section)


def told_of(kind: Kind, name: str, facts: tuple[str, ...] = HAD) -> IssueOf:
    group = group_of(REPO, ProjectKey(name), None, GroupBy.PROJECT)
    return IssueOf(REPO, kind, group, REPO, "m", Kept(open=True, facts=facts, since=NOW))


OTHERS = [found(verdict, f"p-{verdict}") for verdict in ProjectVerdict]
ISSUES = {
    "no issue": (),
    "its own": (told_of(Kind.DRIFT, "app"),),
    "its own, and the other's": (told_of(Kind.DRIFT, "app"), told_of(Kind.DRIFT, "p-drifted")),
    "one of what is no more": (told_of(Kind.DRIFT, "gone"), told_of(Kind.FAILURE, "app")),
}


@pytest.mark.parametrize("issues", ISSUES.values(), ids=ISSUES)
@pytest.mark.parametrize("most", [20, 1], ids=["room", "no room"])
@pytest.mark.parametrize("watch", [WATCH, COMPLETE], ids=["first", "later"])
@pytest.mark.parametrize("verdict", ProjectVerdict)
def test_few_tell_the_same_as_all(
    verdict: ProjectVerdict, watch: Watch, most: int, issues: tuple[IssueOf, ...]
) -> None:
    """While others are waited for, what follows from a check is the same where those alone are
    known of which issues tell."""
    here = replace(found(verdict, "app"), checked_at=NOW)
    assert here.section is not None
    ended = Ended(here.section, found(ProjectVerdict.DRIFTED, "app"))
    settings = DriftSettings(issues=True, max_issues=most)
    whole = Known(watch, settings, (here, *OTHERS, DB), NOW, issues)
    told = tuple(each for each in OTHERS if each.section and each.section.verdict in KINDS)
    oldest, projects = NOW - timedelta(hours=1), len(OTHERS) + 2
    reach = Reach(projects, projects - 1, never=1, oldest=oldest, awaited=1)
    few = replace(whole, standings=(here, *told), reach=reach)
    assert len(told) < len(OTHERS)
    assert after_check(ended, few) == after_check(ended, whole)
