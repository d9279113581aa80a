"""GitLab's own ways: tokens, groups, approvals, quick actions, statuses that cannot go back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prbot.adapters.gitlab_notes import folded, inert
from prbot.adapters.gitlab_shapes import Member, Version, head_at, permission_of
from prbot.errors.forge import ForgeRefused, ForgeUnavailable, NotFound
from prbot.model import Login, Permission, PullRef, RepoRef, ReviewState, Sha
from prbot.ports.forge import StatusState

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any

LONG_AGO = timedelta(days=400)
MARKER = "<!-- m -->"
personal = pytest.mark.parametrize("identity", ["personal"])


# --- who we are -----------------------------------------------------------------------------


@pytest.mark.parametrize("identity", ["personal", "project", "group"])
async def test_tokens(scene: Scene) -> None:
    """It works as a person, as a project's bot and as a group's, each under its own name."""
    assert await scene.port.bot_login() == scene.bot
    assert await scene.port.repositories() == (scene.repo,)
    assert (await scene.port.pull_request(scene.ref)).open
    await scene.port.upsert_comment(scene.ref, MARKER, f"hello {MARKER}", None)
    head = Sha(scene.pull.head_sha)
    await scene.port.set_status(scene.repo, head, "prbot/plan", StatusState.SUCCESS, "fine")
    assert scene.bodies == [(scene.bot, f"hello {MARKER}")]
    assert (await scene.port.clone_access(scene.repo)).url == f"{scene.demo.url}/acme/infra.git"


@personal
async def test_subgroups(scene: Scene, source: Path) -> None:
    """It finds a project however deep its groups are nested."""
    name = "acme/platform/network/edge"
    people = {"ann": "write", "carl": "admin", "prbot": "write"}
    await scene.demo.create_repository(name, source, private=True, collaborators=people)
    pull = await scene.demo.open_pull(name, head="topic", title="Deep", author="ann")
    ref = PullRef(RepoRef("hub", name), pull.number)
    found = await scene.port.pull_request(ref)
    assert (found.title, found.head_repo, found.fork) == ("Deep", name, False)
    assert await scene.port.permission(ref.repo, Login("carl")) is Permission.ADMIN
    assert ref.repo in await scene.port.repositories()
    assert found.url.endswith(f"/{name}/-/merge_requests/1")


@personal
async def test_failed_permission(scene: Scene) -> None:
    """It raises when the look-up fails: that is never an answer."""
    scene.demo.fail_next("GET", "/members/all$", 502)
    with pytest.raises(ForgeUnavailable):
        await scene.port.permission(scene.repo, Login("bob"))


@personal
async def test_names_that_hold_others(scene: Scene) -> None:
    """It takes nobody for somebody whose name only holds theirs."""
    for login, word in (("bobby", "admin"), ("abob", "admin")):
        scene.demo.create_user(login)
        scene.demo.set_permission("acme/infra", login, word)
    assert await scene.port.permission(scene.repo, Login("bob")) is Permission.WRITE
    assert await scene.port.permission(scene.repo, Login("bo")) is Permission.NONE


@pytest.mark.parametrize(
    ("level", "permission"),
    [
        (0, Permission.NONE),
        (5, Permission.NONE),
        (10, Permission.READ),
        (15, Permission.READ),
        (20, Permission.READ),
        (25, Permission.READ),
        (30, Permission.WRITE),
        (40, Permission.ADMIN),
        (50, Permission.ADMIN),
    ],
)
def test_access_levels(level: int, permission: Permission) -> None:
    """It reads GitLab's roles: guest to owner."""
    assert permission_of(level) is permission
    assert Member(username="x", access_level=level).permission is permission
    for out in ({"state": "blocked"}, {"membership_state": "awaiting"}):
        member = Member(username="x", access_level=level, **out)
        assert member.permission is Permission.NONE


# --- approvals ------------------------------------------------------------------------------


