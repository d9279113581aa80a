"""Plans that became too old, as the tables tell it, and two processes that see it at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import text

from prbot.adapters.artifacts import EncryptedFiles
from prbot.adapters.store import SqlStore
from prbot.config.per_repository import RepositoryBounds
from prbot.config.repo import Effective
from prbot.config.server import ApplyOnMerge
from prbot.config.stages import OWN
from prbot.engine.alarm import Alarm
from prbot.engine.expiry import Expiry
from prbot.engine.world import Forge, Settings, World
from prbot.model import Login, RepoRef
from prbot.plans.record import StoredPlan
from prbot.ports.outbox import CommentLetter, Letter, StatusLetter
from prbot.runs.journal import EXPIRED
from prbot.runs.locks import Lock
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, RunState
from prbot.telemetry import Redactor

AGE = timedelta(days=7)
DAY = 86_400.0
HERE = Effective(
    may_apply=True,
    apply_on_merge=ApplyOnMerge.NEVER,
    plan_drafts=False,
)


@dataclass
class Old:
    """A pull request with a plan run, and the processes that look at its plans."""

    scene: Any
    artifacts: EncryptedFiles
    woken: list[RepoRef] = field(default_factory=list)

    async def plan(self, lock: bool = False) -> StoredPlan:
        """A finished run's plan, and perhaps a lock that nothing was applied under."""
        scene = self.scene
        run = scene.a_run(ask=Ask(AskKind.PLAN, Login("ann"), "opened", head_sha="a" * 40))
        job = scene.a_job(run, JobKind.PLAN)
        plan: StoredPlan = scene.a_plan(job)
        async with scene.store.begin() as tables:
            await tables.runs.add(replace(run, jobs=(job,)))
            await tables.plans.add(plan)
            if lock:
                held = Lock(
                    scene.pull.repo, plan.project, scene.pull, Login("ann"), scene.clock.time
                )
                await tables.locks.take(held)
        await self.finish(job, JobState.PLANNED, RunState.DONE)
        for name in (plan.plan_file, plan.plan_json):
            await self.artifacts.put(name, b"plan")
        return plan

    async def finish(self, job: Job, state: JobState, run_state: RunState) -> None:
        async with self.scene.store.begin() as tables:
            running = await tables.runs.start_job(job.id, "w-1", self.scene.until)
            await tables.runs.move_job(running or job, state)
            await tables.runs.move(job.run_id, RunState.QUEUED, run_state)

    def expiry(self, store: SqlStore) -> Expiry:
        """As one process has it; of its world only what it looks at."""
        settings = Settings(
            serves=lambda repo: True,
            serves_branch=lambda branch, default: True,
            rules_of=lambda repo, text: HERE,
            bounds_of=lambda repo: RepositoryBounds(),
            recipe_of=lambda repo, name, files: OWN,
            allow_tool_switch=False,
            summary_every=AGE,
            aliases=(),
            bare_commands=True,
            plan_check="prbot/plan",
            apply_check="prbot/apply",
            parallel_jobs=1,
            job_timeout=1,
            jobs_dir=Path("jobs"),
            tool_environment={},
            hash_key=b"",
            installation="test",
            reconcile_every=AGE,
            max_event_age=AGE,
            plan_age=AGE,
            lease=timedelta(seconds=30),
        )
        nothing = cast("Any", None)
        world = World(
            settings=settings,
            forges={self.scene.pull.repo.forge: Forge(*[nothing] * 6)},
            store=store,
            queue=nothing,
            tools=nothing,
            artifacts=self.artifacts,
            redactor=Redactor(),
            clock=self.scene.clock,
            new_id=str,
            worker="w-1",
            alone=False,
            facts=nothing,
        )
        return Expiry(world, Alarm(), self.wake)

    async def wake(self, repo: RepoRef) -> None:
        self.woken.append(repo)

    async def letters(self) -> list[Letter]:
        """All that waits to be written, in order; they are sent."""
        found: list[Letter] = []
        now, until = self.scene.clock.now(), self.scene.until
        async with self.scene.store.begin() as tables:
            while rows := await tables.outbox.due(now, "w-1", until):
                for row in rows:
                    found.append(row.letter)
                    await tables.outbox.sent(row, None, now)
        return found

    async def locks(self) -> int:
        async with self.scene.store.begin() as tables:
            return len(await tables.locks.of_repo(self.scene.pull.repo))


