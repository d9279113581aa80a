"""The projects of an exported scene: what became of each, and the plans it has."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from prbot.config.scene_file import PlanPart, ProjectPart
from prbot.model import ProjectKey
from prbot.plans.arguments import DESTROY
from prbot.plans.record import StoredPlan
from prbot.runs.left import plan_job_before_merge, what_is_left
from prbot.runs.phases import apply_jobs
from prbot.runs.requirements.plans import without_plan
from prbot.runs.run import Job, JobKind, JobState, Run
from prbot.runs.scene import Scene
from prbot.runs.stale import planned_again

VARIABLE = "-var="
Status = Literal["planned", "planning", "failed", "applying", "interrupted", "expired"]


def told_projects(run: Run, scene: Scene) -> tuple[ProjectKey, ...]:
    """Those the decision may have looked at."""
    if apply_jobs(run):  # of the others it was decided before
        return tuple(sorted({job.project for job in planned_again(run)}))
    named = scene.plan(run.ask.plan_id)
    found = {*(run.projects or ()), *scene.current_projects()}
    found |= {*without_plan(scene, run.ask.select), *((named.project,) if named else ())}
    if scene.pull.merged:
        found |= _to_settle(run, scene)
    return tuple(sorted(found))


def _to_settle(run: Run, scene: Scene) -> set[ProjectKey]:
    left = what_is_left(run, scene)
    return {*left.unreviewed, *(plan.project for plan in left.reviewed)}


def parts_of(run: Run, scene: Scene, projects: tuple[ProjectKey, ...]) -> tuple[ProjectPart, ...]:
    """As things stood before the run itself did anything, with what it made beside that."""
    mine = {job.plan_id for job in run.jobs}
    runs = tuple(replace(each, jobs=()) if each.id == run.id else each for each in scene.runs)
    plans = tuple(plan for plan in scene.plans if plan.id not in mine)
    earlier = replace(scene, runs=runs, plans=plans)
    left = _to_settle(run, scene) if scene.pull.merged else set()
    return tuple(_part(run, scene, earlier, project, left) for project in projects)


def _part(
    run: Run, scene: Scene, earlier: Scene, project: ProjectKey, left: set[ProjectKey]
) -> ProjectPart:
    known = scene.known_as(project)
    place = run.place_of(project)
    status = _status(run, earlier, project)
    plans = tuple(_plans(run, scene, earlier, project))
    applied = any(plan.applied_at for plan in plans)
    return ProjectPart(
        dir=project.dir,
        workspace=project.workspace,
        name=place.name or scene.name_of(project),
        state_known_as=known.dir if known != project else None,
        state_known_in=known.workspace if known.workspace != project.workspace else None,
        depends_on=tuple(f"{need.dir} ({need.workspace})" for need in place.needs),
        settled=scene.pull.merged and project not in left and not applied,
        status=status,
        base_moved=project in scene.moved,
        files=tuple(scene.files.get(project, ())) if scene.codeowners else (),
        plans=plans,
    )


# --- what became of it ------------------------------------------------------------------------


def _status(run: Run, earlier: Scene, project: ProjectKey) -> Status:
    """The first of these that holds is what is told of it."""
    job = _plan_job(run, earlier, project)
    plan = earlier.newest_plan(project)
    if earlier.is_applying(project):
        return "applying"
    if earlier.interrupted(project) and (earlier.pull.merged or not _under_way(job)):
        return "interrupted"
    if _under_way(job):
        return "planning"
    if job is not None and job.state is JobState.FAILED:
        return "failed"
    if earlier.has_expired(job.plan_id if job else None) and not _kept(plan, job):
        return "expired"
    unplanned = plan is None and project in (earlier.affected() or ())
    return "failed" if unplanned and not earlier.pull.merged else "planned"


def _kept(plan: StoredPlan | None, job: Job | None) -> bool:
    return plan is not None and job is not None and plan.id == job.plan_id


def _under_way(job: Job | None) -> bool:
    return job is not None and not job.state.finished


def _plan_job(run: Run, earlier: Scene, project: ProjectKey) -> Job | None:
    """Of a merge the one before it says what was reviewed."""
    if not earlier.pull.merged or run.ask.accept_changes:
        return earlier.newest_plan_job(project)
    found = (plan_job_before_merge(each, earlier, project) for each in earlier.runs)
    return next((job for job in found if job is not None), None)


# --- its plans -------------------------------------------------------------------------------


def _plans(run: Run, scene: Scene, earlier: Scene, project: ProjectKey) -> Iterator[PlanPart]:
    job = next((j for j in reversed(run.jobs_of(JobKind.PLAN)) if j.project == project), None)
    if job is not None:
        yield _made_again(job, scene)
    stored = [plan for plan in earlier.plans if plan.project == project]
    newest = earlier.newest_plan_job(project)
    if newest and newest.plan_id and not _kept(stored[0] if stored else None, newest):
        yield PlanPart(id=newest.plan_id, head=earlier.pull.head_sha)  # forgotten
    hashes = _hashes(stored, scene)
    for plan in stored:
        yield _plan(plan, earlier, hashes[plan.id])


def _hashes(stored: list[StoredPlan], scene: Scene) -> dict[str, str]:
    """Equal ones where a plan goes on from the one before it: it is the same, or was made
    again and found equal."""
    found: dict[str, str] = {}
    before: StoredPlan | None = None
    for plan in reversed(stored):
        digest = _digest(plan)
        if before is not None and scene.equal_to(plan) == before.id:
            digest = found[before.id]
        elif before is not None and digest == found[before.id] and digest != _digest(before):
            digest = f"{digest}-{plan.id}"
        found[plan.id], before = digest, plan
    return found


def _digest(plan: StoredPlan) -> str:
    """Of all that makes two plans the same."""
    return hashlib.sha256(repr((plan.hash, plan.inputs)).encode()).hexdigest()[:16]


def _plan(plan: StoredPlan, earlier: Scene, digest: str) -> PlanPart:
    asked, of_merge = plan.inputs.asked, plan.commit == earlier.pull.merge_sha
    return PlanPart(
        id=plan.id,
        head=plan.head,
        hash=digest,
        arguments=shlex.join(map(_named, asked)),
        shown_at=earlier.told_at(plan),
        made_at=plan.created_at,
        applied_at=plan.applied_at,
        tried=plan.applied_at is None and earlier.was_tried(plan.id),
        changes=plan.summary.has_changes,
        errored=plan.summary.errored or not plan.summary.applyable,
        targeted=any(word.startswith("-target=") for word in asked),
        destroy=DESTROY in asked,
        state_in_checkout=plan.state_is_lost,
        of_merge=of_merge,
    )


def _named(word: str) -> str:
    """A variable by its name: which value it was given decides nothing that the hash does not."""
    name, given, _ = word.removeprefix(VARIABLE).partition("=")
    return f"{VARIABLE}{name}=…" if given and word.startswith(VARIABLE) else word


def _made_again(job: Job, scene: Scene) -> PlanPart:
    """What the run made, equal to what it was compared with or not."""
    fresh, reviewed = scene.plan(job.plan_id), scene.plan(job.reviewed)
    if fresh is None or job.state is not JobState.PLANNED:
        return PlanPart(id=job.id, made_again=True, failed=True)
    part = _plan(fresh, scene, _digest(fresh))
    digest = part.hash
    if reviewed is not None and not job.differences:
        stored = [plan for plan in scene.plans if plan.project == job.project]
        digest = _hashes([p for p in stored if p.id != fresh.id], scene)[reviewed.id]
    elif reviewed is not None:
        digest = f"{digest}-again"
    return part.model_copy(update={"hash": digest, "made_again": True})
