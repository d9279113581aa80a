"""When a rule opens a pull request that adopts what was changed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from prbot.config.drift import DriftRule, DriftSettings, Proposal, Reaction
from prbot.drift.aftermath import Known
from prbot.drift.issue import Found, Section
from prbot.drift.proposing import (
    PROPOSED,
    adopt_is_wanted,
    branch_of,
    may_propose,
    reverted_by,
    wanted_by_rule,
)
from prbot.drift.state import Answer, AnswerKind, Correction, Standing, Watch
from prbot.drift.verdict import ProjectVerdict
from prbot.model import Login, ProjectKey, PullRef, PullRequest, RepoRef, Sha
from prbot.plans.threeway import Verdict

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
REPO, APP = RepoRef("gh", "acme/infra"), ProjectKey("app")
ADOPT = DriftRule.model_validate({"action": "open_pr", "proposal": "adopt"})
REVERT = DriftRule.model_validate({"action": "open_pr"})
ROW = Found("x.r", "a", Verdict.REVERTS, Reaction.OPEN_PR, "drift.rules[0]")
DRIFTED = Section(REPO, APP, ProjectVerdict.DRIFTED, Sha("a" * 40), NOW, found=(ROW,))
REST = replace(ROW, verdict=Verdict.IGNORED, action=Reaction.IGNORE, rule=None)

WANTED: dict[str, tuple[Section, tuple[DriftRule, ...], bool]] = {
    "a rule says so": (DRIFTED, (ADOPT,), True),
    "another rule decided": (DRIFTED, (REVERT, ADOPT), False),
    "it is to be put back": (DRIFTED, (REVERT,), False),
    "no rule decided": (replace(DRIFTED, found=(replace(ROW, rule=None),)), (ADOPT,), False),
    "something else is to be told": (
        replace(DRIFTED, found=(ROW, replace(ROW, attribute="b", action=Reaction.ALERT))),
        (ADOPT,),
        False,
    ),
    "something else is left by the plan": (replace(DRIFTED, found=(ROW, REST)), (ADOPT,), True),
    "only what the plan leaves": (replace(DRIFTED, found=(REST,)), (ADOPT,), False),
    "nothing drifted": (replace(DRIFTED, found=()), (ADOPT,), False),
    "code is not applied either": (
        replace(DRIFTED, verdict=ProjectVerdict.MIXED),
        (ADOPT,),
        False,
    ),
    "what runs was never merged": (
        replace(DRIFTED, verdict=ProjectVerdict.APPLIED_UNMERGED),
        (ADOPT,),
        False,
    ),
}


@pytest.mark.parametrize("case", WANTED)
def test_wanted(case: str) -> None:
    """It is wanted where rules say so of all that a plan would take back."""
    section, rules, expected = WANTED[case]
    assert adopt_is_wanted(section, rules) is expected


AUTO = replace(ROW, action=Reaction.AUTO, rule="drift.rules[1]")
ALERT = replace(ROW, attribute="b", action=Reaction.ALERT)
LEFT = replace(ROW, attribute="b", action=Reaction.IGNORE)
PUT_BACK: dict[str, tuple[Section, tuple[DriftRule, ...], Proposal | None]] = {
    "a rule says open_pr": (DRIFTED, (REVERT,), Proposal.REVERT),
    "no rule decided, and the default says open_pr": (
        replace(DRIFTED, found=(replace(ROW, rule=None),)),
        (),
        Proposal.REVERT,
    ),
    "a rule says adopt": (DRIFTED, (ADOPT,), Proposal.ADOPT),
    "one is to be adopted, one put back": (
        replace(DRIFTED, found=(ROW, replace(ROW, attribute="b", rule="drift.rules[1]"))),
        (ADOPT, REVERT),
        None,
    ),
    "beside what is put back at once": (
        replace(DRIFTED, found=(ROW, AUTO)),
        (REVERT, REVERT),
        Proposal.REVERT,
    ),
    "all of it is put back at once": (replace(DRIFTED, found=(AUTO,)), (REVERT,), None),
    "something else is to be told": (replace(DRIFTED, found=(ROW, ALERT)), (REVERT,), None),
    "something else is to be left": (replace(DRIFTED, found=(ROW, LEFT)), (REVERT,), None),
    "something else is left by the plan": (
        replace(DRIFTED, found=(ROW, REST)),
        (REVERT,),
        Proposal.REVERT,
    ),
    "code is not applied either": (replace(DRIFTED, verdict=ProjectVerdict.MIXED), (REVERT,), None),
    "nothing drifted": (replace(DRIFTED, found=()), (REVERT,), None),
}


@pytest.mark.parametrize("case", PUT_BACK)
def test_what_a_pull_request_does(case: str) -> None:
    """It puts back where nobody says otherwise, and does one of both to all of it or nothing."""
    section, rules, expected = PUT_BACK[case]
    assert wanted_by_rule(section, rules) is expected


BOT = Login("prbot[bot]")
PULL = PullRequest(
    PullRef(REPO, 7),
    "Title",
    BOT,
    Sha("b" * 40),
    branch_of(Proposal.REVERT, APP),
    REPO.path,
    "main",
    Sha("a" * 40),
    "main",
)
REVERTED: dict[str, tuple[PullRequest, ProjectKey | None]] = {
    "ours": (PULL, APP),
    "ours, in another spelling": (replace(PULL, author=Login("Prbot[bot]")), APP),
    "somebody else's, from that branch": (replace(PULL, author=Login("mallory")), None),
    "from a fork's branch of that name": (replace(PULL, head_repo="mallory/infra"), None),
    "of a fork that is gone": (replace(PULL, head_repo=None), None),
    "ours, and it adopts": (replace(PULL, head_branch=branch_of(Proposal.ADOPT, APP)), None),
    "of no project there is": (
        replace(PULL, head_branch=branch_of(Proposal.REVERT, ProjectKey("gone"))),
        None,
    ),
    "its words say so": (replace(PULL, head_branch="topic", title=PULL.head_branch), None),
}


@pytest.mark.parametrize("case", REVERTED)
def test_which_project_is_put_back(case: str) -> None:
    """It knows by the branch, and by whom prbot is; nothing that others write counts."""
    pull, expected = REVERTED[case]
    assert reverted_by(pull, BOT, [ProjectKey("app", "blue"), APP]) == expected


STANDING = Standing(REPO, APP)
KNOWN = Known(Watch(REPO, baseline_at=NOW), DriftSettings(), (STANDING,), NOW)
UNTIL = NOW + timedelta(days=1)
ACCEPTED = Answer(REPO, APP, AnswerKind.ACCEPT, Login("ann"), NOW, UNTIL, "why")
MADE = Correction("1", REPO, APP, "adopt", NOW, outcome=PROPOSED)
FIRST = replace(KNOWN, watch=Watch(REPO))

MAY: dict[str, tuple[Known, bool]] = {
    "the baseline is complete": (KNOWN, True),
    "the baseline is not complete": (FIRST, False),
    "issues are wanted all the same": (replace(FIRST, settings=DriftSettings(issues=True)), True),
    "no baseline is wanted": (replace(FIRST, settings=DriftSettings(baseline=False)), True),
    "people accepted it": (replace(KNOWN, answers=(ACCEPTED,)), False),
    "people put it off": (
        replace(KNOWN, answers=(replace(ACCEPTED, kind=AnswerKind.SNOOZE),)),
        False,
    ),
    "people accepted another project's": (
        replace(KNOWN, answers=(replace(ACCEPTED, project=ProjectKey("web")),)),
        True,
    ),
    "many were made today": (replace(KNOWN, corrections=(MADE,) * 20), False),
    "many, and one less": (replace(KNOWN, corrections=(MADE,) * 19), True),
    "many of other kinds": (
        replace(KNOWN, corrections=(replace(MADE, outcome="failed"),) * 20),
        True,
    ),
}


@pytest.mark.parametrize("case", MAY)
def test_may(case: str) -> None:
    """It waits for the baseline, heeds people's answers, and opens no flood."""
    known, expected = MAY[case]
    assert may_propose(STANDING, known) is expected
