"""Looks at a state that a pull request leaves to nobody, from the base it still stands in.

What the head has in that place, or has no longer, cannot lead the look elsewhere. A data
directory of its own; reads only, so doing it twice does no harm.
"""

from __future__ import annotations

from prbot.engine.checkouts import Checkouts
from prbot.engine.planner import job_directory
from prbot.engine.toolbox import Toolbox
from prbot.engine.world import World
from prbot.ports.store import JournalEntry
from prbot.ports.tool import ToolRun
from prbot.runs.orphans import LISTED, listing
from prbot.runs.run import Job, JobState, Run


async def take_inventory(world: World, checkouts: Checkouts, run: Run, job: Job) -> Job:
    """Write down what the state holds. Raises what the tool and the workspaces raise."""
    base, worktree = await checkouts.base_worktree(run)
    toolbox = Toolbox(world.tools, world.forge_of(run.pull.repo).tree, world.facts)
    tool = await toolbox.of_base(run, base, job.project)
    with job_directory(world.settings.jobs_dir, job) as data_dir:
        surroundings = ToolRun(
            root=worktree / job.project.dir,
            data_dir=data_dir,
            workspace=job.project.workspace,
            environment=world.settings.tool_environment,
            timeout=world.settings.job_timeout,
        )
        found = await tool.inventory(surroundings)
    detail = listing([world.redactor.redact(address) for address in found])
    entry = JournalEntry(world.clock.now(), run.pull, None, job.id, LISTED, detail)
    async with world.store.begin() as unit:
        ended = await unit.runs.move_job(job, JobState.LOOKED)
        await unit.journal.write(entry)
    return ended
