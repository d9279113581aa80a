"""The joint that matters most: given a run and its scene, what is to be done now.

`decide` is pure. The engine gathers a scene, performs the steps it gets, and asks again
until a decision brings no further step; a run whose worker died is therefore simply
asked about again. An empty answer means: nothing to do until something else happens
(a job ends), or the run is finished.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from prbot.config.repo import Effective
from prbot.model import Permission, ProjectKey
from prbot.runs import applying, merging, planning, state_commands, versions
from prbot.runs.aftermath import break_locks
from prbot.runs.correcting import decide_correct
from prbot.runs.drifting import decide_drift
from prbot.runs.hooks import HOOKS, with_hooks
from prbot.runs.named import concerns, means, unknown_names
from prbot.runs.order import in_order, release
from prbot.runs.project_checks import take_back
from prbot.runs.queued import decide_queued, decide_unqueued
from prbot.runs.requirements.asking import may_command
from prbot.runs.requirements.people import permitted
from prbot.runs.run import CHANGING, AskKind, Run, RunState, Trouble
from prbot.runs.say import (
    Cancelled,
    Help,
    Hint,
    Reason,
    Reasons,
    Refusal,
    Unlocked,
)
from prbot.runs.scene import Scene
from prbot.runs.steps import (
    Acknowledge,
    Finish,
    FreeLocks,
    Say,
    Step,
    StopJob,
    StopRun,
)
from prbot.runs.unmerged import decide_close, end_of_issue


def decide(run: Run, scene: Scene) -> tuple[Step, ...]:
    """The next steps of `run`; see the module's words."""
    if run.state.finished:
        return ()
    if not _concerns_us(run, scene):
        return (Finish(RunState.IGNORED),)
    steps = in_order(run, take_back(_decide(run, scene), scene)) or release(run)
    if run.ask.comment_id is not None and run.state is RunState.QUEUED:
        return (Acknowledge(run.ask.comment_id), *steps)
    return steps


def _concerns_us(run: Run, scene: Scene) -> bool:
    """Served branches only; and outsiders get no reply, no reaction, no run. What an apply
    did is told in any case, even if the base branch or the access changed meanwhile."""
    if any(job.kind in CHANGING for job in run.jobs):
        return True
    if not scene.served:
        return False
    return not run.ask.by_comment or scene.permission is not Permission.NONE


def _decide(run: Run, scene: Scene) -> tuple[Step, ...]:
    match run.ask.kind:
        case AskKind.PLAN:
            return with_hooks(run, scene, planning.decide_plan)
        case AskKind.APPLY:
            if scene.pull.merged:
                return with_hooks(run, scene, merging.decide_merged)
            return with_hooks(run, scene, applying.decide_apply)
        case AskKind.MERGE:
            return with_hooks(run, scene, merging.decide_merged)
        case AskKind.IMPORT | AskKind.STATE_RM:
            return with_hooks(run, scene, state_commands.decide_state)
        case AskKind.VERSION:
            return versions.decide_version(run, scene)
        case AskKind.CLOSE:
            return decide_close(run, scene)
        case AskKind.UNLOCK:
            return _decide_unlock(run, scene)
        case AskKind.CANCEL:
            return _decide_cancel(run, scene)
        case AskKind.HELP:
            return (Say(run.id, Help(scene.bot)), Finish(RunState.DONE))
        case AskKind.HINT:
            return (Say(run.id, Hint(run.ask.message)), Finish(RunState.REFUSED))
        case AskKind.QUEUED:
            return with_hooks(run, scene, decide_queued)
        case AskKind.UNQUEUED:
            return decide_unqueued(run, scene)
        case AskKind.DRIFT:
            return with_hooks(run, replace(scene, post_hooks=False), decide_drift)
        case AskKind.CORRECT:
            return with_hooks(run, replace(scene, post_hooks=False), decide_correct)
        case _:
            assert_never(run.ask.kind)


