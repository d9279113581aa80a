"""What a forge must tell an apply: teams, authors of commits, required checks.

Both forges; what one of them does in its own way has a test that names it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prbot.adapters.gitlab_guards import BROKEN, unreadable
from prbot.adapters.gitlab_shapes import MergeRequest
from prbot.demo.state import Protection
from prbot.errors.forge import ForgeRefused, NotFound

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any
OWN = ("prbot/plan", "prbot/apply")
GITHUB = pytest.mark.parametrize("identity", ["token", "app"])
GITLAB = pytest.mark.parametrize("identity", ["personal", "project", "group"])


def team(scene: Scene, name: str, *people: str) -> None:
    """A team on GitHub; on GitLab a group, of which each is a developer."""
    if scene.gitlab:
        scene.demo.create_group(name, dict.fromkeys(people, "write"))
    else:
        scene.demo.create_team(name, people)


async def test_team_members(scene: Scene) -> None:
    """It tells a team's members in lower case, as they are now."""
    scene.demo.create_user("Dave")
    team(scene, "acme/sre", "carl", "Dave")
    assert await scene.port.team_members(scene.repo, "@acme/sre") == {"carl", "dave"}
    assert await scene.port.team_members(scene.repo, "@acme/sre") == {"carl", "dave"}
    team(scene, "acme/sre", "carl")
    assert await scene.port.team_members(scene.repo, "@acme/sre") == {"carl"}


@GITHUB
async def test_members_cost_nothing_again(scene: Scene) -> None:
    """It uses up none of the rate limit while they stay the same."""
    team(scene, "acme/sre", "carl")
    await scene.port.team_members(scene.repo, "@acme/sre")
    login = scene.bot if scene.app else "prbot"
    used = scene.demo.api.limits.of(login, scene.demo.now()).used
    await scene.port.team_members(scene.repo, "@acme/sre")
    assert scene.demo.api.limits.of(login, scene.demo.now()).used == used


@GITLAB
async def test_members_are_not_sent_again(scene: Scene) -> None:
    """It is sent nothing while they stay the same; GitLab counts the request all the same."""
    team(scene, "acme/sre", "carl")
    await scene.port.team_members(scene.repo, "@acme/sre")
    known = scene.demo.api.unchanged
    await scene.port.team_members(scene.repo, "@acme/sre")
    assert scene.demo.api.unchanged == known + 1


async def test_more_than_a_page_of_members(scene: Scene) -> None:
    """It tells all of them."""
    people = [scene.demo.create_user(f"user-{number}").login for number in range(101)]
    team(scene, "acme/all", *people)
    assert await scene.port.team_members(scene.repo, "@acme/all") == set(people)


@GITLAB
async def test_groups_below_groups(scene: Scene) -> None:
    """It takes a group's full path, however deep; a member who waits to be let in is none."""
    scene.demo.create_group("acme/platform/sre", {"carl": "admin", "rita": "none"})
    assert await scene.port.team_members(scene.repo, "@acme/platform/sre") == {"carl"}


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


async def test_committers(
    scene: Scene, tmp_path: Path, run_git: Callable[..., Awaitable[int]]
) -> None:
    """It tells whose accounts wrote the commits; an address of nobody's is left out."""
    address = scene.demo.user("bob").email
    await push(scene, tmp_path, run_git, address, "nobody@else.where")
    assert await scene.port.committers(scene.ref) == {"bob"}


async def test_too_many_commits(scene: Scene) -> None:
    """It says that it does not know all, where they are too many."""
    scene.pull.commits = scene.pull.commits * (1001 if scene.gitlab else 250)
    assert await scene.port.committers(scene.ref) is None


@GITLAB
async def test_pages_of_commits(
    scene: Scene, tmp_path: Path, run_git: Callable[..., Awaitable[int]]
) -> None:
    """It reads on where GitLab cuts the list: the oldest of 201 is bob's, the rest nobody's."""
    await push(scene, tmp_path, run_git, scene.demo.user("bob").email, "nobody@else.where")
    oldest, newest = scene.pull.commits[-2:]
    scene.pull.commits = [oldest, *[newest] * 200]
    assert await scene.port.committers(scene.ref) == {"bob"}


