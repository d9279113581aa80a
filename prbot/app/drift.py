"""`prbot drift`: reads what checks found, and asks the running service for some at once."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prbot.app.database import Desk, at_desk
from prbot.comments.customs import Customs
from prbot.config.globs import matches_any
from prbot.drift.schedule import coverage_since
from prbot.drift.state import Standing, Watch
from prbot.drift.verdict import ProjectVerdict
from prbot.errors.verbs import NobodyLooks, NothingWatched

DAY = timedelta(days=1)
ABSENT = timedelta(minutes=3)
"""Whoever looks for drift does so at least every half a minute; after so long nobody is there."""
LOOK = 1.0
"""Seconds between two looks at whether the service is done."""
UNTOLD = (ProjectVerdict.ERROR, ProjectVerdict.UNKNOWN)


@dataclass(frozen=True)
class Known:
    """A repository with its projects, as they are `now`."""

    watch: Watch
    standings: tuple[Standing, ...]
    now: datetime
    customs: Customs

    @property
    def coverage(self) -> str:
        return coverage_since([s.watched for s in self.standings], self.now - DAY, self.now)


def status(config: Path, repo: str | None, as_json: bool) -> int:
    """Print it; the exit code says what was found. Raises PrbotError."""
    known = asyncio.run(_known(config, repo))
    return _print(known, as_json)


def look(config: Path, dirs: Sequence[str], repo: str | None, wait: bool, as_json: bool) -> int:
    """Ask the service, and print what it found. Raises NothingWatched and NobodyLooks."""
    return _print(asyncio.run(_looked(config, dirs, repo, wait)), as_json, wait)


# --- what is asked -----------------------------------------------------------------------------


async def _known(config: Path, repo: str | None) -> tuple[Known, ...]:
    async with at_desk(config) as desk:
        return await _read(desk, repo)


async def _read(desk: Desk, repo: str | None) -> tuple[Known, ...]:
    now = desk.clock.now()
    async with desk.store.begin() as unit:
        watches = [w for w in await unit.drift.watches() if repo in (None, w.repo.path)]
        return tuple(
            [
                Known(w, await unit.drift.of_repo(w.repo), now, desk.customs(w.repo.forge))
                for w in watches
            ]
        )


async def _looked(
    config: Path, dirs: Sequence[str], repo: str | None, wait: bool
) -> tuple[Known, ...]:
    async with at_desk(config) as desk:
        asked = tuple(_only(known, dirs) for known in await _read(desk, repo))
        wanted = [standing for known in asked for standing in known.standings]
        if not wanted:
            raise NothingWatched
        now = desk.clock.now()
        async with desk.store.begin() as unit:
            for standing in wanted:
                await unit.drift.plan(replace(standing, asked_at=now))
        sys.stderr.write(f"asked for {len(wanted)} project{'s' * (len(wanted) != 1)}\n")
        while wait and (rest := [s for s in wanted if not await _is_done(desk, s, now)]):
            wanted = rest
            await _somebody_looks(desk)
            await asyncio.sleep(LOOK)
        return tuple(_only(known, dirs) for known in await _read(desk, repo))


async def _somebody_looks(desk: Desk) -> None:
    """Raises NobodyLooks."""
    async with desk.store.begin() as unit:
        seen = await unit.drift.seen_at()
    if seen is None or desk.clock.now() - seen > ABSENT:
        raise NobodyLooks("" if seen is None else f" since {_moment(seen)}")


async def _is_done(desk: Desk, standing: Standing, since: datetime) -> bool:
    """One that is no more is done, too."""
    async with desk.store.begin() as unit:
        known = await unit.drift.of_repo(standing.repo)
    mine = next((each for each in known if each.project == standing.project), None)
    return mine is None or (mine.checked_at is not None and mine.checked_at >= since)


def _only(known: Known, dirs: Sequence[str]) -> Known:
    wanted = (s for s in known.standings if not dirs or _is_named(s.project.dir, dirs))
    return replace(known, standings=tuple(wanted))


def _is_named(directory: str, dirs: Sequence[str]) -> bool:
    return directory in dirs or matches_any(tuple(dirs), directory)


# --- what is printed ---------------------------------------------------------------------------


def _print(known: Sequence[Known], as_json: bool, judged: bool = True) -> int:
    if as_json:
        document = {"repositories": [_document(each) for each in known]}
        sys.stdout.write(f"{json.dumps(document, indent=2)}\n")
    else:
        told = (line for each in known for line in _told(each))
        sys.stdout.write("".join(f"{line}\n" for line in told) or "nothing is watched\n")
    looked = (one for one in known if not one.watch.skipped)
    return _code(each for one in looked for each in one.standings) if judged else 0


def _code(standings: Iterable[Standing]) -> int:
    verdicts = {_verdict(standing) for standing in standings}
    if None in verdicts or verdicts.intersection(UNTOLD):
        return 1
    return 2 if verdicts - {ProjectVerdict.IN_SYNC} else 0


def _verdict(standing: Standing) -> ProjectVerdict | None:
    return None if standing.section is None else standing.section.verdict


def _told(known: Known) -> Iterator[str]:
    watch = known.watch
    if watch.skipped:
        yield f"{watch.repo}: not looked at: {watch.skipped}"
        return
    baseline = "" if watch.baseline_at else "; the baseline is not complete"
    yield f"{watch.repo}: {known.coverage}{baseline}"
    for standing in known.standings:
        yield f"    {standing.project}: {_words(standing, known.customs)}"


def _words(standing: Standing, customs: Customs) -> str:
    verdict = _verdict(standing)
    words = ["never looked at" if verdict is None else verdict.value]
    if standing.checked_at is not None:
        words.append(f"looked at {_moment(standing.checked_at)}")
    if standing.run is not None:
        words.append("being looked at")
    elif standing.held:
        words.append(customs.told(standing.held))
    if standing.run is None and standing.due_at is not None:
        words.append(f"due {_moment(standing.due_at)}")
    return ", ".join(words)


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _document(known: Known) -> dict[str, Any]:
    watch = known.watch
    verdicts = Counter(each.value for s in known.standings if (each := _verdict(s)) is not None)
    return {
        "forge": watch.repo.forge,
        "repo": watch.repo.path,
        "branch": watch.branch or None,
        "skipped": watch.skipped or None,
        "baseline_at": _iso(watch.baseline_at),
        "coverage": known.coverage,
        "verdicts": dict(sorted(verdicts.items())),
        "projects": [_project(standing) for standing in known.standings],
    }


def _project(standing: Standing) -> dict[str, Any]:
    verdict, section = _verdict(standing), standing.section
    return {
        "dir": standing.project.dir,
        "workspace": standing.project.workspace,
        "environment": standing.environment,
        "verdict": None if verdict is None else verdict.value,
        "found": 0 if section is None else len(section.found),
        "checked_at": _iso(standing.checked_at),
        "succeeded_at": _iso(standing.succeeded_at),
        "due_at": _iso(standing.due_at),
        "held": standing.held or None,
        "under_way": standing.run is not None,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
