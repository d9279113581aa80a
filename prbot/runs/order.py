"""Dependants wait: for plans as for applies, within one run.

All jobs of a phase are made at once. One that needs another of them is blocked until that
one has ended well, and is skipped when it ended otherwise. An apply that did not begin because
its plan was stale has not ended before that plan was made again and judged. Groups (Atlantis's
`execution_order_group`) only come one after the other, however the earlier ones ended.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable
from dataclasses import replace

from prbot.config.repo import Effective
from prbot.model import ProjectKey
from prbot.projects.project import Project
from prbot.runs.run import Job, JobKind, JobState, Placed, Run, Trouble
from prbot.runs.stale import unsettled
from prbot.runs.steps import ReleaseJob, SkipJob, StartJob, Step

WELL = {JobKind.PLAN: JobState.PLANNED, JobKind.APPLY: JobState.APPLIED}
DONE = {JobKind.PLAN: "planned", JobKind.APPLY: "applied"}


def placed_of(projects: Iterable[Project]) -> tuple[Placed, ...]:
    """Each project with all it needs, also by way of others. There must be no cycle.

    What needs a project of a later group is in that group itself, whatever it says: else
    each would wait for the other.
    """
    known = tuple(projects)
    groups = {project.key: project.group for project in known}
    direct = {project.key: project.depends_on for project in known}
    whole: dict[ProjectKey, frozenset[ProjectKey]] = {}
    for key in direct:
        _follow(key, direct, whole)
    return tuple(
        Placed(
            project=each.key,
            needs=tuple(sorted(whole[each.key])),
            group=max([each.group, *(groups.get(need, 0) for need in whole[each.key])]),
            name=each.name,
            var_files=each.var_files,
            workflow=each.workflow,
            tool=each.tool,
            version=each.version,
            default_version=each.default_version,
            tool_before=each.tool_before,
        )
        for each in known
    )


def in_environments(placed: Iterable[Placed], rules: Effective | Trouble) -> tuple[Placed, ...]:
    """Each in the environment that the default branch knows its state in."""
    if isinstance(rules, Trouble):
        return tuple(placed)
    known = ((each, each.formerly or each.project) for each in placed)
    environments = rules.environments
    return tuple(
        replace(each, environment=environments.of(there.dir, there.workspace).name)
        for each, there in known
    )


def _follow(
    start: ProjectKey,
    direct: dict[ProjectKey, tuple[ProjectKey, ...]],
    whole: dict[ProjectKey, frozenset[ProjectKey]],
) -> None:
    """Fill `whole` for `start` and all it needs; without recursion, chains may be long."""
    path = {start: iter(direct.get(start, ()))}
    while path:
        project, ends = next(reversed(path.items()))
        further = next((n for n in ends if n not in whole and n not in path), None)
        if further is not None:
            path[further] = iter(direct.get(further, ()))
            continue
        needs = direct.get(project, ())
        whole[project] = frozenset(needs).union(*(whole.get(need, ()) for need in needs))
        path.pop(project)


def in_order(run: Run, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same steps; jobs that must wait for others of them are blocked."""
    starting = [step for step in steps if isinstance(step, StartJob)]
    if len(starting) < 2 or not run.placed:
        return steps
    together = {(step.kind, step.project) for step in starting}
    places = {place.project: place for place in run.placed}
    return tuple(
        replace(step, blocked=bool(_before(step, together, places)))
        if isinstance(step, StartJob)
        else step
        for step in steps
    )


def _before(
    step: StartJob,
    together: set[tuple[JobKind, ProjectKey]],
    places: dict[ProjectKey, Placed],
) -> set[ProjectKey]:
    """Those of the projects started together that must end before this one begins."""
    mine = places.get(step.project, Placed(step.project))
    same_kind = {project for kind, project in together if kind is step.kind}
    lower = {p for p in same_kind if places.get(p, Placed(p)).group < mine.group}
    return lower | (same_kind & set(mine.needs))


