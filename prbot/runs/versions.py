"""How `version` goes on: prbot's own at once, the tools' of projects where some are meant."""

from __future__ import annotations

from prbot.runs.phases import Steps, waits
from prbot.runs.planning import refuse
from prbot.runs.run import Job, JobKind, JobState, Run, RunState, Trouble
from prbot.runs.say import Reason, Versions
from prbot.runs.scene import Scene
from prbot.runs.steps import Finish, LayOut, Say, StartJob

MOST = 20
"""Projects whose tools are looked for: each may have to be downloaded."""


def decide_version(run: Run, scene: Scene) -> Steps:
    """Steps of a VERSION run: whoever can read may ask, and nothing is changed."""
    if waits(run):
        return ()
    if run.jobs:
        rows = tuple((job.project, _answer(job)) for job in run.jobs)
        return (Say(run.id, Versions(rows)), Finish(RunState.DONE))
    if not scene.permission.can_write or scene.pull.fork or not scene.pull.open:
        return (Say(run.id, Versions(())), Finish(RunState.DONE))
    trouble = run.trouble or scene.rules
    if isinstance(trouble, Trouble):
        return refuse(run, (Reason("project", trouble.sentence, trouble.hint),))
    if run.projects is None:
        return (LayOut(),)
    if not run.projects:
        return (Say(run.id, Versions(())), Finish(RunState.DONE))
    return tuple(StartJob(project, JobKind.VERSION) for project in run.projects[:MOST])


def _answer(job: Job) -> str:
    """What the job found stands where other jobs have differences."""
    if job.trouble is not None:
        return job.trouble.sentence
    return ", ".join(job.differences) if job.state is JobState.LOOKED else "not looked at"
