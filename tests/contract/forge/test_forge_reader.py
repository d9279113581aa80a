"""What every forge adapter must tell truly: pull requests, people, reviews, access to git."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from prbot.demo.state import Protection
from prbot.errors.forge import ForgeUnavailable, NotFound
from prbot.model import Login, Permission, PullRef, RepoRef, ReviewState

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any


async def test_knows_itself(scene: Scene) -> None:
    """It knows under which name its comments stand, and says so to `doctor`."""
    assert await scene.port.bot_login() == scene.bot
    assert scene.bot in await scene.port.probe()
    assert scene.demo.api_url in await scene.port.probe()


async def test_asks_for_its_name_once(scene: Scene) -> None:
    """It does not ask again for what cannot change."""
    await scene.port.bot_login()
    sent = scene.port.requests_sent
    await scene.port.bot_login()
    assert scene.port.requests_sent == sent


async def test_open_pull_request(scene: Scene) -> None:
    """It tells an open pull request as it is, in as few requests as the forge lets it."""
    pull = await scene.port.pull_request(scene.ref)
    assert scene.port.requests_sent == scene.wire.calls
    assert (pull.ref, pull.title, pull.author) == (scene.ref, "More", "ann")
    assert (pull.head_sha, pull.head_branch) == (scene.pull.head_sha, "topic")
    assert (pull.base_branch, pull.default_branch) == ("main", "main")
    assert pull.base_sha == scene.pull.base_sha
    assert pull.head_repo == "acme/infra"
    assert (pull.open, pull.draft, pull.merged, pull.fork) == (True, False, False, False)
    assert (pull.merged_by, pull.merge_sha) == (None, None)
    assert pull.url == scene.demo.page_url(scene.pull)


async def test_mergeable_takes_time(scene: Scene) -> None:
    """It says None while the forge is finding out, then the answer; no merge commit yet."""
    answers = [await scene.port.pull_request(scene.ref) for _ in range(2)]
    assert [pull.mergeable for pull in answers] == [None, True]
    assert answers[1].merge_sha is None


async def test_draft(scene: Scene) -> None:
    await scene.demo.convert_to_draft(scene.pull, "ann")
    assert (await scene.port.pull_request(scene.ref)).draft


async def test_merged_pull_request(scene: Scene) -> None:
    """It tells who merged, and which commit that made."""
    merge = await scene.demo.merge(scene.pull, "carl", "squash")
    pull = await scene.port.pull_request(scene.ref)
    assert (pull.merged, pull.open) == (True, False)
    assert (pull.merged_by, pull.merge_sha) == ("carl", merge)


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_merge_commits(scene: Scene, method: str) -> None:
    """It tells which commit a merge made, also where a forge puts none on top."""
    merge = await scene.demo.merge(scene.pull, "carl", method)
    pull = await scene.port.pull_request(scene.ref)
    assert (pull.merged, pull.merged_by, pull.merge_sha) == (True, "carl", merge)
    if scene.gitlab:
        assert (merge == pull.head_sha) == (method == "rebase")


async def test_closed_pull_request(scene: Scene) -> None:
    """It tells closed from merged."""
    await scene.demo.close(scene.pull, "ann")
    pull = await scene.port.pull_request(scene.ref)
    assert (pull.merged, pull.open, pull.merge_sha) == (False, False, None)


@pytest.mark.parametrize("private", [False])
async def test_fork(scene: Scene) -> None:
    """It tells a pull request from a fork, also after the fork is gone."""
    await scene.demo.fork("acme/infra", "eve")
    pull = await scene.demo.open_pull("acme/infra", head="eve:topic", title="Hi", author="eve")
    ref = PullRef(scene.repo, pull.number)
    before = await scene.port.pull_request(ref)
    await scene.demo.delete_repository("eve/infra")
    after = await scene.port.pull_request(ref)
    assert (before.head_repo, before.fork) == ("eve/infra", True)
    assert (after.head_repo, after.fork) == (None, True)


@pytest.mark.parametrize(
    "ref",
    [
        PullRef(RepoRef("hub", "acme/infra"), 4711),
        PullRef(RepoRef("hub", "acme/nothing"), 1),
    ],
)
async def test_unknown_pull_request(scene: Scene, ref: PullRef) -> None:
    with pytest.raises(NotFound) as caught:
        await scene.port.pull_request(ref)
    assert str(ref) in str(caught.value) or ref.repo.path in str(caught.value)


# --- people ------------------------------------------------------------------------------

PERMISSIONS = [
    ("carl", Permission.ADMIN),
    ("bob", Permission.WRITE),
    ("Bob", Permission.WRITE),
    ("rita", Permission.READ),
    ("eve", Permission.NONE),
    ("nobody-at-all", Permission.NONE),
    ("../carl", Permission.NONE),
    ("carl/permission", Permission.NONE),
    ("carl?x=", Permission.NONE),
]


@pytest.mark.parametrize("private", [True, False], ids=["private", "public"])
@pytest.mark.parametrize(("login", "permission"), PERMISSIONS)
async def test_permission(scene: Scene, login: str, permission: Permission) -> None:
    """It grants nothing to strangers, although a public repository lets them read."""
    assert await scene.port.permission(scene.repo, Login(login)) is permission


@pytest.mark.parametrize("identity", ["token", "app"])
@pytest.mark.parametrize("private", [False])
@pytest.mark.parametrize("path", ["/permission$", "/collaborators/rita$"])
async def test_failed_permission(scene: Scene, path: str) -> None:
    """It raises when a look-up fails, whichever of the two: that is never an answer."""
    scene.demo.fail_next("GET", path, 502)
    with pytest.raises(ForgeUnavailable):
        await scene.port.permission(scene.repo, Login("rita"))


async def test_side_by_side(scene: Scene) -> None:
    """It answers questions asked at once each with its own answer."""
    asked = [PERMISSIONS[number % 5] for number in range(40)]
    answers = await asyncio.gather(
        *(scene.port.permission(scene.repo, Login(login)) for login, _ in asked)
    )
    assert answers == [permission for _, permission in asked]


# --- reviews -----------------------------------------------------------------------------


async def test_no_reviews(scene: Scene) -> None:
    assert await scene.port.reviews(scene.ref) == ()


async def test_latest_review_counts(scene: Scene) -> None:
    """It gives each person's last decision, oldest first; comments change nothing."""
    demo, pull = scene.demo, scene.pull
    await demo.review(pull, "bob", "APPROVE")
    await demo.review(pull, "carl", "APPROVE")
    await demo.review(pull, "carl", "REQUEST_CHANGES", "no")
    await demo.review(pull, "bob", "COMMENT", "by the way")
    await demo.review(pull, "rita", "COMMENT", "what is this?")
    found = await scene.port.reviews(scene.ref)
    assert {review.author: review.state for review in found} == {
        "bob": ReviewState.APPROVED,
        "carl": ReviewState.CHANGES_REQUESTED,
    }
    moments = [review.submitted_at for review in found]
    assert moments == sorted(moments), "the two may have come in one millisecond"
    assert next(review for review in found if review.author == "bob").commit == pull.head_sha
    assert moments[0].utcoffset() is not None


