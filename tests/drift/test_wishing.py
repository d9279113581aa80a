"""Somebody's word that a pull request shall correct drift: kept, and answered once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from prbot.config.drift import Proposal, Reaction
from prbot.drift.adopt import Refusal
from prbot.drift.issue import Found, Section, facts_of
from prbot.drift.proposing import PROPOSED, branch_of
from prbot.drift.state import Correction
from prbot.drift.trying import REFUSED
from prbot.drift.verdict import ProjectVerdict
from prbot.drift.wishing import (
    GONE,
    NOTHING,
    Wish,
    askers_of,
    left_alone,
    reasons_of,
    why_not_propose,
    wishes_of,
)
from prbot.model import Login, ProjectKey, PullRef, RepoRef, Sha
from prbot.plans.threeway import Verdict

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
REPO, APP = RepoRef("gh", "acme/infra"), ProjectKey("app")
ROW = Found("x.r", "a", Verdict.REVERTS, Reaction.ALERT, None, "9", "5")
SHOWN = Section(REPO, APP, ProjectVerdict.DRIFTED, Sha("a" * 40), NOW, found=(ROW,))
KEPT = Correction("w-1", REPO, APP, "adopt", NOW, Login("Ann"), facts=tuple(facts_of(SHOWN)))
WISH = Wish(Proposal.ADOPT, KEPT)

ANSWERED: dict[str, tuple[Correction, bool]] = {
    "a wish": (KEPT, True),
    "of a revert by pull request": (replace(KEPT, how="propose revert"), True),
    "of a revert at once": (replace(KEPT, how="revert"), False),
    "of another project": (replace(KEPT, project=ProjectKey("web")), False),
    "proposed by a rule": (replace(KEPT, by=None), False),
    "answered": (replace(KEPT, outcome=REFUSED), False),
    "fulfilled": (replace(KEPT, outcome=PROPOSED), False),
}


@pytest.mark.parametrize(("kept", "waits"), ANSWERED.values(), ids=ANSWERED)
def test_what_waits_for_an_answer(kept: Correction, waits: bool) -> None:
    assert [one.correction for one in wishes_of([kept], APP)] == ([kept] if waits else [])


WHY_NOT: dict[str, tuple[Section | None, list[str]]] = {
    "what the issue showed": (SHOWN, []),
    "seen again a day later": (replace(SHOWN, commit=Sha("b" * 40)), []),
    "another value": (replace(SHOWN, found=(replace(ROW, live="10"),)), ["shown"]),
    "one more attribute": (replace(SHOWN, found=(ROW, replace(ROW, attribute="b"))), ["shown"]),
    "nothing any more": (replace(SHOWN, verdict=ProjectVerdict.IN_SYNC, found=()), ["drift"]),
    "unapplied code beside it": (replace(SHOWN, verdict=ProjectVerdict.MIXED), ["unapplied"]),
    "applied and never merged": (
        replace(SHOWN, verdict=ProjectVerdict.APPLIED_UNMERGED, found=()),
        ["unapplied"],
    ),
    "nobody could look": (replace(SHOWN, verdict=ProjectVerdict.ERROR, found=()), ["unknown"]),
    "no such project": (None, [GONE.requirement]),
}


@pytest.mark.parametrize(("section", "requirements"), WHY_NOT.values(), ids=WHY_NOT)
def test_why_not(section: Section | None, requirements: list[str]) -> None:
    """It proposes nothing but what the issue showed when they asked."""
    reasons = why_not_propose(WISH, section)
    assert [reason.requirement for reason in reasons] == requirements


def test_what_is_left() -> None:
    """It leaves what a rule or somebody's word leaves, and what no plan would take back is
    no matter of it."""
    kept = replace(ROW, attribute="b", action=Reaction.IGNORE)
    rest = replace(kept, attribute="c", verdict=Verdict.ADOPTS)
    assert left_alone(replace(SHOWN, found=(ROW, kept, rest))) == {("x.r", "b")}


def test_why_nothing_is_written() -> None:
    """It names each attribute, its place in the code and what to do by hand."""
    named = Refusal("x.r", "a", "it comes from a variable", "change the variable", "app/x.tf", 3)
    whole = Refusal("x.s", None, "the object is gone", "")
    first, second = reasons_of([named, whole])
    assert first.message == "`x.r, a` in `app/x.tf:3`: it comes from a variable"
    assert (first.unblock, second.unblock) == ("change the variable", "change the code by hand")
    assert second.message == "`x.s`: the object is gone"
    assert reasons_of([]) == (NOTHING,)


BRANCH = branch_of(Proposal.ADOPT, APP)
ASKED: dict[str, tuple[Correction, bool]] = {
    "this one": (replace(KEPT, pull=PullRef(REPO, 7), outcome=PROPOSED), True),
    "another one": (replace(KEPT, pull=PullRef(REPO, 8), outcome=PROPOSED), False),
    "opened, and its number is not noted yet": (replace(KEPT, outcome=PROPOSED), True),
    "to be looked at first": (KEPT, True),
    "refused": (replace(KEPT, outcome=REFUSED), False),
    "of another project": (replace(KEPT, project=ProjectKey("web")), False),
    "of a revert": (replace(KEPT, how="propose revert"), False),
    "by a rule": (replace(KEPT, by=None, pull=PullRef(REPO, 7)), False),
}


@pytest.mark.parametrize(("kept", "asked"), ASKED.values(), ids=ASKED)
def test_who_asked(kept: Correction, asked: bool) -> None:
    """It knows them in lower case, as the forge's other people are known."""
    assert askers_of([kept], 7, BRANCH) == (frozenset({"ann"}) if asked else frozenset())
