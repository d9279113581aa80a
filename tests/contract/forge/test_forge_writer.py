"""What every forge adapter must write, once, however often it is told to."""

from __future__ import annotations

from typing import Any

import pytest

from prbot.errors.forge import ForgeRefused, ForgeUnavailable, NotFound
from prbot.model import PullRef, Sha
from prbot.ports.forge import StatusState

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any

MARKER = "<!-- prbot:plan -->"
FIRST, SECOND = f"{MARKER}\nfirst", f"{MARKER}\nsecond"


async def test_comment_is_created(scene: Scene) -> None:
    comment_id = await scene.port.upsert_comment(scene.ref, MARKER, FIRST, None)
    assert scene.bodies == [(scene.bot, FIRST)]
    assert comment_id in scene.pull.repo.comments


async def test_known_comment_is_edited(scene: Scene) -> None:
    """It edits the comment it is told of, in one request."""
    known = await scene.port.upsert_comment(scene.ref, MARKER, FIRST, None)
    sent = scene.port.requests_sent
    assert await scene.port.upsert_comment(scene.ref, MARKER, SECOND, known) == known
    assert scene.bodies == [(scene.bot, SECOND)]
    assert scene.port.requests_sent == sent + 1


async def test_comment_is_found_by_its_marker(scene: Scene) -> None:
    """It finds the comment again after its id was lost."""
    known = await scene.port.upsert_comment(scene.ref, MARKER, FIRST, None)
    assert await scene.port.upsert_comment(scene.ref, MARKER, SECOND, None) == known
    assert scene.bodies == [(scene.bot, SECOND)]


async def test_markers_are_told_apart(scene: Scene) -> None:
    other = "<!-- prbot:apply -->"
    await scene.port.upsert_comment(scene.ref, MARKER, FIRST, None)
    await scene.port.upsert_comment(scene.ref, other, f"{other} done", None)
    assert [body for _, body in scene.bodies] == [FIRST, f"{other} done"]


async def test_lost_answer(scene: Scene) -> None:
    """It writes one comment even when the forge wrote it and the answer never came."""
    scene.demo.fail_next("POST", scene.wire.comments, 0, after=True)
    with pytest.raises(ForgeUnavailable):
        await scene.port.upsert_comment(scene.ref, MARKER, FIRST, None)
    await scene.port.upsert_comment(scene.ref, MARKER, FIRST, None)
    assert scene.bodies == [(scene.bot, FIRST)]


async def test_forged_marker(scene: Scene) -> None:
    """It never edits somebody else's comment, whatever marker that holds."""
    await scene.demo.comment(scene.pull, "bob", f"{MARKER}\nforged")
    await scene.port.upsert_comment(scene.ref, MARKER, FIRST, None)
    assert scene.bodies == [("bob", f"{MARKER}\nforged"), (scene.bot, FIRST)]


async def test_quoted_marker(scene: Scene) -> None:
    """It does not take a comment of ours that only quotes the marker, as a plan may have it."""
    other = f"<!-- other -->\n```\n{MARKER}\n```\nthe end"
    await scene.port.upsert_comment(scene.ref, "<!-- other -->", other, None)
    await scene.port.upsert_comment(scene.ref, MARKER, FIRST, None)
    assert scene.bodies == [(scene.bot, other), (scene.bot, FIRST)]


async def test_deleted_comment(scene: Scene) -> None:
    """It writes a new comment in place of one that was deleted."""
    known = await scene.port.upsert_comment(scene.ref, MARKER, FIRST, None)
    await scene.demo.delete_comment(scene.pull.repo.comments[known], "carl")
    again = await scene.port.upsert_comment(scene.ref, MARKER, SECOND, known)
    assert again != known
    assert scene.bodies == [(scene.bot, SECOND)]


async def test_comment_behind_many(scene: Scene) -> None:
    """It finds its comment on a later page."""
    for number in range(105):
        await scene.demo.comment(scene.pull, "ann", f"{number}")
    known = await scene.port.upsert_comment(scene.ref, MARKER, FIRST, None)
    assert await scene.port.upsert_comment(scene.ref, MARKER, SECOND, None) == known


