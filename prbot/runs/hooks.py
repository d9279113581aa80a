"""Hooks around a run: when they run, which, and what becomes of the run when they fail.

Pre hooks run when the commit is laid out and before its projects are looked for, because
they may generate some. Post hooks run once everything is told. Both are jobs of the run; what
decides on plans and applies sees nothing of them.

Not promised: that a hook runs once only. One whose worker died runs again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from prbot.config.repo import Effective
from prbot.config.workflows import Hook, Hooked
from prbot.model import ProjectKey
from prbot.runs.run import AskKind, Job, JobKind, JobState, Run, RunState
from prbot.runs.say import Failure
from prbot.runs.scene import Scene
from prbot.runs.steps import Finish, LayOut, Say, SetStatus, StartJob, Step

HOOKS = (JobKind.PRE_HOOKS, JobKind.POST_HOOKS)
REPOSITORY = ProjectKey(".")
"""What jobs of hooks are about."""
TOLD = (RunState.DONE, RunState.FAILED, RunState.HELD, RunState.INTERRUPTED)
"""Ends of a run that did something, after which post hooks run."""

Steps = tuple[Step, ...]


@dataclass(frozen=True)
class HookRun:
    """A hook, and the command it is told to be run for."""

    hook: Hook
    command: Hooked


def command_of(run: Run) -> Hooked:
    own: dict[AskKind, Hooked] = {
        AskKind.PLAN: "plan",
        AskKind.QUEUED: "plan",
        AskKind.DRIFT: "plan",
        AskKind.IMPORT: "import",
        AskKind.STATE_RM: "state_rm",
    }
    return own.get(run.ask.kind, "apply")


def pre_hooks(hooks: Sequence[Hook], command: Hooked) -> tuple[HookRun, ...]:
    """Those before `plan` run before an `apply` too, and are told `plan`: an apply begins in a
    clean checkout, and needs there what the plan was made from."""
    found = []
    for hook in hooks:
        known = tuple(each for each in (command, "plan") if each in hook.commands)
        found += [HookRun(hook, name) for name in known[:1]]
    return tuple(found)


def post_hooks(hooks: Sequence[Hook], command: Hooked) -> tuple[HookRun, ...]:
    return tuple(HookRun(hook, command) for hook in hooks if command in hook.commands)


def with_hooks(run: Run, scene: Scene, rest: Callable[[Run, Scene], Steps]) -> Steps:
    """The steps of `rest`, with hooks before the projects are found and after the end."""
    others = tuple(_without_ended(other) for other in scene.runs)
    steps = rest(_without_ended(_failed_early(run)), replace(scene, runs=others))
    if LayOut() in steps:
        return _before(run, scene, steps)
    return _after(run, scene, steps)


def without_hooks(run: Run) -> Run:
    return replace(run, jobs=tuple(job for job in run.jobs if job.kind not in HOOKS))


def _without_ended(run: Run) -> Run:
    """Hooks that run or wait are still seen, so that they can be waited for and stopped."""
    return replace(run, jobs=tuple(j for j in run.jobs if j.kind not in HOOKS or _goes_on(j)))


def _goes_on(job: Job) -> bool:
    return not job.state.finished


def _failed_early(run: Run) -> Run:
    """A run whose pre hooks did not end well has nothing to go on with."""
    job = _last(run, JobKind.PRE_HOOKS)
    if run.projects is not None or job is None or job.trouble is None:
        return run
    return replace(run, trouble=run.trouble or job.trouble)


def _last(run: Run, kind: JobKind) -> Job | None:
    return next(reversed(run.jobs_of(kind)), None)


def _before(run: Run, scene: Scene, steps: Steps) -> Steps:
    """Between laying out and looking for projects."""
    laid_out = run.checkout is not None and run.projects is None
    if not laid_out or _have_run(run) or not _may_run(run, scene):
        return steps
    if any(map(_goes_on, run.jobs_of(JobKind.PRE_HOOKS))):
        return ()
    begin = StartJob(REPOSITORY, JobKind.PRE_HOOKS)
    return (*(step for step in steps if step != LayOut()), begin)


def _have_run(run: Run) -> bool:
    return run.checkout is not None and run.checkout.generated is not None


def _may_run(run: Run, scene: Scene) -> bool:
    """Not for strangers' code, nor for what is not going to be planned."""
    if not isinstance(scene.rules, Effective) or (scene.pull.fork and not scene.pull.merged):
        return False
    return not scene.pull.draft or run.ask.by_comment or scene.rules.plan_drafts


def _after(run: Run, scene: Scene, steps: Steps) -> Steps:
    """People are told first. What is freed and cleared away waits for the hooks."""
    end = next((step for step in steps if isinstance(step, Finish)), None)
    wanted = scene.post_hooks and run.projects is not None
    if end is None or end.state not in TOLD or not wanted or not _has_run(run):
        return steps
    job = _last(run, JobKind.POST_HOOKS)
    if job is None:
        told = tuple(step for step in steps if isinstance(step, Say | SetStatus))
        return (*told, StartJob(REPOSITORY, JobKind.POST_HOOKS))
    if job.trouble is None:
        return steps
    failed = Say(f"{run.id}-post-hooks", Failure(f"{command_of(run)}, post hooks", job.trouble))
    return (*(step for step in steps if step != end), failed, end)


def _has_run(run: Run) -> bool:
    """Hooks run where something was laid out and may run there; a fork or a draft is not."""
    return run.checkout is not None and any(
        job.state is not JobState.DROPPED for job in run.jobs if job.kind is not JobKind.POST_HOOKS
    )
