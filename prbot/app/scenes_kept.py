"""`prbot explain apply --run`: what a run of the service judged, as it was kept."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from prbot.adapters.installation import KEY_FILE
from prbot.app.compose import Secrets, artifacts_of, installation_key
from prbot.app.database import Desk, at_desk
from prbot.engine.scenes import kept
from prbot.errors.verbs import NoSuchRun, NothingJudged, SceneGone
from prbot.model import RunId
from prbot.runs.exported import JUDGED
from prbot.runs.run import JobKind, Run, RunState

TOLD_WHY = (RunState.REFUSED, RunState.HELD, RunState.WAITING, RunState.RESUMED)


def scene_of_run(config: Path, run_id: str) -> str:
    """The document. Raises NoSuchRun, NothingJudged, SceneGone, WrongInstallationKey, and what
    `at_desk` raises."""
    return asyncio.run(_kept(config, RunId(run_id.encode("utf-8", "replace").decode())))


async def _kept(config: Path, run_id: RunId) -> str:
    async with at_desk(config) as desk:
        run = await _run(desk, run_id)
        found = await _document(desk, run_id)
        if found is not None:
            return desk.redact(found)
        if _has_judged(run):
            raise SceneGone(run_id)
        raise NothingJudged(run_id, run.ask.kind.value, run.state.value)


async def _run(desk: Desk, run_id: RunId) -> Run:
    async with desk.store.begin() as unit:
        try:
            return await unit.runs.get(run_id)
        except KeyError:
            raise NoSuchRun(run_id) from None


async def _document(desk: Desk, run_id: RunId) -> str | None:
    """Without the key there is nothing that could be read; none is made for that."""
    config, state = desk.config, desk.config.state_dir.absolute()
    if config.installation_key is None and not (state / KEY_FILE).exists():
        return None
    key = installation_key(config, state, Secrets(os.environ, desk.redactor))
    return await kept(artifacts_of(config, state, key), run_id)


def _has_judged(run: Run) -> bool:
    applied = run.jobs_of(JobKind.APPLY)
    told = run.trouble is None and run.state in TOLD_WHY
    return run.ask.kind in JUDGED and bool(applied or told)
