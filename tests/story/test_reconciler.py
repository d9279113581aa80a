"""Webhooks lost, repeated and out of order: in the end everything is as if none had been."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from town import BOT, HOOK_SECRET, REPOSITORY, Town, a_town, resource

from prbot.config.server import ApplyOnMerge
from prbot.demo.hooks import Delivery
from prbot.demo.person import Clone
from prbot.demo.state import Pull
from prbot.model import PullRef, RepoRef
from prbot.runs.run import AskKind, Run


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def founded(town: Town, projects: Sequence[str] = ("app",), **rules: str) -> Clone:
    files = {f"{name}/main.tf": town.backend(name) + resource("web") for name in projects}
    if rules:
        wishes = ", ".join(f"{key}: {value}" for key, value in rules.items())
        files["prbot.yaml"] = f"version: 1\ndefaults: {{{wishes}}}\n"
    return await town.build(files)


async def proposed(town: Town, clone: Clone, project: str = "app", **more: bool) -> Pull:
    await clone.push(project, "Change", {f"{project}/more.tf": resource("more")})
    return await town.forge.open_pull(
        REPOSITORY, head=project, title=project, author="alice", **more
    )


def deaf(town: Town) -> None:
    """From now on no webhook arrives."""
    town.forge.courier.hooks.clear()


async def reconcile(town: Town) -> None:
    assert town.prbot is not None
    assert await town.prbot.service.reconciler.sweep(starting=True)


async def runs_of(town: Town, pull: Pull) -> tuple[Run, ...]:
    assert town.prbot is not None
    ref = PullRef(RepoRef("forge", pull.repo.full_name), pull.number)
    async with town.prbot.store.begin() as unit:
        return await unit.runs.of_pull(ref)


async def ended(town: Town) -> None:
    """Wait until all runs are over and everything they said is written."""
    assert town.prbot is not None

    async def over() -> bool:
        assert town.prbot is not None
        async with town.prbot.store.begin() as unit:
            busy = await unit.deliveries.waiting("forge") or await unit.runs.unfinished()
            return not busy and await unit.outbox.next_due() is None

    await town.comes_true(over)


async def came_earlier(town: Town, by: timedelta) -> None:
    """As if this database had known the repository for so long."""
    assert town.prbot is not None
    statement = text("UPDATE repositories SET seen_at = :at, reconciled_at = :at")
    at = (town.forge.now() - by).strftime("%Y-%m-%d %H:%M:%S.000000")
    async with town.prbot.store.transaction() as db:
        await db.execute(statement.bindparams(at=at))


def applied(town: Town, name: str) -> set[str]:
    """The resources in a project's state."""
    file = town.state_file(name)
    found = json.loads(file.read_text())["resources"] if file.exists() else []
    return {each["name"] for each in found}


# --- one lost webhook each -------------------------------------------------------------------


async def test_opened_while_down(town: Town) -> None:
    """It plans at start what was opened while nobody listened."""
    clone = await founded(town)
    pull = await proposed(town, clone)
    await town.start()
    await town.hears(pull, "terraform_data.more")
    await town.status(pull, "prbot/apply", "success")


async def test_lost_pushes_comments_and_reviews(town: Town) -> None:
    """It finds new commits and comments, and answers each once."""
    clone = await founded(town)
    await town.start()
    pull = await proposed(town, clone)
    await town.hears(pull, "terraform_data.more")
    deaf(town)
    await clone.push("app", "More", {"app/newer.tf": resource("newer")})
    await reconcile(town)
    await town.hears(pull, "terraform_data.newer")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    for _ in range(2):
        await reconcile(town)
    await town.hears(pull, "Applied")
    await ended(town)
    assert len(await runs_of(town, pull)) == 3
    assert applied(town, "app") == {"web", "more", "newer"}


async def test_lost_merge(town: Town) -> None:
    """It applies a reviewed plan although nobody told of the merge."""
    clone = await founded(town)
    await town.start()
    pull = await proposed(town, clone)
    await town.hears(pull, "terraform_data.more")
    deaf(town)
    await town.forge.merge(pull, "bob")
    await reconcile(town)
    body = await town.hears(pull, "Applied")
    assert "`bob`" in body
    assert applied(town, "app") == {"web", "more"}


