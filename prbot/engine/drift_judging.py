"""Asks, just before a correction's plan is applied, what stands against it.

Everything is read anew: the locks, what else is being applied, what people answered, what was
tried before. The run's own decision adds what it can see itself; the locks are then taken in
the transaction that starts the apply.
"""

from __future__ import annotations

from prbot.config.per_repository import Allowed
from prbot.config.repo import Effective
from prbot.drift.correcting import Situation, why_not_auto, why_not_revert
from prbot.drift.issue import Section, facts_of
from prbot.drift.telling import answered
from prbot.drift.trying import attempts_of, decided_of, fingerprint, kept_back
from prbot.engine.drift_reading import DriftReading
from prbot.engine.world import World
from prbot.model import ProjectKey
from prbot.ports import UnitOfWork
from prbot.runs.correction import OfDrift
from prbot.runs.drifting import project_of
from prbot.runs.freezes import not_frozen
from prbot.runs.reasons import Reason, Reasons
from prbot.runs.requirements.people import needs_of
from prbot.runs.run import CHANGING, AskKind, JobKind, Run
from prbot.runs.scene import Scene

UNKNOWN = Reason("project", "the project is not known any more", "comment `prbot recheck`")


def is_to_be_judged(run: Run) -> bool:
    """A correction that is planned, and whose apply was not decided yet."""
    planned = run.ask.kind is AskKind.CORRECT and bool(run.jobs_of(JobKind.PLAN))
    return planned and not run.under_way and not run.jobs_of(JobKind.APPLY)


async def why_not(world: World, run: Run, scene: Scene, rules: Effective) -> Reasons:
    """Raises StoreUnavailable, and what the artifacts raise that are away."""
    project, about = project_of(run), run.ask.correction
    repo, now = run.pull.repo, world.clock.now()
    async with world.store.begin() as unit:
        standing = await unit.drift.get(repo, project)
        answers = await unit.drift_issues.answers(repo, now)
        tried = await unit.corrections.of_project(repo, project)
        applying = await _applying(unit, run, project)
    if standing is None or about is None:
        return (UNKNOWN,)
    seen = await DriftReading(world).seen(standing, run, rules.drift)
    needs = needs_of(project, scene, rules)
    here = Situation(
        verdict=seen.section.verdict,
        beyond=seen.beyond,
        fingerprint=fingerprint(facts_of(seen.section)),
        now=now,
        windows=needs.windows,
        frozen=not_frozen(scene.freezes, repo, needs.name, now),
        holder=next((each.holder for each in scene.locks if each.project == project), None),
        applying=applying,
        attempts=attempts_of(tried, about.id),
    )
    return _judged(here, answered(seen.section, answers, now), about, scene)


async def _applying(unit: UnitOfWork, run: Run, project: ProjectKey) -> bool:
    """Anybody else applies it, or is about to."""
    others = await unit.runs.of_repo_unfinished(run.pull.repo)
    jobs = (job for other in others if other.id != run.id for job in other.jobs)
    return any(
        job.project == project and job.kind in CHANGING and not job.state.finished for job in jobs
    )


def _judged(here: Situation, section: Section, about: OfDrift, scene: Scene) -> Reasons:
    if about.by_rule:
        return why_not_auto(here, decided_of(section), Allowed.DRIFT_AUTO in scene.allow)
    return (*kept_back(section), *why_not_revert(here, fingerprint(about.shown)))
