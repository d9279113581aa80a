"""The tools of this machine: what is installed, what was downloaded, and what can be.

Meets `Tools`. In this order: the installed program if it will do; the newest of what was
downloaded before that will do; else the newest release that will do is downloaded. So
nothing changes by itself while an older version still meets what is asked; and where one
exact version is asked for, no list of versions is.

What is downloaded lies in `directory/TOOL/VERSION/TOOL` and appears there whole or not at
all: it is made in a directory beside it and renamed. Processes of this machine wait for one
another (`turns`), so that each release is downloaded once, and the list of versions once
in `LISTED`. What could not be had is not tried again for `FAILED`, so that forty plans do
not wait for the same silence one after another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree

import structlog

from prbot.adapters.releases import Releases
from prbot.adapters.terraform import Terraform
from prbot.adapters.terraform_setup import write_whole
from prbot.adapters.turns import Turns
from prbot.config.versions import ANY, Constraint, Version, version
from prbot.errors import PrbotError
from prbot.errors.tools import (
    DownloadFailed,
    ToolNotOffered,
    ToolVersionMissing,
    ToolVersionRefused,
)
from prbot.ports.clock import Clock
from prbot.projects.tool_choice import Wanted, best

log = structlog.get_logger()

LISTED = timedelta(hours=1)
"""How long a list of versions is new enough."""
FAILED = timedelta(seconds=30)
PATIENCE = 1800.0
"""Seconds to wait for another process that downloads."""
LIST_FILE = "versions.json"


@dataclass(frozen=True)
class Offer:
    """What the operator lets people have of one tool. `installed` are the words that start
    it; without `releases` nothing is downloaded."""

    tool: str
    installed: tuple[str, ...] | None = None
    bound: Constraint = ANY
    releases: Releases | None = None


@dataclass(frozen=True)
class LocalTools:
    """`make` gives the adapter for a tool's name and the words that start it."""

    offers: Mapping[str, Offer]
    directory: Path
    make: Callable[[str, tuple[str, ...]], Terraform]
    clock: Clock
    _made: dict[tuple[str, ...], Terraform] = field(default_factory=dict)
    _lists: dict[str, _Listed] = field(default_factory=dict)
    _failures: dict[str, _Failure] = field(default_factory=dict)
    _turns: Turns = field(default_factory=Turns)

    async def probe(self) -> str:
        return ", ".join([await self._probe(offer) for offer in self.offers.values()])

    async def _probe(self, offer: Offer) -> str:
        if offer.installed is not None:
            return await self._tool(offer.tool, offer.installed).probe()
        return f"{offer.tool} ({'downloaded when wanted' if offer.releases else 'none'})"

    async def of(self, wanted: Wanted) -> Terraform:
        offer = self.offers.get(wanted.tool)
        if offer is None:
            raise ToolNotOffered(wanted.tool)
        installed = await self._installed(offer, wanted)
        if installed is not None:
            return installed
        kept = best(wanted, offer.bound, self._kept(offer.tool))
        if kept is None:
            kept = await self._downloaded(offer, wanted)
        return self._tool(offer.tool, (str(self._program(offer.tool, kept)),))

    def _tool(self, tool: str, command: tuple[str, ...]) -> Terraform:
        if command not in self._made:
            self._made[command] = self.make(tool, command)
        return self._made[command]

    async def _installed(self, offer: Offer, wanted: Wanted) -> Terraform | None:
        """A pre-release or a build of the operator's own will do by its order alone."""
        if offer.installed is None:
            return None
        tool = self._tool(offer.tool, offer.installed)
        found = version((await tool.version()).removeprefix(f"{offer.tool} "))
        rules = [offer.bound, *(demand.constraint for demand in wanted.demands)]
        if found is None:
            return None if any(rule.conditions for rule in rules) else tool
        return tool if all(rule.allows(found) for rule in rules) else None

    # --- what was downloaded ---------------------------------------------------------------

    def _program(self, tool: str, its: Version) -> Path:
        return self.directory / tool / str(its) / tool

    def _kept(self, tool: str) -> list[Version]:
        there = (self.directory / tool).glob(f"*/{tool}")
        found = (version(path.parent.name) for path in there)
        return [its for its in found if its and self._program(tool, its).is_file()]

    async def _downloaded(self, offer: Offer, wanted: Wanted) -> Version:
        """Raises ToolVersionMissing, ToolVersionRefused, and what downloading raises."""
        if offer.releases is None:
            raise ToolVersionMissing(offer.tool, wanted.words, await self._probe(offer))
        its = wanted.exact or best(wanted, offer.bound, await self._listed(offer.releases))
        if its is None or not (wanted.allows(its) and offer.bound.allows(its)):
            raise ToolVersionRefused(offer.tool, wanted.words, offer.bound.text)
        async with self._once(offer.tool, f"{offer.tool}-{its}"):
            if not self._program(offer.tool, its).is_file():
                await self._fetch(offer.releases, its)
        return its

    async def _fetch(self, releases: Releases, its: Version) -> None:
        place = self._program(releases.site.tool, its).parent
        part = place.with_name(f".{its}")
        log.info("downloading", action="download", tool=releases.site.tool, version=str(its))
        try:
            _clear(part, place)
            part.mkdir(parents=True)
            await releases.fetch(its, part)
            part.rename(place)
        except OSError as error:
            cause = error.strerror or str(error)
            raise DownloadFailed(releases.site.archive(its), cause) from None
        finally:
            rmtree(part, ignore_errors=True)

    # --- what there is ---------------------------------------------------------------------

    async def _listed(self, releases: Releases) -> tuple[Version, ...]:
        tool = releases.site.tool
        if not self._is_new(self._lists.get(tool)):
            async with self._once(tool, f"{tool}-list"):
                await self._learn(releases)
        return self._lists[tool].versions

    async def _learn(self, releases: Releases) -> None:
        """From another process's file, or the site; of neither, what was known before."""
        tool = releases.site.tool
        file = self.directory / tool / LIST_FILE
        known = await asyncio.to_thread(_read, file, releases.site.listing)
        if known is not None:
            self._lists[tool] = known
        if self._is_new(known):
            return
        try:
            found = _Listed(releases.site.listing, self.clock.now(), await releases.versions())
        except DownloadFailed as error:
            if known is None:
                raise
            log.warning("an old list of versions is used", tool=tool, error=str(error))
            again = self.clock.now() - LISTED + FAILED
            self._lists[tool] = _Listed(known.source, again, known.versions)
            return
        self._lists[tool] = found
        await asyncio.to_thread(_write, file, found)

    def _is_new(self, listed: _Listed | None) -> bool:
        return listed is not None and self.clock.now() - listed.at < LISTED

    @asynccontextmanager
    async def _once(self, tool: str, what: str) -> AsyncIterator[None]:
        """In turn; what failed a moment ago fails at once."""
        (self.directory / tool).mkdir(parents=True, exist_ok=True)
        async with self._turns.of(self.directory / f"{what}.lock", PATIENCE):
            failure = self._failures.get(what)
            if failure is not None and self.clock.now() - failure.at < FAILED:
                raise failure.error
            try:
                yield
            except PrbotError as error:
                self._failures[what] = _Failure(self.clock.now(), error)
                raise


@dataclass(frozen=True)
class _Failure:
    at: datetime
    error: PrbotError


@dataclass(frozen=True)
class _Listed:
    """`source` is the address it came from: a list of another mirror is another list."""

    source: str
    at: datetime
    versions: tuple[Version, ...]


def _read(file: Path, source: str) -> _Listed | None:
    """None when there is none, or it cannot be used."""
    try:
        stored = json.loads(file.read_text())
        at = datetime.fromisoformat(stored["at"]).astimezone(UTC)
        found = tuple(its for text in stored["versions"] if (its := version(text)))
        return _Listed(source, at, found) if stored["source"] == source else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write(file: Path, listed: _Listed) -> None:
    text = {
        "source": listed.source,
        "at": listed.at.isoformat(),
        "versions": [str(its) for its in listed.versions],
    }
    write_whole(file, json.dumps(text))


def _clear(*places: Path) -> None:
    """What a process that was killed left, and a version whose program was taken away."""
    for place in places:
        if place.exists():
            rmtree(place)
