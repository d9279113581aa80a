"""The life of a pull request: opened, changed, merged or closed.

Merges are made by git in the bare directory. What the branch's protection refuses is
decided in rules.py; the status codes of a refused merge are those of
https://docs.github.com/rest/pulls/pulls#merge-a-pull-request.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from prbot.demo.branches import Branches
from prbot.demo.git import Person
from prbot.demo.rules import check_title, demand, invalid, merge_blockers
from prbot.demo.shapes import combined_state
from prbot.demo.state import CheckRun, Level, Pull, Repository, Status, User
from prbot.errors.demo import DemoForgeRefused


class Pulls(Branches):
    async def open_pull(
        self,
        full_name: str,
        *,
        head: str,
        title: str,
        author: str,
        base: str | None = None,
        body: str = "",
        draft: bool = False,
    ) -> Pull:
        """`head` is a branch, or `owner:branch` of a fork; `base` the default branch."""
        repo, user = self.repository(full_name), self.user(author)
        demand(repo, author, Level.READ)
        async with repo.busy:
            await self._take_news(repo, user)
            source, branch = self._head_of(repo, head)
            target = base or repo.default_branch
            if target not in repo.branches or branch not in source.branches:
                raise invalid("PullRequest", "head", "head or base is invalid", "invalid")
            pull = await self._new_pull(repo, source, branch, target, user, (title, body, draft))
        self.notify_pull("opened", pull, user)
        return pull

    async def propose(
        self,
        repo: Repository,
        by: str,
        head: str,
        base: str,
        words: tuple[str, str],
        draft: bool = False,
    ) -> Pull:
        """As whoever asks through the API: a branch has one open pull request to each base."""
        title, body = check_title(*words, self.customs.comment_limit)
        source, branch = self._head_of(repo, head)
        demand(source, by, Level.WRITE)
        for other in repo.pulls.values():
            ends = (other.head_repo, other.head_branch, other.base_branch)
            if other.open and ends == (source, branch, base):
                raise self._one_is_open(other, f"{source.owner.login}:{branch}")
        return await self.open_pull(
            repo.full_name, head=head, title=title, author=by, base=base, body=body, draft=draft
        )

    def _one_is_open(self, other: Pull, where: str) -> DemoForgeRefused:
        if self.customs.kind == "gitlab":
            said = "Another open merge request already exists for this source branch"
            return DemoForgeRefused(409, f"{said}: !{other.number}")
        return invalid("PullRequest", "head", f"A pull request already exists for {where}.")

    async def reword(
        self, pull: Pull, by: str, title: str | None = None, body: str | None = None
    ) -> None:
        """What is None stays."""
        user = self._who_may_steer(pull, by)
        before = {"title": pull.title, "body": pull.body}
        wanted = pull.title if title is None else title, pull.body if body is None else body
        pull.title, pull.body = check_title(*wanted, self.customs.comment_limit)
        after = {"title": pull.title, "body": pull.body}
        changes = {key: {"from": old} for key, old in before.items() if old != after[key]}
        if changes:
            self.notify_pull("edited", pull, user, changes=changes)

    def _head_of(self, repo: Repository, head: str) -> tuple[Repository, str]:
        owner, colon, branch = head.partition(":")
        if not colon or owner == repo.owner.login:
            return repo, branch or head
        return self.repository(f"{owner}/{repo.name}"), branch

    async def _new_pull(
        self,
        repo: Repository,
        source: Repository,
        branch: str,
        base: str,
        author: User,
        text: tuple[str, str, bool],
    ) -> Pull:
        title, body, draft = text
        head_sha, now = source.branches[branch], self.now()
        pull = Pull(
            id=self.next_id(),
            number=self.next_number(repo, repo.pulls),
            repo=repo,
            title=title,
            body=body,
            author=author,
            head_repo=source,
            head_owner=source.owner,
            head_branch=branch,
            head_sha=head_sha,
            base_branch=base,
            base_sha=repo.branches[base],
            created_at=now,
            updated_at=now,
            draft=draft,
        )
        await self._set_head(pull, head_sha)
        if not pull.commits:
            raise invalid("PullRequest", "base", f"No commits between {base} and {branch}")
        repo.pulls[pull.number] = pull
        return pull

    async def close(self, pull: Pull, by: str) -> None:
        user = self._who_may_steer(pull, by)
        self._demand_open(pull)
        pull.closed_at = self.now()
        self.notify_pull("closed", pull, user)

    async def reopen(self, pull: Pull, by: str) -> None:
        user = self._who_may_steer(pull, by)
        if pull.open or pull.merged:
            raise invalid("PullRequest", "state", "state cannot be changed.")
        pull.closed_at = None
        self._forget_mergeability(pull)
        self.notify_pull("reopened", pull, user)

    async def ready_for_review(self, pull: Pull, by: str) -> None:
        user = self._who_may_steer(pull, by)
        pull.draft = False
        self.notify_pull("ready_for_review", pull, user)

    async def convert_to_draft(self, pull: Pull, by: str) -> None:
        user = self._who_may_steer(pull, by)
        pull.draft = True
        self.notify_pull("converted_to_draft", pull, user)

    async def change_base(self, pull: Pull, by: str, base: str) -> None:
        user = self._who_may_steer(pull, by)
        self._demand_open(pull)
        if base not in pull.repo.branches:
            raise invalid("PullRequest", "base", "base is invalid", "invalid")
        changes = {"base": {"ref": {"from": pull.base_branch}, "sha": {"from": pull.base_sha}}}
        pull.base_branch = base
        await self._set_head(pull, pull.head_sha)
        self.notify_pull("edited", pull, user, changes=changes)

    def _who_may_steer(self, pull: Pull, by: str) -> User:
        user = self.user(by)
        demand(pull.repo, by, Level.READ if user is pull.author else Level.WRITE)
        return user

    def _demand_open(self, pull: Pull) -> None:
        if not pull.open:
            raise invalid("PullRequest", "state", "The pull request is closed.")

    async def look_mergeable(self, pull: Pull) -> tuple[bool | None, str]:
        """`mergeable` and `mergeable_state` as a read of the API sees them now.

        The first reads after a change see None: the forge has only begun to find out.
        """
        if not pull.open:
            return None, "unknown"
        if pull.unknown_reads > 0:
            pull.unknown_reads -= 1
            return None, "unknown"
        if pull.mergeable is None:
            await self._test_merge(pull)
        return pull.mergeable, await self._mergeable_state(pull)

    async def can_merge(self, pull: Pull) -> bool:
        """Whether git can merge it now, without the forge's hesitation."""
        return await pull.repo.git.merge_tree(*self._ends(pull)) is not None

    def _ends(self, pull: Pull) -> tuple[str, str]:
        return pull.repo.branches[pull.base_branch], pull.head_sha

    async def _test_merge(self, pull: Pull) -> None:
        """Make the merge commit GitHub keeps at refs/pull/N/merge while it is open."""
        git, base = pull.repo.git, pull.repo.branches[pull.base_branch]
        tree = await git.merge_tree(base, pull.head_sha)
        pull.mergeable = tree is not None
        if tree is not None:
            parents = (base, pull.head_sha)
            message = f"Merge {pull.head_sha} into {base}"
            pull.test_merge = await git.commit_tree(tree, parents, message, _person(pull.author))
            ref = f"{self.customs.pull_ref.format(pull.number)}/merge"
            await git.set_ref(ref, pull.test_merge)

    async def _mergeable_state(self, pull: Pull) -> str:
        if not pull.mergeable:
            return "dirty"
        if pull.draft:
            return "draft"
        if merge_blockers(pull, await self.up_to_date(pull), Level.WRITE):
            return "blocked"
        sha = pull.head_sha
        statuses: list[Status | CheckRun] = [
            *pull.repo.latest_statuses(sha),
            *pull.repo.latest_checks(sha),
        ]
        return "unstable" if statuses and combined_state(statuses) != "success" else "clean"

    async def up_to_date(self, pull: Pull) -> bool:
        base = pull.repo.branches[pull.base_branch]
        return await pull.repo.git.is_ancestor(base, pull.head_sha)

    async def merge(
        self,
        pull: Pull,
        by: str,
        method: str = "merge",
        sha: str | None = None,
        title: str | None = None,
        message: str | None = None,
    ) -> str:
        """The commit on the base branch. `method`: merge, squash or rebase.

        Administrators pass protections that do not include them, as on GitHub.
        """
        demand(pull.repo, by, Level.WRITE)
        user = self.user(by)
        async with pull.repo.busy:
            await self._take_news(pull.repo, user)
            await self._check_merge(pull, user, method, sha)
            base = pull.repo.branches[pull.base_branch]
            words = _words(pull, method, title, message)
            merged = await self._merge_commit(pull, base, user, method, words)
            if merged is None:
                raise DemoForgeRefused(405, "Pull Request is not mergeable")
            await pull.repo.git.set_ref(f"refs/heads/{pull.base_branch}", merged, base)
            pull.merge_kind = method
            self._mark_merged(pull, user, merged)
            await self._take_news(pull.repo, user)
        return merged

    async def _check_merge(self, pull: Pull, user: User, method: str, sha: str | None) -> None:
        if method not in ("merge", "squash", "rebase"):
            raise invalid("PullRequest", "merge_method", "merge_method is not in the list")
        if not pull.open or pull.draft:
            why = "Pull Request is still a draft" if pull.draft else "Pull Request is not mergeable"
            raise DemoForgeRefused(405, why)
        if sha not in (None, pull.head_sha):
            raise DemoForgeRefused(409, "Head branch was modified. Review and try the merge again.")
        level = pull.repo.level(user.login)
        if blockers := merge_blockers(pull, await self.up_to_date(pull), level):
            raise DemoForgeRefused(405, " ".join(blockers))

    async def _merge_commit(
        self, pull: Pull, base: str, by: User, method: str, words: str
    ) -> str | None:
        git = pull.repo.git
        if method == "rebase" and self.customs.fast_forward:
            return pull.head_sha if await self.up_to_date(pull) else None
        if method == "rebase":
            with tempfile.TemporaryDirectory(dir=self.directory) as scratch:
                return await git.rebase(base, pull.head_sha, Path(scratch) / "tree")
        tree = await git.merge_tree(base, pull.head_sha)
        if tree is None:
            return None
        parents = (base,) if method == "squash" else (base, pull.head_sha)
        author = pull.author if method == "squash" else by
        return await git.commit_tree(tree, parents, words, _person(author))


def _words(pull: Pull, method: str, title: str | None, message: str | None) -> str:
    """The commit's message, as GitHub words it by default."""
    whence = f"{pull.head_owner.login}/{pull.head_branch}"
    merge = f"Merge pull request #{pull.number} from {whence}"
    squash = f"{pull.title} (#{pull.number})"
    subject = title or (squash if method == "squash" else merge)
    body = message if message is not None else (pull.title if method == "merge" else "")
    return f"{subject}\n\n{body}".strip() + "\n"


def _person(user: User) -> Person:
    return Person(user.login, user.email)
