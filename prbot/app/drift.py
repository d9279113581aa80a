"""`prbot drift`: reads what checks found, and asks the running service for some at once.

How an answer is printed is the same for what a look in a checkout found (`app.drift_here`).
"""

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
from prbot.app.explain_drift import visible
from prbot.comments.customs import Customs
from prbot.config.globs import matches_any
from prbot.drift.issue import Found, Section
from prbot.drift.schedule import coverage_since
from prbot.drift.state import Standing, Watch
from prbot.drift.verdict import ProjectVerdict
from prbot.errors.verbs import NobodyLooks, NothingWatched
from prbot.runs.run import Trouble

DAY = timedelta(days=1)
ABSENT = timedelta(minutes=3)
"""Whoever looks for drift does so at least every half a minute; after so long nobody is there."""
LOOK = 1.0
"""Seconds between two looks at whether the service is done."""
UNTOLD = (ProjectVerdict.ERROR, ProjectVerdict.UNKNOWN)


@dataclass(frozen=True)
class Known:
    """A repository with its projects, as they are `now`. `here`: they were looked at in a
    checkout, where no service knows them. `notes` is what people should know about that, and
    `unread` are files that could not be read, so that a project may be missing."""

    watch: Watch
    standings: tuple[Standing, ...]
    now: datetime
    customs: Customs
    here: bool = False
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def coverage(self) -> str:
        return coverage_since([s.watched for s in self.standings], self.now - DAY, self.now)


def status(config: Path, repo: str | None, as_json: bool) -> int:
    """Print it; the exit code says what was found. Raises PrbotError."""
    known = asyncio.run(_known(config, repo))
    return print_known(known, as_json)


def look(config: Path, dirs: Sequence[str], repo: str | None, wait: bool, as_json: bool) -> int:
    """Ask the service, and print what it found. Raises NothingWatched and NobodyLooks."""
    return print_known(asyncio.run(_looked(config, dirs, repo, wait)), as_json, wait)


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


def print_known(known: Sequence[Known], as_json: bool, judged: bool = True) -> int:
    """Print it; the exit code says what was found, where it is to be `judged`."""
    if as_json:
        document = {"repositories": [_document(each) for each in known]}
        sys.stdout.write(f"{json.dumps(document, indent=2)}\n")
    else:
        told = (line for each in known for line in _told(each))
        sys.stdout.write("".join(f"{line}\n" for line in told) or "nothing is watched\n")
    if not judged:
        return 0
    looked = (one for one in known if not one.watch.skipped)
    code = _code(each for one in looked for each in one.standings)
    return 1 if any(each.unread for each in known) else code


def _code(standings: Iterable[Standing]) -> int:
    """Drift that rules leave as it is, all of it, is no finding."""
    sections = [standing.section for standing in standings]
    if any(each is None or each.verdict in UNTOLD for each in sections):
        return 1
    return 0 if all(each is None or _is_clean(each) for each in sections) else 2


def _is_clean(section: Section) -> bool:
    ignored = section.verdict is ProjectVerdict.DRIFTED and section.kind is None
    return ignored or section.verdict is ProjectVerdict.IN_SYNC


def _verdict(standing: Standing) -> ProjectVerdict | None:
    return None if standing.section is None else standing.section.verdict


def _told(known: Known) -> Iterator[str]:
    watch = known.watch
    if watch.skipped:
        yield f"{watch.repo}: not looked at: {watch.skipped}"
        return
    if known.here:
        yield from _told_here(known)
        return
    baseline = "" if watch.baseline_at else "; the baseline is not complete"
    yield f"{watch.repo}: {known.coverage}{baseline}"
    for standing in known.standings:
        yield f"    {standing.project}: {_words(standing, known.customs)}"


def _told_here(known: Known) -> Iterator[str]:
    for standing in known.standings:
        verdict, section = _verdict(standing), standing.section
        yield f"{standing.project}: {'' if verdict is None else verdict.value}"
        if section is not None:
            yield from (f"    {_row(each)}" for each in section.found)
            yield from (f"    {line}" for line in _of_trouble(section.trouble))
    yield from (f"not read: {visible(each)}" for each in known.unread)
    yield from (f"note: {visible(note)}" for note in known.notes)


def _row(found: Found) -> str:
    name, action = visible(found.name), found.action.value
    values = f": live {found.live}, wanted {found.wanted}" if found.live or found.wanted else ""
    why = f"by {found.rule}" if found.rule else "by no rule"
    reason = f" ({visible(found.reason)})" if found.reason else ""
    return f"{name}{visible(values)}; {found.verdict.value}; {action}, {why}{reason}"


def _of_trouble(trouble: Trouble | None) -> Iterator[str]:
    if trouble is not None:
        yield visible(trouble.sentence)
        yield from map(visible, trouble.output.strip().splitlines())
        yield from [f"hint: {visible(trouble.hint)}"] * bool(trouble.hint)


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
        "forge": None if known.here else watch.repo.forge,
        "repo": watch.repo.path,
        "branch": watch.branch or None,
        "skipped": watch.skipped or None,
        "baseline_at": _iso(watch.baseline_at),
        "coverage": None if known.here else known.coverage,
        "notes": list(known.notes),
        "unread": list(known.unread),
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
        "commit": None if section is None else section.commit or None,
        "found": 0 if section is None else len(section.found),
        "attributes": [] if section is None else [_attribute(each) for each in section.found],
        "trouble": None if section is None else _trouble(section.trouble),
        "checked_at": _iso(standing.checked_at),
        "succeeded_at": _iso(standing.succeeded_at),
        "due_at": _iso(standing.due_at),
        "held": standing.held or None,
        "under_way": standing.run is not None,
    }


def _attribute(found: Found) -> dict[str, Any]:
    return {
        "address": found.address,
        "attribute": found.attribute,
        "verdict": found.verdict.value,
        "rule": found.rule,
        "action": found.action.value,
        "reason": found.reason or None,
        "live": found.live or None,
        "wanted": found.wanted or None,
    }


def _trouble(trouble: Trouble | None) -> dict[str, Any] | None:
    if trouble is None:
        return None
    return {
        "sentence": trouble.sentence,
        "next_step": trouble.hint or None,
        "output": trouble.output or None,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
