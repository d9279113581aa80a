"""Worktrees: each (pull request, commit) laid out once, from its repository's mirror.

    DIRECTORY/mirrors/REPOSITORY.git          bare mirror (`mirrors`)
    DIRECTORY/trees/REPOSITORY/NUMBER/COMMIT  worktree, shared by the jobs of a run
    DIRECTORY/trees/REPOSITORY/NUMBER/COMMIT.ready   its record, once it is whole;
                                              touched when it is used
    DIRECTORY/trees/REPOSITORY/NUMBER/JOB     worktree of a job with hooks, while it runs
    DIRECTORY/turns/REPOSITORY.lock           whose turn it is to write (`turns`)

Meets `Workspaces`, `Generated` and `Tree`. Processes of one machine may share the directory: all
that writes to a repository's mirror and worktrees goes one after another. Safe choices:

- A symbolic link that leads out of the checkout (or to its `.git`) is written as a plain
  file with the target's name in it, as git does where there are no links. Links inside
  stay links.
- `ensure` gives back what the commit has: changed and missing files are restored, and
  untracked files that Terraform would read as configuration are removed. Other untracked
  files stay, because a saved plan may need them (an archive packed while planning), and
  so does the lock file, which init completes.
- git is told where its directory is; the worktree's own `.git` file, which a tool could
  have rewritten, is never read again.

Submodules stay empty directories, LFS files stay pointers.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
import uuid
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from prbot.adapters.blobs import blobs
from prbot.adapters.generated import Left, packed, unpack
from prbot.adapters.git import Git
from prbot.adapters.mirrors import Mirrors, slug
from prbot.adapters.pushed import Pushed
from prbot.adapters.turns import Turns
from prbot.errors.git import GitFailed, HeadIsGone
from prbot.errors.plans import GeneratedIsGone
from prbot.model import Checkout, PullRef, PullRequest, RepoRef, Sha
from prbot.ports.forge import CloneAccess
from prbot.ports.tree import BranchCommit
from prbot.projects.listing import Listing
from prbot.runs.landings import Around

LOCK_FILE = ".terraform.lock.hcl"
READ_BY_TOOL = (".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json")
"""Endings of files that the tool takes up by itself when they lie in a directory."""
GIT_COMMANDS = 4
"""So many git commands of one turn may take their whole time before others give up."""
MANY = 200
"""From so many changed files on, a worktree is laid out anew instead of mended."""


@dataclass(frozen=True)
class _Ready:
    """`admin` is the worktree's directory inside the mirror, `flattened` the links that
    were written as files."""

    admin: str
    flattened: list[str]


class GitWorkspaces:
    """`environment` is all that git sees of the outside: PATH, proxies, certificates."""

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str] | None = None,
        head_ref: str = "refs/pull/{number}/head",
        timeout: float = 900.0,
    ) -> None:
        self._directory = directory.absolute()
        allowed = {"PATH": os.defpath} if environment is None else environment
        self._git = Git(allowed, self._directory / "home", timeout)
        self._mirrors = Mirrors(self._directory / "mirrors", self._git, head_ref)
        self._turns = Turns()

    async def probe(self) -> str:
        """git's version. Raises GitFailed when there is none, or one that is too old."""
        await asyncio.to_thread(self._git.home.mkdir, parents=True, exist_ok=True)
        return await self._git.version()

    # --- Workspaces ---------------------------------------------------------------------------

    async def fetch(self, pull: PullRequest, access: CloneAccess) -> None:
        async with self._turn(pull.ref.repo):
            await self._mirrors.fetch(pull, access)

    async def default_branch(self, repo: RepoRef, access: CloneAccess) -> tuple[str, Sha]:
        async with self._turn(repo):
            return await self._mirrors.default_branch(repo, access)

    async def base_head(self, pull: PullRequest, branch: str) -> Sha:
        await self._prepare(pull.ref.repo)
        return await self._mirrors.branch_head(pull.ref.repo, branch)

    async def around(self, repo: RepoRef, commit: Sha, others: Collection[Sha]) -> Around:
        return await self._mirrors.around(repo, commit, others)

    async def lay_out(self, pull: PullRequest) -> Checkout:
        repo = pull.ref.repo
        async with self._turn(repo):
            base, commit, head = await self._commits(pull)
            path = self._place(pull.ref, commit)
            await self._ready(repo, path, commit)
            changed = await self._mirrors.changed(repo, base, commit)
        return Checkout(str(path), commit, base, head, changed)

    async def _commits(self, pull: PullRequest) -> tuple[Sha, Sha, Sha]:
        repo = pull.ref.repo
        if pull.merged and pull.merge_sha is not None:
            base = await self._mirrors.before_merge(pull, pull.merge_sha)
            return base, pull.merge_sha, pull.merge_sha
        base = await self._mirrors.branch_head(repo, pull.base_branch)
        return base, await self._mirrors.merge(repo, base, pull.head_sha), pull.head_sha

    async def ensure(self, pull: PullRef, checkout: Checkout) -> Path:
        commit = checkout.laid
        path = self._place(pull, commit)
        async with self._turn(pull.repo):
            mirror = await self._mirrors.opened(pull.repo)
            if not await self._mirrors.has(mirror, checkout.commit):
                await self._merge_again(pull.repo, checkout)
            if not await self._mirrors.has(mirror, commit):
                raise GeneratedIsGone(commit)
            ready = await self._ready(pull.repo, path, commit)
            if not await self._mend(path, commit, ready):
                await _discard(path, self._trash)
                await self._ready(pull.repo, path, commit)
        return path

    async def _merge_again(self, repo: RepoRef, checkout: Checkout) -> None:
        """A mirror that was made anew lacks our own merges, until they are made again."""
        if await self._mirrors.merge(repo, checkout.base, checkout.head) != checkout.commit:
            raise HeadIsGone(checkout.head)

    async def drop(self, pull: PullRef) -> None:
        async with self._turn(pull.repo):
            await _discard(self._of(pull), self._trash)
            await self._prune(slug(pull.repo))

    async def tidy(self, before: datetime) -> int:
        removed = 0
        for name, paths in (await asyncio.to_thread(_unused, self._trees, before)).items():
            async with self._turn_of(name):
                # Looked at again: somebody may have come for one while we waited.
                still = (await asyncio.to_thread(_unused, self._trees, before)).get(name, ())
                for path in set(paths) & set(still):
                    await _discard(path, self._trash)
                    removed += 1
                await self._prune(name)
        return removed

    async def _prune(self, name: str) -> None:
        mirror = self._mirrors.directory / f"{name}.git"
        if await asyncio.to_thread(mirror.exists):
            await self._git.ask(["worktree", "prune"], cwd=mirror)

    # --- Generated ----------------------------------------------------------------------------

    @asynccontextmanager
    async def fresh(self, pull: PullRef, commit: Sha, name: str) -> AsyncIterator[Path]:
        path = self._of(pull) / name
        async with self._turn(pull.repo):
            await self._lay_out(pull.repo, path, commit)
        try:
            yield path
        finally:
            await _discard(path, self._trash)

    async def keep(self, pull: PullRef, commit: Sha, name: str) -> Sha:
        path = self._of(pull) / name
        async with self._turn(pull.repo):
            ready = await self._ready(pull.repo, path, commit)
            return await Left(self._git, path, ready.admin, ready.flattened).keep(commit)

    async def changed(self, repo: RepoRef, base: Sha, commit: Sha) -> tuple[str, ...]:
        await self._prepare(repo)
        return await self._mirrors.changed(repo, base, commit)

    async def pack(self, repo: RepoRef, commits: Sequence[Sha], onto: Sequence[Sha]) -> bytes:
        await self._prepare(repo)
        return await packed(self._git, self._mirrors.path(repo), commits, onto)

    async def unpack(self, repo: RepoRef, pack: bytes) -> None:
        async with self._turn(repo):
            await unpack(self._git, await self._mirrors.opened(repo), pack)

    # --- Branches -----------------------------------------------------------------------------

    async def push(self, repo: RepoRef, access: CloneAccess, change: BranchCommit) -> Sha | None:
        async with self._turn(repo):
            mirror = await self._mirrors.opened(repo)
            return await Pushed(self._git, mirror, repo, access).push(change)

    async def is_ours(self, repo: RepoRef, access: CloneAccess, branch: str) -> bool:
        async with self._turn(repo):
            mirror = await self._mirrors.opened(repo)
            return await Pushed(self._git, mirror, repo, access).is_ours(branch)

    # --- Tree ---------------------------------------------------------------------------------

    async def read(self, repo: RepoRef, commit: Sha, path: str) -> bytes | None:
        await self._prepare(repo)
        return await self._mirrors.read(repo, commit, path)

    async def object_ids(
        self, repo: RepoRef, commit: Sha, paths: Sequence[str]
    ) -> Mapping[str, str]:
        await self._prepare(repo)
        return await self._mirrors.object_ids(repo, commit, paths)

    async def listing(self, repo: RepoRef, commit: Sha) -> Listing:
        await self._prepare(repo)
        return await self._mirrors.listing(repo, commit)

    async def blobs(
        self, repo: RepoRef, ids: Sequence[str], limit: int
    ) -> Mapping[str, bytes | None]:
        await self._prepare(repo)
        return await blobs(self._git, self._mirrors.path(repo), ids, limit)

    # --- turns --------------------------------------------------------------------------------

    def _turn(self, repo: RepoRef) -> AbstractAsyncContextManager[None]:
        return self._turn_of(slug(repo))

    @asynccontextmanager
    async def _turn_of(self, name: str) -> AsyncIterator[None]:
        """The only writer of this repository's mirror and worktrees on this machine."""
        lock = self._directory / "turns" / f"{name}.lock"
        async with self._turns.of(lock, GIT_COMMANDS * self._git.timeout) as turn:
            if turn.cut_short:
                await self._mirrors.clear(name)
            yield

    async def _prepare(self, repo: RepoRef) -> None:
        """Reading needs no turn, but the first look at a mirror does: it may make it."""
        if not self._mirrors.known(repo):
            async with self._turn(repo):
                await self._mirrors.opened(repo)

    # --- one worktree -------------------------------------------------------------------------

    @property
    def _trash(self) -> Path:
        return self._directory / "trash"

    @property
    def _trees(self) -> Path:
        return self._directory / "trees"

    def _of(self, pull: PullRef) -> Path:
        return self._trees / slug(pull.repo) / str(pull.number)

    def _place(self, pull: PullRef, commit: Sha) -> Path:
        return self._of(pull) / commit

    async def _ready(self, repo: RepoRef, path: Path, commit: Sha) -> _Ready:
        """What is known of the worktree, which is in use now; laid out first when it is
        not whole."""
        found = await asyncio.to_thread(_recall, path)
        return found or await self._lay_out(repo, path, commit)

    async def _lay_out(self, repo: RepoRef, path: Path, commit: Sha) -> _Ready:
        mirror = await self._mirrors.opened(repo)
        await _discard(path, self._trash)
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        # Forced twice: a git killed half-way left the place registered, and locked.
        words = ["worktree", "add", "--quiet", "--detach", "--force", "--force", str(path), commit]
        await self._git.ask(words, cwd=mirror)
        links = await self._mirrors.links(repo, commit)
        return await asyncio.to_thread(_finish, path, links)

    async def _mend(self, path: Path, commit: Sha, ready: _Ready) -> bool:
        """Undo what tools did to the worktree; False when it must be laid out anew."""
        try:
            if await self._ask(path, ready, ["rev-parse", "--verify", "HEAD"]) != commit:
                return False
            changed = await self._changed(path, ready)
            if len(changed) > MANY:
                return False
            if changed:
                words = ["checkout", "--quiet", "--force", commit, "--", *changed]
                await self._ask(path, ready, words)
            others = await self._ask(path, ready, ["ls-files", "-z", "--others"])
        except GitFailed:
            return False
        await asyncio.to_thread(_remove_configuration, path, others.split("\0"))
        return True

    async def _changed(self, path: Path, ready: _Ready) -> list[str]:
        options = ["-z", "--porcelain", "--untracked-files=no", "--no-renames"]
        status = await self._ask(path, ready, ["status", *options, "--ignore-submodules=all"])
        files = (entry[3:] for entry in status.split("\0") if entry)
        kept = {*ready.flattened}
        return [file for file in files if file not in kept and Path(file).name != LOCK_FILE]

    async def _ask(self, path: Path, ready: _Ready, words: Sequence[str]) -> str:
        where = {"GIT_DIR": ready.admin, "GIT_WORK_TREE": str(path)}
        return await self._git.ask(words, cwd=path, extra=where)


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.ready")


