"""What every queue promises: order, one at a time per key, patience, and no lost wake-up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prbot.ports.queue import Priority


async def test_the_most_urgent_comes_first_then_the_oldest(bench: Any) -> None:
    """It orders by priority, and by age within one."""
    drift, apply = Priority.DRIFT, Priority.APPLY
    messages = [
        bench.perform("a", priority=drift),
        bench.perform("b"),
        bench.perform("c", priority=apply),
        bench.perform("d"),
        bench.advance("e"),
        bench.perform("f", priority=apply),
    ]
    await bench.put(*messages)
    taken = [await bench.take() for _ in messages]
    assert "".join(m.work.run_id if m == messages[4] else m.work.job_id for m in taken) == "ecfbda"
    assert set(taken) == set(messages)


async def test_one_key_is_in_hand_once(bench: Any) -> None:
    """It holds back work under a key in hand, and lets other work pass."""
    first, second = (bench.perform(job, key="network") for job in "ab")
    other = bench.perform("c", priority=Priority.DRIFT)
    await bench.put(first, second, other)
    claim = await bench.claim()
    assert (claim.message, await bench.take()) == (first, other)
    await bench.queue.done(claim)
    assert await bench.take() == second


async def test_done_frees_the_key_for_who_waits(bench: Any) -> None:
    """It wakes a worker that waits for a key when the one in hand is done."""
    await bench.put(*(bench.perform(job, key="network") for job in "ab"))
    claim = await bench.claim()
    await bench.put_for_tomorrow()
    waiting = bench.start_claim()
    await bench.clock.asleep(1)
    await bench.queue.done(claim)
    assert (await asyncio.wait_for(waiting, 10)).message.work == bench.perform("b").work


async def test_put_wakes_who_waits(bench: Any) -> None:
    """It gives each of several messages to one of the workers that waited for any."""
    await bench.put_for_tomorrow()
    waiting = [bench.start_claim() for _ in range(3)]
    await bench.clock.asleep(3)
    messages = [bench.perform(job) for job in "abc"]
    await bench.put(*messages)
    claims = await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert {claim.message for claim in claims} == set(messages)


async def test_a_worker_gets_only_the_priorities_it_asked_for(bench: Any) -> None:
    """It leaves more urgent work to others, and wakes for its own."""
    await bench.put(bench.advance("r"))
    await bench.put_for_tomorrow()
    waiting = bench.start_claim(Priority.PLAN, Priority.DRIFT)
    await bench.clock.asleep(1)
    await bench.put(bench.perform("a"))
    assert (await asyncio.wait_for(waiting, 10)).message == bench.perform("a")
    assert await bench.take() == bench.advance("r")


async def test_what_is_known_waits_or_is_in_hand(bench: Any) -> None:
    """It knows work until it is done, whoever has it, and nothing else."""
    assert await bench.queue.known() == frozenset()
    first, second = bench.advance("r"), bench.perform("a")
    await bench.put(first, second)
    claim = await bench.claim()
    assert await (await bench.reopen()).known() == {first.work, second.work}
    await bench.queue.done(claim)
    assert await bench.queue.known() == {second.work}


async def test_the_same_work_waits_once(bench: Any) -> None:
    """It does nothing when the same work is waiting already."""
    await bench.put(bench.advance("r"), bench.advance("r"))
    await bench.queue.done(await bench.claim())
    await bench.nothing_more()


async def test_a_run_and_a_job_of_one_name_are_two_works(bench: Any) -> None:
    """It tells kinds of work apart, whatever their ids."""
    await bench.put(bench.advance("x"), bench.perform("x"))
    assert {await bench.take(), await bench.take()} == {bench.advance("x"), bench.perform("x")}


async def test_work_put_while_in_hand_waits_for_its_turn(bench: Any) -> None:
    """It keeps news that come while a run is being advanced: it is advanced again."""
    await bench.put(bench.advance("r"))
    claim = await bench.claim()
    await bench.put(bench.advance("r"))
    await bench.put_for_tomorrow()
    waiting = bench.start_claim()
    await bench.clock.asleep(1)
    await bench.queue.done(claim)
    assert (await asyncio.wait_for(waiting, 10)).message == bench.advance("r")


async def test_a_message_waits_for_its_time(bench: Any) -> None:
    """It sleeps until the earliest time and not a moment longer, without looking in
    between."""
    message = bench.perform("a", not_before=bench.clock.after(30))
    await bench.put(message, bench.perform("b", not_before=bench.clock.after(45)))
    waiting = bench.start_claim()
    await bench.clock.asleep(1)
    assert set(bench.clock.naps) == {30}
    bench.clock.pass_(29.9)
    assert not waiting.done()
    bench.clock.pass_(0.1)
    assert (await asyncio.wait_for(waiting, 10)).message == message
    assert set(bench.clock.naps) == {30}


async def test_an_idle_worker_sets_no_timer(bench: Any) -> None:
    """It sleeps without a timer when there is nothing it may take by time alone: no
    work, work of a priority it did not ask for, work under a key in hand."""
    await bench.put(bench.perform("a", key="k"))
    held = await bench.claim()
    later = bench.clock.after(5)
    await bench.put(bench.perform("b", key="k", not_before=later))
    await bench.put(bench.perform("c", not_before=later, priority=Priority.DRIFT))
    idle = bench.start_claim(Priority.PLAN)
    await asyncio.sleep(0)  # the idle worker asks first, the other one after it
    other = bench.start_claim()
    await bench.clock.asleep(1)
    assert set(bench.clock.naps) == {5}
    bench.clock.pass_(5)
    assert (await asyncio.wait_for(other, 10)).message.work == bench.perform("c").work
    await bench.queue.done(held)
    assert (await asyncio.wait_for(idle, 10)).message.work == bench.perform("b").work


async def test_a_far_time_is_looked_at_again(bench: Any) -> None:
    """It does not trust one long timer, because the wall clock may jump meanwhile."""
    await bench.put(bench.perform("a", not_before=bench.clock.after(3600)))
    waiting = bench.start_claim()
    await bench.clock.asleep(1)
    assert set(bench.clock.naps) == {60}
    bench.clock.pass_(3600)
    assert await asyncio.wait_for(waiting, 10)


async def test_work_given_back_waits_for_its_new_time(bench: Any) -> None:
    """It frees the key at once and hands the work out again when its time has come."""
    await bench.put(bench.perform("a", key="k"), bench.perform("b", key="k"))
    claim = await bench.claim()
    later = bench.clock.after(10)
    await bench.queue.again(claim, later)
    second = await bench.claim()
    assert second.message.work == bench.perform("b").work
    await bench.queue.done(second)
    bench.clock.pass_(10)
    assert await bench.take() == replace(claim.message, not_before=later)


async def test_news_bring_waiting_work_forward(bench: Any) -> None:
    """It does not let a run that was given back for later sleep through what comes now;
    neither sooner nor more urgent is ever taken back."""
    await bench.put(bench.advance("r", priority=Priority.PLAN))
    await bench.queue.again(await bench.claim(), bench.clock.after(600))
    await bench.put(bench.advance("r", not_before=bench.clock.after(60)))
    await bench.put(bench.advance("r", priority=Priority.DRIFT))
    await bench.put(bench.advance("r", not_before=bench.clock.after(900)))
    await bench.put(bench.perform("a", priority=Priority.APPLY))
    assert await bench.take() == bench.advance("r")


async def test_work_given_back_joins_its_twin(bench: Any) -> None:
    """It keeps one message when the same work was put while the other was in hand."""
    await bench.put(bench.advance("r"))
    claim = await bench.claim()
    await bench.put(bench.advance("r"))
    await bench.queue.again(claim, bench.clock.after(600))
    await bench.queue.done(await bench.claim())
    bench.clock.pass_(600)
    await bench.nothing_more()


async def test_what_a_dead_process_had_in_hand_waits_again(bench: Any) -> None:
    """It gives back every claim of the dead, twins once."""
    first, second = bench.perform("a"), bench.perform("b")
    await bench.put(first, second)
    assert [await bench.take(), await bench.take()] == [first, second]
    await bench.put(first)
    await bench.die()
    assert {await bench.take(), await bench.take()} == {first, second}
    await bench.nothing_more()


async def test_recovering_takes_nothing_from_the_living(bench: Any) -> None:
    """It may be called at any time: what is in hand of a live worker stays there."""
    await bench.put(bench.perform("a"))
    claim = await bench.claim()
    await bench.queue.recover()
    await bench.nothing_more()
    await bench.queue.done(claim)
    await bench.die()
    await bench.nothing_more()


async def test_what_was_lost_and_is_done_is_nothing(bench: Any) -> None:
    """It does not take a message out of a queue it was given back to, nor out of the
    hands of who has it now, when a worker held for dead comes to its end."""
    await bench.put(bench.perform("a"))
    claim, dead = await bench.claim(), bench.queue
    await bench.die()
    await dead.done(claim)
    again = await bench.claim()
    assert again.message == bench.perform("a")
    await bench.queue.again(again, bench.clock.now())
    assert await bench.take() == replace(bench.perform("a"), not_before=bench.clock.now())


async def test_closing_gives_back_what_is_in_hand(bench: Any) -> None:
    """It leaves the rest for others at once."""
    await bench.put(bench.perform("a"))
    await bench.claim()
    await bench.queue.close()
    bench.queue = await bench.reopen()
    assert await bench.take() == bench.perform("a")


async def test_cancelled_work_is_not_handed_out(bench: Any) -> None:
    """It takes away what waits, now or for later, and says whether it did."""
    await bench.put(bench.perform("a"), bench.advance("a"))
    await bench.put(bench.perform("b", not_before=bench.clock.after(60)))
    assert await bench.queue.cancel(bench.perform("a").work)
    assert await bench.queue.cancel(bench.perform("b").work)
    assert not await bench.queue.cancel(bench.perform("b").work)
    assert not await bench.queue.cancel(bench.perform("never put").work)
    bench.clock.pass_(60)
    assert await bench.take() == bench.advance("a")
    await bench.nothing_more()


async def test_work_in_hand_is_not_cancelled(bench: Any) -> None:
    """It leaves to its worker what a worker has; only the twin that waits goes."""
    await bench.put(bench.perform("a"))
    claim = await bench.claim()
    assert not await bench.queue.cancel(claim.message.work)
    await bench.put(bench.perform("a"))
    assert await bench.queue.cancel(claim.message.work)
    await bench.queue.again(claim, bench.clock.now())
    assert (await bench.take()).work == claim.message.work


# --- limits -----------------------------------------------------------------------------------


async def test_a_repository_has_no_more_in_hand_than_its_limit(bench: Any) -> None:
    """It lets work of other repositories, and advances, pass; who waits is woken when a
    place is free."""
    await bench.limit(2)
    infra = [bench.perform(job, repo="gh:acme/infra") for job in "abc"]
    await bench.put(*infra, bench.perform("d", repo="gh:acme/apps"))
    await bench.put(bench.advance("r", repo="gh:acme/infra", priority=Priority.DRIFT))
    claims = [await bench.claim() for _ in range(4)]
    assert [claim.message.work for claim in claims] == [
        infra[0].work,
        infra[1].work,
        bench.perform("d").work,
        bench.advance("r").work,
    ]
    await bench.put_for_tomorrow()
    waiting = bench.start_claim()
    await bench.clock.asleep(1)
    await bench.queue.done(claims[1])
    assert (await asyncio.wait_for(waiting, 10)).message == infra[2]


async def test_no_more_is_in_hand_than_the_total_limit(bench: Any) -> None:
    """It lets advances pass, and wakes who waits when a place is free, of any repository."""
    await bench.limit(total=2)
    jobs = [bench.perform(job, repo=f"gh:acme/{job}") for job in "abc"]
    await bench.put(*jobs, bench.advance("r", priority=Priority.DRIFT))
    claims = [await bench.claim() for _ in range(3)]
    expected = [jobs[0].work, jobs[1].work, bench.advance("r").work]
    assert [claim.message.work for claim in claims] == expected
    await bench.put(bench.advance("far", not_before=bench.clock.after(86_400)))
    waiting = bench.start_claim()
    await bench.clock.asleep(1)
    await bench.queue.done(claims[0])
    assert (await asyncio.wait_for(waiting, 10)).message == jobs[2]


async def test_a_full_repository_sets_no_timer(bench: Any) -> None:
    """It does not wake for work whose time comes but for which there is no room."""
    await bench.limit(1)
    await bench.put(bench.perform("a", repo="gh:acme/infra"))
    await bench.claim()
    await bench.put(bench.perform("b", repo="gh:acme/infra", not_before=bench.clock.after(5)))
    await bench.put(bench.perform("c", repo="gh:acme/apps", not_before=bench.clock.after(9)))
    bench.start_claim()
    await bench.clock.asleep(1)
    assert set(bench.clock.naps) == {9}


# --- fairness ---------------------------------------------------------------------------------


async def test_a_small_pull_request_waits_for_one_job_of_a_large_one(bench: Any) -> None:
    """It hands out the single job next, however many of another group wait before it."""
    large = [bench.perform(f"l{n}", group="large") for n in range(200)]
    await bench.put(*large)
    for n in range(3):
        assert (await bench.take()) == large[n]
    await bench.put(bench.perform("s", group="small"))
    assert (await bench.take()).group == "small"
    assert (await bench.take()) == large[3]


async def test_groups_take_turns(bench: Any) -> None:
    """It goes round among groups of equal priority, each in its own order; a late one
    takes its turns from now on and does not catch up."""
    await bench.put(*(bench.perform(f"a{n}", group="a") for n in range(6)))
    await bench.put(*(bench.perform(f"b{n}", group="b") for n in range(3)))
    first = [(await bench.take()).work.job_id for _ in range(4)]
    await bench.put(*(bench.perform(f"c{n}", group="c") for n in range(2)))
    rest = [(await bench.take()).work.job_id for _ in range(7)]
    assert first == ["a0", "b0", "a1", "b1"]
    assert rest == ["c0", "a2", "b2", "c1", "a3", "a4", "a5"]


async def test_turns_do_not_outweigh_urgency(bench: Any) -> None:
    """It asks whose turn it is among equals only."""
    await bench.put(*(bench.perform(f"a{n}", group="a", priority=Priority.APPLY) for n in "12"))
    await bench.put(bench.perform("b", group="b"))
    assert [(await bench.take()).group for _ in range(3)] == ["a", "a", "b"]


# --- cancelled workers ------------------------------------------------------------------------


@pytest.mark.parametrize("turns", range(0, 60, 3))
async def test_a_cancelled_worker_takes_nothing_along(bench: Any, turns: int) -> None:
    """It loses no message when a worker is cancelled after so many turns of the event
    loop, be it before, while or after the database answers."""
    await bench.put(bench.perform("a"))
    worker = bench.start_claim()
    for _ in range(turns):
        await asyncio.sleep(0)
    worker.cancel()
    (outcome,) = await asyncio.gather(worker, return_exceptions=True)
    if isinstance(outcome, BaseException):
        assert await bench.take() == bench.perform("a")
    else:
        assert outcome.message == bench.perform("a")


@pytest.mark.parametrize("turns", range(1, 60, 3))
async def test_a_cancelled_put_wakes_or_puts_nothing(bench: Any, turns: int) -> None:
    """It never leaves a message behind that nobody who waits has heard of."""
    await bench.put_for_tomorrow()
    waiting = bench.start_claim()
    await bench.clock.asleep(1)
    putting = asyncio.create_task(bench.queue.put(bench.perform("a")))
    for _ in range(turns):
        await asyncio.sleep(0)
    putting.cancel()
    await asyncio.gather(putting, return_exceptions=True)
    asleep_again = asyncio.create_task(bench.clock.asleep(2))
    await asyncio.wait([waiting, asleep_again], return_when=asyncio.FIRST_COMPLETED)
    asleep_again.cancel()
    if not waiting.done():
        await bench.put(bench.perform("a"))
    assert (await asyncio.wait_for(waiting, 10)).message == bench.perform("a")


async def test_many_workers_do_everything_once(bench: Any) -> None:
    """It hands each of many messages to one worker, never two of a key at a time."""
    messages = [bench.perform(str(n), key=f"k{n % 5}") for n in range(40)]
    seen: list[Any] = []
    in_hand: set[str] = set()
    finished = asyncio.Event()

    async def work() -> None:
        while True:
            claim = await bench.queue.claim()
            assert claim.message.key not in in_hand
            in_hand.add(claim.message.key)
            await asyncio.sleep(0)
            seen.append(claim.message)
            in_hand.remove(claim.message.key)
            await bench.queue.done(claim)
            if len(seen) == len(messages):
                finished.set()

    workers = [asyncio.create_task(work()) for _ in range(8)]
    await bench.put(*messages)
    await asyncio.wait_for(finished.wait(), 30)
    for worker in workers:
        worker.cancel()
    ends = await asyncio.gather(*workers, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends)
    assert sorted(seen, key=str) == sorted(messages, key=str)


RANKS = list(Priority)
PUTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("kl"), st.sampled_from(Priority)),
    max_size=8,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(puts=PUTS)
async def test_any_puts_come_out_urgent_first_each_work_once(bench: Any, puts: Any) -> None:
    """It hands out each distinct work once, at its most urgent, never out of order."""
    await bench.put(*(bench.perform(job, key=key, priority=rank) for job, key, rank in puts))
    most_urgent: dict[str, int] = {}
    for job, _, priority in puts:
        rank = RANKS.index(priority)
        most_urgent[job] = min(rank, most_urgent.get(job, rank))
    taken = []
    for _ in most_urgent:
        claim = await bench.claim()
        taken.append((claim.message.work.job_id, RANKS.index(claim.message.priority)))
        await bench.queue.done(claim)
    assert dict(taken) == most_urgent
    assert [rank for _, rank in taken] == sorted(most_urgent.values())
    await bench.nothing_more()
