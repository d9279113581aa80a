"""What is kept of a decision about an apply, and what is not."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from prbot.adapters.artifacts import EncryptedFiles
from prbot.app.explain_apply import decisions
from prbot.app.scene_made import Made
from prbot.config.scene_file import read_scene
from prbot.engine.scenes import droppable, keep, kept
from prbot.engine.world import World
from prbot.model import JobId, ProjectKey, RunId
from prbot.runs.run import AskKind, Job, JobKind, JobState, Run, Trouble
from prbot.runs.steps import Step
from prbot.telemetry import Redactor

KEY, SECRET, RUN = bytes(32), "the-word-of-monday", RunId("r-now")
SCENE = {
    "now": datetime(2026, 3, 4, 10, 0, tzinfo=UTC).isoformat(),
    "command": {"actor": "bob", "override": f"burning {SECRET}"},
    "pull": {"author": "ann"},
    "projects": [{"dir": "app", "plans": [{"id": "p-1", "shown_at": "2026-03-04T09:00:00Z"}]}],
}


@pytest.fixture
def shelf(tmp_path: Path) -> EncryptedFiles:
    return EncryptedFiles(tmp_path / "artifacts", KEY)


def refused() -> tuple[Made, tuple[Step, ...]]:
    (decision,) = decisions(read_scene(json.dumps(SCENE), "scene.json"))
    return decision


async def keeps(world: World, run: Run | None = None) -> None:
    made, steps = refused()
    await keep(world, run or made.run, made.scene, steps)


async def test_no_secret_is_kept(world: World, shelf: EncryptedFiles) -> None:
    """It keeps a document that can be read again, without what the redactor knows."""
    redactor = Redactor()
    redactor.register(SECRET)
    await keeps(replace(world, artifacts=shelf, redactor=redactor))
    text = await kept(shelf, RUN)
    assert text is not None
    assert SECRET not in text
    override = read_scene(text, "kept").command.override
    assert override is not None
    assert override.startswith("burning ")


async def test_no_variable_is_kept(world: World, shelf: EncryptedFiles) -> None:
    """It keeps that a plan was given a variable, and not its value: of a short one, or one that
    is quoted for the shell, the redactor knows nothing."""
    said = """-var='pin=4 7' -var=pin -var=a=b=c -var-file=prod.tfvars -destroy"""
    plans = [{"id": "p-1", "shown_at": "2026-03-04T09:00:00Z", "arguments": said}]
    scene = {**SCENE, "projects": [{"dir": "app", "plans": plans}]}
    (made, steps), *_ = decisions(read_scene(json.dumps(scene), "scene.json"))
    await keep(replace(world, artifacts=shelf), made.run, made.scene, steps)
    text = await kept(shelf, RUN)
    assert text is not None
    (project,) = read_scene(text, "kept").projects
    kept_of = "-var=pin=… -var=pin -var=a=… -var-file=prod.tfvars -destroy"
    assert shlex.split(project.plans[0].arguments) == kept_of.split()


async def test_nothing_hangs_on_it(world: World, tmp_path: Path) -> None:
    """It leaves a decision as it is when the scene cannot be kept."""
    (tmp_path / "artifacts").write_text("no directory")
    await keeps(replace(world, artifacts=EncryptedFiles(tmp_path / "artifacts", KEY)))
    assert (tmp_path / "artifacts").read_text() == "no directory"


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"trouble": Trouble("No project is called x.")}, id="it names nothing"),
        pytest.param(
            {"jobs": (Job(JobId("j"), RUN, ProjectKey("."), JobKind.POST_HOOKS),)},
            id="its hooks have run since",
        ),
        pytest.param({"kind": AskKind.IMPORT}, id="it is no apply"),
    ],
)
async def test_no_judgement(world: World, shelf: EncryptedFiles, odd: dict[str, object]) -> None:
    """It keeps nothing of what is no decision about an apply, or is only told again."""
    run = refused()[0].run
    if kind := odd.get("kind"):
        run = replace(run, ask=replace(run.ask, kind=kind))
    else:
        run = replace(run, **odd)  # type: ignore[arg-type] # rows name fields freely
    await keeps(replace(world, artifacts=shelf), run)
    assert await kept(shelf, RUN) is None


@pytest.mark.parametrize("state", JobState)
def test_what_goes_with_the_plans(state: JobState) -> None:
    """It lets go of the scenes of runs that began no apply."""
    job = Job(JobId("j"), RUN, ProjectKey("app"), JobKind.APPLY, state)
    run = replace(refused()[0].run, jobs=(job,))
    began = state not in (JobState.DROPPED, JobState.SKIPPED, JobState.STALE)
    assert droppable([run]) == ([] if began else ["r-now.scene"])
