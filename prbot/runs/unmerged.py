"""Closed after an apply, and not merged: what runs is in no branch.

The hold stays, a comment calls people, and an issue stands until somebody merges the pull
request after all or lets go of what it holds.
"""

from __future__ import annotations

from prbot.model import ProjectKey
from prbot.runs.run import AskKind, Run, RunState
from prbot.runs.say import AppliedUnmerged, UnmergedIssue, UnmergedSettled
from prbot.runs.scene import Scene
from prbot.runs.steps import (
    DropPlans,
    DropWorkspaces,
    Finish,
    FreeLocks,
    Record,
    Say,
    Step,
    WriteIssue,
)

APPLIED_UNMERGED = "applied-unmerged"
"""The verdict on such projects, and the action of the journal's line."""

Steps = tuple[Step, ...]


def decide_close(run: Run, scene: Scene) -> Steps:
    """Drop what belongs to the pull request, but keep the hold of what it applied."""
    if scene.pull.open or scene.pull.merged:  # reopened, and perhaps merged, meanwhile
        return (Finish(RunState.SUPERSEDED),)
    touched = _unmerged(scene)
    held = tuple(lock.project for lock in scene.locks if lock.holder == run.pull)
    kept = scene.same_state(touched)
    steps: list[Step] = [FreeLocks(tuple(p for p in held if p not in kept)), DropPlans()]
    if touched:
        people = tuple(dict.fromkeys((scene.pull.author, run.ask.actor)))
        issue = UnmergedIssue(scene.pull.ref.number, touched, people)
        steps += [
            Say("applied-unmerged", AppliedUnmerged(touched, people)),
            WriteIssue(_topic(scene), issue, is_open=True),
            Record(APPLIED_UNMERGED, ", ".join(map(str, touched))),
        ]
    if not any(map(scene.is_applying, touched)):  # a running tool still reads its files
        steps.append(DropWorkspaces())
    return (*steps, Finish(RunState.DONE))


def _unmerged(scene: Scene) -> tuple[ProjectKey, ...]:
    """What runs and is in no branch. Where no file was changed what runs is what the base says,
    unless nobody knows what runs."""
    begun, laid = scene.begun_projects(), [r.checkout for r in scene.runs if r.checkout]
    if laid and not any(checkout.changed for checkout in laid):
        return tuple(filter(scene.interrupted, begun))
    return begun


def end_of_issue(run: Run, scene: Scene) -> Steps:
    """Close the issue, where a close had it written: it was merged, or it was let go of."""
    told = any(
        each.ask.kind is AskKind.CLOSE and each.state is RunState.DONE for each in scene.runs
    )
    if not told or not scene.begun_projects():
        return ()
    by = None if scene.pull.merged else run.ask.actor
    return (WriteIssue(_topic(scene), UnmergedSettled(scene.pull.ref.number, by), is_open=False),)


def _topic(scene: Scene) -> str:
    return f"unmerged-{scene.pull.ref.number}"
