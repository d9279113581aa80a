"""How a plan run goes on: lay out, plan each project, tell."""

from __future__ import annotations

from dataclasses import replace

from prbot.config.per_repository import Allowed
from prbot.config.repo import Effective
from prbot.config.server import ApplyOnMerge
from prbot.model import Notice, ProjectKey, Sha
from prbot.plans.record import StoredPlan
from prbot.runs.arguments import extra_allowed, may_ask
from prbot.runs.automerge import not_allowed_here
from prbot.runs.behind import included
from prbot.runs.checks import RERUN, CheckDetail, detail_of
from prbot.runs.orphans import Orphan, left_words, meant, open_orphans, orphans
from prbot.runs.project_checks import project_checks
from prbot.runs.requirements.asking import may_command
from prbot.runs.requirements.people import permitted
from prbot.runs.requirements.plans import no_such_project
from prbot.runs.requirements.pulls import pull_is_fit
from prbot.runs.run import AskKind, Job, JobKind, JobState, Run, RunState, Trouble
from prbot.runs.say import Failure, NoProjects, PlanReport, ProjectResult, Reason, Refusal, TooMany
from prbot.runs.scene import NOTHING_ALLOWED, Scene
from prbot.runs.steps import (
    Check,
    Finish,
    Fold,
    LayOut,
    Say,
    SetStatus,
    StartJob,
    Step,
    StopJob,
    Verdict,
)
from prbot.runs.topics import outdated, report_topic, reported

Steps = tuple[Step, ...]


def decide_plan(run: Run, scene: Scene) -> Steps:
    """Steps of a PLAN run, asked for by an event or by a comment."""
    stop = _overtaken(run, scene) or _refused(run, scene)
    if stop:
        return stop
    if run.trouble is not None:
        return _not_begun(run, scene, run.trouble)
    if run.projects is None:
        # A selector may turn out to name nothing; then the checks stay as they are.
        select = run.ask.select
        named = select.dirs or select.projects
        still = named or run.ask.special
        return (LayOut(),) if still else (_planning(run, scene), LayOut())
    if isinstance(scene.rules, Trouble):
        return fail(run, scene, scene.rules)
    if not run.jobs:
        return _begin(run, scene, scene.rules or NOTHING_ALLOWED)
    if not all(job.state.finished for job in run.jobs):
        return ()
    return report(run, scene, scene.rules or NOTHING_ALLOWED)


def _overtaken(run: Run, scene: Scene) -> Steps:
    """The pull request went on without this run: a newer head, a close, a merge."""
    if scene.pull.merged:
        return _merged_meanwhile(run, scene)
    if not scene.pull.open:
        begun = run.checkout is not None or not run.ask.by_comment
        return _end_checks(run, scene, "the pull request was closed") if begun else ()
    known = run.checkout.head if run.checkout else run.ask.head_sha
    if known is None or known == scene.pull.head_sha:
        return ()
    return _end_checks(run, scene, f"superseded by {scene.pull.head_sha[:7]}")


def _merged_meanwhile(run: Run, scene: Scene) -> Steps:
    """The merge run plans what was merged and sets its checks; a comment may ask for more."""
    if run.checkout is not None and run.checkout.commit != scene.pull.merge_sha:
        sha = head_of(run, scene)
        ended = SetStatus(sha, Check.PLAN, Verdict.FAILURE, "merged before it was planned")
        stopped = _stop_jobs(run, "the pull request was merged")
        return (*stopped, ended, Finish(RunState.SUPERSEDED))
    return () if run.ask.by_comment else (Finish(RunState.SUPERSEDED),)


def _stop_jobs(run: Run, why: str) -> Steps:
    """The newest commit wins: what still plans an older one is dropped or interrupted."""
    trouble = Trouble(f"Stopped: {why}.")
    return tuple(StopJob(job, trouble) for job in run.jobs if not job.state.finished)


def _end_checks(run: Run, scene: Scene, why: str) -> Steps:
    """End a run that no longer matters; the checks of its commit say so."""
    sha = head_of(run, scene)
    return (
        *_stop_jobs(run, why),
        SetStatus(sha, Check.PLAN, Verdict.FAILURE, why),
        SetStatus(sha, Check.APPLY, Verdict.FAILURE, why),
        Finish(RunState.SUPERSEDED),
    )


