"""Writes what is told of drift: the issue as it is kept, and letters for the outbox.

All in the caller's transaction, so that nothing is kept that is not told.
"""

from __future__ import annotations

from dataclasses import replace

from prbot.config.drift import DriftSettings
from prbot.drift.issue import marker
from prbot.drift.sight import TellIssue
from prbot.drift.state import Correction, IssueOf
from prbot.drift.tell import Reply
from prbot.engine.letters import drift_comment, drift_letter
from prbot.engine.world import World
from prbot.model import RepoRef
from prbot.ports.outbox import Below, of_repository
from prbot.ports.store import UnitOfWork
from prbot.runs.say import Refusal


async def tell_issue(
    world: World, unit: UnitOfWork, step: TellIssue, settings: DriftSettings
) -> None:
    """Keep the issue; write it, and what is said below it."""
    name = marker(world.settings.installation, step.kind, step.group)
    place = place_for(world, step.repo, settings)
    known = IssueOf(step.repo, step.kind, step.group, place, f"<!-- {name} -->", step.kept)
    await unit.drift_issues.keep(known)
    if step.text is None:
        return
    about, now, number = of_repository(place), world.clock.now(), world.new_id("n")
    letter = replace(drift_letter(world, place, name, step.text), is_open=step.is_open)
    await unit.outbox.put(f"drift {name} {number}", about, letter, now)
    if step.comment is not None:
        own = f"prbot:{world.settings.installation}:told:{number}"
        comment = drift_comment(world, place, known.marker, own, step.comment)
        await unit.outbox.put(f"drift {name} {number} said", about, comment, now)


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
