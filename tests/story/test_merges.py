"""Merged pull requests: applied in the order of the branch, whoever merged them, or held."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable

import pytest
from town import REPOSITORY, Town, resource

from prbot.config.server import ApplyOnMerge
from prbot.demo.person import Clone
from prbot.demo.state import Pull


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


ALWAYS = {"apply_on_merge_allowed": frozenset(ApplyOnMerge)}


async def founded(town: Town, apply_on_merge: str = "", **changes: object) -> Clone:
    """One project `app` with nothing applied yet but what a pull request brings; `changes` of
    the server's file."""
    wish = f"version: 1\ndefaults: {{apply_on_merge: {apply_on_merge}}}\n"
    rules = {"prbot.yaml": wish} if apply_on_merge else {}
    clone = await town.build({"app/main.tf": town.backend("app"), **rules})
    await town.start(**changes)
    return clone


async def planned(town: Town, clone: Clone, branch: str) -> Pull:
    """A pull request that adds one resource, called as its branch, and its plan's comment."""
    await clone.push(branch, "Change", {f"app/{branch}.tf": resource(branch)})
    pull = await town.forge.open_pull(REPOSITORY, head=branch, title=branch, author="alice")
    await town.hears(pull, f"terraform_data.{branch}")
    return pull


async def state_of(town: Town, project: str = "app") -> list[str]:
    """The resources that Terraform's state holds, by name."""
    text = await asyncio.to_thread(town.state_file(project).read_text)
    return sorted(each["name"] for each in json.loads(text)["resources"])


async def applies(town: Town, pull: Pull) -> int:
    return sum(line.action == "apply intended" for line in await town.journal(pull))


async def test_each_way_to_merge(town: Town) -> None:
    """It applies what was reviewed after a merge commit, a squash and a rebase, at the commit
    that each of them made."""
    clone = await founded(town)
    for number, method in enumerate(("merge", "squash", "rebase"), start=1):
        pull = await planned(town, clone, method)
        commit = await town.forge.merge(pull, "bob", method)
        await town.hears(pull, "Applied on merge: 1 of 1", "merged by `bob`")
        await town.status(pull, "prbot/apply", "success")
        assert len(await state_of(town)) == number
        assert commit == pull.merge_sha
        assert await applies(town, pull) == 1


async def test_two_merges_in_a_row(town: Town) -> None:
    """It applies the earlier one first. The later one, reviewed without the earlier one's code,
    waits for it, and is shown to people before it is applied too."""
    clone = await founded(town)
    first, second = [await planned(town, clone, branch) for branch in ("first", "second")]
    town.forge.courier.hold()
    await town.forge.merge(first, "bob", "squash")
    await town.forge.merge(second, "bob", "squash")
    town.forge.courier.release()
    await town.hears(first, "Applied on merge: 1 of 1")
    await town.hears(second, "Held", "configuration of terraform_data.first changed")
    waited = [c.body for c in town.said(second) if "merged before this one" in c.body]
    assert len(waited) == 1
    await town.forge.comment(second, "bob", "prbot apply --accept-changes")
    await town.hears(second, "Applied: 1 of 1")
    assert await state_of(town) == ["first", "second"]
    assert [await applies(town, pull) for pull in (first, second)] == [1, 1]


async def test_every_merge_is_applied(town: Town) -> None:
    """It applies, where the repository may and does say `always`, a merge that does something
    else than what was reviewed. What nobody saw a plan of it holds there too."""
    clone = await founded(town, apply_on_merge="always", **ALWAYS)
    first, second = [await planned(town, clone, branch) for branch in ("first", "second")]
    town.forge.courier.hold()  # the second is merged before it could be planned again
    await town.forge.merge(first, "bob")
    await town.forge.merge(second, "bob")
    town.forge.courier.release()
    await town.hears(first, "Applied on merge: 1 of 1")
    await town.hears(second, "Applied on merge: 1 of 1")
    assert await state_of(town) == ["first", "second"]
    await clone.push("draft", "Change", {"app/draft.tf": resource("draft")})
    unseen = await town.forge.open_pull(
        REPOSITORY, head="draft", title="draft", author="alice", draft=True
    )
    await town.status(unseen, "prbot/plan", "failure")  # a draft is not planned
    unseen.draft = False
    await town.forge.merge(unseen, "bob")  # an administrator, past the checks
    await town.hears(unseen, "Held", "no plan of the merged head was reviewed")
    assert await state_of(town) == ["first", "second"]
    assert [await applies(town, one) for one in (first, second, unseen)] == [1, 1, 0]