@personal
@pytest.mark.parametrize(
    "bot", ["project_7_bot_0a1b2c", "group_7_bot2", "service_account_group_7_0a1b2c"]
)
async def test_approval_by_a_token(scene: Scene, bot: str) -> None:
    """It takes no approval of a token's account for a second person's: whoever maintains the
    project can make such an account. Its objection stands."""
    scene.demo.create_user(bot)
    scene.demo.set_permission("acme/infra", bot, "write")
    await scene.demo.review(scene.pull, bot, "APPROVE")
    await scene.demo.review(scene.pull, "carl", "APPROVE")
    assert [one.author for one in await scene.port.reviews(scene.ref)] == ["carl"]
    await scene.demo.review(scene.pull, bot, "REQUEST_CHANGES", "no")
    found = {one.author: one.state for one in await scene.port.reviews(scene.ref)}
    assert found == {"carl": ReviewState.APPROVED, bot: ReviewState.CHANGES_REQUESTED}


@personal
async def test_approval_by_a_service_account(scene: Scene) -> None:
    """It takes no approval of an account for a person's that GitLab knows as none, whatever its
    name; it asks once, and goes by the name of an account that it may not see."""
    scene.demo.create_user("release-helper", "Bot")
    scene.demo.set_permission("acme/infra", "release-helper", "write")
    await scene.demo.review(scene.pull, "release-helper", "APPROVE")
    await scene.demo.review(scene.pull, "carl", "APPROVE")
    scene.demo.fail_next("GET", "/users/[0-9]+$", 404)
    assert len(await scene.port.reviews(scene.ref)) == 2
    for _ in range(2):
        sent = scene.port.requests_sent
        assert [one.author for one in await scene.port.reviews(scene.ref)] == ["carl"]
    assert scene.port.requests_sent - sent == 4


@personal
async def test_times_from_notes(scene: Scene) -> None:
    """It takes the time of an approval from GitLab's own note where the API tells none."""
    scene.demo.approvals_are_timed = False
    review = await scene.demo.review(scene.pull, "bob", "APPROVE")
    await scene.demo.comment(scene.pull, "rita", "approved this merge request")
    (found,) = await scene.port.reviews(scene.ref)
    assert (found.submitted_at, found.commit) == (review.submitted_at, scene.pull.head_sha)


@personal
async def test_many_reviewers(scene: Scene) -> None:
    """It hears every reviewer: GitLab gives them in one list, however many there are."""
    people = [f"reviewer{number}" for number in range(25)]
    for login in people:
        scene.demo.create_user(login)
        scene.demo.set_permission("acme/infra", login, "write")
        await scene.demo.review(scene.pull, login, "REQUEST_CHANGES", "no")
    found = await scene.port.reviews(scene.ref)
    assert {review.author for review in found} == set(people)


@personal
async def test_requested_changes(scene: Scene) -> None:
    """It hears of requests for changes, and of their end."""
    await scene.demo.review(scene.pull, "carl", "REQUEST_CHANGES", "no")
    (found,) = await scene.port.reviews(scene.ref)
    assert (found.state, found.permission) == (ReviewState.CHANGES_REQUESTED, Permission.ADMIN)
    await scene.demo.review(scene.pull, "carl", "APPROVE")
    (found,) = await scene.port.reviews(scene.ref)
    assert found.state is ReviewState.APPROVED


@personal
async def test_a_gitlab_without_reviewers(scene: Scene) -> None:
    """It goes on where GitLab is too old to know requests for changes."""
    await scene.demo.review(scene.pull, "bob", "APPROVE")
    scene.demo.fail_next("GET", "/reviewers$", 404)
    assert [one.author for one in await scene.port.reviews(scene.ref)] == ["bob"]


def test_head_at_a_moment() -> None:
    """It takes the newest version before, never one of the same moment or later."""
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    second = timedelta(seconds=1)
    versions = [
        Version(head_commit_sha="b" * 40, created_at=noon),
        Version(head_commit_sha="a" * 40, created_at=noon - second),
    ]
    heads = [head_at(versions, noon + second * step) for step in (-1, 0, 1)]
    assert heads == [None, "a" * 40, "b" * 40]


# --- what is read ----------------------------------------------------------------------------


@personal
async def test_hidden_and_system_notes(scene: Scene) -> None:
    """It leaves out internal notes and GitLab's own."""
    await scene.demo.comment(scene.pull, "bob", "prbot apply", internal=True)
    await scene.demo.review(scene.pull, "bob", "APPROVE")
    said = await scene.demo.comment(scene.pull, "bob", "prbot plan")
    found = await scene.port.comments_since(scene.repo, scene.demo.now() - LONG_AGO)
    assert [comment.comment_id for comment in found] == [said.id]


