"""The outbox: in order within a pull request, by one sender at a time, never stuck."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from prbot.model import Sha
from prbot.ports.forge import CheckReport, StatusState
from prbot.ports.outbox import (
    CommentLetter,
    FoldLetter,
    IssueLetter,
    Letter,
    ProposalLetter,
    ReactionLetter,
    SignalLetter,
    StatusLetter,
    of_repository,
)
from prbot.ports.tree import BranchCommit
from prbot.runs.checks import RERUN, Annotation

COMMENT = CommentLetter("<!-- m1 -->", "body <!-- m1 --> é \x00")
STATUS = StatusLetter(Sha("a" * 40), "prbot/plan", StatusState.SUCCESS, "2 projects")
ISSUE = IssueLetter("<!-- m1 -->", "Applied, unmerged", "body <!-- m1 -->", ("drift",), True)

PROPOSED = ProposalLetter(
    BranchCommit(
        "prbot/drift/adopt/live-1",
        Sha("a" * 40),
        "Adopt é",
        datetime(2026, 3, 4, 10, 0, tzinfo=UTC),
        {"live/main.tf": '\ufeffa = "é"\r\n'.encode()},
    ),
    "main",
    "Drift",
    "body é",
)
SIGNAL = SignalLetter("r-1-drift-new", '{"a": "é"}')
REPORTED = replace(
    STATUS,
    report=CheckReport("*x*", (Annotation("a.tf", 1, 2, True, "t", "m"),), (RERUN,), "m4rk"),
)


async def put(scene: Any, *letters: Letter, number: int = 7) -> None:
    pull = replace(scene.pull, number=number)
    async with scene.store.begin() as tables:
        for letter in letters:
            key = f"{number}/{scene._next('key')}"
            await tables.outbox.put(key, pull, letter, scene.clock.now())


async def due(scene: Any, worker: str = "w-1") -> tuple[Any, ...]:
    async with scene.store.begin() as tables:
        rows: tuple[Any, ...] = await tables.outbox.due(scene.clock.now(), worker, scene.until)
        return rows


@pytest.mark.parametrize(
    "letter",
    [
        COMMENT,
        STATUS,
        REPORTED,
        ReactionLetter(2**40),
        FoldLetter("<!-- m1 -->"),
        ISSUE,
        PROPOSED,
        SIGNAL,
    ],
)
async def test_a_letter_comes_back_as_it_went_in(scene: Any, letter: Letter) -> None:
    """It gives back each kind of letter as that kind."""
    await put(scene, letter)
    (row,) = await due(scene)
    assert (row.pull, row.letter, row.attempts, row.known_id) == (scene.pull, letter, 0, None)


async def test_what_waits(scene: Any) -> None:
    """It tells of letters that are still to be written, also of one in hand."""
    async with scene.store.begin() as tables:
        await tables.outbox.put("drift a_b 1", scene.pull, COMMENT, scene.clock.now())
        assert await tables.outbox.waits("drift a_b ")
        assert not await tables.outbox.waits("drift axb ")
        (row,) = await tables.outbox.due(scene.clock.now(), "w-1", scene.until)
        assert await tables.outbox.waits("drift a_b ")
        await tables.outbox.sent(row, 1, scene.clock.now())
        assert not await tables.outbox.waits("drift a_b ")


async def test_a_key_is_put_once(scene: Any) -> None:
    """It ignores a key it knows, also when that letter is long sent."""
    async with scene.store.begin() as tables:
        await tables.outbox.put("k", scene.pull, COMMENT, scene.clock.now())
        await tables.outbox.put("k", scene.pull, STATUS, scene.clock.now())
        (row,) = await tables.outbox.due(scene.clock.now(), "w-1", scene.until)
        assert row.letter == COMMENT
        await tables.outbox.sent(row, 1, scene.clock.now())
        await tables.outbox.put("k", scene.pull, COMMENT, scene.clock.now())
        assert await tables.outbox.due(scene.clock.now(), "w-1", scene.until) == ()


async def test_letters_of_one_pull_request_go_one_after_another(scene: Any) -> None:
    """It hands out the oldest of each pull request, the next when that one is sent."""
    await put(scene, COMMENT, STATUS)
    await put(scene, STATUS, number=8)
    first, other = await due(scene)
    assert [(row.pull.number, row.letter) for row in (first, other)] == [(7, COMMENT), (8, STATUS)]
    async with scene.store.begin() as tables:
        assert await tables.outbox.sent(first, 1, scene.clock.now())
    (second,) = await due(scene)
    assert (second.pull.number, second.letter) == (7, STATUS)


async def test_a_postponed_letter_holds_back_the_later_ones(scene: Any) -> None:
    """It waits for the postponed one and says so in `next_due`, counting attempts; other
    pull requests go on."""
    await put(scene, COMMENT, STATUS)
    (row,) = await due(scene)
    later = scene.clock.now().replace(hour=13)
    async with scene.store.begin() as tables:
        await tables.outbox.postpone(row, later, "503")
        assert await tables.outbox.due(scene.clock.now(), "w-1", scene.until) == ()
        assert await tables.outbox.next_due() == later
    await put(scene, STATUS, number=8)
    assert [row.pull.number for row in await due(scene)] == [8]
    scene.clock.time = later
    assert (await due(scene))[0] == replace(row, attempts=1, fence=2)


async def test_nothing_waits_then_nothing_is_due(scene: Any) -> None:
    """It tells None when every letter is sent or given up."""
    async with scene.store.begin() as tables:
        assert await tables.outbox.next_due() is None
    await put(scene, COMMENT, STATUS)
    for settle in ("sent", "give_up"):
        (row,) = await due(scene)
        async with scene.store.begin() as tables:
            if settle == "sent":
                await tables.outbox.sent(row, None, scene.clock.now())
            else:
                await tables.outbox.give_up(row, "422 too long")
    async with scene.store.begin() as tables:
        assert await tables.outbox.next_due() is None


async def test_a_letter_given_up_stays_readable_and_lets_the_next_go(scene: Any) -> None:
    """It keeps the reason beside the letter and goes on."""
    await put(scene, COMMENT, STATUS)
    (row,) = await due(scene)
    async with scene.store.begin() as tables:
        await tables.outbox.give_up(row, "422 too long")
    assert [row.letter for row in await due(scene)] == [STATUS]
    async with scene.store.transaction() as db:
        why = await db.execute(text("SELECT why FROM outbox WHERE settled_at IS NOT NULL"))
        assert why.scalar_one() == "422 too long"


async def test_a_comment_is_known_by_its_marker(scene: Any) -> None:
    """It tells the forge's newest id of the comment with this marker in this pull
    request, and of no other."""
    for forge_id in (2**40, 2**41):
        await put(scene, COMMENT)
        (row,) = await due(scene)
        async with scene.store.begin() as tables:
            await tables.outbox.sent(row, forge_id, scene.clock.now())
    await put(scene, COMMENT)
    await put(scene, COMMENT, number=8)
    assert [row.known_id for row in await due(scene)] == [2**41, None]


async def test_what_is_settled_stays_settled(scene: Any) -> None:
    """It does not send again what a second sender postpones after the first sent it."""
    await put(scene, COMMENT)
    (row,) = await due(scene)
    async with scene.store.begin() as tables:
        assert await tables.outbox.sent(row, 1, scene.clock.now())
        assert not await tables.outbox.postpone(row, scene.clock.now(), "late")
        assert await tables.outbox.due(scene.clock.now(), "w-1", scene.until) == ()


async def test_a_letter_in_hand_is_not_handed_out_again(scene: Any) -> None:
    """It leases each letter to one sender, tells when the lease ends, and hands the letter
    out again then; those behind it wait as long."""
    await put(scene, COMMENT, STATUS)
    (row,) = await due(scene)
    assert await due(scene, "w-2") == ()
    async with scene.store.begin() as tables:
        assert await tables.outbox.next_due() == scene.until
    scene.clock.time = scene.until
    assert await due(scene, "w-2") == (replace(row, fence=2),)


@pytest.mark.parametrize("word", ["sent", "postpone", "give_up"])
async def test_a_sender_given_up_for_dead_changes_nothing(scene: Any, word: str) -> None:
    """It refuses the word of a sender whose letter somebody else has in hand, and takes it
    while nobody else has, however late it is."""
    await put(scene, COMMENT)
    (zombie,) = await due(scene)
    scene.clock.time = scene.until
    (alive,) = await due(scene, "w-2")
    scene.clock.time = scene.until
    now = scene.clock.now()
    args = {"sent": (None, now), "postpone": (now, "503"), "give_up": ("422",)}[word]
    async with scene.store.begin() as tables:
        assert not await getattr(tables.outbox, word)(zombie, *args)
        assert await getattr(tables.outbox, word)(alive, *args)


async def test_a_slow_sender_renews(scene: Any) -> None:
    """It lengthens the leases of this sender's letters and of nobody else's."""
    await put(scene, COMMENT)
    (mine,) = await due(scene)
    await put(scene, COMMENT, number=8)
    (other,) = await due(scene, "w-2")
    scene.clock.pass_(20)
    async with scene.store.begin() as tables:
        await tables.outbox.renew("w-1", scene.until, {mine.id, other.id})
    scene.clock.pass_(20)
    assert [row.pull.number for row in await due(scene, "w-3")] == [8]


async def test_only_letters_still_in_hand_are_renewed(scene: Any) -> None:
    """It lets a letter come due again that its sender forgot."""
    await put(scene, COMMENT)
    await put(scene, COMMENT, number=8)
    first, _ = await due(scene)
    scene.clock.pass_(20)
    async with scene.store.begin() as tables:
        await tables.outbox.renew("w-1", scene.until, {first.id})
    scene.clock.pass_(20)
    assert [row.pull.number for row in await due(scene, "w-2")] == [8]


async def test_letters_of_the_dead_are_released(scene: Any) -> None:
    """It makes due what was in hand, at once, and leaves alone what was postponed."""
    await put(scene, COMMENT)
    await put(scene, STATUS, number=8)
    mine, postponed = await due(scene)
    async with scene.store.begin() as tables:
        await tables.outbox.postpone(postponed, scene.until, "503")
        await tables.outbox.release(scene.clock.now())
    assert await due(scene, "w-2") == (replace(mine, fence=2),)


# --- statuses that need no call ------------------------------------------------------------


def status(state: StatusState, **changes: Any) -> StatusLetter:
    return replace(replace(STATUS, state=state), **changes)


PENDING, SUCCESS = status(StatusState.PENDING), status(StatusState.SUCCESS)


async def written(scene: Any) -> list[Letter]:
    """Write all that waits; what was written, in order."""
    letters = []
    while rows := await due(scene):
        for row in rows:
            async with scene.store.begin() as tables:
                assert await tables.outbox.sent(row, None, scene.clock.now())
            letters.append(row.letter)
    return letters


async def test_a_status_that_is_shown_is_not_written_again(scene: Any) -> None:
    """It passes over a status equal to the last one written, and over no other."""
    await put(scene, SUCCESS)
    assert await written(scene) == [SUCCESS]
    await put(scene, SUCCESS, COMMENT)
    assert await written(scene) == [COMMENT]
    others = [
        status(StatusState.SUCCESS, description="3 projects"),
        status(StatusState.SUCCESS, context="prbot/apply"),
        status(StatusState.SUCCESS, sha=Sha("b" * 40)),
        status(StatusState.FAILURE),
        SUCCESS,
    ]
    for other in others:
        await put(scene, other)
        assert await written(scene) == [other]


async def test_a_status_of_another_repository_is_another(scene: Any) -> None:
    await put(scene, SUCCESS)
    await written(scene)
    scene.pull = replace(scene.pull, repo=replace(scene.pull.repo, path="acme/infra-prod"))
    await put(scene, SUCCESS)
    assert await written(scene) == [SUCCESS]


async def test_an_overtaken_status_is_not_written(scene: Any) -> None:
    """It writes only the last of those that wait for one commit and context, in its own
    place, and every comment."""
    apply_pending = status(StatusState.PENDING, context="prbot/apply")
    await put(scene, PENDING, apply_pending, COMMENT, PENDING, SUCCESS, COMMENT)
    assert await written(scene) == [apply_pending, COMMENT, SUCCESS, COMMENT]


async def test_a_status_in_hand_is_not_overtaken(scene: Any) -> None:
    """It writes the end state after the one that is being written."""
    await put(scene, SUCCESS)
    await written(scene)
    await put(scene, PENDING)
    (row,) = await due(scene)
    await put(scene, SUCCESS)
    assert await due(scene) == ()
    async with scene.store.begin() as tables:
        await tables.outbox.sent(row, None, scene.clock.now())
    assert await written(scene) == [SUCCESS]


@pytest.mark.parametrize("end", ["postpone", "give_up", "death"])
async def test_what_may_have_been_written_is_not_certain(scene: Any, end: str) -> None:
    """It writes the end state although it is what was written last: another one may have
    been taken by the forge, which did not live to tell."""
    await put(scene, SUCCESS)
    await written(scene)
    await put(scene, PENDING)
    (row,) = await due(scene)
    async with scene.store.begin() as tables:
        if end == "postpone":
            await tables.outbox.postpone(row, scene.clock.now(), "no answer within 20 s")
        elif end == "give_up":
            await tables.outbox.give_up(row, "RuntimeError")
    scene.clock.time = scene.until
    await put(scene, SUCCESS)
    assert await written(scene) == [SUCCESS]


async def test_two_pull_requests_of_one_commit(scene: Any) -> None:
    """It takes nothing for certain where each may overtake the other."""
    await put(scene, SUCCESS)
    assert await written(scene) == [SUCCESS]
    await put(scene, SUCCESS, number=8)
    assert await written(scene) == []  # nobody else ever wrote it
    await put(scene, PENDING, number=8)
    assert await written(scene) == [PENDING]
    for number in (7, 8, 8, 7, 7):
        await put(scene, SUCCESS, number=number)
        assert await written(scene) == [SUCCESS]


async def test_only_what_stood_is_taken_back(scene: Any) -> None:
    """It takes back a status that was written, or may have been, and no other."""
    back = status(StatusState.NEUTRAL, beside=True)
    await put(scene, back, COMMENT)
    assert await written(scene) == [COMMENT]
    await put(scene, status(StatusState.SUCCESS, beside=True))
    (row,) = await due(scene)
    async with scene.store.begin() as tables:
        await tables.outbox.give_up(row, "403")
    others = [status(StatusState.NEUTRAL, context="other"), replace(back, sha=Sha("b" * 40))]
    await put(scene, back, *others)
    assert await written(scene) == [back]


async def test_a_fold_knows_the_comment_of_its_marker(scene: Any) -> None:
    """It hands out the id of the comment that is to be folded, if it was written."""
    await put(scene, COMMENT, FoldLetter(COMMENT.marker), FoldLetter("<!-- other -->"))
    found = []
    for forge_id in (77, None, None):
        (row,) = await due(scene)
        found.append(row.known_id)
        async with scene.store.begin() as tables:
            assert await tables.outbox.sent(row, forge_id, scene.clock.now())
    assert found == [None, 77, None]


async def test_an_issue_is_known_by_its_marker(scene: Any) -> None:
    """It tells the number of the issue with this marker in the repository, whichever pull
    request it comes from, and mixes it up with no comment."""
    whole = of_repository(scene.pull.repo).number
    await put(scene, ISSUE, ISSUE, number=whole)
    (row,) = await due(scene)
    async with scene.store.begin() as tables:
        await tables.outbox.sent(row, 41, scene.clock.now())
    await put(scene, COMMENT)
    assert [(r.letter, r.known_id) for r in await due(scene)] == [(ISSUE, 41), (COMMENT, None)]