@pytest.fixture
def old(scene: Any, tmp_path: Path) -> Old:
    return Old(scene, EncryptedFiles(tmp_path / "artifacts", b"k" * 32))


async def test_the_next_to_come_due(scene: Any) -> None:
    """It tells the earliest of those made since, of which `expire` would mark."""
    now = scene.clock.now()
    _, begun = await scene.an_intent("failed")
    assert begun.created_at == now
    scene.clock.pass_(5)
    later = await scene.a_stored_plan(await scene.a_stored_job())
    scene.clock.pass_(5)
    await scene.a_stored_plan(await scene.a_stored_job())
    async with scene.store.begin() as tables:
        assert await tables.plans.first_since(now) == later.created_at
        assert await tables.plans.first_since(later.created_at) == later.created_at
        assert await tables.plans.expire([later.id], now) == (later.plan_file,)
        assert await tables.plans.expire([later.id], now) == ()
        assert await tables.plans.first_since(now) == scene.clock.now()
        assert await tables.plans.first_since(scene.clock.now() + AGE) is None


async def test_what_is_too_old_goes(old: Old) -> None:
    """It marks the plan, forgets its file, frees the lock, and leaves one comment and two
    statuses to be written; the plan's JSON stays, to be compared with."""
    plan = await old.plan(lock=True)
    expiry = old.expiry(old.scene.store)
    old.scene.clock.pass_(7 * DAY)
    await expiry.sweep()
    assert await old.letters() == []
    old.scene.clock.pass_(1)
    await expiry.sweep()
    comment, *statuses = await old.letters()
    assert isinstance(comment, CommentLetter)
    assert "Expired" in comment.body
    assert comment.marker in comment.body
    assert [s.context for s in statuses if isinstance(s, StatusLetter)] == [
        "prbot/plan",
        "prbot/apply",
    ]
    async with old.scene.store.begin() as tables:
        assert await tables.plans.get(plan.id) == replace(plan, expired_at=old.scene.clock.now())
    assert await old.artifacts.get(plan.plan_file) is None
    assert await old.artifacts.get(plan.plan_json) is not None
    assert await old.locks() == 0
    assert old.woken == [old.scene.pull.repo]
    assert (plan.id, EXPIRED) in await old.scene.told()
    await expiry.sweep()
    assert await old.letters() == []


async def test_when_the_plan_stood_there_stays(old: Old) -> None:
    """It disturbs nothing of what a run has told: an approval still counts from then on."""
    plan = await old.plan()
    async with old.scene.store.begin() as tables:
        letter = CommentLetter("<!-- m -->", "the plan")
        await tables.outbox.put(
            f"{plan.run_id} say {plan.run_id}", plan.pull, letter, plan.created_at
        )
    await old.letters()
    told = await told_at(old)
    assert told == plan.created_at
    old.scene.clock.pass_(8 * DAY)
    await old.expiry(old.scene.store).sweep()
    assert await told_at(old) == told
    assert len(await old.letters()) == 3
    assert await told_at(old) == told


async def told_at(old: Old) -> Any:
    async with old.scene.store.begin() as tables:
        (run,) = await tables.runs.of_pull(old.scene.pull)
        return run.told_at


async def test_two_processes_say_it_once(old: Old, open_store: Callable[[], SqlStore]) -> None:
    """It is done by one of them, whoever is first, and told once."""
    await old.plan(lock=True)
    old.scene.clock.pass_(8 * DAY)
    await asyncio.gather(*(old.expiry(open_store()).sweep() for _ in range(4)))
    assert len(await old.letters()) == 3
    assert await old.locks() == 0
    assert len(old.woken) == 1
    assert [line for line in await old.scene.told() if line[1] == EXPIRED] != []
    assert len([line for line in await old.scene.told() if line[1] == EXPIRED]) == 1


