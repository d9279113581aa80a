"""What an apply waits for, and when it is looked at again.

The scenes are those of `prbot explain apply`, so that they read like the table of them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from prbot.app.scene_made import made
from prbot.config.repo import Effective
from prbot.config.scene_file import read_scene
from prbot.runs.decide import decide
from prbot.runs.requirements.times import next_look
from prbot.runs.run import RunState
from prbot.runs.say import Refusal, Waiting
from prbot.runs.steps import LayOut, Say, Step, Wait

SHUT = "2026-03-04T19:00:00+00:00"
OFFICE = ["Mon-Thu 09:00-16:00 Europe/Berlin"]
APPROVED = [
    {"author": "carol", "state": "approved", "at": "2026-03-04T09:30:00+00:00", "commit": "head"}
]
FROZEN = [{"reason": "release", "by": "dave", "until": "2026-03-05T00:00:00+00:00"}]


def scene(defaults: dict[str, Any], **odd: Any) -> dict[str, Any]:
    """One project, planned at nine and shown; `odd` are further keys of the scene."""
    plan = {"id": "p-0000001", "hash": "h", "shown_at": "2026-03-04T09:00:00+00:00"}
    usual = {
        "now": "2026-03-04T10:00:00+00:00",
        "command": {"actor": "bob", "said_at": "2026-03-04T09:50:00+00:00"},
        "pull": {"author": "ann"},
        "rules": {"defaults": defaults},
        "reviews": APPROVED,
        "projects": [{"dir": "envs/prod", "plans": [plan]}],
    }
    return usual | odd


def steps_of(file: dict[str, Any], state: RunState = RunState.WORKING) -> tuple[Step, ...]:
    known = made(read_scene(json.dumps(file), "scene.json"))
    run = replace(known.run, state=state)
    return decide(run, replace(known.scene, runs=(run, *known.scene.runs[1:])))


def told(steps: tuple[Step, ...]) -> tuple[str, set[str]]:
    """How it ends, and what for."""
    (message,) = (step.message for step in steps if isinstance(step, Say))
    assert isinstance(message, Waiting | Refusal)
    how = "waits" if isinstance(message, Waiting) else "refused"
    assert (how == "waits") is (Wait() in steps)
    return how, {reason.requirement for reason in message.reasons}


LOCK = [{"dir": "envs/prod", "pull": 13}]
WAITS = {"apply_waits": True}
READER = {"actor": "bob", "permission": "read"}
ROWS = {
    "no approval": (scene(WAITS, reviews=[]), ("waits", {"approved"})),
    "no approval, and it does not wait": (scene({}, reviews=[]), ("refused", {"approved"})),
    "outside the window": (
        scene(WAITS | {"apply_windows": OFFICE}, now=SHUT, command={"actor": "bob"}),
        ("waits", {"windows"}),
    ),
    "frozen": (scene(WAITS, freezes=FROZEN), ("waits", {"frozen"})),
    "a check is red": (
        scene(WAITS, pull={"author": "ann", "failing_checks": ["ci"]}),
        ("waits", {"mergeable"}),
    ),
    "locked, which is always waited for": (scene({}, locks=LOCK), ("waits", {"lock"})),
    "frozen and not approved": (
        scene(WAITS, reviews=[], freezes=FROZEN),
        ("waits", {"approved", "frozen"}),
    ),
    "not approved and a draft": (
        scene(WAITS, reviews=[], pull={"author": "ann", "draft": True}),
        ("refused", {"approved", "draft"}),
    ),
    "the commenter only reads": (scene(WAITS, command=READER), ("refused", {"permission"})),
    "too many commits to know who wrote them": (
        scene(WAITS, pull={"author": "ann", "committers": None}),
        ("refused", {"approved"}),
    ),
    "the plan was not there when it was said": (
        scene(WAITS, command={"actor": "bob", "said_at": "2026-03-04T08:59:00+00:00"}, reviews=[]),
        ("refused", {"seen", "approved", "age"}),
    ),
    "merged while frozen": (
        scene({}, command={"actor": "bob", "kind": "merge"}, freezes=FROZEN)
        | {"pull": {"author": "ann", "merged": True}},
        ("waits", {"frozen"}),
    ),
}


@pytest.mark.parametrize(("file", "expected"), ROWS.values(), ids=ROWS)
def test_waits(file: dict[str, Any], expected: tuple[str, set[str]]) -> None:
    """It waits for what others or time bring about, where that is set, and for nothing else."""
    assert told(steps_of(file)) == expected


def test_it_goes_on() -> None:
    """It lays everything out anew when what it waited for is there, and judges that again."""
    assert steps_of(scene(WAITS, reviews=[]), RunState.WAITING) == ()
    assert LayOut() in steps_of(scene(WAITS), RunState.WAITING)


LOOKS = {
    "the window": (
        scene({"apply_windows": OFFICE}, now=SHUT),
        datetime(2026, 3, 5, 8, tzinfo=UTC),
    ),
    "the freeze": (scene({}, freezes=FROZEN), datetime(2026, 3, 5, tzinfo=UTC)),
    "nothing that time brings": (scene(WAITS, reviews=[]), None),
    "an open window": (scene({"apply_windows": OFFICE}), None),
}


@pytest.mark.parametrize(("file", "when"), LOOKS.values(), ids=LOOKS)
def test_next_look(file: dict[str, Any], when: datetime | None) -> None:
    """It is looked at again when a window opens or a freeze ends, and not for nothing."""
    known = made(read_scene(json.dumps(file), "scene.json")).scene
    assert isinstance(known.rules, Effective)
    assert next_look(known, known.rules) == when
