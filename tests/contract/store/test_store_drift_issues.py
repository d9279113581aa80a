"""Permanent issues, answers to them, and corrections: kept as they are now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from prbot.drift.issue import Kept
from prbot.drift.state import Answer, AnswerKind, Correction, IssueOf
from prbot.model import Login, ProjectKey, PullRef, RepoRef, RunId
from prbot.ports.outbox import IssueLetter, of_repository

REPO, ELSEWHERE = RepoRef("gh", "acme/infra"), RepoRef("gh", "acme/ops")
APP = ProjectKey("app")


def an_issue(group: str = "app", **changes: Any) -> IssueOf:
    marker = f"prbot:i:drift:{group}"
    issue = IssueOf(REPO, "drift", group, ELSEWHERE, marker, Kept(open=True, facts=("a", "b")))
    return replace(issue, **changes)


async def keep(scene: Any, *issues: IssueOf) -> None:
    async with scene.store.begin() as tables:
        for issue in issues:
            await tables.drift_issues.keep(issue)


async def write(scene: Any, issue: IssueOf, number: int) -> None:
    """As the postman does."""
    letter = IssueLetter(issue.marker, "title", issue.marker, (), is_open=True)
    async with scene.store.begin() as tables:
        await tables.outbox.put(issue.marker, of_repository(issue.place), letter, scene.clock.now())
    async with scene.store.begin() as tables:
        (row,) = await tables.outbox.due(scene.clock.now(), "w-1", scene.until)
        assert await tables.outbox.sent(row, number, scene.clock.now())


async def test_an_issue_is_kept_as_it_is_now(scene: Any) -> None:
    """It has one row for each kind and group of a repository."""
    first, other = an_issue(), an_issue(kind="failure", marker="prbot:i:failure:app")
    now = replace(first, kept=Kept(open=False, facts=(), clean=2, by_person=True))
    await keep(scene, first, other, now)
    async with scene.store.begin() as tables:
        assert await tables.drift_issues.about(REPO) == (now, other)
        assert await tables.drift_issues.about(ELSEWHERE) == ()


async def test_a_number_comes_from_the_forge(scene: Any) -> None:
    """It is known once the letter was written, and leads back to the issue."""
    issue = an_issue()
    await keep(scene, issue, an_issue("db"))
    await write(scene, issue, 12)
    async with scene.store.begin() as tables:
        known = replace(issue, number=12)
        assert await tables.drift_issues.about(REPO) == (known, an_issue("db"))
        assert await tables.drift_issues.at(ELSEWHERE, 12) == known
        assert await tables.drift_issues.at(ELSEWHERE, 13) is None
        assert await tables.drift_issues.at(REPO, 12) is None


async def test_answers_hold_until_their_time(scene: Any) -> None:
    """It shows those that hold, in their order, of just this repository."""
    now = scene.clock.now()
    day = timedelta(days=1)
    snooze = Answer(REPO, APP, AnswerKind.SNOOZE, Login("ann"), now, now + day)
    accept = replace(
        snooze, kind=AnswerKind.ACCEPT, until=now + 2 * day, reason="so it is\0", facts=("a",)
    )
    async with scene.store.begin() as tables:
        await tables.drift_issues.answer(snooze)
        await tables.drift_issues.answer(accept)
    kept = replace(accept, reason="so it is\N{SYMBOL FOR NULL}")
    async with scene.store.begin() as tables:
        answers = tables.drift_issues.answers
        assert await answers(REPO, now) == (snooze, kept)
        assert await answers(REPO, now + day) == (kept,)
        assert await answers(ELSEWHERE, now) == ()


async def test_a_comment_is_answered_once(scene: Any) -> None:
    """It knows which were, in each repository."""
    async with scene.store.begin() as tables:
        assert not await tables.drift_issues.is_heard(REPO, 2**40)
        assert await tables.drift_issues.hear(REPO, 2**40)
        assert not await tables.drift_issues.hear(REPO, 2**40)
        assert await tables.drift_issues.is_heard(REPO, 2**40)
        assert not await tables.drift_issues.is_heard(ELSEWHERE, 2**40)
        assert await tables.drift_issues.hear(ELSEWHERE, 2**40)
        assert await tables.drift_issues.hear(REPO, 7)


async def test_corrections(scene: Any) -> None:
    """It shows the young ones and those under way, as they are now."""
    now = scene.clock.now()
    day = timedelta(days=1)
    old = Correction("c-1", REPO, APP, "auto", now - 2 * day, outcome="proved")
    going = replace(old, id="c-2", outcome=None, run=RunId("r-1"), facts=("a",))
    opened = Correction("c-3", REPO, APP, "revert", now, Login("ann"), PullRef(REPO, 7))
    ended = replace(opened, outcome="merged")
    async with scene.store.begin() as tables:
        for each in (old, going, opened, ended):
            await tables.corrections.add(each)
        assert await tables.corrections.since(REPO, now - day) == (going, ended)
        assert await tables.corrections.since(ELSEWHERE, now - day) == ()


async def test_proposed_corrections(scene: Any) -> None:
    """It shows those that are a pull request as long as nobody knows what became of it."""
    now, ours = scene.clock.now(), PullRef(REPO, 7)
    opened = Correction("c-1", REPO, APP, "adopt", now, None, ours, outcome="proposed")
    others = (
        replace(opened, id="c-2", pull=None),
        replace(opened, id="c-3", outcome="over"),
        replace(opened, id="c-4", outcome=None),
        replace(opened, id="c-5", repo=ELSEWHERE),
    )
    async with scene.store.begin() as tables:
        for each in (opened, *others):
            await tables.corrections.add(each)
        assert await tables.corrections.proposed(REPO) == (opened,)


async def test_corrections_by_pull_request(scene: Any) -> None:
    """It shows those that are this pull request, however old, and those that may become it:
    somebody asked, and neither another pull request nor a run does it."""
    now = scene.clock.now()
    ours = PullRef(REPO, 7)
    mine = Correction("c-1", REPO, APP, "adopt", now - timedelta(days=99), None, ours)
    coming = Correction("c-2", REPO, APP, "adopt", now, Login("ann"), outcome="proposed")
    others = (
        replace(mine, id="c-3", pull=PullRef(REPO, 8)),
        replace(coming, id="c-4", by=None),
        replace(coming, id="c-5", run=RunId("r-1")),
        replace(coming, id="c-6", repo=ELSEWHERE),
    )
    async with scene.store.begin() as tables:
        for each in (mine, coming, *others):
            await tables.corrections.add(each)
        assert await tables.corrections.proposing(ours) == (mine, coming)


async def test_corrections_of_a_project(scene: Any) -> None:
    """It tells all tries at one project, and which are to be begun: neither those that have a
    run, nor pull requests, nor what has ended."""
    at, long_ago = scene.clock.now(), scene.clock.now() - timedelta(days=400)
    waits = Correction("c-1", REPO, APP, "revert", at, Login("ann"), facts=("f",))
    ruled = Correction("c-2", REPO, APP, "auto", at)
    runs = Correction("c-3", REPO, APP, "revert", at, Login("bob"), run=RunId("r-1"))
    ended = Correction("c-4", REPO, APP, "auto", long_ago, run=RunId("r-0"), outcome="interrupted")
    pull = Correction("c-5", REPO, APP, "adopt", at, Login("ann"))
    other = Correction("c-6", REPO, ProjectKey("app", "blue"), "revert", at, outcome="refused")
    async with scene.store.begin() as tables:
        for each in (waits, ruled, runs, ended, pull, other):
            await tables.corrections.add(each)
        assert await tables.corrections.waiting() == (waits, ruled)
        assert await tables.corrections.of_project(REPO, APP) == (waits, ruled, runs, ended, pull)
