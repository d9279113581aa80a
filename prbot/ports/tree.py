"""What prbot asks of repositories: commits, files, workspaces and branches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from prbot.model import (
    Checkout,
    PullRef,
    PullRequest,
    RepoRef,
    Sha,
)
from prbot.ports.forge import CloneAccess
from prbot.projects.facts import FileFacts
from prbot.projects.listing import Listing
from prbot.runs.journal import JournalEntry as JournalEntry
from prbot.runs.landings import Around


class Tree(Protocol):
    """Files of one repository's commits, read from the mirror without a checkout.

    Raises GitFailed, also for a commit the mirror does not have.
    """

    async def read(self, repo: RepoRef, commit: Sha, path: str) -> bytes | None:
        """The file's bytes, or None when the commit has no such file."""
        ...

    async def object_ids(
        self, repo: RepoRef, commit: Sha, paths: Sequence[str]
    ) -> Mapping[str, str]:
        """The blob or tree id of each path the commit has; `.` is the root tree."""
        ...

    async def listing(self, repo: RepoRef, commit: Sha) -> Listing:
        """All files with their blob ids, and the symbolic links with their targets."""
        ...

    async def blobs(
        self, repo: RepoRef, ids: Sequence[str], limit: int
    ) -> Mapping[str, bytes | None]:
        """What is in these blobs; None for one that is larger than `limit` bytes."""
        ...


class Blobs(Protocol):
    """The contents of files by blob id, wherever they come from."""

    async def __call__(self, ids: Sequence[str], limit: int) -> Mapping[str, bytes | None]:
        """As `Tree.blobs`, of one repository."""
        ...


class Facts(Protocol):
    """What configuration files say, read once for each content."""

    async def facts(self, listing: Listing, blobs: Blobs) -> Mapping[str, FileFacts]:
        """By path, of each configuration file of a commit. One that cannot be read says so."""
        ...


@dataclass(frozen=True)
class BranchCommit:
    """One commit on top of `parent`, alone on its branch. `files` are whole, by path; none: a
    commit that changes nothing. `at` is when it was decided, so that it is the same again."""

    branch: str
    parent: Sha
    message: str
    at: datetime
    files: Mapping[str, bytes] = field(default_factory=dict)


class Branches(Protocol):
    """Branches of prbot's own. Raises CannotPush, and what `Workspaces` raises of git."""

    async def push(self, repo: RepoRef, access: CloneAccess, change: BranchCommit) -> Sha | None:
        """Have the branch stand at this commit, whatever of ours stood there; its id.

        None, and nothing is pushed, where somebody else went on with the branch.
        """
        ...

    async def is_ours(self, repo: RepoRef, access: CloneAccess, branch: str) -> bool:
        """Whether the branch is there, and its newest commit is prbot's own."""
        ...


class Workspaces(Branches, Protocol):
    """Bare mirrors and detached worktrees.

    Raises CannotFetch, BranchIsGone, HeadIsGone, MergeCommitIsGone, MergedAsAnother,
    MergeConflict, UnrelatedHistories, and GitMissing or GitFailed when git itself does not work, or
    HeldElsewhere when another process keeps the repository to itself for too long.
    """

    async def probe(self) -> str: ...
    async def fetch(self, pull: PullRequest, access: CloneAccess) -> None:
        """Bring the base branch, the head and (if merged) the merge commit into the mirror.

        Goes to the network only for commits the mirror does not have; the base branch
        is always asked for, because it moves.
        """
        ...

    async def default_branch(self, repo: RepoRef, access: CloneAccess) -> tuple[str, Sha]:
        """The default branch and its newest commit, brought into the mirror."""
        ...

    async def base_head(self, pull: PullRequest, branch: str) -> Sha:
        """The branch's newest commit, as last fetched."""
        ...

    async def around(self, repo: RepoRef, commit: Sha, others: Collection[Sha]) -> Around:
        """Which of the others the commit holds, and which of them hold it, as far as the
        mirror has them."""
        ...

    async def lay_out(self, pull: PullRequest) -> Checkout:
        """Lay out the merge of head into base, or the merge commit of a merged one.

        The same arguments give the same commit id and the same path; laid out once.
        """
        ...

    async def ensure(self, pull: PullRef, checkout: Checkout) -> Path:
        """The worktree of an earlier `lay_out`, made again if it is gone or was dirtied, with
        what hooks generated. Raises GeneratedIsGone where that is not in the mirror."""
        ...

    async def drop(self, pull: PullRef) -> None:
        """Remove every worktree of exactly this pull request."""
        ...

    async def tidy(self, before: datetime) -> int:
        """Remove the worktrees that this machine has not used since; how many there were.

        `drop` is called where a close is heard of, and that may be another machine.
        """
        ...


class Generated(Protocol):
    """What hooks leave, as commits of the mirror. Raises GitFailed, and as `Workspaces` does
    when git does not work or the repository is kept by others."""

    def fresh(self, pull: PullRef, commit: Sha, name: str) -> AbstractAsyncContextManager[Path]:
        """A worktree of the commit, which nobody else uses, until the block ends."""
        ...

    async def keep(self, pull: PullRef, commit: Sha, name: str) -> Sha:
        """The commit of all that is in the `fresh` worktree of this name, on top of `commit`;
        that itself when nothing changed. Raises GeneratedTooMuch."""
        ...

    async def changed(self, repo: RepoRef, base: Sha, commit: Sha) -> tuple[str, ...]:
        """Paths that differ; of a renamed file the old and the new one."""
        ...

    async def pack(self, repo: RepoRef, commits: Sequence[Sha], onto: Sequence[Sha]) -> bytes:
        """What these commits have and those of `onto` have not, for another machine."""
        ...

    async def unpack(self, repo: RepoRef, pack: bytes) -> None:
        """Take such a pack in; the commits of `onto` must be there."""
        ...