def _refused(run: Run, scene: Scene) -> Steps:
    """Whoever comments must be allowed to, before anything is done for them."""
    if not run.ask.by_comment or run.checkout is not None or run.trouble is not None:
        return ()
    reasons = may_command(run.ask, scene.permission) + may_ask(run.ask, scene)
    if not scene.pull.open and not scene.pull.merged:
        reasons += pull_is_fit(scene.pull)
    return refuse(run, reasons) if reasons else ()


def _not_begun(run: Run, scene: Scene, trouble: Trouble) -> Steps:
    if trouble.refused:
        return refuse(run, (Reason("project", trouble.sentence, trouble.hint),))
    return fail(run, scene, trouble)


def fail(run: Run, scene: Scene, trouble: Trouble) -> Steps:
    """End a run that could not even begin with its projects."""
    return (*tell_failure(run, head_of(run, scene), trouble), Finish(RunState.FAILED, trouble))


def tell_failure(run: Run, sha: Sha | None, trouble: Trouble) -> Steps:
    """What people are told of a run that failed as a whole; the checks if `sha` is known."""
    if run.ask.kind is AskKind.DRIFT:  # told with what else was found, not here
        return ()
    if run.ask.kind is AskKind.CORRECT:  # there is no check, and no pull request
        return (Say(run.id, Failure("revert", trouble)),)
    both = run.ask.kind in (AskKind.PLAN, AskKind.QUEUED)
    checks = (Check.PLAN, Check.APPLY) if both else (Check.APPLY,)
    verdicts = (
        []
        if sha is None
        else [
            SetStatus(sha, check, Verdict.FAILURE, trouble.sentence, CheckDetail(buttons=(RERUN,)))
            for check in checks
        ]
    )
    if run.ask.kind is AskKind.QUEUED:  # there is no pull request to write to
        return tuple(verdicts)
    return (Say(run.id, Failure(run.ask.kind.value, trouble)), *verdicts)


def _begin(run: Run, scene: Scene, rules: Effective) -> Steps:
    gone = tuple(gone.project for gone in meant(run))
    deleted = tuple(project for project in gone if run.is_deleted(project))
    looks = () if run.ask.special else gone
    projects = (*(run.projects or ()), *(deleted if run.ask.destroy else ()))
    if run.ask.by_comment and (reasons := permitted(run.ask, scene, rules, projects, "plan")):
        return refuse(run, reasons)
    if refused := extra_allowed(run.ask.extra, projects, scene, rules):
        return refuse(run, refused)
    if not projects and not looks:
        return _nothing_to_plan(run, scene, rules)
    if scene.pull.fork and not scene.pull.merged:
        return _refuse_fork(run, scene)
    if scene.pull.draft and not run.ask.by_comment and not rules.plan_drafts:
        sha = head_of(run, scene)
        return (
            SetStatus(sha, Check.PLAN, Verdict.FAILURE, "draft: comment `prbot plan` to plan it"),
            SetStatus(sha, Check.APPLY, Verdict.FAILURE, "drafts are never applied"),
            Finish(RunState.IGNORED),
        )
    if len(projects) + len(looks) > rules.projects_per_run and not run.ask.everything:
        return _too_many(run, scene, (*projects, *looks), rules)
    return (
        *(() if run.ask.special else (_planning(run, scene),)),
        *(StartJob(project, JobKind.PLAN) for project in projects),
        *(StartJob(project, JobKind.INVENTORY) for project in looks),
    )


def _too_many(run: Run, scene: Scene, projects: tuple[ProjectKey, ...], rules: Effective) -> Steps:
    """A change of something that everything uses: people say whether to plan it all."""
    sha, words = head_of(run, scene), f"{_projects(len(projects))}: comment `prbot plan --all`"
    return (
        Say(run.id, TooMany(projects, rules.projects_per_run)),
        SetStatus(sha, Check.PLAN, Verdict.FAILURE, words),
        SetStatus(sha, Check.APPLY, Verdict.FAILURE, "not planned yet"),
        Finish(RunState.REFUSED),
    )


def _planning(run: Run, scene: Scene) -> SetStatus:
    return SetStatus(head_of(run, scene), Check.PLAN, Verdict.PENDING, "planning")


