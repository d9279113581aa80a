"""Days go by: what was planned last week is not applied any more, and holds nobody up."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from town import REPOSITORY, Town, resource

from prbot.app import compose
from prbot.config.server import Limits
from prbot.demo.person import Clone
from prbot.demo.state import Pull
from prbot.model import RepoRef

WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


class Calendar(compose.SystemClock):
    """The system's clock, some days ahead."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + type(self).ahead


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> type[Calendar]:
    monkeypatch.setattr(Calendar, "ahead", timedelta(0))
    monkeypatch.setattr(compose, "SystemClock", Calendar)
    return Calendar


async def days_later(town: Town, calendar: type[Calendar]) -> None:
    """A week later, for prbot alone, it looks at its plans."""
    assert town.prbot is not None
    calendar.ahead = WEEK + timedelta(minutes=1)
    await town.prbot.service.expiry.sweep()


async def holders(town: Town) -> list[int]:
    """The pull requests that hold something."""
    assert town.prbot is not None
    async with town.prbot.store.begin() as unit:
        locks = await unit.locks.of_repo(RepoRef("forge", REPOSITORY))
    return [lock.holder.number for lock in locks]


async def planned(town: Town, clone: Clone, branch: str) -> Pull:
    await clone.push(branch, "Change", {f"app/{branch}.tf": resource(branch)})
    pull = await town.forge.open_pull(REPOSITORY, head=branch, title=branch, author="alice")
    await town.hears(pull, f"terraform_data.{branch}")
    await town.forge.review(pull, "bob", "APPROVE")
    return pull


async def test_a_plan_expires_by_itself(town: Town, calendar: type[Calendar]) -> None:
    """It says so, turns the checks red, and on `apply` plans again and applies what is equal."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start()
    pull = await planned(town, clone, "topic")
    await days_later(town, calendar)
    assert "`app`" in await town.hears(pull, "Expired: 1 plan", "7 days", "prbot plan")
    for check in ("prbot/plan", "prbot/apply"):
        assert "expired" in await town.status(pull, check, "failure")
    artifacts = (town.directory / "prbot" / "artifacts").iterdir()
    assert not any(path.name.endswith(".tfplan") for path in artifacts)
    calendar.ahead = timedelta(0)  # the forge's clock never moved, and its comments are of today
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied: 1 of 1")
    actions = [line.action for line in await town.journal(pull)]
    assert actions.count("plan job running->planned") == 2


async def test_a_hold_that_nothing_was_applied_under(town: Town, calendar: type[Calendar]) -> None:
    """It frees the project with the plan, and who waits for it goes on by itself."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start()
    first = await planned(town, clone, "first")
    second = await planned(town, clone, "second")
    files = list((town.directory / "prbot" / "artifacts").iterdir())
    kept = {path: path.read_bytes() for path in files}
    await asyncio.to_thread(shutil.rmtree, town.directory / "prbot" / "artifacts")
    await town.forge.comment(first, "alice", "prbot apply")  # takes the lock, and cannot begin
    await town.hears(first, "no longer stored")
    files[0].parent.mkdir(exist_ok=True)  # what prbot writes meanwhile makes it too
    for path, data in kept.items():
        path.write_bytes(data)
    await town.forge.comment(second, "alice", "prbot apply")
    await town.hears(second, "Waiting", town.named(first))
    await days_later(town, calendar)
    await town.hears(first, "Expired: 1 plan", "7 days", f"Other {town.word}s may apply again")
    await town.hears(second, "Applied: 1 of 1")
    assert await holders(town) == [second.number]
    assert not any("Expired" in comment.body for comment in town.said(second))


async def test_a_hold_under_which_something_was_applied(
    town: Town, calendar: type[Calendar]
) -> None:
    """It forgets the newer plan, and keeps the project until the merge."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start()
    first = await planned(town, clone, "first")
    second = await planned(town, clone, "second")
    await town.forge.comment(first, "alice", "prbot apply")
    await town.hears(first, "Applied")
    await town.hears(second, "Planned again")  # another plan, to be approved anew
    await town.forge.review(second, "bob", "APPROVE")
    await clone.push("first", "More", {"app/more.tf": resource("more")})
    await town.hears(first, "terraform_data.more")
    await town.forge.comment(second, "alice", "prbot apply")
    await town.hears(second, "Waiting", town.named(first))
    await days_later(town, calendar)
    assert f"Other {town.word}s" not in await town.hears(first, "Expired: 1 plan")
    assert await holders(town) == [first.number]
    assert len(town.said(second)) == 3  # its plans, and that it waits


async def test_an_apply_that_ran_out_of_time(town: Town) -> None:
    """It keeps its project: nobody knows what it did before it was stopped."""
    gate = town.directory / "gate"
    os.mkfifo(gate)
    slow = (
        'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n'
        f'    command = "cat {gate}"\n  }}\n}}\n'
    )
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start(limits=Limits(grace=1, job_timeout=10))
    await clone.push("slow", "Change", {"app/slow.tf": slow})
    first = await town.forge.open_pull(REPOSITORY, head="slow", title="slow", author="alice")
    await town.hears(first, "terraform_data.slow")
    await town.forge.review(first, "bob", "APPROVE")
    second = await planned(town, clone, "second")
    await town.forge.comment(first, "alice", "prbot apply")
    await town.hears(first, "Applied: 0 of 1")
    assert await holders(town) == [first.number]
    await town.forge.comment(second, "alice", "prbot apply")
    await town.hears(second, "Waiting", town.named(first))
