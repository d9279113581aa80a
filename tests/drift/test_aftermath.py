"""What follows from a check, decided from values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from prbot.config.drift import DriftSettings
from prbot.drift.aftermath import CompleteBaseline, DriftStep, Ended, Known, after_check
from prbot.drift.issue import Section
from prbot.drift.state import Standing, Watch
from prbot.drift.telling import TellIssue
from prbot.drift.verdict import ProjectVerdict
from prbot.model import ProjectKey, RepoRef, Sha

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
