"""What follows when branches move: push events, pull requests that move along.

Whoever moves a branch (git over HTTP, a merge, a test writing to the bare directory)
calls `refresh`, which compares git's branches with those last seen.
"""

from __future__ import annotations

from prbot.demo.checks import Checks
from prbot.demo.git import ABSENT
from prbot.demo.payloads import COMMITS_IN_A_PUSH, PushedCommit
from prbot.demo.rules import demand
from prbot.demo.state import Level, Pull, Repository, User
from prbot.errors.demo import DemoForgeRefused

Moved = dict[str, tuple[str, str]]
"""Branch -> (before, after), with ABSENT for `did not exist`."""


class Branches(Checks):
    async def refresh(self, full_name: str, by: str | None = None) -> None:
        """Notice moved, new and deleted branches; `by` (default: the owner) pushed them."""
        repo = self.repository(full_name)
        async with repo.busy:
            await self._take_news(repo, self.user(by) if by else repo.owner)

    async def delete_branch(self, full_name: str, name: str, by: str) -> None:
        """The words are GitHub's; open pull requests from there are closed."""
        repo, user = self.repository(full_name), self.user(by)
        demand(repo, by, Level.WRITE)
        async with repo.busy:
            await self._take_news(repo, user)
            if name not in repo.branches:
                raise DemoForgeRefused(422, "Reference does not exist")
            if name == repo.default_branch or name in repo.protections:
                raise DemoForgeRefused(422, "Cannot delete this branch")
            await repo.git.delete_ref(f"refs/heads/{name}")
            await self._take_news(repo, user)

    async def _take_news(self, repo: Repository, pusher: User) -> None:
        seen, repo.branches = repo.branches, await repo.git.branches()
        names = sorted(seen.keys() | repo.branches.keys())
        pairs = {name: (seen.get(name, ABSENT), repo.branches.get(name, ABSENT)) for name in names}
        moved = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        for name, (before, after) in moved.items():
            await self._tell_push(repo, name, before, after, pusher)
        for pull in self._open_pulls():
            if pull.head_repo is repo and pull.head_branch in moved:
                await self._move_head(pull, moved[pull.head_branch][1], pusher)
            if pull.open and pull.repo is repo and pull.base_branch in moved:
                await self._move_base(pull, moved[pull.base_branch][1], pusher)

    def _open_pulls(self) -> list[Pull]:
        pulls = (pull for repo in self.repositories.values() for pull in repo.pulls.values())
        return [pull for pull in pulls if pull.open]

    async def _tell_push(
        self, repo: Repository, branch: str, before: str, after: str, pusher: User
    ) -> None:
        repo.pushed_at = self.now()
        commits = await self._pushed_commits(repo, before, after)
        known = ABSENT not in (before, after)
        forced = known and not await repo.git.is_ancestor(before, after)
        self.news.push(repo, branch, (before, after), commits, forced, pusher)
        self.changes.tell()

    async def _pushed_commits(
        self, repo: Repository, before: str, after: str
    ) -> tuple[PushedCommit, ...]:
        if after == ABSENT:
            return ()
        since = before if before != ABSENT else repo.branches.get(repo.default_branch, ABSENT)
        known = () if since in (ABSENT, after) else (f"^{since}",)
        commits = await repo.git.commits("--first-parent", f"-{COMMITS_IN_A_PUSH}", after, *known)
        return tuple(
            [(c, await repo.git.files(c.parents[0], c.sha) if c.parents else ()) for c in commits]
        )

    async def _move_head(self, pull: Pull, after: str, pusher: User) -> None:
        if after == ABSENT:
            pull.closed_at = self.now()
            self.notify_pull("closed", pull, pusher)
            return
        before = pull.head_sha
        await self._set_head(pull, after)
        self._dismiss_stale(pull, pusher)
        self.notify_pull("synchronize", pull, pusher, before=before, after=after)

    async def _set_head(self, pull: Pull, sha: str) -> None:
        """Record the head, its ref, its commits and its diff against the base branch."""
        if pull.head_repo is not None and pull.head_repo is not pull.repo:
            await pull.repo.git.bring(pull.head_repo.git.path, pull.head_branch)
        await pull.repo.git.set_ref(f"{self.customs.pull_ref.format(pull.number)}/head", sha)
        pull.head_sha = sha
        pull.base_sha = pull.repo.branches[pull.base_branch]
        await self._measure(pull)

    async def _measure(self, pull: Pull) -> None:
        repo, base = pull.repo, pull.base_sha
        fork_point = await repo.git.merge_base(base, pull.head_sha) or base
        pull.heads.append((pull.head_sha, fork_point, self.now()))
        pull.commits = await repo.git.commits(f"{base}..{pull.head_sha}")
        own = pull.commits[-1:] or await repo.git.commits("-1", pull.head_sha)
        pull.head_commit = own[-1]
        pull.files = await repo.git.files(fork_point, pull.head_sha)
        self._forget_mergeability(pull)

    def _forget_mergeability(self, pull: Pull) -> None:
        pull.mergeable, pull.test_merge = None, None
        pull.unknown_reads = self.reads_until_mergeable

    def _dismiss_stale(self, pull: Pull, pusher: User) -> None:
        protection = pull.repo.protections.get(pull.base_branch)
        if protection is not None and protection.dismiss_stale:
            for review in pull.reviews:
                if review.state == "APPROVED":
                    self._dismiss(review, pusher)

    async def _move_base(self, pull: Pull, after: str, pusher: User) -> None:
        """A head that its base branch now contains was merged by a push."""
        if after == ABSENT:
            pull.closed_at = self.now()
            self.notify_pull("closed", pull, pusher)
        elif await pull.repo.git.is_ancestor(pull.head_sha, after):
            self._mark_merged(pull, pusher, after)
        else:
            self._forget_mergeability(pull)

    def _mark_merged(self, pull: Pull, by: User, sha: str) -> None:
        pull.merged_at = pull.closed_at = self.now()
        pull.merged_by, pull.merge_sha = by, sha
        pull.mergeable = None
        self.notify_pull("closed", pull, by)
