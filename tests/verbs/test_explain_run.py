"""`prbot explain apply --run`: what a run of the service judged, or why nobody can tell."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from prbot.adapters.artifacts import EncryptedFiles
from prbot.adapters.installation import derive, load_or_create_key
from prbot.adapters.store import SqlStore
from prbot.model import Login, PullRef, RepoRef, RunId
from prbot.runs.run import Ask, AskKind, Run, RunState, Trouble

PULL = PullRef(RepoRef("github", "acme/infra"), 7)
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
SCENE: dict[str, Any] = {
    "now": NOW.isoformat(),
    "command": {"actor": "bob"},
    "pull": {"author": "ann"},
    "projects": [{"dir": "app", "plans": [{"id": "p-1", "shown_at": NOW.isoformat()}]}],
}


def a_run(office: Any, state: RunState, kind: AskKind = AskKind.APPLY, **more: Any) -> None:
    async def added(store: SqlStore) -> None:
        run = Run(RunId("r-1"), PULL, Ask(kind, Login("bob"), "commented", comment_id=1), NOW)
        async with store.begin() as unit:
            await unit.runs.add(run)
            if state is not RunState.QUEUED:
                await unit.runs.move(run.id, RunState.QUEUED, state, more.get("trouble"))

    office.does(added)


def keep(office: Any, document: dict[str, Any]) -> None:
    """As the service does, sealed with the key beside its database."""
    state: Path = office.database.parent
    key = derive(load_or_create_key(state / "installation.key"), "artifacts")
    data = json.dumps(document).encode()
    asyncio.run(EncryptedFiles(state / "artifacts", key).put("r-1.scene", data))


def explain(office: Any, *arguments: str, exits: int = 0) -> str:
    return str(office.runs("explain", "apply", "--run", "r-1", *arguments, exits=exits))


def test_it_is_kept(office: Any) -> None:
    """It prints why, as words or as JSON, or the scene itself."""
    a_run(office, RunState.REFUSED)
    keep(office, SCENE)
    assert explain(office).startswith("not allowed\napproved: 0 of 1 approvals")
    (reason,) = json.loads(explain(office, "--json"))["reasons"]
    assert reason["requirement"] == "approved"
    assert json.loads(explain(office, "--scene")) == SCENE


def test_no_such_run(office: Any) -> None:
    """It says where runs are named."""
    explain(office, exits=1)
    assert "No run is called r-1." in office.said
    assert "ends with its run" in office.said


@pytest.mark.parametrize("state", [RunState.REFUSED, RunState.HELD, RunState.WAITING])
def test_gone(office: Any, state: RunState) -> None:
    """It says that there was one; and makes no key where there is none to read it with."""
    a_run(office, state)
    explain(office, exits=1)
    assert "What run r-1 judged is not kept any more." in office.said
    assert not (office.database.parent / "installation.key").exists()


@pytest.mark.parametrize(
    ("kind", "state", "trouble"),
    [
        (AskKind.PLAN, RunState.REFUSED, None),
        (AskKind.APPLY, RunState.QUEUED, None),
        (AskKind.MERGE, RunState.IGNORED, None),
        (AskKind.MERGE, RunState.DONE, None),
        (AskKind.APPLY, RunState.REFUSED, Trouble("No project is called `x`.")),
    ],
)
def test_nothing_judged(
    office: Any, kind: AskKind, state: RunState, trouble: Trouble | None
) -> None:
    """It says so of a run that was about something else, or did not come to a decision."""
    a_run(office, state, kind, trouble=trouble)
    explain(office, exits=1)
    assert f"Run r-1 (`{kind}`, {state}) judged no apply." in office.said


def test_another_key(office: Any) -> None:
    """It does not take what somebody else sealed for a scene."""
    a_run(office, RunState.REFUSED)
    keep(office, SCENE)
    (office.database.parent / "installation.key").unlink()
    load_or_create_key(office.database.parent / "installation.key")
    explain(office, exits=1)
    assert "cannot be decrypted" in office.said


@pytest.mark.parametrize(
    "arguments", [(), ("scene.json", "--run", "r-1"), ("scene.json", "--scene")]
)
def test_usage(office: Any, arguments: tuple[str, ...]) -> None:
    """It wants a file or a run, and prints the scene of a run alone."""
    office.runs("explain", "apply", *arguments, exits=64)
