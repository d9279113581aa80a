"""How a plan run goes on: lay out, plan each project, tell."""

from __future__ import annotations

from prbot.config.repo import Effective
from prbot.config.server import ApplyOnMerge
from prbot.model import Sha
from prbot.runs.requirements import may_command, pull_is_fit
from prbot.runs.run import AskKind, Job, JobKind, JobState, Run, RunState, Trouble
from prbot.runs.say import Failure, NoProjects, PlanReport, ProjectResult, Reason, Refusal
from prbot.runs.scene import NOTHING_ALLOWED, Scene
from prbot.runs.steps import (
    Check,
    Finish,
    LayOut,
    Say,
    SetStatus,
    StartJob,
    Step,
    Verdict,
)

Steps = tuple[Step, ...]


def decide_plan(run: Run, scene: Scene) -> Steps:
    """Steps of a PLAN run, asked for by an event or by a comment."""
    stop = _before_anything(run, scene)
    if stop:
        return stop
    if run.trouble is not None:
        return fail(run, scene, run.trouble)
    if run.checkout is None:
        return (
            SetStatus(_head(run, scene), Check.PLAN, Verdict.PENDING, "planning"),
            LayOut(),
        )
    if isinstance(scene.rules, Trouble):
        return fail(run, scene, scene.rules)
    if not run.jobs:
        return _begin(run, scene, scene.rules or NOTHING_ALLOWED)
    if not all(job.state.finished for job in run.jobs):
        return ()
    if _moved_on(run, scene):
        return supersede(run, scene)
    return _report(run, scene, scene.rules or NOTHING_ALLOWED)


def _before_anything(run: Run, scene: Scene) -> Steps:
    if run.ask.by_comment:
        reasons = may_command(run.ask, scene.permission)
        if not scene.pull.open and not scene.pull.merged:
            reasons += pull_is_fit(scene.pull)
        if reasons:
            return (
                Say(run.id, Refusal("plan", run.ask.actor, reasons)),
                Finish(RunState.REFUSED),
            )
        return ()
    if not scene.pull.open:
        return (Finish(RunState.SUPERSEDED),)
    return supersede(run, scene) if not run.jobs and _moved_on(run, scene) else ()


def _moved_on(run: Run, scene: Scene) -> bool:
    """The pull request has a newer head than this run speaks of."""
    known = run.checkout.head if run.checkout else run.ask.head_sha
    return scene.pull.open and known is not None and known != scene.pull.head_sha


def supersede(run: Run, scene: Scene) -> Steps:
    """End a run of an older commit; its checks say so."""
    sha = _head(run, scene)
    why = f"superseded by {scene.pull.head_sha[:7]}"
    return (
        SetStatus(sha, Check.PLAN, Verdict.FAILURE, why),
        SetStatus(sha, Check.APPLY, Verdict.FAILURE, why),
        Finish(RunState.SUPERSEDED),
    )


def fail(run: Run, scene: Scene, trouble: Trouble) -> Steps:
    """End a run that could not even begin with its projects."""
    sha = _head(run, scene)
    verdicts: Steps = (SetStatus(sha, Check.APPLY, Verdict.FAILURE, trouble.sentence),)
    if run.ask.kind is AskKind.PLAN:
        verdicts = (SetStatus(sha, Check.PLAN, Verdict.FAILURE, trouble.sentence), *verdicts)
    return (
        Say(run.id, Failure(run.ask.kind.value, trouble)),
        *verdicts,
        Finish(RunState.FAILED, trouble),
    )


def _begin(run: Run, scene: Scene, rules: Effective) -> Steps:
    if not run.projects:
        return _nothing_to_plan(run, scene)
    if scene.pull.fork and not scene.pull.merged:
        return _refuse_fork(run, scene)
    if scene.pull.draft and not run.ask.by_comment and not rules.plan_drafts:
        sha = _head(run, scene)
        return (
            SetStatus(sha, Check.PLAN, Verdict.FAILURE, "draft: comment `prbot plan` to plan it"),
            SetStatus(sha, Check.APPLY, Verdict.FAILURE, "drafts are never applied"),
            Finish(RunState.IGNORED),
        )
    return tuple(StartJob(project, JobKind.PLAN) for project in run.projects)


def _nothing_to_plan(run: Run, scene: Scene) -> Steps:
    changed = len(run.checkout.changed) if run.checkout else 0
    answer: Steps = (Say(run.id, NoProjects(changed)),) if run.ask.by_comment else ()
    # A command with a selector says nothing about the rest of the pull request.
    verdicts: Steps = ()
    if not run.ask.select.dirs:
        sha = _head(run, scene)
        verdicts = (
            SetStatus(sha, Check.PLAN, Verdict.SUCCESS, "0 projects"),
            SetStatus(sha, Check.APPLY, Verdict.SUCCESS, "0 projects"),
        )
    return (*answer, *verdicts, Finish(RunState.DONE))


