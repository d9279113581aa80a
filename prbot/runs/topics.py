"""Which comment a run's report stands in, and which earlier ones it replaces."""

from __future__ import annotations

from prbot.model import ProjectKey
from prbot.runs.orphans import digests
from prbot.runs.run import AskKind, JobKind, Run, RunState
from prbot.runs.scene import Scene


def report_topic(run: Run, scene: Scene) -> str:
    """The comment this run's report belongs to.

    While events bring the same content again, the comment that tells it is edited; new
    content, or somebody asking, begins a new one.
    """
    earlier = [r for r in scene.runs if r.created_at < run.created_at and reported(r)]
    if run.ask.by_comment or not earlier or _content(run, scene) is None:
        return run.id
    if _content(earlier[0], scene) != _content(run, scene):
        return run.id
    return report_topic(earlier[0], scene)


def outdated(run: Run, scene: Scene) -> tuple[str, ...]:
    """The plan comments that this run's replaces: all they tell of stands in newer ones.

    Each is named by one run only, the first that replaces it, so that what people unfolded
    stays so.
    """
    earlier = [r for r in scene.runs if r.created_at < run.created_at and reported(r)]
    kept, later = {report_topic(run, scene)}, {job.project for job in run.jobs}
    if run.ask.special:  # it stands beside the others and replaces none
        return ()
    told: set[ProjectKey] = set()
    found = []
    for each in earlier:  # newest first; `told` is what stood in comments after this one
        topic, projects = report_topic(each, scene), {job.project for job in each.jobs}
        if topic not in kept and projects <= told | later and not projects <= told:
            found.append(topic)
        kept.add(topic)
        told |= set() if each.ask.special else projects
    return tuple(found)


def reported(run: Run) -> bool:
    """It told plans in a comment."""
    told = (RunState.DONE, RunState.FAILED)
    return run.ask.kind is AskKind.PLAN and run.state in told and bool(run.jobs)


def _content(run: Run, scene: Scene) -> frozenset[tuple[str, str]] | None:
    """What a plan comment says of its projects; None when one of them has no plan."""
    plans = [scene.plan(job.plan_id) for job in run.jobs_of(JobKind.PLAN)]
    listed = digests(run, scene)
    if any(plan is None for plan in plans) or listed is None:
        return None
    return listed | {(str(plan.project), plan.hash) for plan in plans if plan is not None}
