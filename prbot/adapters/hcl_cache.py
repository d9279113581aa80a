"""What configuration files say, read once per content and kept by blob id.

In memory for this process, and in one SQLite file of the state directory for all processes
of the machine and all runs. It is only a cache: a row that is damaged is a miss, and a file
that is damaged is made anew. What must be read goes to child processes (`hcl_child`), a
few files to a thread, so that the event loop is never held up.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from prbot.adapters import process
from prbot.adapters.facts_json import from_json, to_json
from prbot.adapters.hcl_child import packed, unpacked
from prbot.errors.projects import ReadingTookTooLong
from prbot.ports.tree import Blobs
from prbot.projects.facts import FileFacts, Problem
from prbot.projects.hcl import MAX_BYTES, facts_of, too_large
from prbot.projects.listing import Listing

VERSION = 3
"""Part of each key: raised when the same bytes are to be read otherwise."""
FILE = "facts.sqlite"
KEPT = 200_000
"""Most rows in the file; the oldest go first."""
REMEMBERED = 50_000
FEW = 64 * 1024
"""Up to so many bytes are read in a thread: starting a process would take longer."""
CHILDREN = 4
TIMEOUT = 60.0
ASKED_AT_ONCE = 500
MOST_STUCK = 5
"""How often a child may fail at a file before the rest of its share is given up."""
_UNFINISHED = FileFacts(problem=Problem(1, str(ReadingTookTooLong())))
_CHILD_ENVIRONMENT = {"LC_ALL": "C.UTF-8"}

T = TypeVar("T")


@dataclass
class FactsCache:
    """`directory` is made when it is not there."""

    directory: Path
    timeout: float = TIMEOUT
    _memory: dict[str, FileFacts] = field(default_factory=dict)

    async def facts(self, listing: Listing, blobs: Blobs) -> Mapping[str, FileFacts]:
        """By path, what each configuration file of a commit says, as `discover` asks."""
        keys = dict(_keys(listing))
        missing = [key for key in dict.fromkeys(keys.values()) if key not in self._memory]
        if missing:
            await self._learn(missing, blobs)
        found = {path: self._memory[key] for path, key in keys.items()}
        self._forget([key for path, key in keys.items() if found[path] == _UNFINISHED])
        return found

    async def _learn(self, keys: Sequence[str], blobs: Blobs) -> None:
        known = await asyncio.to_thread(self._stored, keys)
        self._memory |= known
        unknown = [key for key in keys if key not in known]
        if not unknown:
            return
        contents = await blobs([_blob(key) for key in unknown], MAX_BYTES)
        read = await self._read({key: contents.get(_blob(key)) for key in unknown})
        self._memory |= read
        whole = {key: facts for key, facts in read.items() if facts != _UNFINISHED}
        await asyncio.to_thread(self._store, whole)

    def _forget(self, unfinished: Sequence[str]) -> None:
        """What could not be read in time is tried again; of the rest, the oldest go."""
        for key in unfinished:
            self._memory.pop(key, None)
        while len(self._memory) > REMEMBERED:
            self._memory.pop(next(iter(self._memory)))

    # --- reading ---------------------------------------------------------------------------

    async def _read(self, files: Mapping[str, bytes | None]) -> dict[str, FileFacts]:
        found = {key: too_large() for key, data in files.items() if data is None}
        there = {key: data for key, data in files.items() if data is not None}
        size = sum(map(len, there.values()))
        if size <= FEW:
            return found | await asyncio.to_thread(_read_here, there)
        shares = _shares(there, min(CHILDREN, os.cpu_count() or 1))
        for read in await asyncio.gather(*(self._read_apart(share) for share in shares)):
            found |= read
        return found

    async def _read_apart(self, files: Mapping[str, bytes]) -> dict[str, FileFacts]:
        """In a child. A file at which it ends, or takes too long, is told as a problem, and
        the rest is read by another one; after a few of these, all that is left is."""
        found: dict[str, FileFacts] = {}
        for _ in range(MOST_STUCK):
            rest = {key: data for key, data in files.items() if key not in found}
            if not rest:
                break
            done = await self._child(packed(iter(rest.items())))
            if done.code > 0 and not done.stdout and not done.timed_out:
                return await asyncio.to_thread(_read_here, files)  # it cannot even begin
            read = ((key, from_json(text)) for key, text in unpacked(done.stdout))
            found |= {key: facts for key, facts in read if facts is not None}
            stuck = next((key for key in rest if key not in found), None)
            if stuck is not None:
                found[stuck] = _UNFINISHED
        return dict.fromkeys(files, _UNFINISHED) | found

    async def _child(self, feed: bytes) -> process.Completed:
        # `-I` keeps the working directory out of where Python looks for modules.
        return await process.run(
            [sys.executable, "-I", "-m", "prbot.adapters.hcl_child"],
            cwd=self.directory,
            env=_CHILD_ENVIRONMENT,
            timeout=self.timeout,
            grace=1.0,
            feed=feed,
        )

    # --- the file --------------------------------------------------------------------------

    def _stored(self, keys: Sequence[str]) -> dict[str, FileFacts]:
        self.directory.mkdir(parents=True, exist_ok=True)
        return self._with_file(lambda file: dict(_rows(file, keys))) or {}

    def _store(self, read: Mapping[str, FileFacts]) -> None:
        rows = [(key, to_json(facts)) for key, facts in read.items()]

        def write(file: sqlite3.Connection) -> None:
            file.executemany("INSERT OR REPLACE INTO facts (key, json) VALUES (?, ?)", rows)
            file.execute("DELETE FROM facts WHERE id <= (SELECT max(id) FROM facts) - ?", (KEPT,))

        self._with_file(write)

    def _with_file(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """None when the file cannot be used; one that is damaged is made anew."""
        path = self.directory / FILE
        try:
            return _worked(path, work)
        except sqlite3.OperationalError:
            return None
        except sqlite3.DatabaseError:
            for damaged in self.directory.glob(f"{FILE}*"):
                damaged.unlink(missing_ok=True)
        with suppress(sqlite3.DatabaseError):
            return _worked(path, work)
        return None


def _worked(path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    with closing(sqlite3.connect(path, timeout=10.0)) as file, file:
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = OFF")
        file.execute(
            "CREATE TABLE IF NOT EXISTS facts (id INTEGER PRIMARY KEY, key TEXT UNIQUE, json BLOB)"
        )
        return work(file)


def _rows(file: sqlite3.Connection, keys: Sequence[str]) -> Iterator[tuple[str, FileFacts]]:
    for start in range(0, len(keys), ASKED_AT_ONCE):
        asked = keys[start : start + ASKED_AT_ONCE]
        query = "SELECT key, json FROM facts WHERE key IN (SELECT value FROM json_each(?))"
        for key, text in file.execute(query, (json.dumps(asked),)):
            facts = from_json(text) if isinstance(text, bytes) else None
            if facts is not None:
                yield key, facts


def _keys(listing: Listing) -> Iterator[tuple[str, str]]:
    """The files that the tools may read, with the key of what they say: the version, the
    blob id and the syntax."""
    for paths in listing.code.values():
        for path in paths:
            real, _ = listing.followed(path)
            if real is not None and real in listing.files:
                ending = "json" if path.endswith(".json") else "tf"
                yield real, f"{VERSION}:{listing.files[real]}.{ending}"


def _blob(key: str) -> str:
    return key.partition(":")[2].partition(".")[0]


def _read_here(files: Mapping[str, bytes]) -> dict[str, FileFacts]:
    return {key: facts_of(key, data) for key, data in files.items()}


def _shares(files: Mapping[str, bytes], count: int) -> list[dict[str, bytes]]:
    """Dealt out in turn, the largest first."""
    ordered = sorted(files.items(), key=lambda item: -len(item[1]))
    return [share for n in range(count) if (share := dict(ordered[n::count]))]
