"""Writes what is told of drift: the issue as it is kept, and letters for the outbox.

All in the caller's transaction, so that nothing is kept that is not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import structlog

from prbot.config.drift import DriftSettings
from prbot.drift.issue import marker
from prbot.drift.sight import TellIssue
from prbot.drift.state import Correction, IssueOf
from prbot.drift.tell import Reply
from prbot.engine.letters import drift_comment, drift_letter
from prbot.engine.world import World
from prbot.model import RepoRef
from prbot.ports.outbox import Below, Letter, of_repository
from prbot.ports.store import UnitOfWork
from prbot.runs.say import Refusal

log = structlog.get_logger()


async def tell_issue(
    world: World, unit: UnitOfWork, step: TellIssue, settings: DriftSettings
) -> None:
    """Keep the issue; write it, and what is said below it. What cannot be put into words is
    neither kept nor written, so that the next check tries again, and this one ends."""
    name = marker(world.settings.installation, step.kind, step.group)
    place = place_for(world, step.repo, settings)
    known = IssueOf(step.repo, step.kind, step.group, place, f"<!-- {name} -->", step.kept)
    number = world.new_id("n")
    try:
        letters = tuple(_letters(world, known, name, number, step))
    except Exception:  # a look that never ends would keep the others from being begun
        log.exception("drift not told", action="drift", kind=step.kind, group=step.group)
        return
    await unit.drift_issues.keep(known)
    for key, letter in letters:
        await unit.outbox.put(key, of_repository(place), letter, world.clock.now())


def _letters(
    world: World, known: IssueOf, name: str, number: str, step: TellIssue
) -> Iterator[tuple[str, Letter]]:
    """Each by its name in the outbox."""
    if step.text is None:
        return
    letter = drift_letter(world, known.place, name, step.text)
    yield f"drift {name} {number}", replace(letter, is_open=step.is_open)
    if step.comment is not None:
        own = f"prbot:{world.settings.installation}:told:{number}"
        said = drift_comment(world, known.place, known.marker, own, step.comment)
        yield f"drift {name} {number} said", said


async def tell_below(
    world: World, unit: UnitOfWork, below: Below, about: Correction, said: Reply | Refusal
) -> None:
    """What became of somebody's command, told once."""
    own = f"prbot:{world.settings.installation}:re:{about.id}"
    letter = drift_comment(world, below.place, below.issue, own, said)
    place, now = of_repository(below.place), world.clock.now()
    await unit.outbox.put(f"drift re {about.id}", place, letter, now)


def place_for(world: World, repo: RepoRef, settings: DriftSettings) -> RepoRef:
    """Where its issues stand: elsewhere only where the server serves that repository, too."""
    if settings.issues_repo is None:
        return repo
    elsewhere = RepoRef(repo.forge, settings.issues_repo)
    return elsewhere if world.settings.serves(elsewhere) else repo