async def test_lost_close(town: Town) -> None:
    """It drops the plans of what was closed unseen, and plans anew when it is reopened."""
    clone = await founded(town)
    await town.start()
    pull = await proposed(town, clone)
    await town.hears(pull, "terraform_data.more")
    await ended(town)
    deaf(town)
    await town.forge.close(pull, "alice")
    await reconcile(town)
    await ended(town)
    await town.forge.reopen(pull, "alice")
    await reconcile(town)
    await ended(town)
    kinds = [run.ask.kind for run in await runs_of(town, pull)]
    assert kinds == [AskKind.PLAN, AskKind.CLOSE, AskKind.PLAN]


async def test_draft_became_ready_unseen(town: Town) -> None:
    clone = await founded(town)
    await town.start()
    pull = await proposed(town, clone, draft=True)
    await town.status(pull, "prbot/plan", "failure")
    deaf(town)
    await town.forge.ready_for_review(pull, "alice")
    await reconcile(town)
    await town.status(pull, "prbot/plan", "success")


async def test_edited_comment(town: Town) -> None:
    """It does not carry out what a comment did not say when it was written."""
    clone = await founded(town)
    await town.start()
    pull = await proposed(town, clone)
    await town.hears(pull, "terraform_data.more")
    await ended(town)
    deaf(town)
    comment = await town.forge.comment(pull, "alice", "prbot plan")
    comment.created_at -= timedelta(seconds=1)
    await town.forge.edit_comment(comment, "alice", "prbot apply")
    await reconcile(town)
    await ended(town)
    assert len(await runs_of(town, pull)) == 1


# --- history is never applied ----------------------------------------------------------------

ALWAYS = {"apply_on_merge_allowed": frozenset(ApplyOnMerge)}


async def test_merged_before_adoption(town: Town) -> None:
    """It holds what was merged before it came, even where every merge is applied."""
    clone = await founded(town, apply_on_merge="always")
    pull = await proposed(town, clone)
    await town.forge.merge(pull, "bob")
    assert pull.merged_at is not None
    pull.merged_at = pull.closed_at = pull.merged_at - timedelta(seconds=1)
    await town.start(**ALWAYS)
    await town.hears(pull, "too late", "terraform_data.more")
    await town.status(pull, "prbot/apply", "failure")
    await ended(town)
    assert applied(town, "app") == set()


async def test_merged_too_long_ago(town: Town) -> None:
    """It holds a merge that it missed for hours, although its plan was reviewed."""
    clone = await founded(town)
    await town.start()
    pull = await proposed(town, clone)
    await town.hears(pull, "terraform_data.more")
    await ended(town)
    deaf(town)
    await came_earlier(town, timedelta(hours=9))
    await town.forge.merge(pull, "bob")
    assert pull.merged_at is not None
    pull.merged_at = pull.closed_at = pull.merged_at - timedelta(hours=3)
    await reconcile(town)
    await town.hears(pull, "too late")
    await town.status(pull, "prbot/apply", "failure")
    await ended(town)
    assert applied(town, "app") == set()


async def test_late_apply(town: Town) -> None:
    """It asks to say an `apply` again that it found too late."""
    clone = await founded(town)
    await town.start()
    pull = await proposed(town, clone)
    await town.hears(pull, "terraform_data.more")
    await town.forge.review(pull, "bob", "APPROVE")
    await ended(town)
    deaf(town)
    await came_earlier(town, timedelta(hours=2))
    comment = await town.forge.comment(pull, "alice", "prbot apply")
    comment.created_at = comment.updated_at = comment.created_at - timedelta(minutes=31)
    await reconcile(town)
    await town.hears(pull, "Not done", "too old", "say it again")
    await ended(town)
    assert applied(town, "app") == set()


async def test_comment_from_before_adoption(town: Town) -> None:
    """It answers nothing that was said before it came."""
    clone = await founded(town)
    pull = await proposed(town, clone)
    comment = await town.forge.comment(pull, "alice", "prbot help")
    comment.created_at = comment.updated_at = comment.created_at - timedelta(minutes=1)
    await town.start()
    await town.hears(pull, "terraform_data.more")
    await ended(town)
    assert len(await runs_of(town, pull)) == 1


# --- webhooks told twice ---------------------------------------------------------------------


