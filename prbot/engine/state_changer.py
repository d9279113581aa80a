"""Carries out `import` and `state rm`: the stage of the project's workflow, or prbot's own.

That the job runs is the record that it was begun: whatever happens from here on, it is not begun
again. The journal holds what was asked and what the tool said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from prbot.config.stages import StageName
from prbot.engine.checkouts import Checkouts
from prbot.engine.planner import inside, job_directory, ordered, var_files_of
from prbot.engine.toolbox import Toolbox
from prbot.engine.ways import Way, way_of
from prbot.engine.world import World
from prbot.errors.applies import StateCommandInterrupted, StateWouldBeLost
from prbot.plans.arguments import var_files
from prbot.ports.store import JournalEntry, UnitOfWork
from prbot.ports.tool import Tool, ToolRun
from prbot.runs.run import Job, JobKind, JobState, Run, Trouble
from prbot.runs.state_words import CHANGED, changed


async def change_state(
    world: World, checkouts: Checkouts, toolbox: Toolbox, run: Run, job: Job
) -> Job:
    """Raises what the tool, the steps and the workspaces raise, and StateWouldBeLost."""
    checkout, worktree = await checkouts.worktree(run)
    way = await way_of(world, checkouts, run, job, run.ask.extra)
    with job_directory(world.settings.jobs_dir, job) as data_dir:
        surroundings = ToolRun(
            root=worktree / job.project.dir,
            data_dir=data_dir,
            workspace=job.project.workspace,
            environment=world.settings.tool_environment,
            timeout=world.settings.job_timeout,
        )
        files = var_files_of(way.place, surroundings.root, worktree)
        inside(var_files(run.ask.extra), surroundings.root, worktree)
        tool = await toolbox.for_plan(run.pull.repo, checkout, way.place)
        said = await _perform(world, run, job, way, tool, surroundings, files)
    redact = world.redactor.redact
    objects = [redact(each) for each in run.ask.objects]
    detail = changed(job.kind.value, objects, redact(said))
    entry = JournalEntry(world.clock.now(), run.pull, run.ask.actor, job.id, CHANGED, detail)
    async with world.store.begin() as unit:
        await unit.journal.write(entry)
        return await unit.runs.move_job(job, JobState.CHANGED)


async def _perform(
    world: World,
    run: Run,
    job: Job,
    way: Way,
    tool: Tool,
    surroundings: ToolRun,
    files: Sequence[str],
) -> str:
    name: StageName = "import" if job.kind is JobKind.IMPORT else "state_rm"
    stage = await way.stage(name, tool, world.redactor, surroundings)
    before, after = ordered(way, files)
    said: list[str] = []

    async def change(inner: ToolRun, words: Sequence[str]) -> None:
        if (await tool.initialised(inner)).state_is_lost:
            raise StateWouldBeLost(str(job.project))
        if job.kind is JobKind.IMPORT:
            address, object_id = run.ask.objects
            arguments = (*before, *words, *after)
            said.append(await tool.import_object(inner, address, object_id, arguments))
        else:
            arguments = (*words, *run.ask.extra)
            said.append(await tool.forget(inner, run.ask.objects, arguments))

    stage.change = change
    await stage.perform(way.recipe.import_ if name == "import" else way.recipe.state_rm)
    return "\n".join(said)


async def find_version(
    world: World, checkouts: Checkouts, toolbox: Toolbox, run: Run, job: Job
) -> Job:
    """Which tool the project would be planned with; it is fetched if that is allowed."""
    checkout, _ = await checkouts.worktree(run)
    tool = await toolbox.for_plan(run.pull.repo, checkout, run.place_of(job.project))
    result = replace(job, differences=(await tool.version(),))
    async with world.store.begin() as unit:
        return await unit.runs.move_job(job, JobState.LOOKED, result)


async def cut_off(unit: UnitOfWork, job: Job) -> Job:
    """A change of the state that may have begun: it is never begun again."""
    error = StateCommandInterrupted(job.kind.value, str(job.project))
    told = replace(job, trouble=Trouble(str(error), error.next_step))
    return await unit.runs.move_job(job, JobState.INTERRUPTED, told)


BY_ITSELF = {
    JobKind.IMPORT: change_state,
    JobKind.STATE_RM: change_state,
    JobKind.VERSION: find_version,
}
"""Who does what is neither a plan nor an apply, but asks for a project's tool."""
