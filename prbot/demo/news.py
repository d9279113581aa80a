"""How the forge tells what happened: one method for each kind of news, GitHub's webhooks here.

The acts (talk.py, branches.py, pulls.py, accounts.py) know no payloads: they say what was
done, and these make of it what the forge's hooks would carry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from prbot.demo.git import CommitInfo
from prbot.demo.hooks import Hook
from prbot.demo.payloads import PushedCommit, ping_event, push_event, review_event, status_event
from prbot.demo.shapes import Json, stamp
from prbot.demo.state import Comment, Issue, Pull, Repository, Review, Status, User

if TYPE_CHECKING:
    from prbot.demo.world import World


class News(Protocol):
    """`by` is who did it. Words for actions are GitHub's, because the acts use them."""

    def pull(self, action: str, pull: Pull, by: User, **more: object) -> None:
        """`more` is what changed: `before` and `after`, or `changes`."""
        ...

    def comment(self, action: str, comment: Comment, by: User, before: str | None) -> None:
        """`before` is the text of a comment that was edited."""
        ...

    def review(self, action: str, review: Review, by: User) -> None: ...

    def issue(self, action: str, issue: Issue, by: User, **more: object) -> None:
        """`more` may hold `changes`."""
        ...

    def status(self, repo: Repository, status: Status, commit: CommitInfo) -> None: ...

    def pipeline(self, pull: Pull, commit: CommitInfo, state: str) -> None:
        """Of a merge train's commit."""
        ...

    def push(
        self,
        repo: Repository,
        branch: str,
        ends: tuple[str, str],
        commits: tuple[PushedCommit, ...],
        forced: bool,
        by: User,
    ) -> None:
        """`ends` are the commits before and after, of zeros where the branch is not."""
        ...

    def hook_added(self, hook: Hook, repo: Repository | None) -> None: ...


class GitHubNews:
    """Meets `News`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._shapes = world.shapes

    def pull(self, action: str, pull: Pull, by: User, **more: object) -> None:
        shape = self._shapes.pull(pull, None if pull.open else pull.mergeable, "unknown")
        payload: Json = {"action": action, "number": pull.number, "pull_request": shape, **more}
        self._world.notify("pull_request", pull.repo, by, payload)

    def comment(self, action: str, comment: Comment, by: User, before: str | None) -> None:
        pull = comment.pull
        shape = self._shapes.any_issue(pull)
        about = {"issue": shape, "comment": self._shapes.comment(comment)}
        edited = {} if before is None else {"changes": {"body": {"from": before}}}
        self._world.notify("issue_comment", pull.repo, by, {"action": action, **about, **edited})

    def review(self, action: str, review: Review, by: User) -> None:
        payload = {"action": action, **review_event(self._shapes, review)}
        self._world.notify("pull_request_review", review.pull.repo, by, payload)

    def issue(self, action: str, issue: Issue, by: User, **more: object) -> None:
        payload: Json = {"action": action, "issue": self._shapes.plain_issue(issue), **more}
        self._world.notify("issues", issue.repo, by, payload)

    def status(self, repo: Repository, status: Status, commit: CommitInfo) -> None:
        payload = status_event(self._shapes, repo, status, commit)
        self._world.notify("status", repo, status.creator, payload)

    def pipeline(self, pull: Pull, commit: CommitInfo, state: str) -> None:
        """GitHub has none."""

    def push(
        self,
        repo: Repository,
        branch: str,
        ends: tuple[str, str],
        commits: tuple[PushedCommit, ...],
        forced: bool,
        by: User,
    ) -> None:
        payload = push_event(self._shapes, repo, branch, *ends, commits, forced, by)
        self._world.notify("push", repo, by, payload)

    def hook_added(self, hook: Hook, repo: Repository | None) -> None:
        payload = ping_event(self._shapes, hook, repo, stamp(self._world.now()) or "")
        if repo:
            payload["repository"] = self._shapes.repository(repo)
        self._world.courier.send("ping", payload, hook.repository, only=hook)
