"""What the engine tells its workers, and what must not happen side by side."""

from __future__ import annotations

from prbot.ports.queue import AdvanceRun, Message, PerformJob, Priority
from prbot.runs.correcting import by_rule
from prbot.runs.hooks import HOOKS
from prbot.runs.run import AskKind, Job, JobKind, Run


def advance_message(run: Run) -> Message:
    """One decision at a time per pull request: two runs of it that decided side by side
    would each start what only one of them may."""
    pull, repo = str(run.pull), str(run.pull.repo)
    return Message(AdvanceRun(run.id), f"pull {pull}", Priority.ADVANCE, repo=repo, group=pull)


def job_message(run: Run, job: Job) -> Message:
    """One job of a project at a time, whichever run it belongs to."""
    repo = str(run.pull.repo)
    key = f"project {repo} {job.project.dir} {job.project.workspace}"
    priority = Priority.PLAN if job.kind in (JobKind.PLAN, JobKind.INVENTORY) else Priority.APPLY
    if job.kind in HOOKS:  # of no project; one pull request's do not meet
        key = f"hooks {run.pull}"
        plans = run.ask.kind in (AskKind.PLAN, AskKind.QUEUED)
        priority = Priority.PLAN if plans else Priority.APPLY
    if run.ask.kind is AskKind.DRIFT or (_by_rule(run) and priority is Priority.PLAN):
        priority = Priority.DRIFT
    return Message(PerformJob(job.id), key, priority, repo=repo, group=str(run.pull))


def _by_rule(run: Run) -> bool:
    """Nobody waits for it; what is applied already holds its project, and is ended first."""
    return run.ask.kind is AskKind.CORRECT and by_rule(run)
