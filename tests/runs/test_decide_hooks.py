"""Decisions around hooks: before the projects are known, and after all is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    DRAFT,
    FORK,
    NEW_HEAD,
    NO_APPROVALS,
    WRONG,
    World,
    by_comment,
    by_event,
    plan,
    planned,
)

from prbot.config.workflows import Hook
from prbot.model import JobId, RunId, Sha
from prbot.runs.decide import decide
from prbot.runs.hooks import REPOSITORY, HookRun, post_hooks, pre_hooks
from prbot.runs.run import AskKind, Job, JobKind, JobState, Run, RunState, Trouble
from prbot.runs.steps import Finish, LayOut, Say, StartJob, Step, StopJob

BEFORE, AFTER = JobKind.PRE_HOOKS, JobKind.POST_HOOKS
BROKEN = Trouble("The hook failed.")


def hook(kind: JobKind, state: JobState) -> Job:
    trouble = BROKEN if state in (JobState.FAILED, JobState.DROPPED) else None
    return Job(JobId(f"h-{kind}-{state}"), RunId("r-now"), REPOSITORY, kind, state, trouble=trouble)


def kinds(steps: tuple[Step, ...]) -> list[str]:
    """Each step in a word: jobs by their kind, ends by their state."""
    found = []
    for step in steps:
        if isinstance(step, StartJob):
            found.append(step.kind.value)
        elif isinstance(step, Finish):
            found.append(step.state.value)
        elif isinstance(step, LayOut | StopJob):
            found.append(type(step).__name__)
        elif isinstance(step, Say):
            found.append(type(step.message).__name__)
    return found


def unsurveyed(world: World, *jobs: Job, generated: str | None = None) -> tuple[Run, World]:
    """The run of the world after it was laid out, before its projects are known."""
    run = world.laid_out(replace(world, jobs=None).run())
    assert run.checkout is not None
    checkout = replace(run.checkout, generated=Sha(generated) if generated else None)
    return replace(run, checkout=checkout, projects=None, jobs=jobs), world


PUSH = World(ask=by_event(), plans=(), reviews=(), jobs=())
EARLY = {
    "laid out": (unsurveyed(PUSH), ["pre hooks"]),
    "laid out for an apply": (
        unsurveyed(World(ask=by_comment(AskKind.APPLY), rules=NO_APPROVALS, jobs=())),
        ["pre hooks"],
    ),
    "they wait": (unsurveyed(PUSH, hook(BEFORE, JobState.QUEUED)), []),
    "they run": (unsurveyed(PUSH, hook(BEFORE, JobState.RUNNING)), []),
    "they ran": (unsurveyed(PUSH, hook(BEFORE, JobState.HOOKED), generated="f" * 40), ["LayOut"]),
    "laid out again after a wait": (unsurveyed(PUSH, hook(BEFORE, JobState.HOOKED)), ["pre hooks"]),
    "they failed": (unsurveyed(PUSH, hook(BEFORE, JobState.FAILED)), ["Failure", "failed"]),
    "they were cancelled": (
        unsurveyed(PUSH, hook(BEFORE, JobState.DROPPED)),
        ["Failure", "failed"],
    ),
    "a fork": (unsurveyed(replace(PUSH, pull=FORK)), ["LayOut"]),
    "a draft": (unsurveyed(replace(PUSH, pull=DRAFT)), ["LayOut"]),
    "a draft, by comment": (
        unsurveyed(replace(PUSH, pull=DRAFT, ask=by_comment(AskKind.PLAN))),
        ["pre hooks"],
    ),
    "a file that cannot be used": (unsurveyed(replace(PUSH, rules=WRONG)), ["LayOut"]),
    "a newer commit": (
        unsurveyed(
            replace(
                PUSH, pull=replace(PUSH.pull, head_sha=NEW_HEAD), laid_out_at=PUSH.pull.head_sha
            ),
            hook(BEFORE, JobState.RUNNING),
        ),
        ["StopJob", "superseded"],
    ),
}


@pytest.mark.parametrize(("case", "expected"), EARLY.values(), ids=EARLY.keys())
def test_before(case: tuple[Run, World], expected: list[str]) -> None:
    """It runs hooks once between laying out and looking for projects, never for strangers."""
    run, world = case
    assert kinds(decide(run, world.scene(run))) == expected


DONE = World(ask=by_event(), plans=(plan("a"),), reviews=(), jobs=(planned(plan("a")),))
LATE = {
    "told, then hooks": ((), ["PlanReport", "post hooks"]),
    "they run": ((hook(AFTER, JobState.RUNNING),), []),
    "they ran": ((hook(AFTER, JobState.HOOKED),), ["PlanReport", "done"]),
    "they failed": ((hook(AFTER, JobState.FAILED),), ["PlanReport", "Failure", "done"]),
    "they were cancelled": ((hook(AFTER, JobState.DROPPED),), ["PlanReport", "Failure", "done"]),
}


@pytest.mark.parametrize(("jobs", "expected"), LATE.values(), ids=LATE.keys())
def test_after(jobs: tuple[Job, ...], expected: list[str]) -> None:
    """It tells first; a hook that fails is told, and the run ends as it would have."""
    run = DONE.run()
    run = replace(run, jobs=(hook(BEFORE, JobState.HOOKED), *run.jobs, *jobs))
    scene = replace(DONE.scene(run), post_hooks=True)
    assert kinds(decide(run, scene)) == expected
    ends = [step for step in decide(run, scene) if isinstance(step, Finish)]
    assert all(step.state is RunState.DONE for step in ends)


def test_nothing_wanted() -> None:
    """It ends as ever where nobody wants hooks."""
    run = DONE.run()
    assert kinds(decide(run, DONE.scene(run))) == ["PlanReport", "done"]


def hooks(*commands: str) -> list[Hook]:
    return [Hook.model_validate({"run": c, "commands": c.split()}) for c in commands]


CHOSEN = [
    ("plan", ["plan", "apply", "plan apply"],
     ["plan plan", "plan apply plan"], ["plan", "plan apply"]),
    ("apply", ["plan", "apply", "plan apply"],
     ["plan plan", "apply apply", "plan apply apply"], ["apply", "plan apply"]),
    ("apply", ["import"], [], []),
]  # fmt: skip


@pytest.mark.parametrize(("command", "given", "before", "after"), CHOSEN)
def test_chosen(command: str, given: list[str], before: list[str], after: list[str]) -> None:
    """It runs a plan's pre hooks before an apply too, by the name of `plan`; post hooks are
    their commands' alone."""

    def words(found: tuple[HookRun, ...]) -> list[str]:
        return [f"{each.hook.run} {each.command}" for each in found]

    assert words(pre_hooks(hooks(*given), command)) == before  # type: ignore[arg-type] # a row
    assert words(post_hooks(hooks(*given), command)) == [f"{c} {command}" for c in after]  # type: ignore[arg-type] # a row
