"""What the demo forge knows, as plain mutable records; nothing here is kept on disk.

Only the acts (branches.py, pulls.py, talk.py, accounts.py) change these records, and
each of them tells the hooks and the waiting tests. Times are UTC, aware, and cut to
whole seconds as GitHub's are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from prbot.demo.git import ChangedFile, CommitInfo, GitDir


class Level(IntEnum):
    """What an account may do in a repository; the names are GitHub's."""

    NONE = 0
    READ = 1
    WRITE = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass
class User:
    """`kind` is GitHub's `type`: User, Bot or Organization."""

    id: int
    login: str
    kind: str
    created_at: datetime

    @property
    def email(self) -> str:
        return f"{self.login}@users.forge.invalid"


@dataclass
class Token:
    """A secret and what it stands for.

    `permissions` None is a classic token: all its user may do. Otherwise only what is
    listed (`{"issues": "write"}`), as with fine-grained and installation tokens, and
    only in `repositories` (ids) when given.
    """

    value: str
    user: User
    permissions: Mapping[str, str] | None = None
    repositories: frozenset[int] | None = None
    expires_at: datetime | None = None
    installation: int | None = None


@dataclass
class App:
    """A GitHub App; `public_key` is PEM and checks the signatures of its JWTs."""

    id: int
    slug: str
    owner: User
    bot: User
    public_key: bytes
    permissions: Mapping[str, str]
    created_at: datetime


@dataclass
class Installation:
    id: int
    app: App
    account: User
    repositories: set[int]
    created_at: datetime


@dataclass
class Protection:
    """What a protected branch demands before a merge.

    `strict`: the head must contain the base branch's newest commit.
    """

    required_checks: tuple[str, ...] = ()
    required_approvals: int = 0
    dismiss_stale: bool = False
    strict: bool = False
    enforce_admins: bool = False


@dataclass
class Reaction:
    id: int
    user: User
    content: str
    created_at: datetime


@dataclass
class Comment:
    """`pull` is what it is about: a plain issue, too."""

    id: int
    pull: Pull | Issue
    user: User
    body: str
    created_at: datetime
    updated_at: datetime
    reactions: list[Reaction] = field(default_factory=list)
    minimised: str = ""
    internal: bool = False


@dataclass
class Review:
    """`state`: APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED."""

    id: int
    pull: Pull
    user: User
    state: str
    body: str
    commit: str
    submitted_at: datetime


@dataclass
class Status:
    id: int
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    creator: User
    created_at: datetime
    pipeline: int = 0
    """Of the commit's pipelines (GitLab), which; the first is 0."""


@dataclass
class CheckRun:
    """`status`: queued, in_progress or completed, with a `conclusion`; `suite` is the id of
    the App's suite at this commit. `annotations` and `actions` are as REST took them."""

    id: int
    name: str
    sha: str
    app: App
    suite: int
    started_at: datetime
    status: str = "queued"
    conclusion: str | None = None
    external_id: str | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    completed_at: datetime | None = None
    annotations: list[Mapping[str, Any]] = field(default_factory=list)
    actions: list[Mapping[str, str]] = field(default_factory=list)

    @property
    def state(self) -> str:
        """As a commit status would say it."""
        good = ("success", "neutral", "skipped")
        return (
            "pending"
            if self.conclusion is None
            else ("success" if self.conclusion in good else "failure")
        )


@dataclass(frozen=True)
class MergeToCome:
    """Who asked for a merge that GitLab makes later, of which head and how."""

    by: str
    head: str
    method: str
    by_train: bool = False


