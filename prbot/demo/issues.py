"""Plain issues: opened, edited, closed and reopened. They share their numbers with pulls."""

from __future__ import annotations

from collections.abc import Iterable

from prbot.demo.rules import check_title, demand, not_found
from prbot.demo.state import Issue, Level, Repository, User
from prbot.demo.world import World


class Issues(World):
    async def open_issue(
        self, repo: Repository, by: str, title: str, body: str = "", labels: Iterable[str] = ()
    ) -> Issue:
        """Whoever reads may open one; only who may push sets labels, others' are dropped."""
        user, now = self.user(by), self.now()
        demand(repo, by, Level.READ)
        words = check_title(title, body, self.customs.comment_limit)
        named = _unique(labels) if repo.level(by) >= Level.WRITE else ()
        issue = Issue(
            self.next_id(), self.next_number(repo, repo.issues), repo, *words, user, named, now, now
        )
        repo.issues[issue.number] = issue
        self._tell("opened", issue, user)
        return issue

    async def edit_issue(
        self,
        issue: Issue,
        by: str,
        title: str | None = None,
        body: str | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        """What is None stays; `labels` replace all that stand there."""
        user = self._who_may_edit(issue, by)
        before = {"title": issue.title, "body": issue.body}
        wanted = issue.title if title is None else title, issue.body if body is None else body
        issue.title, issue.body = check_title(*wanted, self.customs.comment_limit)
        if labels is not None and issue.repo.level(by) >= Level.WRITE:
            issue.labels = _unique(labels)
        after = {"title": issue.title, "body": issue.body}
        changes = {key: {"from": old} for key, old in before.items() if old != after[key]}
        if changes:
            self._tell("edited", issue, user, changes=changes)

    async def set_issue_open(self, issue: Issue, by: str, is_open: bool) -> None:
        user = self._who_may_edit(issue, by)
        if issue.open != is_open:
            issue.closed_at = None if is_open else self.now()
            self._tell("reopened" if is_open else "closed", issue, user)

    def issue(self, repo: Repository, number: int) -> Issue:
        if issue := repo.issues.get(number):
            return issue
        raise not_found()

    def _who_may_edit(self, issue: Issue, by: str) -> User:
        user = self.user(by)
        demand(issue.repo, by, Level.READ if user is issue.author else Level.WRITE)
        return user

    def _tell(self, action: str, issue: Issue, by: User, **more: object) -> None:
        issue.updated_at = self.now()
        self.news.issue(action, issue, by, **more)
        self.changes.tell()


def _unique(labels: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(labels))
