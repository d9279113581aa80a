"""The permanent issues about drift, what people answered to them, and corrections.

An issue's number is not kept a second time: it stands where the postman notes what the forge
answered, under the issue's marker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, or_, select, update

from prbot.adapters.store_dialect import insert_once
from prbot.adapters.store_tables import (
    comments,
    drift_answers,
    drift_corrections,
    drift_heard,
    drift_issues,
)
from prbot.adapters.store_transaction import Transaction
from prbot.adapters.store_types import is_repo
from prbot.drift.proposing import PROPOSED
from prbot.drift.state import Answer, AnswerKind, Correction, IssueOf
from prbot.drift.trying import APPLYING
from prbot.model import Login, ProjectKey, PullRef, RepoRef, RunId


@dataclass(frozen=True)
class SqlDriftIssues:
    """Issues and answers inside one transaction."""

    db: Transaction

    async def about(self, repo: RepoRef) -> tuple[IssueOf, ...]:
        return tuple(
            map(_issue, await self.db.execute(_issues().where(is_repo(drift_issues, repo))))
        )

    async def at(self, place: RepoRef, number: int) -> IssueOf | None:
        here = and_(drift_issues.c.forge == place.forge, drift_issues.c.place == place.path)
        rows = await self.db.execute(_issues().where(here, comments.c.forge_id == number))
        row = rows.one_or_none()
        return None if row is None else _issue(row)

    async def keep(self, issue: IssueOf) -> None:
        key = {
            "forge": issue.about.forge,
            "repo": issue.about.path,
            "kind": issue.kind,
            "group": issue.group,
        }
        values = {"place": issue.place.path, "marker": issue.marker, "kept": issue.kept}
        if not await insert_once(self.db, drift_issues, {**key, **values}):
            mine = [drift_issues.c[name] == value for name, value in key.items()]
            await self.db.execute(update(drift_issues).where(*mine).values(values))

    async def is_heard(self, place: RepoRef, comment_id: int) -> bool:
        c = drift_heard.c
        mine = and_(c.forge == place.forge, c.place == place.path, c.comment == comment_id)
        return (await self.db.execute(select(c.seq).where(mine))).scalar() is not None

    async def hear(self, place: RepoRef, comment_id: int) -> bool:
        new = {"forge": place.forge, "place": place.path, "comment": comment_id}
        return await insert_once(self.db, drift_heard, new)

    async def answer(self, answer: Answer) -> None:
        values = {
            **_project(answer.repo, answer.project),
            "kind": answer.kind.value,
            "by": answer.by,
            "at": answer.at,
            "until": answer.until,
            "reason": answer.reason,
            "facts": answer.facts,
        }
        await self.db.execute(drift_answers.insert().values(values))

    async def answers(self, repo: RepoRef, now: datetime) -> tuple[Answer, ...]:
        here = and_(is_repo(drift_answers, repo), drift_answers.c.until > now)
        query = select(drift_answers).where(here).order_by(drift_answers.c.seq)
        return tuple(map(_answer, await self.db.execute(query)))


@dataclass(frozen=True)
class SqlCorrections:
    """Corrections inside one transaction."""

    db: Transaction

    async def add(self, correction: Correction) -> None:
        values = {
            "id": correction.id,
            **_project(correction.repo, correction.project),
            "how": correction.how,
            "at": correction.at,
            "by": correction.by,
            "pull": None if correction.pull is None else correction.pull.number,
            "run_id": correction.run,
            "outcome": correction.outcome,
            "facts": correction.facts,
        }
        if not await insert_once(self.db, drift_corrections, values):
            mine = drift_corrections.c.id == correction.id
            await self.db.execute(update(drift_corrections).where(mine).values(values))

    async def since(self, repo: RepoRef, moment: datetime) -> tuple[Correction, ...]:
        open_ = drift_corrections.c.outcome.is_(None) | (drift_corrections.c.at >= moment)
        query = select(drift_corrections).where(is_repo(drift_corrections, repo), open_)
        rows = await self.db.execute(query.order_by(drift_corrections.c.seq))
        return tuple(map(_correction, rows))

    async def proposed(self, repo: RepoRef) -> tuple[Correction, ...]:
        rows = drift_corrections.c
        here = and_(is_repo(drift_corrections, repo), rows.pull.is_not(None))
        query = select(drift_corrections).where(here, rows.outcome == PROPOSED)
        return tuple(map(_correction, await self.db.execute(query.order_by(rows.seq))))

    async def proposing(self, pull: PullRef) -> tuple[Correction, ...]:
        rows = drift_corrections.c
        coming = and_(rows.pull.is_(None), rows.run_id.is_(None), rows.by.is_not(None))
        mine = or_(rows.pull == pull.number, coming)
        query = select(drift_corrections).where(is_repo(drift_corrections, pull.repo), mine)
        return tuple(map(_correction, await self.db.execute(query.order_by(rows.seq))))

    async def of_project(self, repo: RepoRef, project: ProjectKey) -> tuple[Correction, ...]:
        names = drift_corrections.c
        mine = and_(names.dir == project.dir, names.workspace == project.workspace)
        query = select(drift_corrections).where(is_repo(drift_corrections, repo), mine)
        return tuple(map(_correction, await self.db.execute(query.order_by(names.seq))))

    async def waiting(self) -> tuple[Correction, ...]:
        names = drift_corrections.c
        new = and_(names.outcome.is_(None), names.run_id.is_(None), names.how.in_(APPLYING))
        query = select(drift_corrections).where(new).order_by(names.seq)
        return tuple(map(_correction, await self.db.execute(query)))


def _issues() -> Select[Any]:
    mine = and_(
        comments.c.forge == drift_issues.c.forge,
        comments.c.repo == drift_issues.c.place,
        comments.c.number == 0,
        comments.c.marker == drift_issues.c.marker,
    )
    joined = drift_issues.outerjoin(comments, mine)
    query = select(drift_issues, comments.c.forge_id).select_from(joined)
    return query.order_by(drift_issues.c.seq)


def _project(repo: RepoRef, project: ProjectKey) -> Mapping[str, Any]:
    return {
        "forge": repo.forge,
        "repo": repo.path,
        "dir": project.dir,
        "workspace": project.workspace,
    }


def _issue(row: Row[Any]) -> IssueOf:
    about, place = RepoRef(row.forge, row.repo), RepoRef(row.forge, row.place)
    return IssueOf(about, row.kind, row.group, place, row.marker, row.kept, row.forge_id)


def _answer(row: Row[Any]) -> Answer:
    return Answer(
        RepoRef(row.forge, row.repo),
        ProjectKey(row.dir, row.workspace),
        AnswerKind(row.kind),
        Login(row.by),
        row.at,
        row.until,
        row.reason,
        row.facts,
    )


def _correction(row: Row[Any]) -> Correction:
    repo = RepoRef(row.forge, row.repo)
    return Correction(
        row.id,
        repo,
        ProjectKey(row.dir, row.workspace),
        row.how,
        row.at,
        None if row.by is None else Login(row.by),
        None if row.pull is None else PullRef(repo, row.pull),
        None if row.run_id is None else RunId(row.run_id),
        row.outcome,
        row.facts,
    )
