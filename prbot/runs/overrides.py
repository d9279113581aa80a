"""What an override leaves behind: before anything is applied a line in the journal and, where
something was passed over, an issue; afterwards words in the report.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from prbot.model import ProjectKey
from prbot.runs.run import Run
from prbot.runs.say import Overridden, OverrideIssue
from prbot.runs.scene import Scene
from prbot.runs.steps import Record, Step, TakeLocks, WriteIssue

Steps = tuple[Step, ...]

OVERRIDDEN = "overridden"
"""The journal's word for an apply that was asked for with an override."""


def noted(run: Run, scene: Scene, passed_over: tuple[str, ...], steps: Steps) -> Steps:
    """`steps`; where they begin to apply, what was passed over for that stands before them,
    once for each requirement of a run."""
    locks = [step for step in steps if isinstance(step, TakeLocks)]
    if not run.ask.override or not locks:
        return steps
    before = tuple(_lines(run, scene))
    new = tuple(each for each in passed_over if not any(each in line for line in before))
    if before and not new:
        return steps
    line = Record(OVERRIDDEN, overridden(run.ask.override, new))
    projects = tuple(dict.fromkeys(project for step in locks for project in step.projects))
    issue = (_issue(run, scene, new, projects, len(before)),) if new else ()
    return (line, *issue, *steps)


def told_of(run: Run, scene: Scene) -> Overridden | None:
    """What the report says of it; None where nothing was overridden."""
    lines = tuple(_lines(run, scene))
    if not run.ask.override or not lines:
        return None
    passed = dict.fromkeys(each for line in lines for each in line)
    return Overridden(run.ask.override, tuple(passed))


def overridden(reason: str, passed_over: tuple[str, ...]) -> str:
    """The journal's detail of it, as JSON."""
    return json.dumps({"reason": reason, "passed_over": list(passed_over)}, ensure_ascii=False)


def _lines(run: Run, scene: Scene) -> Iterator[tuple[str, ...]]:
    """What this run passed over so far, one for each line of the journal."""
    for line in scene.journal:
        if (line.subject, line.action) == (run.id, OVERRIDDEN):
            yield tuple(json.loads(line.detail)["passed_over"])


def _issue(
    run: Run,
    scene: Scene,
    passed_over: tuple[str, ...],
    projects: tuple[ProjectKey, ...],
    number: int,
) -> WriteIssue:
    pull, again = scene.pull, f"-{number + 1}" if number else ""
    people = dict.fromkeys(p for p in (pull.author, pull.merged_by, run.ask.actor) if p)
    told = Overridden(run.ask.override, passed_over)
    message = OverrideIssue(pull.ref.number, run.ask.actor, told, projects, tuple(people))
    return WriteIssue(f"override-{run.id}{again}", message, is_open=True)
