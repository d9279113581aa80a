"""What GitHub must tell an apply: teams, authors of commits, required checks.

Not promised: GitLab's, whose adapter says that it looks none of it up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from prbot.demo.state import Protection
from prbot.errors import ForgeRefused, NotFound

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any
OWN = ("prbot/plan", "prbot/apply")
GITHUB = pytest.mark.parametrize("identity", ["token", "app"])


@GITHUB
async def test_team_members(scene: Scene) -> None:
    """It tells a team's members in lower case; asked again it is sent nothing new."""
    scene.demo.create_user("Dave")
    scene.demo.create_team("acme/sre", ["carl", "Dave"])
    assert await scene.port.team_members(scene.repo, "@acme/sre") == {"carl", "dave"}
    login = scene.bot if scene.app else "prbot"
    used = scene.demo.api.limits.of(login, scene.demo.now()).used
    assert await scene.port.team_members(scene.repo, "@acme/sre") == {"carl", "dave"}
    assert scene.demo.api.limits.of(login, scene.demo.now()).used == used
    scene.demo.create_team("acme/sre", ["carl"])
    assert await scene.port.team_members(scene.repo, "@acme/sre") == {"carl"}


@GITHUB
async def test_more_than_a_page_of_members(scene: Scene) -> None:
    """It tells all of them."""
    people = [scene.demo.create_user(f"user-{number}").login for number in range(101)]
    scene.demo.create_team("acme/all", people)
    assert await scene.port.team_members(scene.repo, "@acme/all") == set(people)


@GITHUB
async def test_no_such_team(scene: Scene) -> None:
    """It says so, rather than that nobody is in it."""
    with pytest.raises(NotFound):
        await scene.port.team_members(scene.repo, "@acme/none")


@pytest.mark.parametrize("identity", ["app"])
async def test_teams_that_may_not_be_seen(scene: Scene) -> None:
    """It refuses where the App was not given the permission."""
    scene.demo.create_team("acme/sre", ["carl"])
    scene.app.permissions.pop("members")
    with pytest.raises((ForgeRefused, NotFound)):
        await scene.port.team_members(scene.repo, "@acme/sre")


async def push(scene: Scene, tmp_path: Path, git: Callable[..., Awaitable[int]], *emails: str):
    """Commits on the pull request's branch, one by each address."""
    clone = tmp_path / "clone"
    bare = scene.pull.repo.git.path
    assert await git("clone", "-q", "-b", "topic", str(bare), str(clone), cwd=tmp_path) == 0
    for number, email in enumerate(emails):
        (clone / f"{number}.tf").write_text("\n")
        me = ("-c", f"user.name={email}", "-c", f"user.email={email}")
        assert await git("add", ".", cwd=clone) == 0
        assert await git(*me, "commit", "-qm", email, cwd=clone) == 0
    assert await git("push", "-q", "origin", "topic", cwd=clone) == 0
    await scene.demo.refresh("acme/infra", "ann")


@GITHUB
async def test_committers(
    scene: Scene, tmp_path: Path, run_git: Callable[..., Awaitable[int]]
) -> None:
    """It tells whose accounts wrote the commits; an address of nobody's is left out."""
    address = scene.demo.user("bob").email
    await push(scene, tmp_path, run_git, address, "nobody@else.where")
    assert await scene.port.committers(scene.ref) == {"bob"}


@GITHUB
async def test_too_many_commits(
    scene: Scene, tmp_path: Path, run_git: Callable[..., Awaitable[int]]
) -> None:
    """It says that it does not know all, where the forge does not tell all."""
    scene.pull.commits = scene.pull.commits * 250
    assert await scene.port.committers(scene.ref) is None


@GITHUB
async def test_required_checks(scene: Scene) -> None:
    """It tells what is required and not green, by protection or ruleset; its own aside."""
    await ready(scene)
    required = ("prbot/apply", "ci/test", "ci/lint")
    scene.demo.protect("acme/infra", "main", Protection(required_checks=required))
    scene.pull.repo.rulesets["main"] = ("ci/scan",)
    pull = await scene.port.pull_request(scene.ref)
    assert (pull.guarded, pull.behind) == (True, False)
    assert await scene.port.failing_checks(pull, OWN) == ("ci/lint", "ci/scan", "ci/test")
    for context, state in (("ci/test", "success"), ("ci/scan", "success"), ("ci/lint", "failure")):
        await scene.demo.set_status(scene.pull.repo, pull.head_sha, "ann", state, context)
    assert await scene.port.failing_checks(pull, OWN) == ("ci/lint",)
    await scene.demo.set_status(scene.pull.repo, pull.head_sha, "ann", "success", "ci/lint")
    assert await scene.port.failing_checks(pull, OWN) == ()


@GITHUB
async def test_nothing_required(scene: Scene) -> None:
    """It asks no further where nothing is required beside its own checks."""
    await ready(scene)
    scene.demo.protect("acme/infra", "main", Protection(required_checks=("prbot/plan",)))
    pull = await scene.port.pull_request(scene.ref)
    sent = scene.port.requests_sent
    assert await scene.port.failing_checks(pull, OWN) == ()
    assert scene.port.requests_sent == sent + 2


@GITHUB
async def test_not_guarded(scene: Scene) -> None:
    """It knows from the pull request alone that nothing required is missing."""
    await ready(scene)
    assert not (await scene.port.pull_request(scene.ref)).guarded


async def ready(scene: Scene) -> None:
    """Until the forge has found out whether it can be merged."""
    while (await scene.port.pull_request(scene.ref)).mergeable is None:
        pass


@pytest.mark.parametrize("identity", ["personal"])
async def test_gitlab_looks_no_team_up(scene: Scene) -> None:
    """It refuses, so that nobody is taken for a member."""
    with pytest.raises(ForgeRefused):
        await scene.port.team_members(scene.repo, "@acme/sre")
