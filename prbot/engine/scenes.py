"""Keeps the scene of each decision about an apply or a merge, for `prbot explain apply`.

It is an artifact of the run, sealed like a plan, and the last decision's stays. It is kept
when the decision is committed: what is kept was judged, and a process that dies in between
leaves none.

Runs that applied something keep theirs, as their plans are kept; that of any other goes with
the pull request's plans.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import structlog

from prbot.engine.world import World
from prbot.model import RunId
from prbot.ports.store import Artifacts
from prbot.runs.exported import exported, is_judgement
from prbot.runs.phases import apply_jobs
from prbot.runs.run import Run
from prbot.runs.scene import Scene
from prbot.runs.steps import Step

log = structlog.get_logger()


async def keep(world: World, run: Run, scene: Scene, steps: Sequence[Step]) -> None:
    """Never raises: nothing hangs on it."""
    if not is_judgement(run, steps):
        return
    try:
        document = world.redactor.redact_values(exported(run, scene))
        text = json.dumps(document, indent=2, ensure_ascii=False)
        data = text.encode("utf-8", "replace")
        await world.artifacts.put(_name(run.id), data)
    except Exception:  # a decision is not undone because nobody can read of it
        log.exception("scene not kept", action="judge", run=run.id)
    else:
        log.info("scene kept", action="judge", run=run.id, pull=str(run.pull))


async def kept(artifacts: Artifacts, run_id: RunId) -> str | None:
    """The document; None where there is none, or none any more. Raises WrongInstallationKey."""
    data = await artifacts.get(_name(run_id))
    return None if data is None else data.decode()


def droppable(runs: Iterable[Run]) -> list[str]:
    """The artifacts of those that applied nothing."""
    return [_name(run.id) for run in runs if all(job.state.never_began for job in apply_jobs(run))]


def _name(run_id: RunId) -> str:
    return f"{run_id}.scene"
