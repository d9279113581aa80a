"""When drift is corrected, and every reason that stands against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from prbot.config.drift import Reaction
from prbot.config.windows import window_of
from prbot.drift.correcting import (
    Attempt,
    Ended,
    Situation,
    wants_auto,
    why_not_auto,
    why_not_correct,
    why_not_revert,
)
from prbot.drift.rules import Beyond, Decided, Drift
from prbot.drift.verdict import ProjectVerdict
from prbot.model import PullRef, RepoRef
from prbot.plans.threeway import Verdict
from prbot.runs.reasons import Reason

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)  # a Wednesday
INFRA = RepoRef("github", "acme/infra")
FINE = Situation(ProjectVerdict.DRIFTED, Beyond(), "f1", NOW)
OPEN, SHUT = window_of("Mon-Thu 09:00-16:00"), window_of("Mon-Thu 12:00-16:00")
FROZEN = Reason("frozen", "everything is frozen by dave", "ask dave")
POLICY = Reason("policies", "`deny` of tags fails", "its owners approve")


def one(action: Reaction, verdict: Verdict = Verdict.REVERTS, name: str = "tags") -> Decided:
    return Decided(Drift("aws_vpc.v", "aws_vpc", name, verdict), action)


def tried(hours: float, ended: Ended | None, fingerprint: str = "f1") -> Attempt:
    return Attempt(NOW - timedelta(hours=hours), fingerprint, ended)


AUTO, ALERT = one(Reaction.AUTO), one(Reaction.ALERT, name="policy")
PROVEN, FAILED, CUT = Ended.PROVEN, Ended.FAILED, Ended.INTERRUPTED

WHATEVER: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "nothing is against it": ({}, ()),
    "unapplied code": ({"verdict": ProjectVerdict.BEHIND}, ("unapplied",)),
    "drift and unapplied code": ({"verdict": ProjectVerdict.MIXED}, ("unapplied",)),
    "applied and not merged": ({"verdict": ProjectVerdict.APPLIED_UNMERGED}, ("unapplied",)),
    "in sync by now": ({"verdict": ProjectVerdict.IN_SYNC}, ("drift",)),
    "only a check fails": ({"verdict": ProjectVerdict.CHECK_FAILED}, ("drift",)),
    "it cannot be planned": ({"verdict": ProjectVerdict.ERROR}, ("unknown",)),
    "nobody can tell": ({"verdict": ProjectVerdict.UNKNOWN}, ("unknown",)),
    "it would do more": ({"beyond": Beyond(more=True)}, ("more",)),
    "it would delete": ({"beyond": Beyond(loses=True)}, ("loss",)),
    "it would do more, and delete": ({"beyond": Beyond(True, True)}, ("more", "loss")),
    "held by a pull request": ({"holder": PullRef(INFRA, 41)}, ("lock",)),
    "being applied": ({"applying": True}, ("applying",)),
    "frozen": ({"frozen": (FROZEN,)}, ("frozen",)),
    "in the window": ({"windows": (OPEN,)}, ()),
    "outside the window": ({"windows": (SHUT,)}, ("windows",)),
    "one of two windows is open": ({"windows": (SHUT, OPEN)}, ()),
    "a policy fails": ({"policies": (POLICY,)}, ("policies",)),
    "one before was interrupted": ({"attempts": (tried(90, CUT),)}, ("interrupted",)),
    "one before never ended": ({"attempts": (tried(1, None),)}, ("interrupted",)),
    "one was interrupted and mended": ({"attempts": (tried(3, CUT), tried(1, PROVEN))}, ()),
    "one was mended and then interrupted": (
        {"attempts": (tried(1, CUT), tried(3, PROVEN))},
        ("interrupted",),
    ),
    "everything at once": (
        {
            "verdict": ProjectVerdict.MIXED,
            "holder": PullRef(INFRA, 41),
            "frozen": (FROZEN,),
            "windows": (SHUT,),
            "beyond": Beyond(True, True),
            "policies": (POLICY,),
        },
        ("unapplied", "lock", "frozen", "windows", "loss", "policies"),
    ),
}


def names(reasons: tuple[Reason, ...]) -> tuple[str, ...]:
    return tuple(reason.requirement for reason in reasons)


@pytest.mark.parametrize("case", WHATEVER)
def test_any_correction(case: str) -> None:
    """It is stopped by what stops an apply, and by whatever the issue did not show."""
    told, expected = WHATEVER[case]
    here = replace(FINE, **told)
    assert names(why_not_correct(here)) == expected
    assert names(why_not_revert(here, "f1")) == expected
    assert names(why_not_auto(here, "f1", (AUTO,), True)) == expected


def test_revert_means_what_was_shown() -> None:
    """It is refused when something else drifted since somebody asked."""
    assert names(why_not_revert(FINE, "f0")) == ("shown",)
    assert names(why_not_revert(replace(FINE, applying=True), "f0")) == ("shown", "applying")


def test_a_rule_means_what_is_told() -> None:
    """It puts back by itself only what the issue told of, not what drifted since; the next check
    tells of that, and tries again."""
    (why,) = why_not_auto(FINE, "f0", (AUTO,), True)
    assert (why.requirement, why.comes) == ("shown", True)


BY_RULE: dict[str, tuple[tuple[Decided, ...], bool, tuple[Attempt, ...], tuple[str, ...]]] = {
    "all say auto, and the server consents": ((AUTO, AUTO), True, (), ()),
    "the server does not": ((AUTO,), False, (), ("consent",)),
    "one is to be told": ((AUTO, ALERT), True, (), ("rules",)),
    "one is to be ignored, and would be changed": (
        (AUTO, one(Reaction.IGNORE)),
        True,
        (),
        ("rules",),
    ),
    "one is for a pull request": ((AUTO, one(Reaction.OPEN_PR)), True, (), ("rules",)),
    "one is at rest": ((AUTO, one(Reaction.IGNORE, Verdict.IGNORED)), True, (), ()),
    "one is adopted by the code": ((AUTO, one(Reaction.IGNORE, Verdict.ADOPTS)), True, (), ()),
    "what is gone": ((one(Reaction.AUTO, Verdict.GONE),), True, (), ()),
    "neither": ((AUTO, ALERT), False, (), ("rules", "consent")),
    "corrected once today": ((AUTO,), True, (tried(3, PROVEN),), ()),
    "the third time today": (
        (AUTO,),
        True,
        (tried(3, PROVEN), tried(5, PROVEN)),
        ("flapping",),
    ),
    "the third time, other drift": (
        (AUTO,),
        True,
        (tried(3, PROVEN, "f0"), tried(5, PROVEN, "f2")),
        ("flapping",),
    ),
    "the third time within a day and a bit": (
        (AUTO,),
        True,
        (tried(3, PROVEN), tried(24, PROVEN)),
        (),
    ),
    "failed once": ((AUTO,), True, (tried(1, FAILED),), ()),
    "failed twice": ((AUTO,), True, (tried(1, FAILED), tried(2, FAILED)), ("tries",)),
    "failed twice yesterday": ((AUTO,), True, (tried(24, FAILED), tried(30, FAILED)), ()),
    "failed twice at other drift": (
        (AUTO,),
        True,
        (tried(1, FAILED, "f0"), tried(2, FAILED, "f0")),
        (),
    ),
}


@pytest.mark.parametrize("case", BY_RULE)
def test_by_rule(case: str) -> None:
    """It is corrected only where all want it, the server lets them, and it helps."""
    decided, consent, attempts, expected = BY_RULE[case]
    here = replace(FINE, attempts=attempts)
    assert names(why_not_auto(here, "f1", decided, consent)) == expected


def test_says_why_it_is_demoted() -> None:
    """It tells how often, and from when on it is corrected again."""
    here = replace(FINE, attempts=(tried(3, PROVEN), tried(5, PROVEN)))
    (why,) = why_not_auto(here, "f1", (AUTO,), True)
    assert why.message == ("this project drifted again after it was corrected twice within a day")
    assert why.unblock == (
        "find out who changes it; by rule it is corrected again after 2026-03-05 05:00 UTC"
    )
    later = replace(here, now=datetime(2026, 3, 5, 5, 0, tzinfo=UTC))
    assert why_not_auto(later, "f1", (AUTO,), True) == ()


STOPS = {key: told for key, (told, expected) in WHATEVER.items() if len(expected) == 1}
PAIRS = [
    pair for pair in combinations(STOPS, 2) if not STOPS[pair[0]].keys() & STOPS[pair[1]].keys()
]


@pytest.mark.parametrize("pair", PAIRS, ids=" & ".join)
def test_no_reason_hides_another(pair: tuple[str, str]) -> None:
    """It tells all reasons at once, whichever come together; that a plan would do more is what
    unapplied code means."""
    found = names(why_not_correct(replace(FINE, **STOPS[pair[0]], **STOPS[pair[1]])))
    wanted = {WHATEVER[case][1][0] for case in pair}
    assert wanted - {"more"} <= set(found)


def test_who_is_told() -> None:
    """It wants to be told about where a rule says auto of something that a plan would change."""
    assert wants_auto((ALERT, AUTO))
    assert not wants_auto((ALERT, one(Reaction.AUTO, Verdict.ADOPTS)))
    assert not wants_auto(())
