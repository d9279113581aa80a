"""`prbot journal`: prints who did what, oldest first, page by page, however long it is."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prbot.app.database import Desk, at_desk
from prbot.comments.customs import Customs
from prbot.model import Login, PlanId
from prbot.runs.freezes import one_line
from prbot.runs.journal import JournalLine, JournalQuery
from prbot.runs.moments import gone

WIDTHS = (19, 14, 26, 28)
"""Of the columns time, actor, where and action; what is longer moves the rest of its row."""


@dataclass(frozen=True)
class Wanted:
    """Which lines, as typed: `repo` perhaps with `FORGE:` before it, times as
    `runs.moments.gone` reads them."""

    repo: str | None = None
    pull: int | None = None
    actor: str | None = None
    action: str | None = None
    since: str | None = None
    until: str | None = None
    plan: str | None = None


def journal(config: Path, wanted: Wanted, as_json: bool) -> int:
    """Print the lines, as JSON one a line. Raises PrbotError; returns the exit code."""
    asyncio.run(_printed(config, wanted, as_json))
    return 0


async def _printed(config: Path, wanted: Wanted, as_json: bool) -> None:
    async with at_desk(config) as desk:
        async for line in _lines(desk, _query(desk, wanted)):
            text = json.dumps(_document(line)) if as_json else _row(line, desk.customs)
            sys.stdout.write(desk.redact(text) + "\n")


def _query(desk: Desk, wanted: Wanted) -> JournalQuery:
    now = desk.clock.now()
    forge, _, repo = _plain(wanted.repo).rpartition(":")
    return JournalQuery(
        forge=forge or None,
        repo=repo or None,
        number=wanted.pull,
        actor=Login(_plain(wanted.actor)) or None,
        action=_plain(wanted.action) or None,
        since=gone(wanted.since, now) if wanted.since else None,
        until=gone(wanted.until, now) if wanted.until else None,
        plan=PlanId(_plain(wanted.plan)) or None,
    )


def _plain(word: str | None) -> str:
    """No database knows words that are not Unicode."""
    return (word or "").encode("utf-8", "replace").decode()


async def _lines(desk: Desk, query: JournalQuery) -> AsyncIterator[JournalLine]:
    """Each page in a transaction of its own, so that the service need not wait."""
    after: int | None = 0
    while after is not None:
        async with desk.store.begin() as unit:
            page = await unit.journal.page(query, after)
        for line in page.lines:
            yield line
        after = page.after


def _document(line: JournalLine) -> dict[str, Any]:
    entry = line.entry
    pull = entry.pull
    return {
        "number": line.number,
        "at": entry.at.isoformat(),
        "forge": pull.repo.forge if pull else None,
        "repo": pull.repo.path if pull else None,
        "pull": pull.number if pull and pull.number > 0 else None,
        "actor": entry.actor,
        "subject": entry.subject,
        "action": entry.action,
        "detail": entry.detail,
        "commit": entry.commit,
        "plan": entry.plan_id,
        "approvals": list(entry.approvals),
    }


def _row(line: JournalLine, customs: Callable[[str], Customs]) -> str:
    entry = line.entry
    where = customs(entry.pull.repo.forge).place(entry.pull) if entry.pull else "-"
    time = f"{entry.at:%Y-%m-%d %H:%M:%S}"
    columns = (time, entry.actor or "prbot", where, entry.action)
    cells = (one_line(text).ljust(width) for text, width in zip(columns, WIDTHS, strict=True))
    return "  ".join((*cells, _rest(line))).rstrip()


def _rest(line: JournalLine) -> str:
    entry = line.entry
    facts = [entry.plan_id or entry.subject, f"at {entry.commit[:7]}" if entry.commit else ""]
    if entry.approvals:
        facts.append(f"approved by {', '.join(entry.approvals)}")
    return "  ".join(one_line(fact) for fact in (*facts, entry.detail) if fact)