@GITLAB
async def test_an_approver_who_may_be_the_author(
    scene: Scene, tmp_path: Path, run_git: Callable[..., Awaitable[int]]
) -> None:
    """It counts approvers who have the name of somebody that GitLab does not know as such
    people; who has not approved is not looked for."""
    scene.demo.create_user("zoe")
    scene.demo.set_permission("acme/infra", "zoe", "write")
    await push(scene, tmp_path, run_git, "BOB@home.test", "zoe@home.test", "rita@home.test")
    assert await scene.port.committers(scene.ref) == set()
    for login in ("bob", "carl", "zoe"):
        await scene.demo.review(scene.pull, login, "APPROVE")
    assert await scene.port.committers(scene.ref) == {"bob", "zoe"}


@GITLAB
async def test_no_such_merge_request(scene: Scene) -> None:
    """It says so, rather than that nobody wrote it."""
    with pytest.raises(NotFound):
        await scene.port.committers(replace(scene.ref, number=99))


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


@GITLAB
async def test_pipelines_must_succeed(scene: Scene) -> None:
    """It tells what is not green in the head's pipelines where the project asks for that; of
    one name the newest, and its own aside."""
    await ready(scene)
    head, set_status = scene.pull.head_sha, scene.demo.set_status
    for name, state in (
        ("ci/test", "failure"),
        ("ci/lint", "pending"),
        ("ci/scan", "success"),
        ("prbot/apply", "pending"),
    ):
        await set_status(scene.pull.repo, head, "ann", state, name)
    pull = await scene.port.pull_request(scene.ref)
    assert await scene.port.failing_checks(pull, OWN) == ()
    scene.demo.protect("acme/infra", "main", Protection(required_checks=("ci/test",)))
    pull = await scene.port.pull_request(scene.ref)
    assert pull.guarded
    assert await scene.port.failing_checks(pull, OWN) == ("ci/lint", "ci/test")
    for name in ("ci/test", "ci/lint"):
        await set_status(scene.pull.repo, head, "bob", "success", name)
    assert await scene.port.failing_checks(pull, OWN) == ()


@pytest.mark.parametrize(
    ("pipeline", "names"),
    [
        (None, []),
        ({"sha": "a" * 40}, []),
        ({"sha": "a" * 40, "yaml_errors": None}, []),
        ({"sha": "a" * 40, "yaml_errors": "jobs:test: no script"}, [BROKEN]),
    ],
)
def test_unreadable_pipeline(pipeline: dict[str, Any] | None, names: list[str]) -> None:
    """It counts a pipeline that has no jobs because its file is invalid as one that failed."""
    shape = {
        "iid": 1,
        "title": "A change",
        "web_url": "https://forge.test/1",
        "state": "opened",
        "author": None,
        "source_branch": "topic",
        "target_branch": "main",
        "source_project_id": 1,
        "target_project_id": 1,
        "sha": "a" * 40,
        "updated_at": "2026-01-01T00:00:00Z",
        "head_pipeline": pipeline,
    }
    assert unreadable(MergeRequest.model_validate(shape)) == names


@GITLAB
async def test_external_status_checks(scene: Scene) -> None:
    """It tells those that have not passed where the project lets nothing else be merged."""
    await ready(scene)
    scene.pull.repo.external_checks |= {"records": "pending", "audit": "failed", "ok": "passed"}
    pull = await scene.port.pull_request(scene.ref)
    assert pull.guarded
    assert await scene.port.failing_checks(pull, OWN) == ("audit", "records")


@GITHUB
async def test_nothing_required(scene: Scene) -> None:
    """It asks no further where nothing is required beside its own checks."""
    await ready(scene)
    scene.demo.protect("acme/infra", "main", Protection(required_checks=("prbot/plan",)))
    pull = await scene.port.pull_request(scene.ref)
    sent = scene.port.requests_sent
    assert await scene.port.failing_checks(pull, OWN) == ()
    assert scene.port.requests_sent == sent + 2


async def test_not_guarded(scene: Scene) -> None:
    """It knows from the pull request alone that nothing required is missing."""
    await ready(scene)
    assert not (await scene.port.pull_request(scene.ref)).guarded


async def ready(scene: Scene) -> None:
    """Until the forge has found out whether it can be merged."""
    while (await scene.port.pull_request(scene.ref)).mergeable is None:
        pass