def _recall(path: Path) -> _Ready | None:
    try:
        ready = _Ready(**json.loads(_record(path).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    if not (path.is_dir() and Path(ready.admin).is_dir()):
        return None
    os.utime(_record(path))
    return ready


def _unused(trees: Path, before: datetime) -> dict[str, list[Path]]:
    """The worktrees that nobody asked for since, by their repository's directory name."""
    found: dict[str, list[Path]] = {}
    for path in trees.glob("*/*/*"):
        if path.is_dir() and _used(path) < before.timestamp():
            found.setdefault(path.parts[-3], []).append(path)
    return found


def _used(path: Path) -> float:
    """When it was last asked for, in seconds; of one that was never whole, when it was
    begun, and of one that has just gone, now."""
    for place in (_record(path), path):
        with suppress(FileNotFoundError):
            return place.stat().st_mtime
    return time.time()


def _finish(path: Path, links: Iterable[str]) -> _Ready:
    """The last step of laying out: after it the worktree counts as whole."""
    admin = (path / ".git").read_text().removeprefix("gitdir: ").strip()
    ready = _Ready(admin, [link for link in links if _flatten(path, link)])
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(asdict(ready)))
    new.replace(_record(path))
    return ready


def _flatten(root: Path, link: str) -> bool:
    """Write a link that leads outside as a file; True when it did."""
    place = root / link
    inside = os.path.realpath(root)
    target = os.path.realpath(place)
    led_to = os.path.relpath(target, inside).split(os.sep)[0]
    if led_to not in ("..", ".git") or not place.is_symlink():
        return False
    named = os.fsencode(os.readlink(place))
    place.unlink()
    place.write_bytes(named)
    return True


def _remove_configuration(root: Path, others: Iterable[str]) -> None:
    """Of the untracked paths, those the tool would read; and repositories within, whose
    files git does not list."""
    for other in filter(None, others):
        if other.endswith("/"):
            shutil.rmtree(root / other, ignore_errors=True)
        elif other.endswith(READ_BY_TOOL):
            (root / other).unlink(missing_ok=True)


async def _discard(path: Path, trash: Path) -> None:
    """Out of the way at once, by a rename; then removed, as far as it lets us."""
    _record(path).unlink(missing_ok=True)
    doomed = trash / uuid.uuid4().hex
    await asyncio.to_thread(trash.mkdir, parents=True, exist_ok=True)
    try:
        await asyncio.to_thread(path.rename, doomed)
    except FileNotFoundError:
        return
    await asyncio.to_thread(_empty, trash)


def _empty(trash: Path) -> None:
    """The directory itself stays: another process may be about to put something into it."""
    for doomed in trash.iterdir():
        shutil.rmtree(doomed, ignore_errors=True)