def _nothing_to_plan(run: Run, scene: Scene, rules: Effective) -> Steps:
    if run.ask.select.dirs:
        return refuse(run, (no_such_project(run.ask.select),))
    changed = run.checkout.changed if run.checkout else ()
    answer: Steps = (Say(run.id, NoProjects(len(changed))),) if run.ask.by_comment else ()
    if run.ask.special:
        return (*answer, Finish(RunState.DONE))
    sha, words = head_of(run, scene), "0 projects"
    if run.gone:
        return (*answer, *plan_verdicts(run, scene, rules), Finish(RunState.DONE))
    return (
        *answer,
        SetStatus(sha, Check.PLAN, Verdict.SUCCESS, words),
        SetStatus(sha, Check.APPLY, Verdict.SUCCESS, words),
        Finish(RunState.DONE),
    )


def _refuse_fork(run: Run, scene: Scene) -> Steps:
    sha = head_of(run, scene)
    reasons = tuple(r for r in pull_is_fit(scene.pull) if r.requirement == "fork")
    topic = run.id if run.ask.by_comment else "fork"
    return (
        Say(topic, Refusal("plan", run.ask.actor, reasons)),
        SetStatus(sha, Check.PLAN, Verdict.FAILURE, "forks are not planned here"),
        SetStatus(sha, Check.APPLY, Verdict.FAILURE, "forks are not applied here"),
        Finish(RunState.REFUSED),
    )


def report(run: Run, scene: Scene, rules: Effective) -> Steps:
    """Tell the plans that this run made, and what the checks make of them."""
    results = _results(run, scene)
    looked = {job.project for job in run.jobs_of(JobKind.INVENTORY)}
    told = PlanReport(
        results=results,
        head=run.checkout.head if run.checkout else scene.pull.head_sha,
        base=run.checkout.base if run.checkout else scene.pull.base_sha,
        apply_on_merge=applies_on_merge(scene) and not run.ask.special,
        may_apply=rules.may_apply,
        asked=run.ask.actor if run.ask.by_comment else None,
        bounded=(*rules.bounded, *not_allowed_here(rules, scene)),
        notices=_notices(run, scene),
        orphans=tuple(o for o in orphans(run, scene) if o.gone.project in looked),
        moved=tuple((p.formerly, p.project) for p in run.placed if p.formerly is not None),
        page=scene.pull.url,
        arguments=run.ask.arguments,
        verbose=run.ask.verbose,
        may_destroy=Allowed.DESTROY in scene.allow,
        unapplied=_unapplied(run, scene),
        applied_by=run.ask.applied_by.number if run.ask.applied_by else None,
    )
    failed = any(map(_failed, results))
    return (
        Say(report_topic(run, scene), told),
        *(() if run.ask.special else plan_verdicts(run, scene, rules)),
        *(Fold(topic) for topic in outdated(run, scene)),
        Finish(RunState.FAILED if failed else RunState.DONE),
    )


def _unapplied(run: Run, scene: Scene) -> tuple[tuple[ProjectKey, int], ...]:
    """What others merged and nobody applied is part of these plans."""
    mine = {job.project for job in run.jobs_of(JobKind.PLAN)}
    return tuple((one.project, one.pull.number) for one in included(scene, mine))


def _going_on(steps: Steps, report: PlanReport, topic: str) -> Steps:
    """The whole's plan check holds what no comment does."""
    return tuple(_with(step, report, topic) for step in steps)


def _with(step: Step, report: PlanReport, topic: str) -> Step:
    if not isinstance(step, SetStatus) or step.project or step.check is not Check.PLAN:
        return step
    detail = step.detail and replace(step.detail, report=report, topic=topic)
    return replace(step, detail=detail)


def _notices(run: Run, scene: Scene) -> tuple[Notice, ...]:
    """What finding the projects brought up, less what another comment told once."""
    topic = report_topic(run, scene)
    others = (r for r in scene.runs if r.created_at < run.created_at and reported(r))
    told = {n for r in others if report_topic(r, scene) != topic for n in r.notices if n.once}
    return tuple(notice for notice in run.notices if notice not in told)


def _failed(result: ProjectResult) -> bool:
    return result.plan is None or result.trouble is not None


def _results(run: Run, scene: Scene) -> tuple[ProjectResult, ...]:
    return tuple(result_of(job, scene) for job in run.jobs_of(JobKind.PLAN))


