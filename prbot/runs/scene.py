"""All that deciding needs to know, gathered once before each decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from prbot.config.codeowners import CodeOwners
from prbot.config.per_repository import Allowed
from prbot.config.repo import Effective
from prbot.config.server import ApplyOnMerge
from prbot.model import Login, Permission, PlanId, ProjectKey, PullRequest, Review, Selector, Sha
from prbot.plans.record import StoredPlan
from prbot.runs.freezes import Freeze
from prbot.runs.journal import EXPIRED, JournalEntry
from prbot.runs.landings import NOWHERE, Around, Landing
from prbot.runs.locks import Lock
from prbot.runs.reasons import Reasons
from prbot.runs.run import CHANGING, AskKind, Job, JobKind, JobState, Run, Trouble

Key = TypeVar("Key")
Item = TypeVar("Item")

NOTHING_ALLOWED = Effective(
    may_apply=False,
    apply_on_merge=ApplyOnMerge.NEVER,
    plan_drafts=False,
)
"""What holds where no rules could be read."""


@dataclass(frozen=True)
class Scene:
    """The world around one run.

    `served` is False for a pull request into a branch that prbot does not serve.
    `permission` is the asking actor's. `rules` is None until the run's commit is laid
    out, and Trouble when the repository's file cannot be used. `runs` are all runs of
    the pull request with their jobs, newest first, this one included. `plans` are its
    plans, newest first. `locks` are all locks of the repository.
    `journal` are the pull request's entries, oldest first, if an apply was interrupted, a
    plan that was made is no longer kept, states are left without anybody, or the run has an
    override.
    `post_hooks`: the operator wants hooks to run after this run. `allow` is what the operator
    lets people do in this repository that is off elsewhere.
    `landings` are the repository's that are not settled, this pull request's, and the last
    ones settled of each project; `merging` the unfinished merge runs of its other pull
    requests, where this run applies; `around` tells of the commits of both.

    The rest is gathered where a decision may need it. `now` is when it is taken. `teams` has
    the members (in lower case) of each team that it may ask for, None where they could not
    be learned. `committers` (in lower case) wrote the pull request's commits; None when the
    forge does not tell all of them. `askers` (in lower case) had prbot open it. `codeowners`
    are the default branch's. `failing_checks` are others' checks that the base branch requires
    and that are not green. `files` are the changed files that affect each project, `moved` the
    projects of which files they read changed in the base since their newest plan. `freezes` are
    those in force. `newest` is the default branch's commit, fetched just now, and `against` what
    stands against the plan, before a correction is applied.
    """

    pull: PullRequest
    bot: Login
    now: datetime
    served: bool = True
    permission: Permission = Permission.NONE
    reviews: tuple[Review, ...] = ()
    rules: Effective | Trouble | None = None
    runs: tuple[Run, ...] = ()
    plans: tuple[StoredPlan, ...] = ()
    locks: tuple[Lock, ...] = ()
    journal: tuple[JournalEntry, ...] = ()
    post_hooks: bool = False
    allow: frozenset[Allowed] = frozenset()
    landings: tuple[Landing, ...] = ()
    merging: tuple[Run, ...] = ()
    around: Around = NOWHERE
    teams: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    committers: frozenset[str] | None = frozenset()
    askers: frozenset[str] = frozenset()
    codeowners: CodeOwners | None = None
    failing_checks: tuple[str, ...] = ()
    files: Mapping[ProjectKey, tuple[str, ...]] = field(default_factory=dict)
    moved: frozenset[ProjectKey] = frozenset()
    freezes: tuple[Freeze, ...] = ()
    newest: Sha | None = None
    against: Reasons | None = None

    # --- each looked up once: a pull request may have thousands of projects -------------------

    @cached_property
    def _plans(self) -> Mapping[PlanId | None, StoredPlan]:
        return {plan.id: plan for plan in reversed(self.plans)}

    @cached_property
    def _newest_plans(self) -> Mapping[ProjectKey, StoredPlan]:
        return {plan.project: plan for plan in reversed(self.plans)}

    @cached_property
    def _jobs(self) -> tuple[Job, ...]:
        return tuple(job for run in self.runs for job in run.jobs)

    @cached_property
    def _plans_of(self) -> Mapping[ProjectKey, list[StoredPlan]]:
        return _grouped((plan.project, plan) for plan in self.plans)

    @cached_property
    def _jobs_of(self) -> Mapping[ProjectKey, list[tuple[Run, Job]]]:
        return _grouped((job.project, (run, job)) for run in self.runs for job in run.jobs)

    @cached_property
    def _makers(self) -> Mapping[PlanId | None, list[tuple[Run, Job]]]:
        return _grouped((job.plan_id, (run, job)) for run in self.runs for job in run.jobs)

    @cached_property
    def _names(self) -> Mapping[ProjectKey, str | None]:
        placed = (place for run in reversed(self.runs) for place in reversed(run.placed))
        return {place.project: place.name for place in placed}

    @cached_property
    def _formerly(self) -> Mapping[ProjectKey, ProjectKey]:
        placed = (place for run in reversed(self.runs) for place in reversed(run.placed))
        return {place.project: place.formerly for place in placed if place.formerly}

    @cached_property
    def _tried(self) -> frozenset[PlanId | None]:
        applies = (job for job in self._jobs if job.kind is JobKind.APPLY)
        return frozenset(job.reviewed for job in applies if job.state is not JobState.STALE)

    @cached_property
    def _newest_plan_jobs(self) -> Mapping[ProjectKey, Job]:
        found: dict[ProjectKey, Job] = {}
        for job in self._jobs:
            if job.kind is JobKind.PLAN:
                found.setdefault(job.project, job)
        return found

    @cached_property
    def _expired(self) -> frozenset[str]:
        return frozenset(line.subject for line in self.journal if line.action == EXPIRED)

    # --- plans, jobs and what became of them --------------------------------------------------

    def newest_plan(self, project: ProjectKey) -> StoredPlan | None:
        return self._newest_plans.get(project)

    def plans_of(self, project: ProjectKey) -> Sequence[StoredPlan]:
        """Newest first."""
        return self._plans_of.get(project, ())

    def plan(self, plan_id: PlanId | None) -> StoredPlan | None:
        return self._plans.get(plan_id)

    def name_of(self, project: ProjectKey) -> str | None:
        """What it was called when it was last planned here; most projects have no name."""
        return self._names.get(project)

    def same_state(self, projects: Iterable[ProjectKey]) -> tuple[ProjectKey, ...]:
        """The projects, and what those that this pull request moves are called elsewhere."""
        known = dict.fromkeys(projects)
        placed = (place for run in self.runs for place in run.placed if place.project in known)
        former = dict.fromkeys(place.formerly for place in placed if place.formerly)
        return tuple(known | former)

    def known_as(self, project: ProjectKey) -> ProjectKey:
        """What the default branch calls the project that has this state: the head cannot take
        one out of its environment."""
        return self._formerly.get(project, project)

    def jobs(self) -> tuple[Job, ...]:
        """All jobs of the pull request, those of the newest run first."""
        return self._jobs

    def is_applying(self, project: ProjectKey) -> bool:
        """An apply of the project waits or runs, whichever plan it applies; so does a change of
        its state alone."""
        return any(
            job.kind in CHANGING and not job.state.finished
            for _, job in self._jobs_of.get(project, ())
        )

    def told_at(self, plan: StoredPlan) -> datetime | None:
        """When the comment stood there that shows this plan; None while there is none."""
        made_by = (run for run, _ in self._makers.get(plan.id, ()))
        told = (run.told_at for run in made_by if run.state.finished and run.told_at)
        return next((max(at, plan.created_at) for at in told), None)

    def pushers(self) -> frozenset[str]:
        """Who brought the heads seen so far, in lower case: whose event first told of each.

        Not promised: to know who pushed what no event told of.
        """
        first: dict[str, Login] = {}
        for run in reversed(self.runs):
            if run.ask.kind is AskKind.PLAN and not run.ask.by_comment and run.ask.head_sha:
                first.setdefault(run.ask.head_sha, run.ask.actor)
        return frozenset(actor.lower() for actor in first.values())

    def begun_projects(self) -> tuple[ProjectKey, ...]:
        """Projects an apply was begun for: one that failed half-way changed something too.
        One that was dropped or skipped never began."""
        applied = {plan.project for plan in self.plans if plan.applied_at}
        applies = (job for job in self.jobs() if job.kind is JobKind.APPLY)
        begun = {job.project for job in applies if not job.state.never_began}
        return tuple(sorted(applied | begun))

    def newest_plan_job(self, project: ProjectKey) -> Job | None:
        return self._newest_plan_jobs.get(project)

    def newest_whole_plan_job(self, project: ProjectKey) -> Job | None:
        """Of those that say what a merge would bring."""
        found = (job for job in self.jobs() if job.kind is JobKind.PLAN)
        mine = (job for job in found if job.project == project and not self._special(job))
        return next(mine, None)

    def _special(self, job: Job) -> bool:
        plan, run = self.plan(job.plan_id), next(r for r in self.runs if r.id == job.run_id)
        return plan.special if plan is not None else run.ask.special

    def equal_to(self, plan: StoredPlan) -> PlanId | None:
        """The reviewed plan that this one, made again, was found equal to."""
        jobs = (job for _, job in self._makers.get(plan.id, ()))
        return next((job.reviewed for job in jobs if not job.differences), None)

    def has_expired(self, plan_id: PlanId | None) -> bool:
        """It is too old to be applied as it is, or was forgotten for that."""
        if (plan := self.plan(plan_id)) is not None:
            return plan.expired_at is not None
        return plan_id in self._expired

    def forgotten_projects(self) -> frozenset[ProjectKey]:
        """Those of the expired ones of which no plan is kept that could be made again."""
        return frozenset(p for p in self.expired_projects() if not self._has_newest(p))

    def _has_newest(self, project: ProjectKey) -> bool:
        job = self.newest_plan_job(project)
        return job is not None and self.plan(job.plan_id) is not None

    def expired_projects(self) -> frozenset[ProjectKey]:
        """The projects whose newest plan expired, and that nobody has planned since, without
        those that later commits left alone again."""
        affected, found, known = self.affected(), set(), set[ProjectKey]()
        for run in self.runs:
            here = run.checkout is not None and run.checkout.head == self.pull.head_sha
            for job in run.jobs:
                if job.kind is not JobKind.PLAN or job.project in known:
                    continue
                known.add(job.project)
                current = here or affected is None or job.project in affected
                if current and self.has_expired(job.plan_id):
                    found.add(job.project)
        return frozenset(found)

    def was_tried(self, plan_id: PlanId) -> bool:
        """An apply of this plan was asked for once, whatever came of it; one that did not
        begin because the plan was stale does not count."""
        return plan_id in self._tried

    def affected(self) -> frozenset[ProjectKey] | None:
        """What the newest full plan of this head found; None while there was none."""
        for run in self.runs:
            full = run.ask.kind is AskKind.PLAN and run.ask.select == Selector()
            if full and run.checkout and run.checkout.head == self.pull.head_sha:
                return frozenset(run.projects or ())
        return None

    def current_projects(self) -> tuple[ProjectKey, ...]:
        """The planned projects, without those that later commits left alone again."""
        affected = self.affected()
        return tuple(
            project
            for project in self.planned_projects()
            if affected is None or project in affected or self._planned_here(project)
        )

    def _planned_here(self, project: ProjectKey) -> bool:
        plan = self.newest_plan(project)
        return plan is not None and plan.head in (self.pull.head_sha, self.pull.merge_sha)

    def interrupted(self, project: ProjectKey) -> bool:
        """An apply was interrupted, and nobody has planned the project since."""
        for run, job in self._jobs_of.get(project, ()):
            if job.state is JobState.INTERRUPTED:
                return True
            if _planned_by(run, job):
                return False
        return False

    def planned_projects(self) -> tuple[ProjectKey, ...]:
        return tuple(sorted({plan.project for plan in self.plans}))


def _grouped(pairs: Iterable[tuple[Key, Item]]) -> Mapping[Key, list[Item]]:
    """In the order in which they come."""
    found: dict[Key, list[Item]] = {}
    for key, item in pairs:
        found.setdefault(key, []).append(item)
    return found


def _planned_by(run: Run, job: Job) -> bool:
    return run.ask.kind is AskKind.PLAN and job.state is JobState.PLANNED
