"""`prbot freeze`: declares, lists and lifts freezes in the service's own database."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prbot.app.compose import new_id
from prbot.app.database import Desk, at_desk
from prbot.comments.customs import Customs
from prbot.config.globs import check_plain_pattern
from prbot.errors.configuration import BadPattern
from prbot.errors.verbs import UnknownForge
from prbot.model import Login, PlanId
from prbot.ports.store import UnitOfWork
from prbot.runs.freezes import Freeze, FreezeId, FreezeScope, one_line, reason_of, sentence
from prbot.runs.moments import coming
from prbot.runs.run import Job, JobKind, Run


@dataclass(frozen=True)
class Order:
    """What somebody wants frozen: everything when neither `repo` nor `environment` is given.

    `repo` is a glob over `owner/name`, perhaps with `FORGE:` before it. `until` is as
    `runs.moments.coming` reads it.
    """

    by: str
    reason: str
    repo: str | None = None
    environment: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class Running:
    """An apply that had begun, and goes on."""

    run: Run
    job: Job
    plan_id: PlanId
    customs: Customs

    @property
    def words(self) -> str:
        where = f"{self.run.pull.repo.forge}:{self.customs.place(self.run.pull)}"
        return f"{self.job.project} of {where} ({self.plan_id})"

    @property
    def document(self) -> dict[str, Any]:
        pull, project = self.run.pull, self.job.project
        where = {"forge": pull.repo.forge, "repo": pull.repo.path, "pull": pull.number}
        return where | {**asdict(project), "plan": self.plan_id, "actor": self.run.ask.actor}


# --- what is asked -----------------------------------------------------------------------------


def declare(config: Path, order: Order, as_json: bool) -> int:
    """Freeze, and tell what still runs. Raises PrbotError; returns the exit code."""
    freeze, running = asyncio.run(_declared(config, order))
    if as_json:
        return _print({"freeze": _document(freeze), "running": [r.document for r in running]})
    sys.stdout.write(f"{freeze.id}: {sentence(freeze)}\n")
    for each in running:
        sys.stdout.write(f"has begun before, and goes on: {each.words}\n")
    sys.stdout.write(f"lift it with: prbot freeze lift {freeze.id}\n")
    return 0


def show(config: Path, ended: bool, as_json: bool) -> int:
    """List those in force, oldest first; with `ended` all there ever were."""
    freezes = asyncio.run(_known(config, ended))
    if as_json:
        return _print({"freezes": [_document(freeze) for freeze in freezes]})
    for freeze in freezes:
        sys.stdout.write(f"{freeze.id}: {_told(freeze)}\n")
    if not freezes:
        sys.stdout.write("nothing was ever frozen\n" if ended else "nothing is frozen\n")
    return 0


def lift(config: Path, freeze_id: str | None, by: str, as_json: bool) -> int:
    """Lift one, or (None) all that are in force. Raises NoSuchFreeze."""
    lifted = asyncio.run(_lifted(config, freeze_id, Login(one_line(by))))
    if as_json:
        return _print({"lifted": [_document(freeze) for freeze in lifted]})
    for freeze in lifted:
        sys.stdout.write(f"{freeze.id}: {_told(freeze)}\n")
    if not lifted:
        sys.stdout.write("nothing is frozen\n")
    return 0


# --- what is done ------------------------------------------------------------------------------


async def _declared(config: Path, order: Order) -> tuple[Freeze, tuple[Running, ...]]:
    async with at_desk(config) as desk:
        freeze = _freeze(desk, order)
        async with desk.store.begin() as unit:
            await unit.freezes.add(freeze)
            return freeze, tuple([running async for running in _running(desk, unit)])


def _freeze(desk: Desk, order: Order) -> Freeze:
    now = desk.clock.now()
    forge, repo = scope_of(order.repo, [forge.name for forge in desk.config.forges])
    return Freeze(
        id=FreezeId(new_id("f")),
        scope=_scope(order),
        reason=reason_of(desk.redact(order.reason)),
        by=Login(one_line(order.by)),
        since=now,
        until=coming(order.until, now) if order.until else None,
        forge=forge,
        repo=repo,
        environment=one_line(order.environment) if order.environment else None,
    )


def _scope(order: Order) -> FreezeScope:
    if order.environment:
        return FreezeScope.ENVIRONMENT
    return FreezeScope.EVERYWHERE if order.repo is None else FreezeScope.REPOSITORY


def scope_of(repo: str | None, forges: Iterable[str]) -> tuple[str | None, str | None]:
    """Forge and glob of `[FORGE:]OWNER/NAME`. Raises UnknownForge, and BadPattern."""
    if repo is None:
        return None, None
    forge, colon, path = repo.rpartition(":")
    known = tuple(forges)
    if colon and forge not in known:
        raise UnknownForge(forge, ", ".join(known))
    try:
        if one_line(path) != path:
            raise ValueError(BadPattern("no repository's name holds such characters"))
        return forge or None, check_plain_pattern(path)
    except ValueError as error:
        (cause,) = error.args
        raise cause if isinstance(cause, BadPattern) else error from None


async def _running(desk: Desk, unit: UnitOfWork) -> AsyncIterator[Running]:
    """Applies whose tool may have been started; those without an intent will see the freeze."""
    for job in await unit.runs.running_jobs():
        if job.kind is JobKind.APPLY and (plan_id := await unit.plans.intended(job)):
            run = await unit.runs.get(job.run_id)
            yield Running(run, job, plan_id, desk.customs(run.pull.repo.forge))


async def _known(config: Path, ended: bool) -> tuple[Freeze, ...]:
    async with at_desk(config) as desk, desk.store.begin() as unit:
        return await (unit.freezes.all() if ended else unit.freezes.in_force(desk.clock.now()))


async def _lifted(config: Path, freeze_id: str | None, by: Login) -> tuple[Freeze, ...]:
    async with at_desk(config) as desk, desk.store.begin() as unit:
        now = desk.clock.now()
        chosen = [freeze.id for freeze in await unit.freezes.in_force(now)]
        if freeze_id is not None:
            chosen = [FreezeId(freeze_id)]
        return tuple([await unit.freezes.lift(each, by, now) for each in chosen])


# --- what is printed ---------------------------------------------------------------------------


def _told(freeze: Freeze) -> str:
    if freeze.lifted_at is None:
        return sentence(freeze)
    lifted = f"lifted by {freeze.lifted_by} at {freeze.lifted_at:%Y-%m-%d %H:%M} UTC"
    return f"{lifted}; {sentence(freeze).replace(' is frozen', ' was frozen', 1)}"


def _document(freeze: Freeze) -> dict[str, Any]:
    """Times in ISO 8601."""
    times = {name: value for name, value in asdict(freeze).items() if hasattr(value, "isoformat")}
    return asdict(freeze) | {name: value.isoformat() for name, value in times.items()}


def _print(document: dict[str, Any]) -> int:
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return 0