@personal
async def test_what_did_not_change(scene: Scene) -> None:
    """It asks conditionally for what it asks again and again, and sees what is new."""
    since = scene.demo.now() - LONG_AGO

    async def look() -> tuple[int, int, int, int]:
        return (
            len(await scene.port.repositories()),
            len(await scene.port.open_pulls(scene.repo)),
            len(await scene.port.recently_closed_pulls(scene.repo, since)),
            len(await scene.port.comments_since(scene.repo, since)),
        )

    assert await look() == (1, 1, 0, 0)
    assert scene.demo.api.unchanged == 0
    assert await look() == (1, 1, 0, 0)
    assert scene.demo.api.unchanged == 5
    await scene.demo.comment(scene.pull, "bob", "hello")
    await scene.demo.merge(scene.pull, "carl")
    assert await look() == (1, 0, 1, 1)


# --- what is written -------------------------------------------------------------------------


@personal
async def test_quick_actions(scene: Scene) -> None:
    """It never lets GitLab carry out what a plan says, in notes, edits, folds or issues."""
    hostile = "/approve\n```\n/close\n```\n/merge now\r\n/close"
    known = await scene.port.upsert_comment(scene.ref, MARKER, f"{hostile}\n{MARKER}", None)
    await scene.port.upsert_comment(scene.ref, MARKER, f"{hostile}\n{MARKER}", known)
    await scene.port.minimise(scene.ref, known)
    await scene.port.upsert_issue(scene.repo, MARKER, "t", f"/close\n{MARKER}", (), True, None)
    ((_, body),) = scene.bodies
    assert (scene.pull.open, scene.pull.merged, scene.pull.reviews) == (True, False, [])
    assert not any(line.startswith("/") for line in body.splitlines())
    assert body.count("/approve") == 1
    assert all("\n/" not in f"\n{issue.body}" for issue in scene.pull.repo.issues.values())


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/merge", " /merge"),
        ("a\n/merge\n", "a\n /merge\n"),
        ("a /merge", "a /merge"),
        ("a\r/merge", "a/merge"),
        ("\r\n/x", "\n /x"),
        ("```\n/etc\n```", "```\n /etc\n```"),
        ("", ""),
    ],
)
def test_inert(text: str, written: str) -> None:
    """It moves a slash away from the line's start; GitLab drops carriage returns first."""
    assert inert(text) == written


def test_folded_once() -> None:
    """It keeps the marker where it is found, and folds nothing twice."""
    once = folded(f"# plan\n\n<details>x</details>\n\n{MARKER}")
    assert once.endswith(f"</details>\n\n{MARKER}")
    assert folded(once) == once
    assert once.count("<details>") == once.count("</details>") == 2


@personal
async def test_folding(scene: Scene) -> None:
    """It puts an outdated note of ours into a fold, once, finds it again, and opens it when
    it is written anew."""
    known = await scene.port.upsert_comment(scene.ref, MARKER, f"old\n{MARKER}", None)
    for _ in range(2):
        await scene.port.minimise(scene.ref, known)
    ((_, body),) = scene.bodies
    assert body == f"<details><summary>Outdated</summary>\n\nold\n\n</details>\n\n{MARKER}"
    assert await scene.port.upsert_comment(scene.ref, MARKER, f"new\n{MARKER}", None) == known
    assert scene.bodies == [(scene.bot, f"new\n{MARKER}")]


@personal
@pytest.mark.parametrize(("status", "error"), [(502, ForgeUnavailable), (403, ForgeRefused)])
async def test_folding_fails(scene: Scene, status: int, error: type[Exception]) -> None:
    known = await scene.port.upsert_comment(scene.ref, MARKER, f"old\n{MARKER}", None)
    scene.demo.fail_next("PUT", "/notes/", status)
    with pytest.raises(error):
        await scene.port.minimise(scene.ref, known)


