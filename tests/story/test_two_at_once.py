"""Two people, two pull requests, two pushes: each project is one person's at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import pytest
from town import REPOSITORY, Town, resource

from prbot.demo.person import Clone
from prbot.demo.state import Pull


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def founded(town: Town) -> Clone:
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start()
    return clone


async def proposed(town: Town, clone: Clone, branch: str, **more: bool) -> Pull:
    """A pull request that adds one resource, called as its branch, to the one project."""
    await clone.push(branch, "Change", {f"app/{branch}.tf": resource(branch)})
    return await town.forge.open_pull(REPOSITORY, head=branch, title=branch, author="alice", **more)


async def planned(town: Town, clone: Clone, branch: str) -> Pull:
    pull = await proposed(town, clone, branch)
    await town.hears(pull, f"terraform_data.{branch}")
    return pull


async def approved_again(town: Town, pull: Pull, applied: Pull) -> str:
    """Another pull request's apply made another plan here, which voids the approval; the plan."""
    again = await town.hears(
        pull, f"Planned again, because {town.forge.customs.word}", f"{applied.number}"
    )
    await town.forge.review(pull, "bob", "APPROVE")
    return again


async def test_second_pull_request_waits_its_turn(town: Town) -> None:
    """It is planned again after another one's apply, waits while that one holds the project, and
    goes on by itself after its merge."""
    clone = await founded(town)
    first = await planned(town, clone, "first")
    second = await planned(town, clone, "second")
    for pull in (first, second):
        await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(first, "alice", "prbot apply")
    await town.hears(first, "Applied")
    again = await approved_again(town, second, first)
    assert "terraform_data.first" in again  # this branch does not have it, and would destroy it
    await town.forge.comment(second, "alice", "prbot apply")
    await town.hears(second, "Waiting", town.named(first))
    await town.forge.merge(first, "bob")
    await town.status(first, "prbot/apply", "success")
    await town.hears(second, "Held", "changed")  # its plan was made before the first one
    await town.forge.comment(second, "alice", "prbot plan")
    await town.hears(second, "terraform_data.second")
    await town.forge.review(second, "bob", "APPROVE")
    await town.forge.comment(second, "alice", "prbot apply")
    await town.hears(second, "Applied")
    state = await asyncio.to_thread(town.state_file("app").read_text)
    assert all(f'"{name}"' in state for name in ("web", "first", "second"))


async def test_two_pull_requests_race(town: Town) -> None:
    """It applies one of two that are approved and asked for at the same moment; the other one
    waits, and is held then, because what it would do is not what was reviewed."""
    clone = await founded(town)
    pulls = [await planned(town, clone, branch) for branch in ("first", "second")]
    for pull in pulls:
        await town.forge.review(pull, "bob", "APPROVE")
    await asyncio.gather(*(town.forge.comment(pull, "alice", "prbot apply") for pull in pulls))

    def one_is_done() -> list[Pull]:
        return [p for p in pulls if any("Applied: 1 of 1" in c.body for c in town.said(p))]

    (winner,) = await town.forge.wait_for(one_is_done, 60)
    (loser,) = (pull for pull in pulls if pull is not winner)
    await town.hears(loser, "Waiting", town.named(winner))
    await town.forge.merge(winner, "bob")
    await town.hears(loser, "Held", "changed")
    lines = [line for pull in pulls for line in await town.journal(pull)]
    assert sum(line.action == "apply intended" for line in lines) == 1
    state = await asyncio.to_thread(town.state_file("app").read_text)
    assert [f'"{pull.title}"' in state for pull in (winner, loser)] == [True, False]


async def test_two_applies_at_once(town: Town) -> None:
    """It applies once when two people say so in the same second."""
    clone = await founded(town)
    pull = await planned(town, clone, "topic")
    await town.forge.review(pull, "bob", "APPROVE")
    for login in ("alice", "bob"):
        await town.forge.comment(pull, login, "prbot apply")
    applied = await town.reads(pull, lambda body: "Applied: 1 of 1" in body)
    winner, loser = ("alice", "bob") if "`alice`" in applied else ("bob", "alice")
    await town.reads(pull, lambda body: "Not done" in body and f"`{loser}`" in body)
    assert f"`{winner}`" in applied
    journal = await town.journal(pull)
    assert sum(entry.action == "apply intended" for entry in journal) == 1


async def test_push_while_planning(town: Town) -> None:
    """It ends the older commit's checks as superseded, and reports the newer one."""
    clone = await founded(town)
    pull = await proposed(town, clone, "topic")
    old = pull.head_sha
    await clone.push("topic", "More", {"app/newer.tf": resource("newer")})
    await town.hears(pull, "terraform_data.newer")
    assert "superseded" in await town.status(pull, "prbot/plan", "failure", sha=old)
    assert "superseded" in await town.status(pull, "prbot/apply", "failure", sha=old)
    await town.status(pull, "prbot/plan", "success")