async def test_odd_text(scene: Scene) -> None:
    """It writes what it is given, to the letter."""
    body = f'{MARKER}\n`größe` 日本 🎉 \\ " \u202e & <b>\n\ttab'
    await scene.port.upsert_comment(scene.ref, MARKER, body, None)
    assert scene.bodies == [(scene.bot, body)]


async def test_too_long_a_comment(scene: Scene) -> None:
    """It tells that the forge refuses, which no repetition would change."""
    with pytest.raises(ForgeRefused):
        await scene.port.upsert_comment(scene.ref, MARKER, MARKER + "x" * scene.wire.too_long, None)


async def test_comment_on_nothing(scene: Scene) -> None:
    with pytest.raises(NotFound):
        await scene.port.upsert_comment(PullRef(scene.repo, 4711), MARKER, FIRST, None)


# --- statuses ----------------------------------------------------------------------------


@pytest.mark.parametrize("state", sorted(set(StatusState) - {StatusState.NEUTRAL}))
async def test_status(scene: Scene, state: StatusState) -> None:
    """It sets a status on the commit, as often as it is told."""
    for _ in range(2):
        await scene.port.set_status(scene.repo, _head(scene), "prbot/plan", state, "3 to add")
    assert _shown(scene) == [("prbot/plan", state, "3 to add")]


@pytest.mark.parametrize("identity", ["token"])
@pytest.mark.parametrize(
    ("given", "kept"),
    [("x" * 140, "x" * 140), ("x" * 141, "x" * 139 + "…"), ("ä" * 500, "ä" * 139 + "…"), ("", "")],
)
async def test_long_description(scene: Scene, given: str, kept: str) -> None:
    """It cuts a description to what the forge takes, visibly."""
    await scene.port.set_status(scene.repo, _head(scene), "prbot/plan", StatusState.SUCCESS, given)
    (latest,) = scene.pull.repo.latest_statuses(_head(scene))
    assert latest.description == kept


STEPS = ["pending", "success", "failure"]


@pytest.mark.parametrize("second", STEPS)
@pytest.mark.parametrize("first", STEPS)
async def test_status_steps(scene: Scene, first: str, second: str) -> None:
    """It brings a status from any state into any other, and ends what is pending."""
    head = Sha(scene.pull.head_sha)
    for state in (first, second, "pending", "pending", second):
        await scene.port.set_status(scene.repo, head, "prbot/plan", StatusState(state), state)
    assert _shown(scene)[-1][:2] == ("prbot/plan", second)


async def test_status_of_no_commit(scene: Scene) -> None:
    with pytest.raises(ForgeRefused):
        await scene.port.set_status(
            scene.repo, Sha("f" * 40), "prbot/plan", StatusState.SUCCESS, ""
        )


def _shown(scene: Scene) -> list[tuple[str, str, str]]:
    """Name, state and line of each status, or, with an App, of each check run."""
    repo, head = scene.pull.repo, _head(scene)
    statuses = [(s.context, s.state, s.description) for s in repo.latest_statuses(head)]
    return statuses + [(run.name, run.state, run.title) for run in repo.checks_of(head)]


def _head(scene: Scene) -> Sha:
    return Sha(scene.pull.head_sha)


# --- reactions ---------------------------------------------------------------------------


async def test_reaction(scene: Scene) -> None:
    """It shows once that a comment was read."""
    comment = await scene.demo.comment(scene.pull, "bob", "prbot plan")
    for _ in range(2):
        await scene.port.react(scene.ref, comment.id)
    assert [(one.user.login, one.content) for one in comment.reactions] == [(scene.bot, "eyes")]


async def test_reaction_to_a_deleted_comment(scene: Scene) -> None:
    """It does not mind that the comment is gone."""
    comment = await scene.demo.comment(scene.pull, "bob", "prbot plan")
    await scene.demo.delete_comment(comment, "bob")
    await scene.port.react(scene.ref, comment.id)
    assert scene.bodies == []