@personal
async def test_statuses_of_older_pipelines(scene: Scene) -> None:
    """It ends what was pending before GitLab's own pipeline of the commit began, and leaves
    alone what others left there."""
    head, repo = Sha(scene.pull.head_sha), scene.pull.repo
    for name in ("prbot/plan", "prbot/apply"):
        await scene.port.set_status(scene.repo, head, name, StatusState.PENDING, "soon")
    await scene.demo.set_status(repo, head, "ann", "pending", "ci/slow")
    for _ in range(2):
        repo.newest_pipeline[head] = repo.newest_pipeline.get(head, 0) + 1
        await scene.port.set_status(scene.repo, head, "prbot/plan", StatusState.PENDING, "soon")
    await scene.port.set_status(scene.repo, head, "prbot/plan", StatusState.SUCCESS, "fine")
    ends = {(status.context, status.pipeline): status.state for status in repo.statuses}
    assert ends == {
        ("prbot/plan", 0): "success",
        ("prbot/plan", 1): "success",
        ("prbot/plan", 2): "success",
        ("prbot/apply", 0): "pending",
        ("ci/slow", 0): "pending",
    }


@personal
@pytest.mark.parametrize("private", [False])
async def test_status_of_a_fork(scene: Scene, run_git: Any, tmp_path: Path) -> None:
    """It says why GitLab takes no status for a commit that only a fork has."""
    await scene.demo.fork("acme/infra", "eve")
    fork = scene.demo.repository("eve/infra")
    who = ("-c", "user.name=eve", "-c", "user.email=eve@forge.test")
    assert await run_git("clone", "-q", "-b", "topic", str(fork.git.path), "f", cwd=tmp_path) == 0
    work = tmp_path / "f"
    assert await run_git(*who, "commit", "-qm", "x", "--allow-empty", cwd=work) == 0
    assert await run_git("push", "-q", "origin", "topic", cwd=work) == 0
    await scene.demo.refresh("eve/infra", "eve")
    pull = await scene.demo.open_pull("acme/infra", head="eve:topic", title="Hi", author="eve")
    with pytest.raises(ForgeRefused, match="no branch of this project"):
        await scene.port.set_status(
            scene.repo, Sha(pull.head_sha), "prbot/plan", StatusState.FAILURE, "fork"
        )


@personal
async def test_status_of_a_commit_pushed_over(scene: Scene, run_git: Any, tmp_path: Path) -> None:
    """It ends what is pending on a commit that no branch holds any more."""
    old = Sha(scene.pull.head_sha)
    await scene.port.set_status(scene.repo, old, "prbot/plan", StatusState.PENDING, "planning")
    bare = scene.pull.repo.git.path
    assert await run_git("branch", "-f", "topic", "topic~1", cwd=bare) == 0
    await scene.demo.refresh("acme/infra", "ann")
    await scene.port.set_status(scene.repo, old, "prbot/plan", StatusState.FAILURE, "superseded")
    (latest,) = scene.pull.repo.latest_statuses(old)
    assert (latest.state, latest.description) == ("failure", "superseded")


@personal
async def test_a_busy_status(scene: Scene) -> None:
    """It comes back when another update of the status is going on."""
    words = "Another update to this commit status is in progress"
    scene.demo.fail_next("POST", "/statuses/", 409, message=words)
    with pytest.raises(ForgeUnavailable):
        await scene.port.set_status(
            scene.repo, Sha(scene.pull.head_sha), "prbot/plan", StatusState.SUCCESS, ""
        )


@personal
@pytest.mark.parametrize(
    ("given", "kept"), [("x" * 255, "x" * 255), ("x" * 256, "x" * 254 + "…"), ("", "")]
)
async def test_long_line(scene: Scene, given: str, kept: str) -> None:
    """It cuts a description to the 255 characters that GitLab takes."""
    head = Sha(scene.pull.head_sha)
    await scene.port.set_status(scene.repo, head, "prbot/plan", StatusState.SUCCESS, given)
    (latest,) = scene.pull.repo.latest_statuses(head)
    assert latest.description == kept


@personal
async def test_no_checks(scene: Scene) -> None:
    """It shows no check beside the statuses, and is not refused."""
    await scene.port.show_check(
        scene.repo, Sha(scene.pull.head_sha), "prbot/plan: a", StatusState.FAILURE, "bad"
    )
    assert (scene.pull.repo.statuses, scene.port.requests_sent) == ([], 0)


@personal
async def test_note_of_another_merge_request(scene: Scene) -> None:
    """It looks for a note only where it is said to be."""
    with pytest.raises(NotFound):
        await scene.port.upsert_comment(PullRef(scene.repo, 99), MARKER, MARKER, 7)
