"""After an apply the plans of other pull requests are stale: they are made again, once.

Nobody asks for it, so it happens as if the commit had come again, and only in the projects
that were applied. Whoever waits for a lock plans again by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from prbot.model import ProjectKey, PullRef, Selector
from prbot.runs.run import Ask, AskKind, JobState, Run, RunState
from prbot.runs.scene import Scene
from prbot.runs.steps import PlanAgain

ENDS = (AskKind.CLOSE, AskKind.MERGE)


def plan_again(run: Run, scene: Scene) -> tuple[PlanAgain, ...]:
    """For what this run applied, or changed the state of; of a merge also what was applied
    before it, because other plans are of the branch as it was. What failed or was interrupted
    is unclear until somebody has looked at it: there each apply plans again, as ever."""
    done = (JobState.APPLIED, JobState.CHANGED)
    changed = {job.project for job in run.jobs if job.state in done}
    if run.ask.kind is AskKind.MERGE:
        changed |= {plan.project for plan in scene.plans if plan.applied_at}
    projects = scene.same_state(sorted(changed))
    return (PlanAgain(projects),) if projects else ()


def asks_again(
    runs: tuple[Run, ...], projects: Collection[ProjectKey], applied_by: PullRef
) -> tuple[Ask, ...]:
    """What to ask in another pull request, whose runs are `runs`, newest first: one plan for
    each workspace, at the head it was planned at last."""
    last = next((run for run in runs if _brings_a_head(run)), None)
    if last is None or last.ask.draft or _is_over(runs) or _applies(runs):
        return ()
    why = f"applied by pull request {applied_by.number}"
    by_workspace: dict[str, list[str]] = {}
    for project in sorted(projects):
        by_workspace.setdefault(project.workspace, []).append(project.dir)
    ask = replace(last.ask, reason=why, everything=False, applied_by=applied_by)
    return tuple(
        replace(ask, select=Selector(dirs=tuple(dirs), workspaces=(workspace,)))
        for workspace, dirs in by_workspace.items()
    )


def _brings_a_head(run: Run) -> bool:
    ask = run.ask
    return ask.kind is AskKind.PLAN and not ask.by_comment and ask.head_sha is not None


def _is_over(runs: tuple[Run, ...]) -> bool:
    """It was merged, or closed and not opened again."""
    for run in runs:
        if run.ask.kind in ENDS and run.state is not RunState.SUPERSEDED:
            return True
        if _brings_a_head(run):
            return False
    return False


def _applies(runs: tuple[Run, ...]) -> bool:
    """An apply that goes on, or waits, makes its plans again by itself."""
    return any(run.ask.kind is AskKind.APPLY and not run.state.finished for run in runs)
