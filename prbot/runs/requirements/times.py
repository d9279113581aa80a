"""When an apply may start: apply windows, freezes, and when to look again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from prbot.config.environments import Needs
from prbot.config.repo import Effective
from prbot.config.windows import any_open, next_opening
from prbot.model import ProjectKey
from prbot.runs.freezes import not_frozen
from prbot.runs.requirements.people import environments_in, place_of
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import Scene


def in_time(scene: Scene, rules: Effective, projects: Iterable[ProjectKey]) -> Reasons:
    """Each project's environment has an apply window open now, and nothing is frozen."""
    found: list[Reason] = []
    for needs in environments_in(projects, scene, rules):
        if not any_open(needs.windows, scene.now):
            found.append(_closed(needs, scene.now))
        frozen = not_frozen(scene.freezes, scene.pull.ref.repo, needs.name, scene.now)
        found += [replace(reason, comes=True) for reason in frozen]
    return tuple(dict.fromkeys(found))


def _closed(needs: Needs, now: datetime) -> Reason:
    listed = ", ".join(f"`{window.text}`" for window in needs.windows)
    opens = next_opening(needs.windows, now)
    return Reason(
        "windows",
        f"now is outside the apply windows of {place_of(needs)}: {listed}",
        f"the next one opens at {opens:%Y-%m-%d %H:%M} UTC",
        comes=True,
    )


def next_look(scene: Scene, rules: Effective) -> datetime | None:
    """When something that is waited for may come about by time alone; None: it does not."""
    shut = (n for n in rules.environments.all if not any_open(n.windows, scene.now))
    opening = [next_opening(needs.windows, scene.now) for needs in shut]
    thawing = [freeze.until for freeze in scene.freezes if freeze.until is not None]
    return min((moment for moment in (*opening, *thawing) if moment > scene.now), default=None)
