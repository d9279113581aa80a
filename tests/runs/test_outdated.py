"""Which plan comments a new one replaces."""

from __future__ import annotations

from dataclasses import replace

import pytest
import scenes
from scenes import NOON, at

from prbot.model import RunId
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Run, RunState
from prbot.runs.scene import Scene
from prbot.runs.topics import outdated

NEW, SAME = "new content", "same content"


def history(*runs: tuple[str, str, str]) -> Scene:
    """(kind of ask, projects, content) of each run, oldest first; the last is being told."""
    made, plans = [], []
    for number, (kind, projects, content) in enumerate(runs):
        run_id, jobs = RunId(f"r-{number}"), []
        for place, project in enumerate(scenes.keys(projects)):
            text = f"{content} {number if content == NEW else ''}"
            plan = scenes.plan(str(project), 10 * number + place, content=text, run=run_id)
            plans.append(plan)
            job_id = plan.job_id
            jobs.append(Job(job_id, run_id, project, JobKind.PLAN, JobState.PLANNED, plan.id))
        comment = 42 + number if kind == "comment" else None
        ask = Ask(AskKind.PLAN, scenes.WRITER, "x", scenes.HEAD, comment)
        run = Run(run_id, scenes.PULL, ask, at(number), RunState.DONE, jobs=tuple(jobs))
        made.append(run)
    made[-1] = replace(made[-1], state=RunState.WORKING)
    return Scene(
        scenes.pull(), scenes.WRITER, scenes.NOON, runs=tuple(made[::-1]), plans=tuple(plans[::-1])
    )


@pytest.mark.parametrize(
    ("runs", "folded"),
    [
        ([("event", "a b", NEW)], ()),
        ([("event", "a b", NEW), ("event", "a b", NEW)], ("r-0",)),
        # edited in place: the newest is never folded
        ([("event", "a b", SAME), ("event", "a b", SAME)], ()),
        ([("event", "a b", SAME), ("comment", "a b", SAME)], ("r-0",)),
        # a part of it stands nowhere else
        ([("event", "a b", NEW), ("comment", "a", NEW)], ()),
        ([("event", "a b", NEW), ("comment", "a", NEW), ("comment", "b", NEW)], ("r-0",)),
        # folded once, when it was replaced
        ([("event", "a", NEW), ("event", "a", NEW), ("event", "a", NEW)], ("r-1",)),
        (
            [("event", "a", NEW), ("comment", "b", NEW), ("comment", "a b", NEW)],
            ("r-1", "r-0"),
        ),
        ([("event", "a", NEW), ("event", "b", NEW)], ()),
        # the same comment was edited by the second run
        ([("event", "a", SAME), ("event", "a", SAME), ("event", "a", NEW)], ("r-0",)),
    ],
)
def test_outdated(runs: list[tuple[str, str, str]], folded: tuple[str, ...]) -> None:
    """It folds a comment when all it tells of stands in newer ones, and never twice."""
    scene = history(*runs)
    assert outdated(scene.runs[0], scene) == folded


def test_runs_that_told_no_plan() -> None:
    """It leaves comments alone that are no plans: refusals, failures of the whole."""
    scene = history(("event", "a", NEW), ("event", "a", NEW))
    failed = replace(scene.runs[1], jobs=(), created_at=NOON)
    assert outdated(scene.runs[0], replace(scene, runs=(scene.runs[0], failed))) == ()
