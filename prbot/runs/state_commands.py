"""How `import` and `state rm` go on: judged like an apply, begun once, then planned again.

There is no plan that people could approve before: what is approved is the command itself. Where
approvals are wanted, it is told what it waits for, and counts when the same command is said again
after somebody approved.
"""

from __future__ import annotations

from datetime import datetime

from prbot.config.per_repository import Allowed
from prbot.config.repo import Effective
from prbot.model import ProjectKey
from prbot.runs.arguments import extra_allowed, not_allowed
from prbot.runs.elsewhere import plan_again
from prbot.runs.judging import head_moved
from prbot.runs.phases import Steps, waits
from prbot.runs.planning import refuse, report
from prbot.runs.requirements.approvals import approved_as
from prbot.runs.requirements.asking import may_apply_now, may_command
from prbot.runs.requirements.people import COMMANDS, needs_of, permitted
from prbot.runs.requirements.plans import not_locked
from prbot.runs.requirements.pulls import mergeable, mode_allows, pull_is_fit, up_to_date
from prbot.runs.requirements.times import in_time
from prbot.runs.run import STATE_JOBS, AskKind, Job, JobKind, JobState, Run, RunState, Trouble
from prbot.runs.say import Reason, Reasons, StateChanged
from prbot.runs.scene import NOTHING_ALLOWED, Scene
from prbot.runs.state_words import said_by
from prbot.runs.steps import Finish, LayOut, Say, StartJob, TakeLocks

ALLOWED = {AskKind.IMPORT: Allowed.IMPORT, AskKind.STATE_RM: Allowed.STATE_RM}
KINDS = {AskKind.IMPORT: JobKind.IMPORT, AskKind.STATE_RM: JobKind.STATE_RM}


def decide_state(run: Run, scene: Scene) -> Steps:
    """Steps of an IMPORT or STATE_RM run."""
    if waits(run):
        return ()
    done = next((job for job in run.jobs if job.kind in STATE_JOBS), None)
    if done is not None:
        return _after(run, scene, done)
    if early := _refused_early(run, scene):
        return refuse(run, early)
    trouble = run.trouble or scene.rules
    if isinstance(trouble, Trouble):
        return refuse(run, (Reason("project", trouble.sentence, trouble.hint),))
    if run.projects is None:
        return (LayOut(),)
    rules = scene.rules if isinstance(scene.rules, Effective) else NOTHING_ALLOWED
    return _begin(run, scene, rules)


def _refused_early(run: Run, scene: Scene) -> Reasons:
    """Before anything is laid out."""
    reasons = may_apply_now(run, scene.permission)
    allowed = ALLOWED[run.ask.kind]
    if allowed not in scene.allow:
        reasons += (not_allowed(allowed, f"`{run.ask.kind.value}`"),)
    if scene.pull.merged:
        block = "import" if run.ask.kind is AskKind.IMPORT else "removed"
        told = f"write an `{block}` block into the code, and open a pull request"
        reasons += (Reason("merged", "the pull request is merged", told),)
    return reasons + pull_is_fit(scene.pull)


def _begin(run: Run, scene: Scene, rules: Effective) -> Steps:
    projects = run.projects or ()
    if len(projects) != 1:
        return refuse(run, (_which(projects),))
    told = {projects[0]: _asked_before(run, scene)}
    reasons = (
        may_command(run.ask, scene.permission)
        + head_moved(run, scene)
        + mode_allows(rules)
        + permitted(run.ask, scene, rules, projects, _permission(run, projects[0], scene, rules))
        + extra_allowed(run.ask.extra, projects, scene, rules)
        + _at_rest(projects[0], scene)
        + approved_as(rules, scene, told, "this very command")
        + mergeable(scene, rules, projects)
        + up_to_date(scene, rules, projects)
        + in_time(scene, rules, projects)
        + not_locked(scene, projects)
    )
    if reasons:
        return refuse(run, reasons)
    return (
        TakeLocks(scene.same_state(projects)),
        StartJob(projects[0], KINDS[run.ask.kind]),
    )


def _permission(run: Run, project: ProjectKey, scene: Scene, rules: Effective) -> str:
    """The command's own where somebody is named for it, else the one to apply."""
    own = COMMANDS[run.ask.kind]
    return own if needs_of(project, scene, rules).allowed.get(own) else "apply"


def _which(projects: tuple[ProjectKey, ...]) -> Reason:
    found = f"it would be {len(projects)} projects" if projects else "it is no project"
    return Reason("project", f"a state has one project, and {found}", "name it with `-d DIR`")


def _at_rest(project: ProjectKey, scene: Scene) -> Reasons:
    jobs = (job for job in scene.jobs() if job.project == project and not job.state.finished)
    busy = next(jobs, None)
    if busy is None:
        return ()
    what = f"`{project}` is busy with another command ({busy.kind.value})"
    return (Reason("running", what, "wait until it has ended"),)


def _asked_before(run: Run, scene: Scene) -> datetime | None:
    """Since when this very command stands in the pull request, answered, at this head."""
    found = [
        other.told_at
        for other in scene.runs
        if other.id != run.id
        and _words(other) == _words(run)
        and other.checkout is not None
        and other.checkout.head == scene.pull.head_sha
        and other.told_at is not None
    ]
    return min(found, default=None)


def _words(run: Run) -> tuple[object, ...]:
    ask = run.ask
    return ask.kind, ask.select, ask.extra, ask.objects


# --- afterwards ------------------------------------------------------------------------------


def _after(run: Run, scene: Scene, done: Job) -> Steps:
    said = said_by(scene.journal, done)
    message = StateChanged(
        run.ask.kind.value, run.ask.objects, done.project, done.state, said, done.trouble
    )
    told = Say(f"{run.id}-state", message)
    if done.state is JobState.INTERRUPTED:
        return (told, Finish(RunState.INTERRUPTED))
    if done.state is not JobState.CHANGED:
        return (told, Finish(RunState.FAILED))
    planned = run.jobs_of(JobKind.PLAN)
    if not planned:
        return (told, StartJob(done.project, JobKind.PLAN))
    rules = scene.rules if isinstance(scene.rules, Effective) else NOTHING_ALLOWED
    return (told, *plan_again(run, scene), *report(run, scene, rules))
