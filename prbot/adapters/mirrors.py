"""Bare mirrors: one per repository, fetched once per commit, read without a checkout.

Refs in a mirror are named by us (`refs/prbot/branch/DIGEST`, `refs/prbot/pull/NUMBER`),
so that no branch name of the forge becomes a file name, and a branch `a` that turned into
`a/b` does not stand in its own way. Nothing is ever collected: a commit once fetched stays.

Several processes may share the directory. Whatever writes to a mirror runs inside a turn
of its repository (`turns`), which the caller takes; so what a killed git left behind can
be removed, when a mirror is first used and when the turn before was cut short. Reading
needs no turn once the mirror is `known`.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from prbot.adapters.before_merge import before_merge
from prbot.adapters.blobs import LINK, entries, listing
from prbot.adapters.git import Git, last_words, text
from prbot.errors.git import (
    BranchIsGone,
    CannotFetch,
    GitFailed,
    HeadIsGone,
    MergeCommitIsGone,
    MergeConflict,
    UnrelatedHistories,
)
from prbot.model import PullRequest, RepoRef, Sha
from prbot.ports.forge import CloneAccess
from prbot.projects.listing import Listing
from prbot.runs.landings import Around

MERGER = {
    "GIT_AUTHOR_NAME": "prbot",
    "GIT_AUTHOR_EMAIL": "prbot@localhost",
    "GIT_AUTHOR_DATE": "946684800 +0000",
    "GIT_COMMITTER_NAME": "prbot",
    "GIT_COMMITTER_EMAIL": "prbot@localhost",
    "GIT_COMMITTER_DATE": "946684800 +0000",
}
"""Always the same, so that the same merge has the same commit id."""
NAMED_FILES = 20
"""Most conflicting files that are told by name."""
KEPT, SMALL = 256, 64 * 1024
"""How many files are kept in memory, and up to how many bytes each."""
LISTED, EACH = 100_000, 100
"""How many paths are kept in memory, of the commits that were listed last, and as how many
a listing itself counts."""
LEFTOVERS = ("*.lock", "refs/**/*.lock", "worktrees/*/*.lock", "objects/pack/tmp_*")
"""What a killed git leaves in a mirror that would stop the next one, or fill the disk."""
HOUR = 3600.0
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def slug(repo: RepoRef) -> str:
    """A directory name that is safe, readable, and no other repository's."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", f"{repo.forge}-{repo.path}").strip("-")[:60]
    exact = "\0".join((repo.forge, repo.path))
    return f"{readable}-{sha256(exact.encode()).hexdigest()[:16]}"


def branch_ref(branch: str) -> str:
    return f"refs/prbot/branch/{sha256(branch.encode('utf-8', 'surrogatepass')).hexdigest()}"


def shown(output: bytes) -> tuple[str, ...]:
    """NUL-separated paths; one that is not UTF-8 gets replacement characters, because
    what people and the store are told must be text."""
    return tuple(path.decode("utf-8", "replace") for path in output.split(b"\0") if path)