async def test_same_content_edits_the_comment(town: Town) -> None:
    """It edits its comment when a push brings the same plan, and begins one when asked."""
    clone = await founded(town)
    pull = await planned(town, clone, "topic")
    await clone.push("topic", "Words", {"README.md": "Hello.\n"})
    head = await town.forge.wait_for(lambda: pull.head_sha, 5)
    await town.reads(pull, lambda body: f"`{pull.head_sha[:7]}`" in body)
    assert head == pull.head_sha
    assert len(town.said(pull)) == 1
    await town.forge.comment(pull, "alice", "prbot plan")
    await town.hears(pull, "terraform_data.topic")
    assert len(town.said(pull)) == 2


async def test_draft(town: Town) -> None:
    """It leaves a draft alone, plans it on comment, never applies it, and plans it when ready."""
    clone = await founded(town)
    pull = await proposed(town, clone, "topic", draft=True)
    assert "draft" in await town.status(pull, "prbot/plan", "failure")
    assert town.said(pull) == []
    await town.forge.comment(pull, "alice", "prbot plan")
    await town.hears(pull, "terraform_data.topic")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Not done", "draft")
    await town.forge.ready_for_review(pull, "alice")
    await town.status(pull, "prbot/plan", "success")


async def test_closed_after_an_apply(town: Town) -> None:
    """It keeps the hold, says so loudly, also in an issue, and lets a person end it."""
    clone = await founded(town)
    pull = await planned(town, clone, "topic")
    other = await planned(town, clone, "other")
    for each in (pull, other):
        await town.forge.review(each, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied")
    await approved_again(town, other, pull)
    await town.forge.close(pull, "alice")
    await town.hears(pull, "without", "@alice")
    issue = await town.forge.wait_for(lambda: next(iter(pull.repo.issues.values()), None))
    assert (issue.open, issue.title, issue.labels) == (
        True,
        f"Applied, but not merged: {town.titled(pull)}",
        ("prbot",),
    )
    assert all(word in issue.body for word in ("@alice", "`app`", "`prbot unlock`"))
    await town.forge.comment(other, "alice", "prbot apply")
    await town.hears(other, "Waiting", town.named(pull))
    await town.forge.comment(pull, "bob", "prbot unlock")
    await town.hears(pull, "app")
    await town.forge.wait_for(lambda: not issue.open)
    assert "`bob` let go" in issue.body
    await town.hears(other, "Applied")  # as it was approved: what is in no branch is destroyed


async def test_cancel_a_wait(town: Town) -> None:
    """It gives up waiting when somebody says so."""
    clone = await founded(town)
    first, second = await planned(town, clone, "first"), await planned(town, clone, "second")
    for pull in (first, second):
        await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(first, "alice", "prbot apply")
    await town.hears(first, "Applied")
    await approved_again(town, second, first)
    await town.forge.comment(second, "alice", "prbot apply")
    await town.hears(second, "Waiting")
    await town.forge.comment(second, "bob", "prbot cancel")
    await town.hears(second, "Cancelled")
    await town.forge.merge(first, "bob")
    await town.status(first, "prbot/apply", "success")
    await town.forge.comment(second, "bob", "prbot help")
    await town.hears(second, "understands")
    assert not any("Held" in comment.body for comment in town.said(second))


async def test_a_push_stops_the_running_plan(town: Town) -> None:
    """It interrupts a plan of an older commit; only the newer one is reported."""
    gate = town.directory / "gate"
    os.mkfifo(gate)
    clone = await founded(town)
    slow = f'resource "terraform_data" "slow" {{\n  input = file("{gate}")\n}}\n'
    await clone.push("topic", "Slow", {"app/slow.tf": slow})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="topic", author="alice")
    await town.working(pull)
    await clone.push("topic", "Quick", {"app/slow.tf": resource("quick")})
    await town.hears(pull, "terraform_data.quick")
    assert len(town.said(pull)) == 1


async def test_cancel_a_running_plan(town: Town) -> None:
    """It interrupts a running plan on command, and tells that it was cancelled."""
    gate = town.directory / "gate"
    os.mkfifo(gate)
    clone = await founded(town)
    slow = f'resource "terraform_data" "slow" {{\n  input = file("{gate}")\n}}\n'
    await clone.push("topic", "Slow", {"app/slow.tf": slow})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="topic", author="alice")
    await town.working(pull)
    await town.forge.comment(pull, "bob", "prbot cancel")
    await town.reads(pull, lambda body: body.startswith("## Cancelled: 1 project"))
    await town.reads(pull, lambda body: "Cancelled by bob" in body)
    await town.status(pull, "prbot/plan", "failure")
