"""A commit's files and their contents, many at once, from any git repository.

One command lists, one reads: `git cat-file --batch` (git-cat-file(1), BATCH OUTPUT) is
given all ids on its stdin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from prbot.adapters.git import Git, last_words
from prbot.errors.git import GitFailed
from prbot.model import Sha
from prbot.projects.listing import Listing

LINK = "120000"
MODULE = "160000"
MAX_TARGET = 4096
"""The longest target of a link that counts, in bytes, as in Linux."""


def entries(listing: bytes, exact: bool = False) -> Iterator[tuple[str, str, str]]:
    """(mode, object id, path) of `ls-tree -z`; `exact` paths can be given to the system."""
    for entry in listing.split(b"\0"):
        if entry:
            head, _, path = entry.partition(b"\t")
            mode, _, id_ = head.decode().split(" ")
            yield mode, id_, path.decode("utf-8", "surrogateescape" if exact else "replace")


async def listing(git: Git, directory: Path, commit: Sha) -> Listing:
    """Of the repository in `directory`. Submodules are left out. Raises GitFailed."""
    done = await git.run(["ls-tree", "-r", "-z", commit], cwd=directory)
    if done.code != 0:
        raise GitFailed("ls-tree", last_words(done))
    found = list(entries(done.stdout))
    files = {path: id_ for mode, id_, path in found if mode not in (LINK, MODULE)}
    links = {path: id_ for mode, id_, path in found if mode == LINK}
    targets = await blobs(git, directory, list(links.values()), MAX_TARGET)
    read = {path: targets.get(id_) for path, id_ in links.items()}
    return Listing(
        files, {path: (at or b"").decode("utf-8", "replace") for path, at in read.items()}
    )


async def blobs(
    git: Git, directory: Path, ids: Sequence[str], limit: int
) -> Mapping[str, bytes | None]:
    """What is in these blobs of a repository; None for one larger than `limit` bytes, or
    of which only the name is there. Raises GitFailed."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    sizes = await _batch(git, directory, "--batch-check=%(objectname) %(objectsize)", wanted)
    small = [id_ for id_, size in _sizes(sizes) if size <= limit]
    return dict.fromkeys(wanted, None) | dict(_contents(await _read(git, directory, small)))


async def _read(git: Git, directory: Path, ids: Sequence[str]) -> bytes:
    return await _batch(git, directory, "--batch", ids) if ids else b""


async def _batch(git: Git, directory: Path, how: str, ids: Sequence[str]) -> bytes:
    feed = "".join(f"{id_}\n" for id_ in ids).encode()
    done = await git.run(["cat-file", how], cwd=directory, feed=feed)
    if done.code != 0:
        raise GitFailed("cat-file", last_words(done))
    return done.stdout


def _sizes(output: bytes) -> Iterator[tuple[str, int]]:
    for line in output.decode().splitlines():
        id_, _, size = line.partition(" ")
        if size.isdigit():
            yield id_, int(size)


def _contents(output: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(output):
        head_end = output.index(b"\n", at)
        id_, _, size = output[at:head_end].decode().split(" ")
        at = head_end + 1 + int(size)
        yield id_, output[head_end + 1 : at]
        at += 1
