"""What follows from a check, decided from values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prbot.config.drift import DriftSettings, Reaction
from prbot.drift.aftermath import (
    CompleteBaseline,
    CorrectByRule,
    DriftStep,
    Ended,
    Known,
    after_check,
)
from prbot.drift.issue import Found, Section, facts_of
from prbot.drift.state import Answer, AnswerKind, Correction, Standing, Watch
from prbot.drift.telling import TellIssue
from prbot.drift.verdict import ProjectVerdict
from prbot.model import Login, ProjectKey, RepoRef, Sha
from prbot.plans.threeway import Verdict
from prbot.runs.reasons import Reason

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
