"""Which plans of a pull request are too old to be applied as they are, and what follows.

A plan says what an apply would do to the world as it was; after days it has to be made again
first, and is applied if it is equal still. Only a project's newest plan is judged, and only if
applying it would change something: older ones go with it. The plans of one run expire together,
when the youngest of them is too old, so that people are told once.

Nothing expires while anything of the pull request is unfinished. A lock is freed only if
nothing can have been applied under it: an apply that failed or was interrupted half-way
keeps its project until the pull request is merged or closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from prbot.model import PlanId, ProjectKey, PullRef, Sha
from prbot.plans.record import StoredPlan
from prbot.runs.locks import Lock
from prbot.runs.phases import has_work
from prbot.runs.project_checks import taken_back
from prbot.runs.queued import ENTRY
from prbot.runs.run import AskKind, JobKind, Run, RunState
from prbot.runs.say import PlansExpired
from prbot.runs.steps import Check, FreeLocks, Say, SetStatus, Verdict


@dataclass(frozen=True)
class Kept:
    """What is kept of one pull request.

    `plans` and `runs` are newest first. `droppable` are the plans made before `moment`
    whose apply never began. `locks` may be other pull requests' too.
    """

    pull: PullRef
    plans: tuple[StoredPlan, ...]
    droppable: frozenset[PlanId]
    runs: tuple[Run, ...]
    locks: tuple[Lock, ...]
    moment: datetime


@dataclass(frozen=True)
class Expiring:
    """`plans` are marked, oldest first, and `steps` performed, in one transaction."""

    plans: tuple[StoredPlan, ...]
    steps: tuple[FreeLocks | Say | SetStatus, ...]


def expire(kept: Kept, age: timedelta, may_apply: bool) -> Expiring | None:
    """What expires now; None when nothing does. `may_apply`: this server ever applies."""
    newest = () if _is_busy(kept.runs) else tuple(_too_old(kept))
    if not newest:
        return None
    projects = {plan.project for plan in newest}
    gone = [p for p in kept.plans if p.project in projects and p.id in kept.droppable]
    freed = _freed(kept, projects)
    concerned = tuple(plan for plan in newest if _concerns(plan, kept.runs))
    told = sorted({plan.project for plan in concerned} | set(freed))
    steps: list[FreeLocks | Say | SetStatus] = [FreeLocks(freed)] if freed else []
    if told:
        topic = f"expired-{gone[-1].id}"
        steps.append(Say(topic, PlansExpired(tuple(told), age, freed)))
    steps += _checks(kept.runs, concerned, may_apply)
    return Expiring(tuple(reversed(gone)), tuple(steps))


def _is_busy(runs: tuple[Run, ...]) -> bool:
    jobs = (job for run in runs for job in run.jobs)
    return any(not run.state.finished for run in runs) or any(not j.state.finished for j in jobs)


def _too_old(kept: Kept) -> Iterator[StoredPlan]:
    """The newest plans of their projects that expire."""
    newest: dict[ProjectKey, StoredPlan] = {}
    for plan in kept.plans:
        newest.setdefault(plan.project, plan)
    waiting = [plan for plan in newest.values() if has_work(plan)]
    young = {plan.run_id for plan in waiting if plan.created_at >= kept.moment}
    for plan in waiting:
        if plan.id in kept.droppable and plan.run_id not in young:
            yield plan


def _freed(kept: Kept, projects: set[ProjectKey]) -> tuple[ProjectKey, ...]:
    """Those of the projects that exactly this pull request holds without having to."""
    held = {lock.project for lock in kept.locks if lock.holder == kept.pull}
    begun = {plan.id for plan in kept.plans} - kept.droppable
    touched = {
        job.project
        for run in kept.runs
        for job in run.jobs
        if job.kind is JobKind.APPLY and job.reviewed in begun
    }
    return tuple(sorted(projects & held - touched))


def _concerns(plan: StoredPlan, runs: tuple[Run, ...]) -> bool:
    """Later commits may have left its project alone; then nobody waits for the plan. Nor does
    anybody where there is no pull request."""
    if any(run.ask.kind in ENTRY for run in runs):
        return False
    return _is_merged(runs) or plan.head == _head(runs)


def _is_merged(runs: tuple[Run, ...]) -> bool:
    nothing = (RunState.SUPERSEDED, RunState.IGNORED)
    return any(run.ask.kind is AskKind.MERGE and run.state not in nothing for run in runs)


def _head(runs: tuple[Run, ...]) -> Sha | None:
    """The newest head that a run was about, also after the merge."""
    for run in runs:
        if run.ask.head_sha is not None:
            return run.ask.head_sha
        if run.checkout is not None and not _is_merged(runs):
            return run.checkout.head
    return None


def _checks(
    runs: tuple[Run, ...], concerned: tuple[StoredPlan, ...], may_apply: bool
) -> list[SetStatus]:
    """A merged commit was planned in its time; only its apply is still open."""
    head = _head(runs)
    if head is None or not concerned:
        return []
    plans = "plan" if len(concerned) == 1 else f"{len(concerned)} plans"
    text = f"{plans} expired: comment `prbot plan`"
    checks = [] if _is_merged(runs) else [Check.PLAN]
    checks += [Check.APPLY] if may_apply else []
    each = [] if _is_merged(runs) else [taken_back(head, p.project, "expired") for p in concerned]
    return [*(SetStatus(head, check, Verdict.FAILURE, text) for check in checks), *each]
