"""The forge is ill, busy or silent: every comment arrives, once, in order.

What they answer when a limit is used up:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api,
https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from town import BOT, REPOSITORY, Town, resource

from prbot.adapters.store_tables import outbox
from prbot.demo.state import Pull
from prbot.ports.outbox import CommentLetter, Letter, ReactionLetter, StatusLetter

STATUSES, REACTIONS = r"/statuses/\w+$", r"/(reactions|award_emoji)$"
COMMENTS = r"/(issues|merge_requests)/\d+/(comments|notes)$"
WRITES = (STATUSES, REACTIONS, COMMENTS)
EDITS = r"/(issues/comments|notes)/\d+$"
PATIENCE = 2
"""Seconds until prbot gives up a call to this forge."""


def _in(seconds: float) -> str:
    return str(int(time.time() + seconds))


Weather = Callable[[], dict[str, Any]]

SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes."
WEATHERS: dict[str, Weather] = {
    "502": lambda: {"status": 502},
    "primary limit": lambda: {
        "status": 403,
        "message": "API rate limit exceeded for user ID 1.",
        "headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": _in(2)},
    },
    "secondary limit": lambda: {
        "status": 403,
        "message": SECONDARY,
        "headers": {"Retry-After": "1"},
    },
    "429": lambda: {"status": 429, "message": SECONDARY, "headers": {"Retry-After": "1"}},
    "429 until then": lambda: {
        "status": 429,
        "message": "Retry later",
        "headers": {"RateLimit-Remaining": "0", "RateLimit-Reset": _in(2)},
    },
    "cut": lambda: {"status": 0},
    "answer lost": lambda: {"status": 0, "after": True},
    "502 after the deed": lambda: {"status": 502, "after": True},
    "silent": lambda: {"hang": True},
    "silent after the deed": lambda: {"hang": True, "after": True},
}


@dataclass(frozen=True)
class Sent:
    """A row of the outbox."""

    letter: Letter
    settled: bool
    why: str | None


async def sent(town: Town, pull: Pull) -> list[Sent]:
    assert town.prbot is not None
    store: Any = town.prbot.store
    rows = select(outbox).where(outbox.c.number == pull.number).order_by(outbox.c.seq)
    async with store.transaction() as db:
        found = (await db.execute(rows)).all()
    return [Sent(row.letter, row.settled_at is not None, row.why) for row in found]


async def restarted(town: Town, patience: int = PATIENCE) -> None:
    (forge,) = town.config.forges
    await town.start(forges=(forge.model_copy(update={"timeout": patience}),))


def _for_nothing(letter: CommentLetter, written: Collection[str]) -> bool:
    """It empties a comment that there never was."""
    return letter.if_written and letter.marker not in written


async def all_is_written(town: Town, pull: Pull) -> None:
    """Wait for it, then look at the forge: each letter, once, in order, and the end state."""

    async def settled() -> bool:
        return all(row.settled for row in await sent(town, pull))

    await town.comes_true(settled)
    letters = await sent(town, pull)
    assert {row.why for row in letters} <= {None, "overtaken", "shown already"}
    bodies: dict[str, str] = {}
    for row in letters:
        if isinstance(row.letter, CommentLetter) and not _for_nothing(row.letter, bodies):
            bodies[row.letter.marker] = row.letter.body
    shown_bodies = [comment.body.strip() for comment in town.said(pull)]  # GitLab's are trimmed
    assert shown_bodies == [body.strip() for body in bodies.values()]
    ends = {
        (row.letter.sha, row.letter.context): (row.letter.state, row.letter.description)
        for row in letters
        if isinstance(row.letter, StatusLetter)
    }
    shown = {(s.sha, s.context): (s.state, s.description) for s in pull.repo.statuses}
    assert {place: shown.get(place) for place in ends} == ends
    asked = {row.letter.comment_id for row in letters if isinstance(row.letter, ReactionLetter)}
    for comment in (each for each in pull.repo.comments.values() if each.pull is pull):
        eyes = [r for r in comment.reactions if (r.content, r.user.login) == ("eyes", BOT)]
        assert len(eyes) == (comment.id in asked)


ON_GITHUB = pytest.mark.only_forge("github", "GitLab answers 429 to whoever asks too much")
ON_GITLAB = pytest.mark.only_forge("gitlab", "GitHub says so in headers of other names")
ONLY = {"primary limit": ON_GITHUB, "secondary limit": ON_GITHUB, "429 until then": ON_GITLAB}


@pytest.mark.parametrize(
    "weather",
    [pytest.param(told, id=name, marks=ONLY.get(name, ())) for name, told in WEATHERS.items()],
)
async def test_weather(town: Town, weather: Weather) -> None:
    """It answers three comments and sets the statuses, whatever happens to the first status,
    the first reaction, and two of the comments."""
    clone = await town.build({"README.md": "Hello.\n"})
    await restarted(town)
    ordered = [town.forge.fail_next("POST", path, **weather()) for path in WRITES]
    await clone.push("topic", "Change", {"README.md": "Hello again.\n"})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    for words in ("prbot help", "prbot unlock", "prbot aply"):
        await town.forge.comment(pull, "alice", words)
    await town.forge.wait_for(lambda: len(town.said(pull)) == 3, 60)
    ordered.append(town.forge.fail_next("POST", COMMENTS, **weather()))
    await town.forge.comment(pull, "alice", "prbot help")
    await town.forge.wait_for(lambda: len(town.said(pull)) == 4, 60)
    await all_is_written(town, pull)
    assert [fault.times for fault in ordered] == [0] * 4


async def test_silence_of_ten_seconds(town: Town) -> None:
    """It gives up a call after ten seconds, writes for others meanwhile, and finds the
    comment that the silent forge took after all."""
    clone = await town.build({"README.md": "Hello.\n"})
    await restarted(town, patience=10)
    pulls = []
    for branch in ("silent", "other"):
        await clone.push(branch, "Change", {"README.md": f"Hello {branch}.\n"})
        pull = await town.forge.open_pull(REPOSITORY, head=branch, title=branch, author="alice")
        pulls.append(pull)
        await town.status(pull, "prbot/apply", "success")
    silent, other = pulls
    town.forge.fail_next(
        "POST",
        rf"/(issues|merge_requests)/{silent.number}/(comments|notes)$",
        hang=True,
        after=True,
    )
    began = time.monotonic()
    await town.forge.comment(silent, "alice", "prbot help")
    await town.forge.wait_for(lambda: town.forge.faults.hanging, 60)
    await town.forge.comment(other, "alice", "prbot help")
    await town.hears(other, "understands")
    assert not all(row.settled for row in await sent(town, silent))
    await town.forge.comment(silent, "alice", "prbot unlock")
    await town.hears(silent, "Unlocked")
    assert time.monotonic() - began >= 10
    for pull in pulls:
        await all_is_written(town, pull)


async def test_a_stop_in_the_middle(town: Town) -> None:
    """It hears a call out before it leaves: another process that took the letter while the
    call is on its way would write the comment a second time."""
    clone = await town.build({"README.md": "Hello.\n"})
    await restarted(town)
    await clone.push("topic", "Change", {"README.md": "Hello again.\n"})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.status(pull, "prbot/apply", "success")
    town.forge.fail_next("POST", COMMENTS, hang=True)
    await town.forge.comment(pull, "alice", "prbot help")
    await town.forge.wait_for(lambda: town.forge.faults.hanging, 60)
    assert town.prbot is not None
    await town.prbot.service.drain(60)
    (letter,) = [row for row in await sent(town, pull) if isinstance(row.letter, CommentLetter)]
    assert "no answer" in str(letter.why)


async def test_a_bad_hour(town: Town, need: Callable[[str], None]) -> None:
    """It plans, edits its comment after a push, and applies on merge, while what it writes
    fails at first and then is taken without an answer."""
    need("terraform")
    edit = "PUT" if town.gitlab else "PATCH"
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await restarted(town)
    for verb, path in (("POST", COMMENTS), ("POST", STATUSES), (edit, EDITS)):
        town.forge.fail_next(verb, path, 502)
    town.forge.fail_next("POST", COMMENTS, 0, after=True)
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.status(pull, "prbot/plan", "success")
    for verb, path in (("POST", STATUSES), (edit, EDITS)):
        town.forge.fail_next(verb, path, 0, after=True)
    await clone.push("topic", "Words", {"README.md": "Hello.\n"})
    await town.forge.wait_for(lambda: f"`{pull.head_sha[:7]}`" in town.said(pull)[0].body, 60)
    await town.status(pull, "prbot/apply", "success")
    await all_is_written(town, pull)
    await town.forge.merge(pull, "bob")
    await town.hears(pull, "Applied")
    await all_is_written(town, pull)
    assert len(town.said(pull)) == 2
