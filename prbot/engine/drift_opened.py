"""What follows when a pull request about drift was opened, or could not be; and its end.

In the transaction that settles its letter: its number is noted, and whoever asked is told.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from prbot.drift.tell import Reply
from prbot.drift.trying import REFUSED
from prbot.engine.drift_issues import tell_below
from prbot.engine.world import World
from prbot.model import PullRef
from prbot.ports.outbox import ProposalLetter, WithdrawLetter
from prbot.ports.store import UnitOfWork
from prbot.runs.reasons import Reason
from prbot.runs.say import Refusal

log = structlog.get_logger()


async def withdraw(world: World, pull: PullRef, letter: WithdrawLetter) -> None:
    """Close it, if it is still ours alone. Raises what the forge and git raise."""
    forge = world.forge_of(pull.repo)
    now, bot = await forge.reader.pull_request(pull), await forge.reader.bot_login()
    if not now.open or now.fork or (now.author, now.head_branch) != (bot, letter.branch):
        return
    access = await forge.reader.clone_access(pull.repo)
    if not await forge.workspaces.is_ours(pull.repo, access, letter.branch):
        log.info("pull request is left", action="write", pull=str(pull))
        return
    await forge.writer.upsert_comment(pull, letter.marker, letter.body, None)
    await forge.writer.close_pull(pull)


async def opened(
    world: World, unit: UnitOfWork, letter: ProposalLetter, number: int | None
) -> None:
    """`number` None: people went on with its branch, and it is left to them."""
    if number is None:
        branch = letter.change.branch
        way = f"go on with the branch, or delete `{branch}` and say it again"
        await _refused(world, unit, letter, Reason("branch", f"people pushed to `{branch}`", way))
        return
    kept, below = letter.correction, letter.below
    if kept is None:
        return
    await unit.corrections.add(replace(kept, pull=PullRef(kept.repo, number)))
    if below is not None:
        where = "" if below.place == kept.repo else f" of `{kept.repo.path}`"
        said = f"pull request {number}{where} does it: review and merge it there. {below.more}"
        told = Reply(below.command, below.by, said.strip())
        await tell_below(world, unit, below, kept, told)


async def not_opened(world: World, unit: UnitOfWork, letter: ProposalLetter, why: str) -> None:
    """The forge said a final no."""
    way = "whoever runs the server can see to prbot's rights there; then say it again"
    await _refused(world, unit, letter, Reason("forge", why, way))


async def _refused(world: World, unit: UnitOfWork, letter: ProposalLetter, reason: Reason) -> None:
    kept, below = letter.correction, letter.below
    if kept is not None:
        await unit.corrections.add(replace(kept, outcome=REFUSED))
    if kept is not None and below is not None:
        told = Refusal(below.command, below.by, (reason,))
        await tell_below(world, unit, below, kept, told)