@dataclass
class Pull:
    """A pull request. `unknown_reads`: how many more reads see `mergeable: null`.

    `heads` are the heads there have been: commit, merge base and when it came. `merge_kind`:
    merge, squash or rebase. `test_merge` is the commit GitHub shows as `merge_commit_sha`
    while the pull request is open; `merge_sha` the one the merge made. `commits` and `files`
    are of the head as last seen. `to_come` is a merge that GitLab makes by itself, `train` the
    commit that a merge train tries, `train_green` whether the jobs of its pipeline ended well,
    `remove_branch` whether the branch goes with the merge.
    """

    id: int
    number: int
    repo: Repository
    title: str
    body: str
    author: User
    head_repo: Repository | None
    head_owner: User
    head_branch: str
    head_sha: str
    base_branch: str
    base_sha: str
    created_at: datetime
    updated_at: datetime
    draft: bool = False
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_sha: str | None = None
    test_merge: str | None = None
    mergeable: bool | None = None
    unknown_reads: int = 0
    commits: tuple[CommitInfo, ...] = ()
    head_commit: CommitInfo | None = None
    files: tuple[ChangedFile, ...] = ()
    reviews: list[Review] = field(default_factory=list)
    heads: list[tuple[str, str, datetime]] = field(default_factory=list)
    merge_kind: str = "merge"
    to_come: MergeToCome | None = None
    train: str | None = None
    train_green: bool = False
    remove_branch: bool = False

    @property
    def fork_point(self) -> str:
        """The commit of the base branch that the head began at."""
        return self.heads[-1][1]

    @property
    def open(self) -> bool:
        return self.closed_at is None

    @property
    def merged(self) -> bool:
        return self.merged_at is not None

    @property
    def label(self) -> str:
        return f"{self.repo.full_name}#{self.number}"

    @property
    def comments(self) -> list[Comment]:
        """Oldest first."""
        return [comment for comment in self.repo.comments.values() if comment.pull is self]


@dataclass
class Issue:
    """A plain issue; pull requests are issues too, but keep their own record."""

    id: int
    number: int
    repo: Repository
    title: str
    body: str
    author: User
    labels: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.closed_at is None

    @property
    def comments(self) -> list[Comment]:
        """Oldest first."""
        return [comment for comment in self.repo.comments.values() if comment.pull is self]


@dataclass
class Repository:
    """`branches` are the heads as last seen: what moved since is news. `rulesets` are checks
    that a ruleset requires, by branch; `external_checks` GitLab's status checks, and how each
    stands (passed, failed or pending)."""

    id: int
    owner: User
    name: str
    git: GitDir
    private: bool
    created_at: datetime
    default_branch: str = "main"
    parent: Repository | None = None
    collaborators: dict[str, Level] = field(default_factory=dict)
    protections: dict[str, Protection] = field(default_factory=dict)
    rulesets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    external_checks: dict[str, str] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    newest_pipeline: dict[str, int] = field(default_factory=dict)
    """By commit; where it stands not the commit has one at most."""
    check_runs: dict[int, CheckRun] = field(default_factory=dict)
    pushed_at: datetime | None = None
    archived: bool = False
    merge_trains: bool = False
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def level(self, login: str) -> Level:
        """The account's permission here; the owner is an administrator."""
        if login.lower() == self.owner.login.lower():
            return Level.ADMIN
        given = {name.lower(): level for name, level in self.collaborators.items()}
        least = Level.NONE if self.private else Level.READ
        return max(least, given.get(login.lower(), Level.NONE))

    def is_collaborator(self, login: str) -> bool:
        return login.lower() in {name.lower() for name in (*self.collaborators, self.owner.login)}

    def latest_statuses(self, sha: str) -> list[Status]:
        """The newest status of each context of a commit, newest context first."""
        newest = {status.context: status for status in self.statuses if status.sha == sha}
        return sorted(newest.values(), key=lambda status: status.id, reverse=True)

    def checks_of(self, sha: str) -> list[CheckRun]:
        """All check runs of a commit, oldest first."""
        return [run for run in self.check_runs.values() if run.sha == sha]

    def latest_checks(self, sha: str) -> list[CheckRun]:
        """The newest check run of each App and name."""
        return list({(run.app.id, run.name): run for run in self.checks_of(sha)}.values())