def _left_out(run: Run, scene: Scene) -> tuple[ProjectResult, ...]:
    """The affected projects a selective plan did not speak of: the checks tell of all."""
    mine = {job.project for job in run.jobs_of(JobKind.PLAN)}
    others = sorted((scene.affected() or frozenset()) - mine)
    return tuple(_as_last_planned(project, scene) for project in others)


def _as_last_planned(project: ProjectKey, scene: Scene) -> ProjectResult:
    job = scene.newest_whole_plan_job(project)
    if job is None or job.state is not JobState.PLANNED or scene.has_expired(job.plan_id):
        return ProjectResult(project)
    return result_of(job, scene)


def applies_on_merge(scene: Scene) -> bool:
    """Whether a merge is still to come, and would apply."""
    rules = scene.rules
    if not isinstance(rules, Effective) or scene.pull.merged:
        return False
    return rules.may_apply and rules.apply_on_merge is not ApplyOnMerge.NEVER


def plan_verdicts(
    run: Run, scene: Scene, rules: Effective, accepted: tuple[Orphan, ...] = ()
) -> Steps:
    """The checks after planning, each in an end state. `accepted` are settled just now."""
    sha, results = head_of(run, scene), _results(run, scene) + _left_out(run, scene)
    paths = run.checkout.changed if run.checkout else ()
    each = project_checks(sha, results, rules.project_checks, paths)
    detail = detail_of(results, scene.pull, rules, paths)
    detail = replace(detail, notes=()) if each else detail  # a note stands once
    failed, total = sum(map(_failed, results)), len(results)
    again = replace(detail, results=(), notes=())
    if failed:
        missing = f"{failed} of {_projects(total)} not planned"
        return (
            SetStatus(sha, Check.PLAN, Verdict.FAILURE, missing, detail),
            SetStatus(sha, Check.APPLY, Verdict.FAILURE, "not everything is planned", again),
            *each,
        )
    left = tuple(orphan for orphan in open_orphans(run, scene) if orphan not in accepted)
    if left:
        words, detail = left_words(left), replace(detail, orphans=left)
        return (
            SetStatus(sha, Check.PLAN, Verdict.FAILURE, words, detail),
            SetStatus(sha, Check.APPLY, Verdict.FAILURE, words, again),
            *each,
        )
    changed = tuple(r.plan for r in results if r.plan and r.plan.summary.has_changes)
    told = f"{_projects(total)} planned, {len(changed)} with changes"
    open_ones = tuple(plan for plan in changed if plan.applied_at is None)
    verdict, text = _apply_verdict(scene, rules, open_ones)
    return (
        SetStatus(sha, Check.PLAN, Verdict.SUCCESS, told, detail),
        SetStatus(sha, Check.APPLY, verdict, text, again),
        *each,
    )


def _apply_verdict(
    scene: Scene, rules: Effective, changed: tuple[StoredPlan, ...]
) -> tuple[Verdict, str]:
    if not changed:
        return Verdict.SUCCESS, "nothing to apply"
    if not rules.may_apply:
        return Verdict.SUCCESS, "this server does not apply"
    if scene.pull.draft:
        return Verdict.FAILURE, "drafts are never applied"
    unfit = sum(plan.state_is_lost or not plan.summary.applyable for plan in changed)
    if unfit:
        return Verdict.FAILURE, f"{_projects(unfit)} cannot be applied"
    if applies_on_merge(scene):
        return Verdict.SUCCESS, "applies on merge"
    return Verdict.FAILURE, "not applied yet"


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


def refuse(run: Run, reasons: tuple[Reason, ...]) -> Steps:
    """Answer a command that is not carried out."""
    judged = run.ask.kind is AskKind.APPLY and run.trouble is None
    known = run.id if judged else None
    return (
        Say(run.id, Refusal(run.ask.kind.value, run.ask.actor, reasons, known)),
        Finish(RunState.REFUSED),
    )


def head_of(run: Run, scene: Scene) -> Sha:
    """The commit whose checks this run sets: the head it speaks of, also after the merge."""
    if run.checkout is not None and run.checkout.commit != scene.pull.merge_sha:
        return run.checkout.head
    return run.ask.head_sha or scene.pull.head_sha
