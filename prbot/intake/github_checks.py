"""Buttons of check runs, and GitHub's own "Re-run": who asks for what by pressing them.

Not decided here: whether the check is ours, and whether who pressed may. Wire facts:
https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_run
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from prbot.intake.github_reading import (
    GHOST,
    Action,
    Id,
    Repository,
    User,
    pull_ref,
    read,
    unhandled,
)
from prbot.model import CheckPressed, Event


class _NumberedRepository(Repository):
    id: int | None = None


class _ById(BaseModel):
    id: int | None = None


class _CheckedBase(BaseModel):
    repo: _ById


class _CheckedPull(BaseModel):
    number: Id
    base: _CheckedBase | None = None


class _CheckedBy(BaseModel):
    slug: str = ""


class _Check(BaseModel):
    """A check run or a suite of them. GitHub lists pull requests of other repositories of a
    network, too, and none whose head is a fork."""

    id: Id
    app: _CheckedBy
    external_id: str | None = None
    pull_requests: list[_CheckedPull] = []


class _Pressed(BaseModel):
    identifier: str | None = None


class _CheckPayload(Action):
    check_run: _Check | None = None
    check_suite: _Check | None = None
    requested_action: _Pressed | None = None
    repository: _NumberedRepository
    sender: User = GHOST


_PRESSED = (
    ("check_run", "rerequested"),
    ("check_run", "requested_action"),
    ("check_suite", "rerequested"),
)


def pressed(forge: str, name: str, body: bytes, received_at: datetime | None) -> Event:
    """All other events of checks are what our own writing causes."""
    action = read(Action, body).action
    if (name, action) not in _PRESSED:
        return unhandled(name, body)
    payload = read(_CheckPayload, body)
    check = payload.check_run or payload.check_suite
    here = (payload.repository.id, None)
    pulls = check.pull_requests if check else []
    mine = [p for p in pulls if p.base is None or p.base.repo.id in here]
    if check is None or not mine:
        return unhandled(name, body)
    button = payload.requested_action.identifier if payload.requested_action else None
    return CheckPressed(
        pull=pull_ref(forge, payload.repository, mine[0].number),
        check_id=check.id,
        button="rerun" if action == "rerequested" else button or "",
        app=check.app.slug,
        mark=(check.external_id or "").partition("-")[0],
        actor=payload.sender.actor,
        at=received_at,
        reason=f"{name} {action}",
    )
