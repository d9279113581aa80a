"""What the journal is asked: page by page, oldest first, by who, what, where, when and plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from prbot.model import Checkout, Login, PlanId, PullRef, RepoRef, Sha
from prbot.ports.store import JournalEntry
from prbot.runs.journal import JournalLine, JournalQuery
from prbot.runs.run import Ask, AskKind, JobKind, JobState

OTHER = PullRef(RepoRef("gl", "acme/team/infra"), 8)


def entries(scene: Any) -> tuple[JournalEntry, ...]:
    now = scene.clock.now()
    first = JournalEntry(now, scene.pull, Login("ann"), "r-1", "run queued", "apply: comment")
    return (
        first,
        replace(
            first,
            at=now + timedelta(hours=1),
            subject="j-1",
            action="apply decided",
            commit=Sha("a" * 40),
            plan_id=PlanId("p-1"),
            approvals=(Login("bob"), Login("cyd")),
        ),
        replace(first, at=now + timedelta(hours=2), subject="p-1", action="apply intended"),
        replace(first, at=now + timedelta(hours=3), pull=OTHER, actor=None, action="Apply_%x"),
        replace(first, at=now + timedelta(hours=4), pull=None, subject="f-1", action="freeze"),
    )


async def asked(scene: Any, **query: Any) -> list[int]:
    """Numbers of the entries found, from 0."""
    written = entries(scene)
    async with scene.store.begin() as tables:
        for entry in written:
            await tables.journal.write(entry)
    async with scene.store.begin() as tables:
        found = await tables.journal.page(JournalQuery(**query))
    return [written.index(line.entry) for line in found.lines]


QUERIES: dict[str, tuple[dict[str, Any], list[int]]] = {
    "everything": ({}, [0, 1, 2, 3, 4]),
    "a repository": ({"repo": "acme/infra"}, [0, 1, 2]),
    "a repository, spelled otherwise": ({"repo": "Acme/Team/infra"}, [3]),
    "a forge": ({"forge": "gl"}, [3]),
    "a number in any repository": ({"number": 8}, [3]),
    "a pull request": ({"repo": "acme/infra", "number": 8}, []),
    "somebody": ({"actor": "Ann"}, [0, 1, 2, 4]),
    "an action": ({"action": "apply"}, [1, 2, 3]),
    "a whole action": ({"action": "apply decided"}, [1]),
    "no wildcards": ({"action": "apply_%"}, [3]),
    "a quote": ({"action": "' OR 1=1 --"}, []),
    "a plan, also of older lines": ({"plan": "p-1"}, [1, 2]),
}


@pytest.mark.parametrize(("query", "expected"), QUERIES.values(), ids=QUERIES.keys())
async def test_what_is_found(scene: Any, query: dict[str, Any], expected: list[int]) -> None:
    """It finds the lines that meet each word of the query."""
    assert await asked(scene, **query) == expected


async def test_a_span_of_time(scene: Any) -> None:
    """It includes the moment a span begins, not the one it ends."""
    now = scene.clock.now()
    span = {"since": now + timedelta(hours=1), "until": now + timedelta(hours=3)}
    assert await asked(scene, **span) == [1, 2]


@pytest.mark.parametrize("part", [1, 2, 100])
@pytest.mark.parametrize("limit", [1, 2, 5, 100])
async def test_pages_follow_one_another(scene: Any, limit: int, part: int) -> None:
    """It goes on behind a number, in the order lines were written, whatever the clock says, and
    ends."""
    written = entries(scene)[::-1]
    async with scene.store.begin() as tables:
        for entry in written:
            await tables.journal.write(entry)
    for query, expected in ((JournalQuery(), written), (JournalQuery(number=8), written[1:2])):
        assert await read_whole(scene, query, limit, part) == expected
    assert await read_whole(scene, JournalQuery(plan=PlanId("p-9")), limit, part) == ()


async def read_whole(
    scene: Any, query: JournalQuery, limit: int, part: int
) -> tuple[JournalEntry, ...]:
    lines: list[JournalLine] = []
    after: int | None = 0
    async with scene.store.begin() as tables:
        while after is not None:
            page = await tables.journal.page(query, after, limit, part)
            assert len(page.lines) <= limit
            lines += page.lines
            after = page.after
    assert [line.number for line in lines] == sorted(line.number for line in lines)
    return tuple(line.entry for line in lines)


async def test_an_empty_journal(scene: Any) -> None:
    """It has one empty page."""
    assert await read_whole(scene, JournalQuery(), 10, 10) == ()


async def test_a_pull_requests_lines_are_its_own(scene: Any) -> None:
    """It does not count lines that speak of no pull request."""
    await asked(scene)
    async with scene.store.begin() as tables:
        assert await tables.journal.of_pull(scene.pull) == entries(scene)[:3]


async def test_an_applys_lines(scene: Any) -> None:
    """It names the plan and the pull request's commit in each line of an apply, and who asked."""
    _, plan = await scene.an_intent("applied")
    async with scene.store.begin() as tables:
        lines = (await tables.journal.page(JournalQuery(action="apply "))).lines
        about = (await tables.journal.page(JournalQuery(plan=plan.id))).lines
    told = [(line.entry.actor, line.entry.action) for line in lines]
    assert told == [
        ("ann", "apply job queued"),
        ("ann", "apply job queued->running"),
        ("ann", "apply intended"),
        ("ann", "apply applied"),
    ]
    assert [line.entry.action for line in about] == ["apply intended", "apply applied"]
    assert {line.entry.commit for line in about} == {plan.head}


async def test_a_jobs_lines(scene: Any) -> None:
    """It names the plan a job made or applies, and the commit once one is laid out."""
    run = scene.a_run(ask=Ask(AskKind.PLAN, Login("ann"), "opened", Sha("a" * 40)))
    job = scene.a_job(run, JobKind.PLAN)
    async with scene.store.begin() as tables:
        await tables.runs.add(replace(run, jobs=(job,)))
        laid = Checkout("x", Sha("c" * 40), Sha("b" * 40), Sha("d" * 40), ())
        await tables.runs.lay_out(run.id, laid, (job.project,))
    started = await scene.start(job.id)
    async with scene.store.begin() as tables:
        made = replace(started, plan_id=PlanId("p-5"))
        await tables.runs.move_job(started, JobState.PLANNED, made)
        lines = (await tables.journal.page(JournalQuery())).lines
    told = [
        (line.entry.action, (line.entry.commit or "")[:1], line.entry.plan_id) for line in lines
    ]
    assert told == [
        ("run queued", "a", None),
        ("plan job queued", "a", None),
        ("plan job queued->running", "d", None),
        ("plan job running->planned", "d", "p-5"),
    ]
