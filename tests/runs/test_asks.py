"""From an event to what is asked: one row per event and server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from prbot.model import (
    Actor,
    Commented,
    Event,
    Ignored,
    Login,
    PlanId,
    PullChanged,
    PullClosed,
    PullMerged,
    PullRef,
    Pushed,
    RepoRef,
    Selector,
    Sha,
)
from prbot.runs.asks import Asked, Listening, ask_of
from prbot.runs.run import Ask, AskKind

REPO, STRANGE = RepoRef("github", "acme/infra"), RepoRef("github", "stranger/infra")
PULL = PullRef(REPO, 7)
HEAD = Sha("1" * 40)
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SOMEBODY = Actor(Login("somebody"))
BOT = Login("acme-prbot[bot]")

LISTENING = Listening(
    serves=lambda repo: repo == REPO,
    serves_branch=lambda branch, default: branch == default,
    bot=BOT,
    aliases=("atlantis",),
)
QUIET = replace(LISTENING, bare_commands=False)

CHANGED = PullChanged(PULL, HEAD, "main", "main", SOMEBODY, False, False, "opened")
MERGED = PullMerged(PULL, HEAD, "main", "main", SOMEBODY, Sha("d" * 40), False)
CLOSED = PullClosed(PULL, HEAD, "main", "main", SOMEBODY, False)


def comment(body: str, actor: Actor = SOMEBODY, pull: PullRef = PULL) -> Commented:
    return Commented(pull, 42, body, actor, NOON)


def by_event(kind: AskKind, reason: str, **more: Any) -> Ask:
    base = {"base_branch": "main"} if kind is AskKind.PLAN else {}
    return Ask(kind, SOMEBODY.login, reason, head_sha=HEAD, **{**base, **more})


EVENTS = {
    "opened": (CHANGED, by_event(AskKind.PLAN, "opened")),
    "new commits": (
        replace(CHANGED, reason="synchronize"),
        by_event(AskKind.PLAN, "synchronize"),
    ),
    "by a bot such as a dependency updater": (
        replace(CHANGED, actor=Actor(SOMEBODY.login, is_bot=True)),
        by_event(AskKind.PLAN, "opened"),
    ),
    "a draft": (replace(CHANGED, draft=True), by_event(AskKind.PLAN, "opened", draft=True)),
    "a fork": (replace(CHANGED, fork=True), by_event(AskKind.PLAN, "opened")),
    "merged": (MERGED, by_event(AskKind.MERGE, "merged")),
    "closed": (CLOSED, by_event(AskKind.CLOSE, "closed")),
    "repository not served": (replace(CHANGED, pull=PullRef(STRANGE, 7)), None),
    "merged elsewhere": (replace(MERGED, pull=PullRef(STRANGE, 7)), None),
    "base not served": (replace(CHANGED, base_branch="release"), None),
    "merged into a base not served": (replace(MERGED, base_branch="release"), None),
    "closed on a base not served": (replace(CLOSED, base_branch="release"), None),
    "the default branch has another name": (
        replace(CHANGED, base_branch="trunk", default_branch="trunk"),
        by_event(AskKind.PLAN, "opened", base_branch="trunk"),
    ),
    "a push": (Pushed(REPO, "main", HEAD, "main", SOMEBODY), None),
    "nothing of ours": (Ignored("a ping"), None),
}

COMMENTS: dict[str, tuple[Commented, tuple[AskKind, dict[str, object]] | None]] = {
    "prbot plan": (comment("prbot plan"), (AskKind.PLAN, {})),
    "bare plan": (comment("plan"), (AskKind.PLAN, {})),
    "bare apply": (comment("apply"), (AskKind.APPLY, {})),
    "slash": (comment("/prbot plan"), (AskKind.PLAN, {})),
    "mention": (comment("@acme-prbot plan"), (AskKind.PLAN, {})),
    "alias": (comment("atlantis apply"), (AskKind.APPLY, {})),
    "another bot's name": (comment("digger plan"), None),
    "selector": (
        comment("prbot plan -d a -w blue"),
        (AskKind.PLAN, {"select": Selector(("a",), ("blue",))}),
    ),
    "apply one": (
        comment("prbot apply -d a"),
        (AskKind.APPLY, {"select": Selector(("a",))}),
    ),
    "apply by plan id": (
        comment("prbot apply p-3e91c0"),
        (AskKind.APPLY, {"plan_id": PlanId("p-3e91c0")}),
    ),
    "accept changes": (
        comment("prbot apply --accept-changes"),
        (AskKind.APPLY, {"accept_changes": True}),
    ),
    "unlock": (
        comment("prbot unlock -d a"),
        (AskKind.UNLOCK, {"select": Selector(("a",))}),
    ),
    "help": (comment("prbot help"), (AskKind.HELP, {})),
    "conversation": (comment("plan to do this tomorrow"), None),
    "empty": (comment(""), None),
    "our own comment": (comment("prbot plan", Actor(BOT)), None),
    "our own comment, another spelling": (
        comment("prbot plan", Actor(Login("Acme-PRbot[bot]"), is_bot=True)),
        None,
    ),
    "our own comment under a person's account": (
        comment("prbot plan", Actor(BOT, is_bot=False)),
        None,
    ),
    "another bot": (comment("prbot plan", Actor(Login("renovate[bot]"), is_bot=True)), None),
    "repository not served": (comment("prbot plan", pull=PullRef(STRANGE, 7)), None),
    "hint where the repository is not served": (
        comment("prbot plam", pull=PullRef(STRANGE, 7)),
        None,
    ),
}


@pytest.mark.parametrize(("event", "expected"), EVENTS.values(), ids=EVENTS)
def test_events(event: Event, expected: Ask | None) -> None:
    """It asks for what an event means here, and says why where it asks nothing."""
    asked = ask_of(event, LISTENING)
    if expected is None:
        assert isinstance(asked, Ignored)
        assert asked.reason
    else:
        assert asked == Asked(PULL, expected)


@pytest.mark.parametrize(("event", "expected"), COMMENTS.values(), ids=COMMENTS)
def test_comments(event: Commented, expected: tuple[AskKind, dict[str, object]] | None) -> None:
    """It asks for what a comment says, in the name of who said it, when they said it.

    The base branch of a comment is unknown here; deciding looks at it.
    """
    asked = ask_of(event, LISTENING)
    if expected is None:
        assert isinstance(asked, Ignored)
        return
    kind, details = expected
    plain = Ask(kind, SOMEBODY.login, "commented", comment_id=42, commented_at=NOON)
    assert asked == Asked(PULL, replace(plain, **details))  # type: ignore[arg-type] # rows


def test_bare_commands_can_be_switched_off() -> None:
    """It hears only prefixed commands where bare ones are off."""
    assert isinstance(ask_of(comment("plan"), QUIET), Ignored)
    assert isinstance(ask_of(comment("prbot plan"), QUIET), Asked)


def test_aliases_are_the_servers() -> None:
    """It hears an alias only where the server names it."""
    deaf = replace(LISTENING, aliases=())
    assert isinstance(ask_of(comment("atlantis plan"), deaf), Ignored)


@pytest.mark.parametrize("body", ["prbot plam", "prbot plan\nplease", "prbot plan -d ../x"])
def test_hints(body: str) -> None:
    """It asks for one hint where a command was meant and is none."""
    asked = ask_of(comment(body), LISTENING)
    assert isinstance(asked, Asked)
    assert asked.ask.kind is AskKind.HINT
    assert asked.ask.message


def test_two_comments_ask_separately() -> None:
    """It keeps which comment asked, so that each is answered."""
    first, second = comment("plan"), replace(comment("plan"), comment_id=43)
    answers = [ask_of(event, LISTENING) for event in (first, second)]
    assert [a.ask.comment_id for a in answers if isinstance(a, Asked)] == [42, 43]