@pytest.mark.parametrize("private", [False])
async def test_permission_of_approvers(scene: Scene) -> None:
    """It tells what each approver may do, strangers included."""
    for login in ("bob", "rita", "eve"):
        await scene.demo.review(scene.pull, login, "APPROVE")
    found = await scene.port.reviews(scene.ref)
    assert {review.author: review.permission for review in found} == {
        "bob": Permission.WRITE,
        "rita": Permission.READ,
        "eve": Permission.NONE,
    }


async def push(scene: Scene, run_git: Any, directory: Path, branch: str = "topic") -> str:
    """One more commit on the branch, past HTTP."""
    bare = scene.pull.repo.git.path
    who = ("-c", "user.name=ann", "-c", "user.email=ann@forge.test")
    assert await run_git("clone", "-q", "-b", branch, str(bare), "work", cwd=directory) == 0
    work = directory / "work"
    (work / "more.tf").write_text("# even more\n")
    assert await run_git("add", ".", cwd=work) == 0
    assert await run_git(*who, "commit", "-qm", "even more", cwd=work) == 0
    assert await run_git("push", "-q", "origin", branch, cwd=work) == 0
    await scene.demo.refresh("acme/infra", "ann")
    return str(scene.pull.head_sha)


async def test_approval_counts_for_the_head_it_saw(
    scene: Scene, run_git: Any, tmp_path: Path
) -> None:
    """It binds an approval that outlives a push to the head that stood there before."""
    before = scene.pull.head_sha
    await scene.demo.review(scene.pull, "bob", "APPROVE")
    after = await push(scene, run_git, tmp_path)
    await scene.demo.review(scene.pull, "carl", "APPROVE")
    found = await scene.port.reviews(scene.ref)
    assert [(one.author, one.commit) for one in found] == [("bob", before), ("carl", after)]
    assert [one.permission for one in found] == [Permission.WRITE, Permission.ADMIN]


async def test_approvals_reset_on_push(scene: Scene, run_git: Any, tmp_path: Path) -> None:
    """It sees none once a push has reset them."""
    scene.demo.protect("acme/infra", "main", Protection(dismiss_stale=True))
    await scene.demo.review(scene.pull, "bob", "APPROVE")
    assert len(await scene.port.reviews(scene.ref)) == 1
    await push(scene, run_git, tmp_path)
    found = await scene.port.reviews(scene.ref)
    assert [one.author for one in found if one.state is ReviewState.APPROVED] == []


async def test_dismissed_review(scene: Scene) -> None:
    """It does not count an approval that was dismissed (GitLab forgets it)."""
    review = await scene.demo.review(scene.pull, "bob", "APPROVE")
    await scene.demo.dismiss(review, "carl")
    found = await scene.port.reviews(scene.ref)
    assert [one.state for one in found] == ([] if scene.gitlab else [ReviewState.DISMISSED])


async def test_many_reviews(scene: Scene) -> None:
    """It reads all pages, so that the hundred-and-first review counts."""
    await scene.demo.review(scene.pull, "carl", "REQUEST_CHANGES", "no")
    for number in range(110):
        await scene.demo.review(scene.pull, "rita", "COMMENT", f"{number}")
    await scene.demo.review(scene.pull, "carl", "APPROVE")
    (found,) = await scene.port.reviews(scene.ref)
    assert found.state is ReviewState.APPROVED


async def test_reviews_fail_with_a_permission(scene: Scene) -> None:
    """It gives no reviews at all when an approver's permission cannot be looked up."""
    await scene.demo.review(scene.pull, "bob", "APPROVE")
    scene.demo.fail_next("GET", scene.wire.permission, 500)
    with pytest.raises(ForgeUnavailable):
        await scene.port.reviews(scene.ref)


# --- git ---------------------------------------------------------------------------------


async def test_clone(scene: Scene, run_git: Any, tmp_path: Path) -> None:
    """It lets git fetch a private repository, and keeps the credentials out of the URL."""
    access = await scene.port.clone_access(scene.repo)
    header = f"http.extraHeader={access.header}"
    assert await run_git("-c", header, "clone", access.url, "with", cwd=tmp_path) == 0
    assert await run_git("clone", access.url, "without", cwd=tmp_path) != 0
    assert (tmp_path / "with" / "main.tf").exists()
    assert "@" not in access.url
    assert access.header not in repr(access)
