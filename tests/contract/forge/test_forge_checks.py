"""Check runs: written once, edited until they end, and a status where an App may not."""

from __future__ import annotations

from typing import Any

import pytest

from prbot.adapters.github_checks import CheckRun, place_for
from prbot.errors.forge import ForgeUnavailable
from prbot.model import Sha
from prbot.ports.forge import CheckReport, StatusState
from prbot.runs.checks import APPLY, RERUN, Annotation

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any

NAME = "prbot/plan"
NOTE = Annotation("main.tf", 2, 3, True, "Unsupported block", "nobody expects it")
REPORT = CheckReport("**1 failed**", (NOTE,), (RERUN, APPLY))


def run(number: int, *, ended: bool, external_id: str = "") -> CheckRun:
    status = "completed" if ended else "in_progress"
    return CheckRun(id=number, status=status, external_id=external_id)


@pytest.mark.parametrize(
    ("standing", "written"),
    [
        ([], None),
        ([run(1, ended=False)], 1),
        ([run(1, ended=True)], None),
        ([run(1, ended=True, external_id="same")], 1),
        ([run(1, ended=True, external_id="same"), run(2, ended=True)], None),
        ([run(2, ended=False), run(1, ended=True, external_id="same")], 2),
        ([run(1, ended=False), run(2, ended=True)], None),
    ],
)
def test_where_it_is_written(standing: list[CheckRun], written: int | None) -> None:
    """It edits the newest while that has not ended, and never one that has."""
    place = place_for(standing, "same")
    assert (place and place.id) == written


async def say(scene: Scene, state: StatusState, line: str, report: Any = None) -> None:
    await scene.port.set_status(scene.repo, Sha(scene.pull.head_sha), NAME, state, line, report)


def shown(scene: Scene) -> list[tuple[str, str | None]]:
    return [(run.state, run.title) for run in scene.pull.repo.check_runs.values()]


@pytest.mark.parametrize("identity", ["app"])
async def test_check_with_notes_and_buttons(scene: Scene) -> None:
    """It edits the check run while that goes on, and gives it all when it ends."""
    await say(scene, StatusState.PENDING, "planning")
    await say(scene, StatusState.FAILURE, "1 of 1 not planned", REPORT)
    (run,) = scene.pull.repo.check_runs.values()
    assert (run.name, run.status, run.conclusion) == (NAME, "completed", "failure")
    assert (run.title, run.summary) == ("1 of 1 not planned", "**1 failed**")
    assert [dict(note) for note in run.annotations] == [
        {
            "path": "main.tf",
            "start_line": 2,
            "end_line": 3,
            "annotation_level": "failure",
            "title": "Unsupported block",
            "message": "nobody expects it",
        }
    ]
    assert [action["identifier"] for action in run.actions] == ["rerun", "apply"]
    assert scene.pull.repo.statuses == []


@pytest.mark.parametrize("identity", ["app"])
async def test_again_and_again(scene: Scene) -> None:
    """It writes what stands there already once, and what is new as a new one."""
    for _ in range(3):
        await say(scene, StatusState.FAILURE, "bad", REPORT)
    for _ in range(2):
        await say(scene, StatusState.PENDING, "planning")
    for _ in range(2):
        await say(scene, StatusState.FAILURE, "bad", REPORT)
    assert shown(scene) == [("failure", "bad"), ("failure", "bad")]
    assert [len(run.annotations) for run in scene.pull.repo.check_runs.values()] == [1, 1]


@pytest.mark.parametrize("identity", ["app"])
@pytest.mark.parametrize("verb", ["POST", "PATCH"])
async def test_lost_answers(scene: Scene, verb: str) -> None:
    """It makes one check run, with each note once, although the answer never came."""
    if verb == "PATCH":
        await say(scene, StatusState.PENDING, "planning")
    scene.demo.fail_next(verb, "/check-runs", 0, after=True)
    with pytest.raises(ForgeUnavailable):
        await say(scene, StatusState.FAILURE, "bad", REPORT)
    await say(scene, StatusState.FAILURE, "bad", REPORT)
    assert shown(scene) == [("failure", "bad")]
    assert len(scene.pull.repo.latest_checks(scene.pull.head_sha)[0].annotations) == 1