def _refuse_fork(run: Run, scene: Scene) -> Steps:
    sha = _head(run, scene)
    reasons = tuple(r for r in pull_is_fit(scene.pull) if r.requirement == "fork")
    topic = run.id if run.ask.by_comment else "fork"
    return (
        Say(topic, Refusal("plan", run.ask.actor, reasons)),
        SetStatus(sha, Check.PLAN, Verdict.FAILURE, "forks are not planned here"),
        SetStatus(sha, Check.APPLY, Verdict.FAILURE, "forks are not applied here"),
        Finish(RunState.REFUSED),
    )


def _report(run: Run, scene: Scene, rules: Effective) -> Steps:
    results = tuple(result_of(job, scene) for job in run.jobs)
    on_merge = rules.may_apply and rules.apply_on_merge is not ApplyOnMerge.NEVER
    report = PlanReport(
        results=results,
        head=_head(run, scene),
        base=run.checkout.base if run.checkout else scene.pull.base_sha,
        apply_on_merge=on_merge and not scene.pull.merged,
        may_apply=rules.may_apply,
        asked=run.ask.actor if run.ask.by_comment else None,
    )
    failed = sum(result.trouble is not None for result in results)
    return (
        Say(report_topic(run, scene), report),
        *plan_verdicts(run, scene, results, on_merge=on_merge),
        Finish(RunState.FAILED if failed else RunState.DONE),
    )


def plan_verdicts(
    run: Run, scene: Scene, results: tuple[ProjectResult, ...], *, on_merge: bool
) -> Steps:
    """Both checks after planning. A selective plan speaks for the projects it left out too."""
    sha = _head(run, scene)
    failed = sum(result.trouble is not None for result in results)
    total = len(results)
    if failed:
        return (
            SetStatus(sha, Check.PLAN, Verdict.FAILURE, f"{failed} of {total} projects failed"),
            SetStatus(sha, Check.APPLY, Verdict.FAILURE, "not everything is planned"),
        )
    changes = sum(result.plan is not None and result.plan.summary.has_changes for result in results)
    planned = SetStatus(
        sha, Check.PLAN, Verdict.SUCCESS, f"{_projects(total)} planned, {changes} with changes"
    )
    if not changes:
        return planned, SetStatus(sha, Check.APPLY, Verdict.SUCCESS, "nothing to apply")
    if on_merge:
        return planned, SetStatus(sha, Check.APPLY, Verdict.SUCCESS, "applies on merge")
    return planned, SetStatus(sha, Check.APPLY, Verdict.PENDING, "not applied yet")


def _projects(count: int) -> str:
    return "1 project" if count == 1 else f"{count} projects"


def result_of(job: Job, scene: Scene) -> ProjectResult:
    """What people are told of one job."""
    return ProjectResult(
        project=job.project,
        plan=scene.plan(job.plan_id or job.reviewed),
        trouble=job.trouble,
        applied=job.state is JobState.APPLIED,
        interrupted=job.state is JobState.INTERRUPTED,
        differences=job.differences,
    )


def report_topic(run: Run, scene: Scene) -> str:
    """The comment this run's report belongs to.

    While events bring the same content again, the comment that tells it is edited; new
    content, or somebody asking, begins a new one.
    """
    earlier = [r for r in scene.runs if r.created_at < run.created_at and _reported(r)]
    if run.ask.by_comment or not earlier or _content(run, scene) is None:
        return run.id
    if _content(earlier[0], scene) != _content(run, scene):
        return run.id
    return report_topic(earlier[0], scene)


def _reported(run: Run) -> bool:
    told = (RunState.DONE, RunState.FAILED)
    return run.ask.kind is AskKind.PLAN and run.state in told and bool(run.jobs)


def _content(run: Run, scene: Scene) -> frozenset[tuple[str, str]] | None:
    """What a plan comment says of its projects; None when one of them has no plan."""
    plans = [scene.plan(job.plan_id) for job in run.jobs]
    if any(plan is None for plan in plans):
        return None
    return frozenset((str(plan.project), plan.hash) for plan in plans if plan is not None)


def refuse(run: Run, reasons: tuple[Reason, ...]) -> Steps:
    """Answer a command that is not carried out."""
    return (
        Say(run.id, Refusal(run.ask.kind.value, run.ask.actor, reasons)),
        Finish(RunState.REFUSED),
    )


def _head(run: Run, scene: Scene) -> Sha:
    """The commit whose checks this run sets: the reviewed head, also after the merge."""
    if run.checkout is not None and not scene.pull.merged:
        return run.checkout.head
    return run.ask.head_sha or scene.pull.head_sha