async def test_an_apply_that_began_meanwhile(old: Old) -> None:
    """It keeps everything as it was when an apply of the plan began since it was looked at."""
    plan = await old.plan(lock=True)
    job = await old.scene.a_running_job()
    async with old.scene.store.begin() as tables:
        await tables.plans.intend(plan.id, job, old.scene.clock.now())
        await tables.plans.settle(plan.id, "failed", None)
        await tables.runs.move_job(job, JobState.FAILED)
        await tables.runs.move(job.run_id, RunState.QUEUED, RunState.FAILED)
    old.scene.clock.pass_(8 * DAY)
    moment = old.scene.clock.now() - AGE
    await old.expiry(old.scene.store)._try(plan.pull, frozenset({plan.id}), moment)
    assert await old.letters() == []
    assert await old.locks() == 1
    assert old.woken == []
    assert EXPIRED not in {action for _, action in await old.scene.told()}


async def test_a_run_that_began_meanwhile(
    old: Old, open_store: Callable[[], SqlStore], url: str
) -> None:
    """It keeps everything when, while it was at it, an apply took the project again."""
    plan = await old.plan(lock=True)
    old.scene.clock.pass_(8 * DAY)
    expiry, watcher = old.expiry(open_store()), open_store()
    async with old.scene.store.begin() as tables:
        await tables.runs.add(old.scene.a_run())
        mine = Lock(plan.pull.repo, plan.project, plan.pull, Login("ann"), plan.created_at)
        await tables.locks.take(mine)  # it is ours; and stands as it is until the commit
        sweeping = asyncio.create_task(expiry.sweep())
        if url.startswith("postgresql"):
            while not (sweeping.done() or await somebody_waits(watcher)):
                pass  # each look is a question to the server, in which the sweep goes on
    await sweeping
    async with old.scene.store.begin() as tables:
        assert await tables.plans.get(plan.id) == plan
    assert await old.letters() == []
    assert await old.locks() == 1
    assert await old.artifacts.get(plan.plan_file) is not None


async def somebody_waits(watcher: SqlStore) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with watcher.transaction() as db:
        number: int = (await db.execute(waiting)).scalar_one()
    return number > 0


async def test_files_that_cannot_be_removed(old: Old, tmp_path: Path) -> None:
    """It goes on with the other pull requests, and wakes who waits all the same."""
    plan = await old.plan(lock=True)
    file = tmp_path / "artifacts" / plan.plan_file
    file.unlink()
    file.mkdir()
    mine, old.scene.pull = old.scene.pull, replace(old.scene.pull, number=8)
    other = await old.plan()
    old.scene.clock.pass_(8 * DAY)
    await old.expiry(old.scene.store).sweep()
    assert await old.artifacts.get(other.plan_file) is None
    assert len(await old.letters()) == 6
    assert old.woken == [mine.repo]


async def test_how_long_it_sleeps(old: Old) -> None:
    """It wakes when the next plan comes due, and once in an hour at least."""
    expiry = old.expiry(old.scene.store)
    assert await expiry._look() == timedelta(hours=1)
    await old.plan()
    old.scene.clock.pass_(7 * DAY - 600)
    assert await expiry._look() == timedelta(minutes=10)
    old.scene.clock.pass_(600)
    assert await expiry._look() == timedelta(seconds=1)
    old.scene.clock.pass_(1)
    assert await expiry._look() == timedelta(hours=1)
    assert len(await old.letters()) == 3


async def test_a_database_that_does_not_answer(old: Old) -> None:
    """It tries again in a minute."""
    # No SQLite file that cannot be opened: the driver's thread would outlive the test's loop.
    nowhere = SqlStore("postgresql://nobody@127.0.0.1:1/prbot", old.scene.clock)
    assert await old.expiry(nowhere)._look() == timedelta(minutes=1)
    await nowhere.close()