@pytest.mark.parametrize("identity", ["app"])
async def test_somebody_elses_check(scene: Scene) -> None:
    """It leaves another App's check run of the same name alone."""
    other = scene.demo.create_app("other", "acme", b"", {"checks": "write"})
    foreign = {"name": NAME, "head_sha": scene.pull.head_sha, "status": "in_progress"}
    theirs = await scene.demo.create_check_run(scene.pull.repo, other, foreign)
    await say(scene, StatusState.SUCCESS, "fine")
    assert (theirs.conclusion, shown(scene)[1:]) == (None, [("success", "fine")])


@pytest.mark.parametrize("identity", ["app"])
async def test_an_app_without_checks(scene: Scene) -> None:
    """It sets a plain status where the App was not given checks: the end state must stand."""
    for token in scene.demo.tokens.values():
        if token.permissions:
            token.permissions = dict(token.permissions) | {"checks": ""}
    for installation in scene.demo.installations.values():
        installation.app.permissions = dict(installation.app.permissions) | {"checks": ""}
    await say(scene, StatusState.SUCCESS, "fine", REPORT)
    (latest,) = scene.pull.repo.latest_statuses(scene.pull.head_sha)
    assert (latest.context, latest.state, latest.description) == (NAME, "success", "fine")
    assert shown(scene) == []


@pytest.mark.parametrize("identity", ["token"])
async def test_a_token_sets_statuses(scene: Scene) -> None:
    """It sets a status with a plain token, whatever else there is to show."""
    await say(scene, StatusState.FAILURE, "bad", REPORT)
    (latest,) = scene.pull.repo.latest_statuses(scene.pull.head_sha)
    assert (latest.state, latest.description, shown(scene)) == ("failure", "bad", [])


# --- beside them ----------------------------------------------------------------------------


async def beside(scene: Scene, state: StatusState, line: str, name: str = "prbot/plan: a") -> None:
    await scene.port.show_check(scene.repo, Sha(scene.pull.head_sha), name, state, line, REPORT)


@pytest.mark.parametrize("identity", ["app"])
async def test_a_check_is_taken_back(scene: Scene) -> None:
    """It says so as a neutral one, once, and only where one stands."""
    await beside(scene, StatusState.NEUTRAL, "taken back")
    assert shown(scene) == []
    await beside(scene, StatusState.FAILURE, "bad")
    await beside(scene, StatusState.FAILURE, "bad", "prbot/plan: b (größe)")
    for _ in range(2):
        await beside(scene, StatusState.NEUTRAL, "taken back")
    latest = scene.pull.repo.latest_checks(scene.pull.head_sha)
    found = {(run.name, run.conclusion, run.title) for run in latest}
    assert found == {
        ("prbot/plan: a", "neutral", "taken back"),
        ("prbot/plan: b (größe)", "failure", "bad"),
    }
    assert len(shown(scene)) == 3


@pytest.mark.parametrize("identity", ["token", "app"])
async def test_where_there_is_none(scene: Scene) -> None:
    """It shows nothing to a token, or to an App without checks, and is not refused."""
    for installation in scene.demo.installations.values():
        installation.app.permissions = dict(installation.app.permissions) | {"checks": ""}
    for token in scene.demo.tokens.values():
        if token.permissions:
            token.permissions = dict(token.permissions) | {"checks": ""}
    await beside(scene, StatusState.FAILURE, "bad")
    assert (shown(scene), scene.pull.repo.statuses) == ([], [])


@pytest.mark.parametrize("identity", ["app"])
async def test_a_forge_that_is_away(scene: Scene) -> None:
    """It tells of an outage, so that the check is shown later."""
    scene.demo.fail_next("GET", "/check-runs", 502)
    with pytest.raises(ForgeUnavailable):
        await beside(scene, StatusState.FAILURE, "bad")
