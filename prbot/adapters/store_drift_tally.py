"""Counts what is known of drift, in four queries that read no section."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, case, func, select

from prbot.adapters.store_tables import drift_corrections, drift_projects, drift_watches
from prbot.adapters.store_transaction import Transaction
from prbot.drift.tally import NEVER, Checks, Corrected, Tally, Ward
from prbot.model import RepoRef


@dataclass(frozen=True)
class SqlDriftTally:
    """Inside one transaction."""

    db: Transaction

    async def taken(self, since: datetime) -> Tally:
        rows = (await self.db.execute(select(drift_watches))).all()
        skipped = {_repo(row) for row in rows if row.skipped}
        wards = [ward for ward in await self._wards(since) if ward.repo not in skipped]
        running = select(func.count()).where(drift_projects.c.run_id.is_not(None))
        return Tally(
            wards=tuple(wards),
            checks=await self._checks(),
            corrected=await self._corrected(),
            looked_at=len(rows) - len(skipped),
            skipped=len(skipped),
            under_way=(await self.db.execute(running)).scalar_one(),
        )

    async def _wards(self, since: datetime) -> list[Ward]:
        c = drift_projects.c
        place = (c.forge, c.repo, c.environment)
        query = (
            select(
                *place,
                c.verdict,
                func.count().label("number"),
                func.sum(case((c.checked_at >= since, 1), else_=0)).label("lately"),
                func.min(c.checked_at).label("check"),
                func.min(func.coalesce(c.succeeded_at, c.known_at)).label("success"),
            )
            .where(c.gone_at.is_(None))
            .group_by(*place, c.verdict)
            .order_by(*place, c.verdict)
        )
        rows = (await self.db.execute(query)).all()
        grouped = groupby(rows, key=lambda row: (row.forge, row.repo, row.environment))
        return [_ward(tuple(group)) for _, group in grouped]

    async def _checks(self) -> tuple[Checks, ...]:
        """Of projects that are no more, too: a counter never goes back."""
        c = drift_projects.c
        sums = (func.sum(c.begun).label("begun"), func.sum(c.failed).label("failed"))
        query = select(c.forge, c.repo, *sums).group_by(c.forge, c.repo).order_by(c.forge, c.repo)
        rows = await self.db.execute(query)
        return tuple(Checks(_repo(row), int(row.begun), int(row.failed)) for row in rows)

    async def _corrected(self) -> tuple[Corrected, ...]:
        c = drift_corrections.c
        kind = (c.forge, c.repo, c.how, c.outcome)
        query = select(*kind, func.count().label("number")).group_by(*kind).order_by(*kind)
        rows = await self.db.execute(query)
        return tuple(Corrected(_repo(row), row.how, row.outcome, row.number) for row in rows)


def _ward(rows: tuple[Row[Any], ...]) -> Ward:
    return Ward(
        repo=_repo(rows[0]),
        environment=rows[0].environment,
        verdicts={row.verdict or NEVER: row.number for row in rows},
        lately=sum(row.lately for row in rows),
        oldest_check=_oldest(row.check for row in rows),
        oldest_success=_oldest(row.success for row in rows),
    )


def _oldest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _repo(row: Row[Any]) -> RepoRef:
    return RepoRef(row.forge, row.repo)
