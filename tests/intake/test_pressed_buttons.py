"""Buttons of checks: which webhooks of them ask for something, and of whom."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from prbot.errors.webhooks import BadPayload
from prbot.intake.github import event_of
from prbot.model import Actor, CheckPressed, Event, Ignored, Login, PullRef, RepoRef
from prbot.runs.asks import Asked, Listening, ask_of
from prbot.runs.run import AskKind

HERE = {"id": 7, "full_name": "acme/infra", "default_branch": "main"}
PULL = PullRef(RepoRef("hub", "acme/infra"), 5)
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
BOB = Actor(Login("bob"))


def pull(number: int = 5, repository: int = 7) -> dict[str, Any]:
    return {"number": number, "head": {}, "base": {"ref": "main", "repo": {"id": repository}}}


def payload(action: str = "rerequested", what: str = "check_run", **odd: Any) -> dict[str, Any]:
    check = {
        "id": 3,
        "head_sha": "a" * 40,
        "external_id": "m4rk-digest",
        "app": {"slug": "prbot"},
        "pull_requests": [pull()],
    }
    known = {k: odd.pop(k) for k in ("sender", "requested_action", "repository") if k in odd}
    around = {"repository": HERE, "sender": {"login": "bob", "type": "User"}}
    return {"action": action, what: check | odd, **around, **known}


def digest(name: str, body: dict[str, Any]) -> Event:
    return event_of("hub", name, json.dumps(body).encode(), NOON)


def pressed(button: str, reason: str, mark: str = "m4rk") -> CheckPressed:
    return CheckPressed(PULL, 3, button, "prbot", mark, BOB, NOON, reason)


ACTION = "check_run requested_action"
APPLY = {"requested_action": {"identifier": "apply"}}


@pytest.mark.parametrize(
    ("name", "body", "event"),
    [
        ("check_run", payload(), pressed("rerun", "check_run rerequested")),
        ("check_run", payload("requested_action", **APPLY), pressed("apply", ACTION)),
        (
            "check_run",
            payload("requested_action", requested_action={"identifier": "dance"}),
            pressed("dance", ACTION),
        ),
        ("check_run", payload("requested_action"), pressed("", ACTION)),
        ("check_run", payload(external_id=None), pressed("rerun", "check_run rerequested", "")),
        # a "Re-run" never applies, whatever else its payload says
        ("check_run", payload(**APPLY), pressed("rerun", "check_run rerequested")),
        (
            "check_suite",
            payload(what="check_suite", external_id=None),
            pressed("rerun", "check_suite rerequested", ""),
        ),
        ("check_run", payload("created"), Ignored("check_run created")),
        ("check_run", payload("completed"), Ignored("check_run completed")),
        ("check_suite", payload("requested", "check_suite"), Ignored("check_suite requested")),
        ("check_suite", payload("completed", "check_suite"), Ignored("check_suite completed")),
        # of a fork, or of a commit without a pull request
        ("check_run", payload(pull_requests=[]), Ignored("check_run rerequested")),
        # of another repository of the network
        ("check_run", payload(pull_requests=[pull(9, 8)]), Ignored("check_run rerequested")),
        (
            "check_run",
            payload(pull_requests=[pull(9, 8), pull()]),
            pressed("rerun", "check_run rerequested"),
        ),
    ],
)
def test_what_it_says(name: str, body: dict[str, Any], event: Event) -> None:
    """It hears buttons and "Re-run" of pull requests here, and nothing else about checks."""
    assert digest(name, body) == event


@pytest.mark.parametrize(
    "odd", [{"id": 0}, {"app": None}, {"pull_requests": [{"number": -1}]}, {"sender": 5}]
)
def test_bad_payloads(odd: dict[str, Any]) -> None:
    """It refuses a payload that lacks what its event promises."""
    with pytest.raises(BadPayload):
        digest("check_run", payload(**odd))


LISTENING = Listening(lambda repo: repo == PULL.repo, lambda *_: False, Login("prbot[bot]"))
BOT = {"sender": {"login": "prbot[bot]", "type": "Bot"}}


@pytest.mark.parametrize(
    ("body", "bot", "kind"),
    [
        (payload(), "prbot[bot]", AskKind.PLAN),
        (payload(app={"slug": "PRbot"}), "prbot[bot]", AskKind.PLAN),
        (payload("requested_action", **APPLY), "prbot[bot]", AskKind.APPLY),
        (payload("requested_action", requested_action={"identifier": ""}), "prbot[bot]", None),
        (payload(app={"slug": "other-app"}), "prbot[bot]", None),
        (payload(), "prbot", None),
        (payload(**BOT), "prbot[bot]", None),
        (payload(sender={"login": "renovate[bot]", "type": "Bot"}), "prbot[bot]", None),
        (payload(repository=HERE | {"full_name": "eve/infra"}), "prbot[bot]", None),
    ],
)
def test_what_it_asks(body: dict[str, Any], bot: str, kind: AskKind | None) -> None:
    """It is asked by people, with buttons of its own checks, in repositories it serves."""
    listening = Listening(LISTENING.serves, LISTENING.serves_branch, Login(bot))
    asked = ask_of(digest("check_run", body), listening)
    if kind is None:
        assert isinstance(asked, Ignored)
        return
    assert isinstance(asked, Asked)
    ask = asked.ask
    assert (asked.pull, ask.kind, ask.actor, ask.by_comment) == (PULL, kind, "bob", True)
    assert (ask.check_id, ask.mark, ask.commented_at) == (3, "m4rk", NOON)