def release(
    run: Run, done: Collection[ProjectKey] = (), given_up: Collection[ProjectKey] = ()
) -> tuple[Step, ...]:
    """What becomes of the blocked jobs, now that others have ended.

    What is unsettled goes on still, but for those that are `done`, because nothing was left to
    do, or `given_up`, because their new plan is held.
    """
    blocked = [job for job in run.jobs if job.state is JobState.BLOCKED]
    if not blocked:
        return ()
    places = {place.project: place for place in run.placed}
    going_on = unsettled(run) - {*done, *given_up}
    still = {JobKind.PLAN: frozenset[ProjectKey](), JobKind.APPLY: going_on}
    failed = {JobKind.PLAN: _failed(run, JobKind.PLAN)}
    failed[JobKind.APPLY] = _failed(run, JobKind.APPLY) - going_on - {*done}
    steps = (_released(job, run, places, failed[job.kind], still[job.kind]) for job in blocked)
    return tuple(step for step in steps if step is not None)


def _failed(run: Run, kind: JobKind) -> set[ProjectKey]:
    """Whose last job of this kind ended otherwise than well."""
    last = _last(run, kind).values()
    return {job.project for job in last if job.state.finished and job.state is not WELL[kind]}


def _last(run: Run, kind: JobKind) -> dict[ProjectKey, Job]:
    return {job.project: job for job in run.jobs if job.kind is kind}


def _released(
    job: Job,
    run: Run,
    places: dict[ProjectKey, Placed],
    failed: set[ProjectKey],
    open_still: frozenset[ProjectKey],
) -> ReleaseJob | SkipJob | None:
    """`needs` is transitive, so one look is enough."""
    mine = places.get(job.project, Placed(job.project))
    bad = next((need for need in mine.needs if need in failed), None)
    if bad is not None:
        return SkipJob(job, _why(job, bad))
    for project, other in _last(run, job.kind).items():
        ended = other.state.finished and project not in open_still
        if project == job.project or ended:
            continue
        group = places.get(project, Placed(project)).group
        if project in mine.needs or group < mine.group:
            return None
    return ReleaseJob(job)


def gone_ahead(run: Run, project: ProjectKey) -> tuple[ProjectKey, ...]:
    """What comes after the project in this run, and was begun to be applied all the same: the
    project had been given up."""
    places = {place.project: place for place in run.placed}
    mine = places.get(project, Placed(project))
    begun = (
        places.get(other, Placed(other))
        for other, job in _last(run, JobKind.APPLY).items()
        if job.state is not JobState.BLOCKED and not job.state.never_began
    )
    return tuple(p.project for p in begun if project in p.needs or p.group > mine.group)


def _why(job: Job, failed: ProjectKey) -> Trouble:
    done = DONE[job.kind]
    then = "what depends on it follows."
    if job.kind is JobKind.APPLY:
        then = f"then comment `prbot apply -d {shlex.quote(job.project.dir)}`."
    return Trouble(
        f"Skipped: it depends on `{failed}`, which was not {done}.",
        f"Mend `{failed}` first; {then}",
    )


def busy(run: Run) -> bool:
    """Some of its jobs are being done, or wait for their turn."""
    return any(not job.state.finished and job.state is not JobState.BLOCKED for job in run.jobs)


def stands_still(run: Run) -> bool:
    """All that is left of it waits for an apply that did not begin."""
    return run.under_way and not busy(run) and not release(run)


def rests(run: Run, runs: tuple[Run, ...]) -> bool:
    """Whether there is nothing to decide before the next of its jobs ends.

    So it is while jobs are under way, none can be released, and nothing came after it in
    the pull request, whose runs are `runs`, newest first. A run of many projects need not
    ask the forge each time that one of them ends.
    """
    newest = runs[:1] != () and runs[0].id == run.id
    return busy(run) and newest and not release(run)
