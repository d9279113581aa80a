"""Asks, just before a correction's plan is applied, what stands against it.

Everything is read anew: the locks, what else is being applied, what people answered, what was
tried before. The run's own decision adds what it can see itself; the locks are then taken in
the transaction that starts the apply.
"""

from __future__ import annotations

from collections.abc import Iterable

from prbot.config.per_repository import Allowed
from prbot.config.repo import Effective
from prbot.drift.correcting import Situation, wants_auto, why_not_auto, why_not_revert
from prbot.drift.issue import Section, facts_of
from prbot.drift.sight import answered
from prbot.drift.state import Standing
from prbot.drift.trying import attempts_of, decided_of, fingerprint, kept_back
from prbot.engine.drift_reading import DriftReading, Seen
from prbot.engine.world import World
from prbot.model import ProjectKey, RunId
from prbot.runs.drifting import project_of
from prbot.runs.freezes import not_frozen
from prbot.runs.reasons import Reason, Reasons
from prbot.runs.requirements.pulls import mode_allows
from prbot.runs.run import CHANGING, AskKind, JobKind, Run
from prbot.runs.scene import Scene

UNKNOWN = Reason("project", "the project is not known any more", "comment `prbot recheck`")


def is_to_be_judged(run: Run) -> bool:
    """A correction that is planned, and whose apply was not decided yet."""
    planned = run.ask.kind is AskKind.CORRECT and bool(run.jobs_of(JobKind.PLAN))
    return planned and not run.under_way and not run.jobs_of(JobKind.APPLY)


async def why_not(world: World, run: Run, scene: Scene, rules: Effective) -> Reasons:
    """What stands against the plan of a correction. Raises StoreUnavailable, and what the
    artifacts raise that are away."""
    project, about = project_of(run), run.ask.correction
    async with world.store.begin() as unit:
        standing = await unit.drift.get(run.pull.repo, project)
    if standing is None or about is None:
        return (UNKNOWN,)
    seen = await DriftReading(world).seen(standing, run, rules.drift)
    here, section = await _situation(world, standing, seen, rules, run.id)
    if about.by_rule:
        allowed = Allowed.DRIFT_AUTO in scene.allow
        return why_not_auto(here, fingerprint(about.shown), decided_of(section), allowed)
    return (*kept_back(section), *why_not_revert(here, fingerprint(about.shown)))


async def why_not_by_rule(
    world: World, standing: Standing, seen: Seen, rules: Effective
) -> Reasons | None:
    """What stands against a correction that a rule asks for, as a check sees it; None where no
    rule does. Raises StoreUnavailable."""
    here, section = await _situation(world, standing, seen, rules)
    decided = decided_of(section)
    if not wants_auto(decided):
        return None
    allow = world.settings.bounds_of(standing.repo).allow
    consent = Allowed.DRIFT_AUTO in allow
    return mode_allows(rules) + why_not_auto(here, here.fingerprint, decided, consent)


async def _situation(
    world: World, standing: Standing, seen: Seen, rules: Effective, this: RunId | None = None
) -> tuple[Situation, Section]:
    """What is asked about a project, and its section as people answered to it. `this` is the
    run that asks, if it is a correction."""
    repo, project, now = standing.repo, standing.project, world.clock.now()
    needs = rules.environments.of(project.dir, project.workspace)
    async with world.store.begin() as unit:
        answers = await unit.drift_issues.answers(repo, now)
        tried = await unit.corrections.of_project(repo, project)
        others = [r for r in await unit.runs.of_repo_unfinished(repo) if r.id != this]
        locks = await unit.locks.of_repo(repo)
        freezes = await unit.freezes.in_force(now)
    here = Situation(
        verdict=seen.section.verdict,
        beyond=seen.beyond,
        fingerprint=fingerprint(facts_of(seen.section)),
        now=now,
        windows=needs.windows,
        frozen=not_frozen(freezes, repo, needs.name, now),
        holder=next((each.holder for each in locks if each.project == project), None),
        applying=_is_applied(project, others),
        attempts=attempts_of(one for one in tried if this is None or one.run != this),
    )
    return here, answered(seen.section, answers, now)


def _is_applied(project: ProjectKey, others: Iterable[Run]) -> bool:
    """Anybody else applies it, or is about to."""
    jobs = (job for other in others for job in other.jobs)
    return any(
        job.project == project and job.kind in CHANGING and not job.state.finished for job in jobs
    )