async def test_told_of_in_the_wrong_order(town: Town) -> None:
    """It never takes a later merge back for an earlier one of which it hears too late: either
    both are applied, or people are asked."""
    clone = await founded(town)
    first, second = [await planned(town, clone, branch) for branch in ("first", "second")]
    town.forge.courier.lose_next(town.news_of_pulls)
    await town.forge.merge(first, "bob")
    await town.forge.merge(second, "bob")
    await town.hears(second, "Held")
    await town.forge.comment(second, "bob", "prbot apply --accept-changes")
    await town.hears(second, "Applied: 1 of 1")
    lost = next(d for d in town.forge.deliveries if d.lost)
    town.forge.redeliver(lost.id)
    await town.hears(first, f"Settled by {town.named(second)}", "`app`")
    await town.status(first, "prbot/apply", "success")
    assert await state_of(town) == ["first", "second"]
    assert await applies(town, first) == 0


async def test_behind(town: Town) -> None:
    """It tells later plans what they include of a held merge, and settles that with them."""
    clone = await founded(town)
    await clone.push("held", "Change", {"app/held.tf": resource("held")})
    held = await town.forge.open_pull(
        REPOSITORY, head="held", title="held", author="alice", draft=True
    )
    await town.status(held, "prbot/plan", "failure")  # a draft is not planned
    held.draft = False
    await town.forge.merge(held, "bob")  # an administrator, past the checks
    await town.hears(held, "Held", "no plan", "@bob")
    later = await planned(town, clone, "later")
    (told,) = [c.body for c in town.said(later)]
    assert f"**Includes unapplied {town.named(held)}**" in told
    assert "terraform_data.held" in told
    await town.forge.merge(later, "bob")
    await town.hears(later, "Applied on merge: 1 of 1")
    await town.hears(held, f"Settled by {town.named(later)}", "`app`")
    await town.status(held, "prbot/apply", "success")
    assert await state_of(town) == ["held", "later"]
    await town.forge.comment(held, "bob", "prbot apply --accept-changes")
    await town.hears(held, "Not done")
    assert await applies(town, held) == 0
    after = await planned(town, clone, "after")
    assert all("Includes unapplied" not in comment.body for comment in town.said(after))


async def test_merged_fork(town: Town) -> None:
    """It plans what came from a fork when it is merged, and applies it when somebody with the
    right to has read that plan."""
    await founded(town)
    fork = await town.forge.fork(REPOSITORY, "carol")
    stranger = await Clone.of(town.forge, fork.full_name, "carol", town.directory / "fork")
    await stranger.push("topic", "From a fork", {"app/forked.tf": resource("forked")})
    pull = await town.forge.open_pull(
        REPOSITORY, head="carol:topic", title="From a fork", author="carol"
    )
    await town.hears(pull, "fork")
    await town.forge.merge(pull, "bob")  # an administrator, past the checks
    told = await town.hears(pull, "Held", "the head branch lay in a fork", "@carol @bob")
    assert "terraform_data.forked" in told
    assert not town.state_file("app").exists()
    await town.forge.comment(pull, "carol", "prbot apply --accept-changes")
    await town.hears(pull, "Not done", "needs write access")
    await town.forge.comment(pull, "bob", "prbot apply --accept-changes")
    await town.hears(pull, "Applied: 1 of 1")
    assert await state_of(town) == ["forked"]
    assert await applies(town, pull) == 1


async def test_merged_while_it_is_planned(town: Town) -> None:
    """It stops that plan, and holds what nobody could have seen: the head that was pushed after
    the review is not the reviewed one."""
    clone = await founded(town)
    pull = await planned(town, clone, "topic")
    gate = town.directory / "gate"
    os.mkfifo(gate)
    slow = f'resource "terraform_data" "slow" {{\n  input = file("{gate}")\n}}\n'
    await clone.push("topic", "More", {"app/slow.tf": slow})
    await town.working(pull)
    town.forge.courier.hold()
    await town.forge.merge(pull, "bob")  # nobody waited for the plan of what was pushed
    gate.unlink()
    gate.write_text("slow")  # the plan of the merge commit is not to hang as that one does
    town.forge.courier.release()
    await town.hears(pull, "Held", "no plan of the merged head was reviewed", "@alice @bob")
    assert await applies(town, pull) == 0
    # an interrupted plan may leave the empty file that the tool makes to lock the state
    path = town.state_file("app")
    assert not path.exists() or await asyncio.to_thread(path.read_bytes) == b""
