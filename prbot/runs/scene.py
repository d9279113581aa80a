"""All that deciding needs to know, gathered once before each decision."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.config.repo import Effective
from prbot.config.server import ApplyOnMerge
from prbot.model import Login, Permission, PlanId, ProjectKey, PullRequest, Review
from prbot.plans.record import StoredPlan
from prbot.runs.locks import Lock
from prbot.runs.run import Job, JobKind, JobState, Run, Trouble

NOTHING_ALLOWED = Effective(
    may_apply=False,
    apply_on_merge=ApplyOnMerge.NEVER,
    approvals=1,
    plan_drafts=False,
    ignore=(),
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
    """

    pull: PullRequest
    bot: Login
    served: bool = True
    permission: Permission = Permission.NONE
    reviews: tuple[Review, ...] = ()
    rules: Effective | Trouble | None = None
    runs: tuple[Run, ...] = ()
    plans: tuple[StoredPlan, ...] = ()
    locks: tuple[Lock, ...] = ()

    def newest_plan(self, project: ProjectKey) -> StoredPlan | None:
        return next((plan for plan in self.plans if plan.project == project), None)

    def plan(self, plan_id: PlanId | None) -> StoredPlan | None:
        return next((plan for plan in self.plans if plan.id == plan_id), None)

    def jobs(self) -> tuple[Job, ...]:
        """All jobs of the pull request, those of the newest run first."""
        return tuple(job for run in self.runs for job in run.jobs)

    def newest_plan_job(self, project: ProjectKey) -> Job | None:
        return next(
            (j for j in self.jobs() if j.kind is JobKind.PLAN and j.project == project), None
        )

    def was_tried(self, plan_id: PlanId) -> bool:
        """An apply of this plan was asked for once, whatever came of it."""
        return any(
            job.reviewed == plan_id
            and job.kind is JobKind.APPLY
            and job.state is not JobState.DROPPED
            for job in self.jobs()
        )

    def planned_projects(self) -> tuple[ProjectKey, ...]:
        return tuple(sorted({plan.project for plan in self.plans}))
