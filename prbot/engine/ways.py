"""By which steps a project is planned and applied, and what those steps are told.

Which workflow a project names stands in its run; what the workflow says is read when a job
begins, from the operator's file or the default branch, never from the pull request's head.
Where only prbot's own steps are in question nobody is asked.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from prbot.config.files import RepoFiles
from prbot.config.stages import OWN, Recipe, StageName
from prbot.engine.checkouts import Checkouts
from prbot.engine.gather import files_of_default
from prbot.engine.pulls import pull_of
from prbot.engine.stages import Stage
from prbot.engine.world import World
from prbot.model import PullRequest
from prbot.ports.tool import Tool, ToolRun
from prbot.runs.run import CHANGING, Job, JobKind, Placed, Run
from prbot.runs.variables import Files, Subject, job_variables
from prbot.telemetry import Redactor

PLAN_FILE, SHOWN_FILE, FINDINGS = "plan.tfplan", "plan.json", "policies.json"
"""Names in a job's data directory."""


@dataclass(frozen=True)
class Way:
    """How one project is planned and applied. `subject` is None where prbot's own steps need
    to be told nothing. `asked` are the arguments of the comment, for the tool's plan."""

    place: Placed
    recipe: Recipe = OWN
    subject: Subject | None = None
    asked: tuple[str, ...] = ()

    async def stage(self, name: StageName, tool: Tool, redactor: Redactor, run: ToolRun) -> Stage:
        """One stage, to be carried out in these surroundings."""
        data = run.data_dir
        given: dict[str, str] = {}
        if self.subject is not None:
            paths = (run.root, *(data / name for name in (PLAN_FILE, SHOWN_FILE, FINDINGS)))
            files = Files(*map(str, paths))
            version = await tool.version()
            given = job_variables(self.subject, self.place.project, version, files)
        return Stage(
            name=name,
            tool=tool,
            redactor=redactor,
            run=run.with_variables(given),
            given=given,
            plan_file=data / PLAN_FILE,
            shown_file=data / SHOWN_FILE,
        )


async def way_of(
    world: World, checkouts: Checkouts, run: Run, job: Job, asked: tuple[str, ...] = ()
) -> Way:
    """Raises UnknownWorkflow, WorkflowNotAllowed, what is wrong with the workflow or with the
    file it stands in, and ForgeUnavailable."""
    place = run.place_of(job.project)
    pull: PullRequest | None = None
    files = RepoFiles()
    if place.workflow is not None:
        pull = await _pull(world, checkouts, run)
        files = await files_of_default(world, pull)
    read = world.settings.recipe_of
    recipe = await asyncio.to_thread(read, run.pull.repo, place.workflow, files)
    if recipe.own:
        return Way(place, asked=asked)
    pull = pull or await _pull(world, checkouts, run)
    command = job.kind.value if job.kind in CHANGING else JobKind.PLAN.value
    subject = Subject(pull, run.ask.actor, command, asked, place.name)
    return Way(place, recipe, subject, asked)


async def _pull(world: World, checkouts: Checkouts, run: Run) -> PullRequest:
    pull = await pull_of(world, run)
    await checkouts.at_hand(run, pull)
    return pull