def _decide_cancel(run: Run, scene: Scene) -> tuple[Step, ...]:
    """Stop what other runs of the pull request do, an apply by a clean interrupt."""
    stopping = tuple(
        job
        for job in scene.jobs()
        if not job.state.finished and means(scene, run.ask.select, job.project)
    )
    resting = tuple(
        other
        for other in scene.runs
        if other.state is RunState.WAITING and concerns(scene, other, run.ask.select)
    )
    reasons = may_command(run.ask, scene.permission) or unknown_names(scene, run.ask.select)
    projects = tuple(sorted({job.project for job in stopping if job.kind not in HOOKS}))
    waiting = (project for other in resting for project in _waits_with(other, scene))
    reasons += _permitted(run, scene, (*projects, *waiting))
    if not reasons and not stopping and not resting:
        reasons = (Reason("running", "nothing runs or waits here", "there is nothing to do"),)
    if reasons:
        refusal = Refusal("cancel", run.ask.actor, reasons)
        return (Say(run.id, refusal), Finish(RunState.REFUSED))
    why = Trouble(f"Cancelled by {run.ask.actor}.", "Comment `prbot plan` to begin again.")
    return (
        *(StopJob(job, why) for job in stopping),
        *(StopRun(other.id, why) for other in resting),
        Say(run.id, Cancelled(projects, run.ask.actor)),
        Finish(RunState.DONE),
    )


def _waits_with(other: Run, scene: Scene) -> tuple[ProjectKey, ...]:
    """What a resting run would go on with."""
    named = scene.plan(other.ask.plan_id)
    if named is not None:
        return (named.project,)
    return tuple(p for p in other.projects or () if means(scene, other.ask.select, p))


def _decide_unlock(run: Run, scene: Scene) -> tuple[Step, ...]:
    reasons = may_command(run.ask, scene.permission) or unknown_names(scene, run.ask.select)
    reasons += _permitted(run, scene, _to_unlock(run, scene)) + _nothing_applies(scene)
    if reasons:
        refusal = Refusal("unlock", run.ask.actor, reasons)
        return (Say(run.id, refusal), Finish(RunState.REFUSED))
    breaking = break_locks(run, scene)
    if breaking is not None:
        return breaking
    held = tuple(
        lock.project
        for lock in scene.locks
        if lock.holder == run.pull and means(scene, run.ask.select, lock.project)
    )
    closed = not scene.pull.open and not scene.pull.merged
    return (
        FreeLocks(held),
        Say(run.id, Unlocked(held, run.ask.actor)),
        *(end_of_issue(run, scene) if closed and not _left(scene, held) else ()),
        Finish(RunState.DONE),
    )


def _left(scene: Scene, freed: tuple[ProjectKey, ...]) -> bool:
    """The pull request holds something still."""
    mine = (lock.project for lock in scene.locks if lock.holder == scene.pull.ref)
    return any(project not in freed for project in mine)


def _permitted(run: Run, scene: Scene, projects: Iterable[ProjectKey]) -> Reasons:
    """By whom the default branch lets it be done; without its rules by whoever can write."""
    if isinstance(scene.rules, Trouble) and run.ask.kind is AskKind.UNLOCK:
        return (Reason("permission", scene.rules.sentence, scene.rules.hint),)
    if not isinstance(scene.rules, Effective):
        return ()
    return permitted(run.ask, scene, scene.rules, projects, run.ask.kind.value)


def _to_unlock(run: Run, scene: Scene) -> tuple[ProjectKey, ...]:
    """What the command speaks of, and this pull request holds or has begun to apply."""
    held = (lock.project for lock in scene.locks if lock.holder == run.pull)
    known = dict.fromkeys((*held, *scene.begun_projects()))
    return tuple(project for project in known if means(scene, run.ask.select, project))


def _nothing_applies(scene: Scene) -> tuple[Reason, ...]:
    """No lock is freed while the tool may still run."""
    return tuple(
        Reason("applying", f"`{job.project}` is being applied", "wait until it has ended")
        for job in scene.jobs()
        if job.kind in CHANGING and not job.state.finished
    )
