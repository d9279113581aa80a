"""Whether drift may be corrected now: by somebody's word, or by a rule that says `auto`.

Pure predicates, as an apply has them (`runs.requirements`): each returns the reasons why not,
all of them at once, and none where it may. A correction is an apply of the default branch's own
plan, so whatever stops an apply stops it, too; nobody reviewed its plan, so it may do nothing
that the issue did not show.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from prbot.config.drift import Reaction
from prbot.config.windows import Window, any_open, next_opening
from prbot.drift.rules import AT_REST, Beyond, Decided
from prbot.drift.verdict import ProjectVerdict
from prbot.model import PullRef
from prbot.runs.correction import holder_words, way_to_free
from prbot.runs.reasons import Reason, Reasons

DAY = timedelta(days=1)
OFTEN = 2
"""So many corrections that were proven within a DAY are help; a third would be a quarrel."""
TRIES = 2
"""So many times the same drift is tried to be corrected within a DAY."""


class Ended(StrEnum):
    """`proven`: a plan afterwards showed that the drift is over. `failed`: the apply failed, or
    that plan still shows it. `interrupted`: nobody knows what it did."""

    PROVEN = "proven"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Attempt:
    """A correction of the project that was begun. `fingerprint`: of what it set out to correct.
    `ended` None: it runs still, or its worker died."""

    at: datetime
    fingerprint: str
    ended: Ended | None = None


@dataclass(frozen=True)
class Situation:
    """What is asked about one project, just before its correction would begin.

    `fingerprint` is of the drift that a plan shows now. `windows` are those of the project's
    environment for applies, `frozen` and `policies` what `not_frozen` and the policies' own
    predicate say about this plan. `holder`: the pull request that holds the project.
    `applying`: an apply of it waits or runs. `attempts` are all that are known, in any order.
    """

    verdict: ProjectVerdict
    beyond: Beyond
    fingerprint: str
    now: datetime
    windows: tuple[Window, ...] = ()
    frozen: Reasons = ()
    policies: Reasons = ()
    holder: PullRef | None = None
    applying: bool = False
    attempts: tuple[Attempt, ...] = ()


def why_not_correct(here: Situation) -> Reasons:
    """What stands against any correction, whoever asks for it."""
    frozen = tuple(replace(reason, comes=True) for reason in here.frozen)
    found = (*_nothing_unapplied(here), *_unheld(here), *frozen, *_in_time(here))
    return (*found, *_losing(here.beyond), *here.policies, *_known_ends(here.attempts))


def why_not_revert(here: Situation, shown: str) -> Reasons:
    """What stands against a correction that somebody asked for. `shown` is the fingerprint of
    the drift that the issue told of when they did: they meant that, and nothing else."""
    other = Reason(
        "shown",
        "what drifted is not what the issue showed when you asked",
        "read the issue again, then repeat the command",
    )
    stale = () if shown == here.fingerprint else (other,)
    return (*stale, *why_not_correct(here))


def why_not_auto(here: Situation, shown: str, decided: Iterable[Decided], consent: bool) -> Reasons:
    """What stands against a correction by rule, beside the rest. `shown` is the fingerprint of
    the drift of which the check told that asked for it; `consent` is the server's, for this
    repository and environment."""
    other = Reason(
        "shown",
        "what drifted is not what the issue tells any more",
        "it is tried again after the next check, which tells of it first",
        comes=True,
    )
    stale = () if shown == here.fingerprint else (other,)
    denied = Reason(
        "consent",
        "the server does not let rules correct drift here",
        "whoever runs the server can allow `drift-auto` for this repository",
    )
    agreed = () if consent else (denied,)
    repeated = (*_tries_left(here), *_not_flapping(here))
    return (*stale, *_all_say_auto(decided), *agreed, *repeated, *why_not_correct(here))


def wants_auto(decided: Iterable[Decided]) -> bool:
    """Whether a rule says `auto` of anything, so that people are told why it is not done."""
    return any(one.action is Reaction.AUTO for one in decided if _acts(one))


def _acts(one: Decided) -> bool:
    return one.drift.verdict not in AT_REST


def _all_say_auto(decided: Iterable[Decided]) -> Reasons:
    others = [one for one in decided if _acts(one) and one.action is not Reaction.AUTO]
    if not others:
        return ()
    named = ", ".join(sorted({one.action.value for one in others}))
    what = "one attribute that drifted" if len(others) == 1 else f"{len(others)} of what drifted"
    way = "let a rule say `auto` of everything that drifts together, or comment `prbot revert`"
    return (Reason("rules", f"the rules want `{named}` for {what}: a plan corrects all", way),)


_UNAPPLIED = {
    ProjectVerdict.BEHIND: "merged code of this project is not applied",
    ProjectVerdict.MIXED: "merged code of this project is not applied, beside the drift",
    ProjectVerdict.APPLIED_UNMERGED: "what runs was applied from a pull request and is not merged",
}


def _nothing_unapplied(here: Situation) -> Reasons:
    """A correction applies the default branch: it would bring along what nobody applied."""
    if here.verdict is ProjectVerdict.DRIFTED:
        more = "the plan would change more than what drifted"
        way = "apply it from a pull request, where people see all of it"
        return (Reason("more", more, way),) if here.beyond.more else ()
    if (unapplied := _UNAPPLIED.get(here.verdict)) is not None:
        return (Reason("unapplied", unapplied, "apply or revert that first, then look again"),)
    if here.verdict in (ProjectVerdict.IN_SYNC, ProjectVerdict.CHECK_FAILED):
        return (Reason("drift", "nothing drifted any more", "there is nothing to do"),)
    return (Reason("unknown", "nobody can tell what drifted", "comment `prbot recheck`"),)


def _losing(beyond: Beyond) -> Reasons:
    if not beyond.loses:
        return ()
    way = "apply it from a pull request, where people see what is lost"
    return (Reason("loss", "the plan would delete or replace something", way),)


def _unheld(here: Situation) -> Reasons:
    found: list[Reason] = []
    if here.holder is not None:
        held = f"the project is held by {holder_words(here.holder)}"
        found.append(Reason("lock", held, way_to_free(here.holder), comes=True))
    if here.applying:
        found.append(
            Reason("applying", "the project is being applied", "wait until it ended", comes=True)
        )
    return tuple(found)


def _in_time(here: Situation) -> Reasons:
    if any_open(here.windows, here.now):
        return ()
    listed = ", ".join(f"`{window.text}`" for window in here.windows)
    opens = next_opening(here.windows, here.now)
    closed = f"now is outside the apply windows: {listed}"
    way = f"the next one opens at {opens:%Y-%m-%d %H:%M} UTC"
    return (Reason("windows", closed, way, comes=True),)


def _known_ends(attempts: Iterable[Attempt]) -> Reasons:
    """What an interrupted apply left is not known, so it is never begun again by itself. A
    proof that came later says that it was mended."""
    ordered = sorted(attempts, key=lambda one: one.at)
    proofs = [at for at, one in enumerate(ordered) if one.ended is Ended.PROVEN]
    since = ordered[proofs[-1] + 1 :] if proofs else ordered
    if not any(one.ended in (None, Ended.INTERRUPTED) for one in since):
        return ()
    way = "look at what it left, and apply it from a pull request"
    return (Reason("interrupted", "a correction before this one did not end", way),)


# --- how often -----------------------------------------------------------------------------


def _within_a_day(here: Situation) -> list[Attempt]:
    return [one for one in here.attempts if here.now - one.at < DAY]


def _tries_left(here: Situation) -> Reasons:
    failed = [
        one
        for one in _within_a_day(here)
        if one.ended is Ended.FAILED and one.fingerprint == here.fingerprint
    ]
    if len(failed) < TRIES:
        return ()
    again = min(one.at for one in failed[-TRIES:]) + DAY
    tried = f"correcting it failed {len(failed)} times within a day"
    return (Reason("tries", tried, f"see why; it is tried again after {_moment(again)}"),)


def _not_flapping(here: Situation) -> Reasons:
    """Whoever changes it again and again has a reason, or is a machine that does not stop."""
    proven = sorted(one.at for one in _within_a_day(here) if one.ended is Ended.PROVEN)
    if len(proven) < OFTEN:
        return ()
    times = {2: "twice"}.get(len(proven), f"{len(proven)} times")
    back = f"this project drifted again after it was corrected {times} within a day"
    again = _moment(proven[-OFTEN] + DAY)
    way = f"find out who changes it; by rule it is corrected again after {again}"
    return (Reason("flapping", back, way),)


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
