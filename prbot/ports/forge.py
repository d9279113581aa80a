"""What prbot asks of a forge, and of a receiver of its signals."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from prbot.model import (
    Commented,
    IssueCommented,
    Login,
    Permission,
    PullRef,
    PullRequest,
    QueueMoved,
    RepoRef,
    Review,
    Sha,
)
from prbot.runs.checks import Annotation, Button
from prbot.runs.journal import JournalEntry as JournalEntry


@dataclass(frozen=True)
class CloneAccess:
    """How git may fetch: a URL without credentials, and the header that carries them."""

    url: str
    header: str | None = field(default=None, repr=False)


class ForgeReader(Protocol):
    """Gathers. Raises NotFound, ForgeRefused or ForgeUnavailable."""

    async def probe(self) -> str:
        """One line for `doctor`: who we are there. Raises when it does not work."""
        ...

    async def bot_login(self) -> Login:
        """The account that writes our comments."""
        ...

    async def pull_request(self, pull: PullRef) -> PullRequest: ...

    async def permission(self, repo: RepoRef, login: Login) -> Permission:
        """NONE also for an account that is no collaborator of a public repository."""
        ...

    async def reviews(self, pull: PullRef) -> tuple[Review, ...]:
        """The latest deciding review of each person (comments aside), oldest first."""
        ...

    async def clone_access(self, repo: RepoRef) -> CloneAccess: ...

    # What an apply may have to ask beside.

    async def team_members(self, repo: RepoRef, team: str) -> frozenset[str]:
        """The logins, in lower case, of a team such as `@acme/sre` and of its child teams.

        NotFound or ForgeRefused also when there is one, and we may not see it.
        """
        ...

    async def committers(self, pull: PullRef) -> frozenset[str] | None:
        """Whose accounts, in lower case, the commits' authors and committers are, as far as
        the forge knows them; None when it does not list all the commits."""
        ...

    async def failing_checks(self, pull: PullRequest, own: Collection[str]) -> tuple[str, ...]:
        """The checks that the base branch requires and that are not green at the head, those
        named in `own` aside, in order."""
        ...

    async def issue_is_open(self, repo: RepoRef, number: int, marker: str) -> bool | None:
        """Whether the issue is open; None when it is gone, or not ours with this `marker`."""
        ...

    # What the reconciler asks every few minutes; what did not change costs little.

    async def repositories(self) -> tuple[RepoRef, ...]:
        """Those we were given access to, archived ones aside."""
        ...

    async def open_pulls(self, repo: RepoRef) -> tuple[PullRequest, ...]:
        """Without `mergeable`, which lists do not tell."""
        ...

    async def recently_closed_pulls(
        self, repo: RepoRef, since: datetime
    ) -> tuple[PullRequest, ...]:
        """Closed or merged since then; without `merged_by`, which lists do not tell."""
        ...

    async def comments_since(
        self, repo: RepoRef, since: datetime
    ) -> tuple[Commented | IssueCommented, ...]:
        """Comments on pull requests and issues made since then and never edited, oldest first.

        The same `since` again is answered more cheaply than a new one.
        """
        ...

    async def merge_queue(self, repo: RepoRef) -> tuple[QueueMoved, ...]:
        """The commits that a merge queue, or merge trains, try just now, in order; none where
        there is no such thing, or we may not see it."""
        ...


class StatusState(StrEnum):
    """NEUTRAL is only shown by `show_check`."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class CheckReport:
    """What a check tells beside its line: a summary and a longer text (Markdown, each of at
    most 65,535 characters), notes at lines of the code, and buttons. `mark` (letters and
    digits, or nothing) comes back when a button is pressed."""

    summary: str
    notes: tuple[Annotation, ...] = ()
    buttons: tuple[Button, ...] = ()
    mark: str = ""
    text: str = ""


class ForgeWriter(Protocol):
    """Writes; only the outbox calls it. Raises as ForgeReader does.

    Each call is idempotent: the outbox repeats a call whose answer it never saw.
    """

    async def upsert_comment(
        self, pull: PullRef, marker: str, body: str, known_id: int | None
    ) -> int:
        """Write `body`, which holds `marker`, and return the comment's id.

        Edits comment `known_id`, else our own comment that holds `marker` (matched by
        author too), else creates one.
        """
        ...

    async def upsert_issue(
        self,
        repo: RepoRef,
        marker: str,
        title: str,
        body: str,
        labels: Sequence[str],
        is_open: bool | None,
        known: int | None,
    ) -> int | None:
        """Write the issue whose `body` holds `marker`, opened or closed, and return its number.

        Edits issue `known`, else our own issue that holds `marker` (both matched by author
        and marker), else creates one; none is created only to be closed. `is_open` None: one
        that is there stays open or closed, as people left it. `labels` are added to what stands
        there. `title` has at most 256 characters.
        """
        ...

    async def upsert_pull(
        self, repo: RepoRef, branch: str, base: str, title: str, body: str
    ) -> int:
        """Open a pull request of our own from a branch of the repository, and return its number.

        One of ours that is open from there is edited. Raises ForgeRefused where somebody else's
        is, or the branch has nothing that `base` lacks. `title` has at most 250 characters.
        """
        ...

    async def close_pull(self, pull: PullRef) -> None:
        """Close a pull request that is open, without merging it."""
        ...

    async def comment_on_issue(self, repo: RepoRef, number: int, marker: str, body: str) -> None:
        """Comment on an issue, unless a comment of ours with this `marker` stands there."""
        ...

    async def minimise(self, pull: PullRef, comment_id: int) -> None:
        """Fold our own comment as outdated. One that is gone, or somebody else's, is left.

        Only tidies up: a forge that does not know how refuses.
        """
        ...

    async def set_status(
        self,
        repo: RepoRef,
        sha: Sha,
        context: str,
        state: StatusState,
        description: str,
        report: CheckReport | None = None,
    ) -> None:
        """`description` is cut to what the forge takes (GitHub: 140 characters).

        `report` is shown where the forge has checks (GitHub: with an App), else left out.
        """
        ...

    async def show_check(
        self,
        repo: RepoRef,
        sha: Sha,
        name: str,
        state: StatusState,
        line: str,
        report: CheckReport | None = None,
    ) -> None:
        """A check that nothing depends on, beside those that `set_status` sets.

        NEUTRAL takes one back that stands there, and makes none. Nothing is shown, and
        nothing refused, where the forge has no checks or lets us write none.
        """
        ...

    async def merge(
        self, pull: PullRef, sha: Sha, method: str, *, delete_branch: bool = False
    ) -> bool:
        """Merge it if `sha` is its head (`merge`, `squash` or `rebase`). One that was merged
        already is left. False where the forge does so itself later, when a pipeline has ended
        or in a merge train, and deletes the branch then if it shall. Raises NotMergeable with
        the forge's reason."""
        ...

    async def delete_branch(self, pull: PullRef, branch: str, sha: Sha) -> None:
        """Delete a branch of the pull request's repository that still stands at this commit;
        one that is gone, or went on, is left."""
        ...

    async def react(self, pull: PullRef, comment_id: int) -> None:
        """Show that the comment was read (GitHub: eyes). A deleted comment is no error."""
        ...


class Receiver(Protocol):
    """Another program that wants to hear of drift; only the outbox calls it."""

    async def deliver(self, delivery: str, text: str) -> None:
        """Send it once. Raises ReceiverUnavailable, or ReceiverRefused where there is little
        hope."""
        ...