@dataclass(frozen=True)
class Mirrors:
    """`head_ref` is where the forge keeps a pull request's head, with `{number}`."""

    directory: Path
    git: Git
    head_ref: str
    _known: set[Path] = field(default_factory=set)
    _present: set[tuple[Path, Sha]] = field(default_factory=set)
    _files: dict[tuple[Path, Sha, str], bytes | None] = field(default_factory=dict)
    _listings: dict[tuple[Path, Sha], Listing] = field(default_factory=dict)

    def path(self, repo: RepoRef) -> Path:
        return self.directory / f"{slug(repo)}.git"

    def known(self, repo: RepoRef) -> bool:
        """Whether this process has opened the mirror before."""
        return self.path(repo) in self._known

    async def clear(self, name: str) -> None:
        """Remove what somebody who was cut short left in the mirror of this `slug`. Inside
        a turn."""
        await asyncio.to_thread(_clear, self.directory / f"{name}.git")

    async def opened(self, repo: RepoRef) -> Path:
        """The mirror, made when there is none. Inside a turn, unless it is known."""
        mirror = self.path(repo)
        if mirror not in self._known:
            await self.clear(slug(repo))
            if not await asyncio.to_thread(mirror.exists):
                await self._make(mirror)
            self._known.add(mirror)
        return mirror

    async def _make(self, mirror: Path) -> None:
        new = mirror.with_name(f"new-{uuid.uuid4().hex}")
        self.git.home.mkdir(parents=True, exist_ok=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        words = ["init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(new)]
        await self.git.ask(words, cwd=self.directory)
        new.rename(mirror)

    # --- fetching -----------------------------------------------------------------------------

    async def fetch(self, pull: PullRequest, access: CloneAccess) -> None:
        """Bring in base and default branch, and head or merge commit where missing."""
        mirror = await self.opened(pull.ref.repo)
        branches = dict.fromkeys((pull.base_branch, pull.default_branch))
        refspecs = [f"+refs/heads/{branch}:{branch_ref(branch)}" for branch in branches]
        wanted = _wanted(pull)
        if await self.has(mirror, wanted) and await self.has(mirror, pull.head_sha):
            await self._fetch(pull.ref.repo, mirror, access, refspecs)
            return
        number = pull.ref.number
        head = f"+{self.head_ref.format(number=number)}:refs/prbot/pull/{number}"
        if not await self._try_fetch(mirror, access, [*refspecs, head]):
            await self._fetch(pull.ref.repo, mirror, access, refspecs)
        if not await self.has(mirror, wanted):
            await self._fetch_commit(pull, mirror, access, wanted)

    async def _fetch_commit(
        self, pull: PullRequest, mirror: Path, access: CloneAccess, sha: Sha
    ) -> None:
        """By its id, as forges allow; a branch may have moved on since the event."""
        await self._try_fetch(mirror, access, [f"+{sha}:refs/prbot/commit/{sha}"])
        if await self.has(mirror, sha):
            return
        if pull.merged:
            raise MergeCommitIsGone(str(pull.ref.repo))
        raise HeadIsGone(sha)

    async def _fetch(
        self, repo: RepoRef, mirror: Path, access: CloneAccess, refspecs: Sequence[str]
    ) -> None:
        cause = await self._fetch_or_cause(mirror, access, refspecs)
        if cause is None:
            return
        if missing := re.search(r"couldn't find remote ref refs/heads/(.*)", cause):
            raise BranchIsGone(str(repo), missing[1])
        raise CannotFetch(str(repo), cause)

    async def _try_fetch(self, mirror: Path, access: CloneAccess, refspecs: Sequence[str]) -> bool:
        return await self._fetch_or_cause(mirror, access, refspecs) is None

    async def _fetch_or_cause(
        self, mirror: Path, access: CloneAccess, refspecs: Sequence[str]
    ) -> str | None:
        options = ["--quiet", "--force", "--no-tags", "--no-write-fetch-head"]
        words = ["fetch", *options, "--", access.url, *refspecs]
        done = await self.git.run(words, cwd=mirror, access=access)
        return None if done.code == 0 else last_words(done, access)

    # --- commits ------------------------------------------------------------------------------

    async def has(self, mirror: Path, sha: Sha) -> bool:
        """Asked of git once: what was there stays, as nothing is ever collected."""
        if not _SHA.fullmatch(sha):
            return False
        if (mirror, sha) not in self._present:
            done = await self.git.run(["cat-file", "-e", f"{sha}^{{commit}}"], cwd=mirror)
            if done.code != 0:
                return False
            self._present.add((mirror, sha))
        return True

    async def branch_head(self, repo: RepoRef, branch: str) -> Sha:
        mirror = await self.opened(repo)
        words = ["rev-parse", "--verify", "--quiet", f"{branch_ref(branch)}^{{commit}}"]
        done = await self.git.run(words, cwd=mirror)
        if done.code != 0:
            raise BranchIsGone(str(repo), branch)
        return Sha(text(done.stdout))

    async def default_branch(self, repo: RepoRef, access: CloneAccess) -> tuple[str, Sha]:
        """The branch that `HEAD` names at the forge, fetched, and its newest commit."""
        mirror = await self.opened(repo)
        # https://git-scm.com/docs/git-ls-remote (--symref): "ref: refs/heads/main<TAB>HEAD"
        words = ["ls-remote", "--symref", "--", access.url, "HEAD"]
        done = await self.git.run(words, cwd=mirror, access=access)
        if done.code != 0:
            raise CannotFetch(str(repo), last_words(done, access))
        named = re.match(r"ref: refs/heads/([^\t\n]+)\tHEAD", text(done.stdout))
        if named is None:
            raise BranchIsGone(str(repo), "HEAD")
        branch = named[1]
        await self._fetch(repo, mirror, access, [f"+refs/heads/{branch}:{branch_ref(branch)}"])
        return branch, await self.branch_head(repo, branch)

    async def before_merge(self, pull: PullRequest, merged: Sha) -> Sha:
        """What the base branch was before the pull request was merged as `merged`."""
        mirror = await self.opened(pull.ref.repo)
        return await before_merge(self.git, mirror, pull, merged, branch_ref(pull.base_branch))

    async def around(self, repo: RepoRef, commit: Sha, others: Collection[Sha]) -> Around:
        """Two questions to git, however many the others are."""
        mirror = await self.opened(repo)
        known = [sha for sha in sorted(others) if await self.has(mirror, sha)]
        if not known or not await self.has(mirror, commit):
            return Around()
        beyond = await self.git.ask(["rev-list", *known, f"^{commit}"], cwd=mirror)
        behind = await self.git.ask(
            ["rev-list", "--ancestry-path", *known, f"^{commit}"], cwd=mirror
        )
        after = frozenset(known) & set(behind.splitlines())
        return Around(frozenset(known) - set(beyond.splitlines()), after)

    async def merge(self, repo: RepoRef, base: Sha, head: Sha) -> Sha:
        """The commit that merges `head` into `base`; the same one for the same two."""
        mirror = await self.opened(repo)
        if not await self.has(mirror, head):
            raise HeadIsGone(head)
        words = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", base, head]
        done = await self.git.run(words, cwd=mirror)
        tree, *files = shown(done.stdout) or ("",)
        if done.code == 1:
            raise MergeConflict(_listed(files))
        if done.code != 0:
            raise _unmerged(last_words(done))
        message = f"Merge {head} into {base}"
        commit = ["commit-tree", tree, "-p", base, "-p", head, "-m", message]
        merged = Sha(await self.git.ask(commit, cwd=mirror, extra=MERGER))
        self._present.add((mirror, merged))
        return merged

    async def changed(self, repo: RepoRef, base: Sha, commit: Sha) -> tuple[str, ...]:
        """Paths that differ; of a renamed file the old and the new one."""
        options = ["-r", "-z", "--no-renames", "--name-only", "--no-commit-id"]
        words = ["diff-tree", *options, _checked(base), _checked(commit)]
        return shown(await self._bytes(repo, words))

    # --- the tree of a commit -----------------------------------------------------------------

    async def read(self, repo: RepoRef, commit: Sha, path: str) -> bytes | None:
        """Small files that are asked for again and again are kept: a commit never changes."""
        mirror = await self.opened(repo)
        place = (mirror, _checked(commit), path)
        if place in self._files:
            return self._files[place]
        found = await self._read(mirror, commit, path)
        if len(found or b"") <= SMALL:
            if len(self._files) >= KEPT:
                self._files.pop(next(iter(self._files)))
            self._files[place] = found
        return found

    async def _read(self, mirror: Path, commit: Sha, path: str) -> bytes | None:
        done = await self.git.run(["cat-file", "blob", f"{commit}:{path}"], cwd=mirror)
        if done.code == 0:
            return done.stdout
        if await self.has(mirror, commit):
            return None
        raise GitFailed("cat-file", last_words(done))

    async def object_ids(
        self, repo: RepoRef, commit: Sha, paths: Sequence[str]
    ) -> Mapping[str, str]:
        wanted = set(paths)
        listing = await self._bytes(repo, ["ls-tree", "-r", "-t", "-z", _checked(commit)])
        found = {path: id_ for _, id_, path in entries(listing) if path in wanted}
        if "." in wanted:
            tree = await self._bytes(repo, ["rev-parse", "--verify", f"{commit}^{{tree}}"])
            found["."] = text(tree)
        return found

    async def links(self, repo: RepoRef, commit: Sha) -> tuple[str, ...]:
        """Paths of the commit's symbolic links."""
        listing = await self._bytes(repo, ["ls-tree", "-r", "-z", _checked(commit)])
        return tuple(path for mode, _, path in entries(listing, exact=True) if mode == LINK)

    async def listing(self, repo: RepoRef, commit: Sha) -> Listing:
        """A run asks again and again for the files of the same two commits: those that were
        asked for last are kept, with what was found out about them."""
        mirror = await self.opened(repo)
        place = (mirror, _checked(commit))
        found = self._listings.pop(place, None) or await listing(self.git, mirror, commit)
        self._listings[place] = found
        while sum(map(_weight, self._listings.values())) > LISTED:
            self._listings.pop(next(iter(self._listings)))
        return found

    async def _bytes(self, repo: RepoRef, words: Sequence[str]) -> bytes:
        done = await self.git.run(words, cwd=await self.opened(repo))
        if done.code != 0:
            raise GitFailed(words[0], last_words(done))
        return done.stdout


def _weight(listing: Listing) -> int:
    return EACH + len(listing.files) + len(listing.links)


def _wanted(pull: PullRequest) -> Sha:
    """The commit that must be there before anything can be laid out."""
    if not pull.merged:
        return pull.head_sha
    if pull.merge_sha is None:
        raise MergeCommitIsGone(str(pull.ref.repo))
    return pull.merge_sha


def _checked(sha: Sha) -> Sha:
    """The id itself: what is none must not reach git as a word of its own."""
    if not _SHA.fullmatch(sha):
        raise GitFailed("rev-parse", f"{sha!r} is no commit id")
    return sha


def _listed(files: Sequence[str]) -> str:
    named = ", ".join(files[:NAMED_FILES])
    rest = len(files) - NAMED_FILES
    return f"{named} and {rest} more" if rest > 0 else named


def _unmerged(words: str) -> UnrelatedHistories | GitFailed:
    if "unrelated histories" in words:
        return UnrelatedHistories()
    return GitFailed("merge-tree", words)


def _clear(mirror: Path) -> None:
    """Remove what a killed git left: its locks, half-written packs, and mirrors that were
    never finished. Those may be another repository's, so only old ones go."""
    for pattern in LEFTOVERS:
        for leftover in mirror.glob(pattern):
            leftover.unlink(missing_ok=True)
    for unfinished in mirror.parent.glob("new-*"):
        if _older(unfinished, HOUR):
            shutil.rmtree(unfinished, ignore_errors=True)


def _older(path: Path, seconds: float) -> bool:
    try:
        return path.stat().st_mtime < time.time() - seconds
    except FileNotFoundError:
        return False
