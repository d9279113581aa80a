"""Merges that GitLab makes by itself: when a pipeline has ended well, and in a merge train.

https://docs.gitlab.com/user/project/merge_requests/auto_merge/ and
https://docs.gitlab.com/ci/pipelines/merge_trains/. A push ends both. Trains are of one merge
request here. The jobs of their pipelines end when a test says so; statuses from outside are jobs
of it, too. GitHub's half has none of it.
"""

from __future__ import annotations

from prbot.demo.accounts import Accounts
from prbot.demo.git import Person
from prbot.demo.state import MergeToCome, Pull, Repository, Status, User
from prbot.errors.demo import DemoForgeRefused

TRAIN = Person("train", "train@forge.invalid")


def pipeline_runs(pull: Pull) -> bool:
    """What the branch requires has begun, has not failed, and is not all there."""
    protection = pull.repo.protections.get(pull.base_branch)
    states = {s.context: s.state for s in pull.repo.latest_statuses(pull.head_sha)}
    wanted = (
        {states.get(name, "missing") for name in protection.required_checks}
        if protection
        else set()
    )
    return bool(wanted & {"pending", "running"}) and wanted <= {"pending", "running", "success"}


class Trains(Accounts):
    async def set_status(
        self,
        repo: Repository,
        sha: str,
        by: str,
        state: str,
        context: str = "default",
        description: str | None = None,
        target_url: str | None = None,
    ) -> Status:
        status = await super().set_status(repo, sha, by, state, context, description, target_url)
        for pull in repo.pulls.values():
            if pull.train == sha:
                await self._settle(pull)
            elif pull.train is None and pull.head_sha == sha and not pipeline_runs(pull):
                await self._carry_out(pull, pull.to_come)
        return status

    def merge_by_itself(self, pull: Pull, to_come: MergeToCome) -> None:
        """When the pipeline that runs has ended well."""
        pull.to_come = to_come
        self.changes.tell()

    async def _carry_out(self, pull: Pull, to_come: MergeToCome | None) -> None:
        if to_come is None:
            return
        pull.to_come = None
        try:
            if to_come.head != pull.head_sha:
                return
            if to_come.by_train:
                await self.board(pull, to_come)
            else:
                await self._merge(pull, to_come)
        except DemoForgeRefused:  # it failed, or something else came into the way
            return

    async def board(self, pull: Pull, to_come: MergeToCome) -> None:
        """A commit of the base branch and the head, in a ref of the merge request's own."""
        repo = pull.repo
        base = repo.branches[pull.base_branch]
        tree = await repo.git.merge_tree(base, pull.head_sha)
        if tree is None:
            raise DemoForgeRefused(400, "Failed to merge")
        commit = await repo.git.commit_tree(tree, (base, pull.head_sha), "Train\n", TRAIN)
        await repo.git.set_ref(f"refs/merge-requests/{pull.number}/train", commit)
        pull.train, pull.train_green, pull.to_come = commit, False, to_come
        repo.newest_pipeline[commit] = 0
        for state in ("pending", "running"):
            await self._tell_train(pull, commit, state)
        self.changes.tell()

    async def end_train(self, pull: Pull, *, good: bool) -> None:
        """The jobs of its pipeline ended; what is set from outside may still run."""
        pull.train_green = good
        await (self._settle(pull) if good else self._leave(pull, "failed"))

    async def drop_train(self, pull: Pull) -> None:
        """Somebody takes the merge request off the train, which cancels what runs."""
        if pull.train is not None:
            states = {s.context: s for s in pull.repo.latest_statuses(pull.train)}
            for status in states.values():
                status.state = "error" if status.state in ("pending", "running") else status.state
        await self._leave(pull, "canceled")

    async def _move_head(self, pull: Pull, after: str, pusher: User) -> None:
        await super()._move_head(pull, after, pusher)
        if pull.train is not None:
            await self.drop_train(pull)

    async def _settle(self, pull: Pull) -> None:
        """With a pipeline that has ended the merge request is merged, or dropped."""
        states = {s.state for s in pull.repo.latest_statuses(pull.train or "")}
        if not pull.train_green or states & {"pending", "running"}:
            return
        await self._leave(pull, "failed" if states & {"failure", "error"} else "success")

    async def _leave(self, pull: Pull, state: str) -> None:
        to_come, pull.to_come = pull.to_come, None
        commit, pull.train = pull.train, None
        if commit is not None:
            await self._tell_train(pull, commit, state)
        if state == "success" and to_come is not None and to_come.head == pull.head_sha:
            await self._merge(pull, to_come)
        self.changes.tell()

    async def _tell_train(self, pull: Pull, commit: str, state: str) -> None:
        self.news.pipeline(pull, await pull.repo.git.commit(commit), state)

    async def _merge(self, pull: Pull, to_come: MergeToCome) -> None:
        await self.merge(pull, to_come.by, to_come.method)
        if pull.remove_branch:
            await self.delete_branch(pull.repo.full_name, pull.head_branch, to_come.by)