async def test_told_twice_under_other_ids(town: Town) -> None:
    """It starts one run for each thing, however often and under whatever id it is told."""
    clone = await founded(town)
    await town.start()
    assert town.prbot is not None
    town.forge.add_hook(town.door, HOOK_SECRET)
    pull = await proposed(town, clone)
    await town.hears(pull, "terraform_data.more")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied")
    await town.forge.merge(pull, "bob")
    await town.forge.settled()
    await ended(town)
    kinds = [run.ask.kind for run in await runs_of(town, pull)]
    assert kinds == [AskKind.MERGE, AskKind.APPLY, AskKind.PLAN]


# --- all of it together ----------------------------------------------------------------------

Step = Callable[[], Awaitable[object]]
PROJECTS = ("app", "base", "core", "data")


async def lived_through(town: Town, clone: Clone, settle: Callable[[Town], Awaitable[None]]) -> str:
    """A day of four pull requests; after each act `settle` lets its webhooks arrive. Returns
    what there is in the end, without what no two days share."""
    app, base, core, data = pulls = [await proposed(town, clone, name) for name in PROJECTS]
    await settle(town)
    forge = town.forge
    acts: list[list[Step]] = [
        [
            partial(clone.push, "core", "More", {"core/newer.tf": resource("newer")}),
            partial(forge.comment, data, "alice", "prbot plan"),
            partial(forge.comment, base, "alice", "what a fine plan"),
        ],
        [partial(forge.review, pull, "bob", "APPROVE") for pull in pulls],
        [
            partial(forge.comment, app, "alice", "prbot apply"),
            partial(forge.comment, base, "carol", "prbot apply"),
            partial(forge.comment, core, "bob", "prbot apply"),
        ],
        [
            partial(forge.merge, app, "bob"),
            partial(forge.merge, base, "bob"),
            partial(forge.close, data, "alice"),
            partial(forge.close, core, "alice"),
        ],
        [
            partial(forge.reopen, data, "alice"),
            partial(forge.comment, core, "bob", "prbot unlock"),
        ],
    ]
    for act in acts:
        for step in act:
            await step()
        await settle(town)
    return "\n".join(
        [*map(aftermath, pulls), *(f"{n}: {sorted(applied(town, n))}" for n in PROJECTS)]
    )


def aftermath(pull: Pull) -> str:
    """The bot's comments in any order, the checks of the head, and the eyes."""
    said = sorted(neutral(c.body) for c in pull.comments if c.user.login == BOT)
    checks = [
        f"{status.context}: {status.state}, {status.description}"
        for status in pull.repo.latest_statuses(pull.head_sha)
    ]
    eyes = sum(len(comment.reactions) for comment in pull.comments)
    return "\n".join([pull.label, *said, *sorted(checks), f"eyes: {eyes}"])


def neutral(body: str) -> str:
    """Without ids, commits and times."""
    body = re.sub(r"<!--.*?-->|\b[pr]-[0-9a-f]{6,12}\b|\b[0-9a-f]{7,64}\b", "…", body)
    return re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?|\b\d+(\.\d+)? ?m?s\b", "…", body)


async def undisturbed(town: Town) -> None:
    await town.forge.settled()
    await ended(town)


class Disturbed:
    """Every third webhook is dropped, every fifth sent twice, all are shuffled."""

    def __init__(self, seed: int) -> None:
        self._order = random.Random(seed)  # noqa: S311 - a shuffle that can be repeated
        self._count = 0

    def _spoil(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        kept: list[Delivery] = []
        for delivery in deliveries:
            self._count += 1
            if self._count % 3:
                kept += [delivery] * (1 if self._count % 5 else 2)
        self._order.shuffle(kept)
        return kept

    async def __call__(self, town: Town) -> None:
        town.forge.courier.release(self._spoil)
        await town.forge.settled()
        await reconcile(town)
        await ended(town)
        town.forge.courier.hold()


@pytest.mark.parametrize("seed", [1])
async def test_lost_repeated_shuffled(
    town: Town, tmp_path: Path, forge_kind: str, seed: int
) -> None:
    """It ends with the same comments, checks and states as a day without mishaps."""
    (tmp_path / "other").mkdir()
    async with a_town(tmp_path / "other", forge_kind) as other:
        clones = [await founded(each, PROJECTS) for each in (town, other)]
        for each in (town, other):
            await each.start()
        other.forge.courier.hold()
        quiet, spoilt = await asyncio.gather(
            lived_through(town, clones[0], undisturbed),
            lived_through(other, clones[1], Disturbed(seed)),
        )
    assert "Applied" in quiet
    assert spoilt == quiet
