"""How corrections end, and what the next one is told of those before it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from prbot.config.drift import Reaction
from prbot.drift.correcting import Attempt, Ended
from prbot.drift.issue import Found, Section, facts_of
from prbot.drift.state import Correction
from prbot.drift.trying import (
    REFUSED,
    attempts_of,
    decided_of,
    fingerprint,
    kept_back,
    outcome_of,
    under_way,
    unproven,
)
from prbot.drift.verdict import ProjectVerdict
from prbot.model import JobId, Login, ProjectKey, RepoRef, RunId, Sha
from prbot.plans.threeway import Verdict
from prbot.runs.drifting import place_for
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Run, RunState

REPO, APP = RepoRef("gh", "acme/infra"), ProjectKey("app")
NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def correction(
    outcome: str | None, how: str = "revert", run: str | None = "r-1", id_: str = "c-1"
) -> Correction:
    run_id = None if run is None else RunId(run)
    return Correction(id_, REPO, APP, how, NOW, Login("ann"), None, run_id, outcome, ("f",))


def section(verdict: ProjectVerdict, *found: Found) -> Section:
    return Section(REPO, APP, verdict, Sha("a" * 40), NOW, found=found)


def row(action: Reaction, verdict: Verdict = Verdict.REVERTS, name: str = "tags") -> Found:
    return Found("aws_vpc.v", name, verdict, action, None, "1", "2")


def ended(*states: JobState) -> Run:
    jobs = tuple(
        Job(JobId(f"j-{at}"), RunId("r"), APP, JobKind.APPLY, state)
        for at, state in enumerate(states)
    )
    ask = Ask(AskKind.CORRECT, Login("ann"), "drift revert")
    return Run(RunId("r"), place_for(REPO, 1), ask, NOW, RunState.DONE, jobs=jobs)


CLEAN, CHECKS = ProjectVerdict.IN_SYNC, ProjectVerdict.CHECK_FAILED
DRIFTED, ERROR = ProjectVerdict.DRIFTED, ProjectVerdict.ERROR
ENDS: dict[str, tuple[Run, Section | None, str]] = {
    "nothing was applied": (ended(), section(DRIFTED), REFUSED),
    "nothing drifted any more": (ended(), section(CLEAN), REFUSED),
    "it was not fresh": (ended(JobState.STALE), None, REFUSED),
    "it was frozen": (ended(JobState.DROPPED), None, REFUSED),
    "proven": (ended(JobState.APPLIED), section(CLEAN), "proven"),
    "proven, though a check fails": (ended(JobState.APPLIED), section(CHECKS), "proven"),
    "something drifts still": (ended(JobState.APPLIED), section(DRIFTED), "failed"),
    "the proof could not be planned": (ended(JobState.APPLIED), section(ERROR), "failed"),
    "no proof was made": (ended(JobState.APPLIED), None, "failed"),
    "the apply failed": (ended(JobState.FAILED), None, "failed"),
    "it failed, and nothing is left": (ended(JobState.FAILED), section(CLEAN), "failed"),
    "it was interrupted": (ended(JobState.INTERRUPTED), None, "interrupted"),
    "it runs still": (ended(JobState.RUNNING), None, "interrupted"),
    "it waits still": (ended(JobState.QUEUED), None, "interrupted"),
}


@pytest.mark.parametrize(("run", "seen", "outcome"), ENDS.values(), ids=ENDS)
def test_ends(run: Run, seen: Section | None, outcome: str) -> None:
    """It is proven only by a plan after an apply that went through, and unclear where no end of
    the apply is known."""
    assert outcome_of(run, seen) == outcome


def test_attempts() -> None:
    """It counts what began to be applied, whoever asked, and not what never began."""
    known = (
        correction("proven", "auto", id_="a"),
        correction("failed", id_="b"),
        correction("interrupted", id_="c"),
        correction(None, id_="d"),
        correction(None, run=None, id_="waits"),
        correction(REFUSED, id_="refused"),
        correction("mended", id_="mended"),
        correction("proposed", "adopt", id_="pull"),
        correction(None, id_="this"),
    )
    print_ = fingerprint(["f"])
    ends = [Ended.PROVEN, Ended.FAILED, Ended.INTERRUPTED, None]
    assert attempts_of(known[:-1]) == tuple(Attempt(NOW, print_, each) for each in ends)
    assert [one.id for one in known if under_way(one)] == ["d", "waits", "this"]
    assert [one.id for one in unproven(known)] == ["c"]


def test_fingerprints() -> None:
    """It is the same for the same facts, in any order, and another for others."""
    one, two = facts_of(section(DRIFTED, row(Reaction.ALERT), row(Reaction.AUTO, name="policy")))
    assert fingerprint([one, two]) == fingerprint([two, one, one])
    assert len({fingerprint(facts) for facts in ([], [one], [two], [one, two])}) == 4


def test_what_is_left_as_it_is() -> None:
    """It says so where the plan would change it, and not where the plan leaves it."""
    left, rest = row(Reaction.IGNORE), row(Reaction.IGNORE, Verdict.IGNORED)
    (why,) = kept_back(section(DRIFTED, row(Reaction.ALERT, name="policy"), left))
    assert why.message == "the plan would change `aws_vpc.v, tags`, which is left as it is"
    assert kept_back(section(DRIFTED, row(Reaction.ALERT), rest)) == ()
    assert [one.action for one in decided_of(section(DRIFTED, left))] == [Reaction.IGNORE]
