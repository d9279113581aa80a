"""What a dead process left: an apply that had not begun is begun by others, a correction is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from prbot.engine.recovery import Recovery
from prbot.engine.world import World
from prbot.model import JobId, Login, PlanId, ProjectKey, PullRef, RepoRef, RunId
from prbot.runs.correction import OfDrift, correction_place
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Run, RunState

REPO, APP = RepoRef("gh", "acme/infra"), ProjectKey("app")
PLANNED = Job(JobId("j-1"), RunId("r-1"), APP, JobKind.PLAN, JobState.PLANNED)
APPLY = Job(JobId("j-2"), RunId("r-1"), APP, JobKind.APPLY, reviewed=PlanId("p-1"))
ASKED = Ask(AskKind.APPLY, Login("ann"), "apply", comment_id=1)
REVERT = Ask(AskKind.CORRECT, Login("ann"), "drift revert", correction=OfDrift("c-1", False))
AUTO = Ask(AskKind.CORRECT, Login("prbot"), "drift auto", correction=OfDrift("c-1", True))
CASES = {
    "of a pull request": (PullRef(REPO, 7), ASKED, JobState.QUEUED),
    "a correction that somebody asked for": (correction_place(REPO, 1), REVERT, JobState.DROPPED),
    "a correction by rule": (correction_place(REPO, 1), AUTO, JobState.DROPPED),
}


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize(("place", "ask", "state"), CASES.values(), ids=CASES.keys())
async def test_an_apply_that_had_not_begun(
    world: World, place: PullRef, ask: Ask, state: JobState
) -> None:
    """It is done by whoever comes next; a correction was judged for its moment, and is asked for
    anew, so that who may, the rules and the consent are judged anew with it."""
    run = Run(RunId("r-1"), place, ask, world.clock.now(), RunState.WORKING, jobs=(PLANNED, APPLY))
    clock: Any = world.clock
    async with world.store.begin() as unit:
        await unit.runs.add(run)
        assert await unit.runs.start_job(APPLY.id, "w-2", clock.now() + timedelta(seconds=30))
    clock.time += timedelta(minutes=1)
    await Recovery(world).of_the_dead()
    async with world.store.begin() as unit:
        left = await unit.runs.get_job(APPLY.id)
    assert left.state is state
    assert (left.trouble is not None) is (state is JobState.DROPPED)
