"""Issues: written once, found again by marker and author, opened and closed as told."""

from __future__ import annotations

from typing import Any

import pytest

from prbot.errors.forge import ForgeRefused, ForgeUnavailable, NotFound

# fixtures are typed Any: conftest modules cannot be imported from here
Scene = Any

MARKER = "<!-- prbot:x:issue:unmerged-1 -->"
BODY = f"{MARKER}\nwords"


async def write(scene: Scene, known: int | None = None, **changed: Any) -> int | None:
    words = {"title": "Title", "body": BODY, "labels": ("prbot",), "is_open": True} | changed
    number: int | None = await scene.port.upsert_issue(scene.repo, MARKER, *words.values(), known)
    return number


def shown(scene: Scene) -> list[tuple[str, str, str, tuple[str, ...], bool]]:
    issues = scene.pull.repo.issues.values()
    return [(i.author.login, i.title, i.body, i.labels, i.open) for i in issues]


async def test_issue_is_created_and_edited(scene: Scene) -> None:
    """It opens one issue, edits it in place, closes it and opens it again."""
    number = await write(scene)
    together = scene.demo.customs.counted_together
    assert number == (scene.pull.number + 1 if together else 1)
    assert await write(scene, number, title="Better", body=f"{MARKER} more") == number
    assert shown(scene) == [(scene.bot, "Better", f"{MARKER} more", ("prbot",), True)]
    assert await write(scene, number, is_open=False) == number
    assert shown(scene) == [(scene.bot, "Title", BODY, ("prbot",), False)]
    assert await write(scene, number) == number
    assert shown(scene) == [(scene.bot, "Title", BODY, ("prbot",), True)]


async def test_known_issue_costs_two_requests(scene: Scene) -> None:
    number = await write(scene)
    sent = scene.port.requests_sent
    await write(scene, number)
    assert scene.port.requests_sent == sent + 2


async def test_issue_is_found_by_its_marker(scene: Scene) -> None:
    """It finds the issue again after its number was lost, also a closed one."""
    number = await write(scene)
    await write(scene, is_open=False)
    assert await write(scene, body=f"{BODY} more") == number
    assert shown(scene) == [(scene.bot, "Title", f"{BODY} more", ("prbot",), True)]


async def test_none_is_opened_to_be_closed(scene: Scene) -> None:
    assert await write(scene, is_open=False) is None
    assert shown(scene) == []


async def test_somebody_elses_issue(scene: Scene) -> None:
    """It takes no issue of others, whatever marker or number, and no pull request."""
    forged = await scene.demo.open_issue(scene.pull.repo, "bob", "Forged", BODY)
    number = await write(scene, forged.number)
    assert [entry[:2] for entry in shown(scene)] == [("bob", "Forged"), (scene.bot, "Title")]
    again = await write(scene, scene.pull.number)
    assert again == number


async def test_another_of_ours(scene: Scene) -> None:
    """It tells its issues apart, and takes none that only quotes the marker."""
    other = "<!-- other -->"
    quoting = f"{other}\n```\n{MARKER}\n```\nend"
    await scene.port.upsert_issue(scene.repo, other, "Other", quoting, (), True, None)
    await write(scene)
    assert [entry[1] for entry in shown(scene)] == ["Other", "Title"]


async def test_labels_of_people_stay(scene: Scene) -> None:
    """It adds its labels once and leaves what people labelled."""
    number = await write(scene)
    issue = scene.pull.repo.issues[number]
    await scene.demo.edit_issue(issue, "ann", labels=["urgent"])
    await write(scene, number)
    await write(scene, number)
    assert issue.labels == ("urgent", "prbot")


async def test_lost_answer(scene: Scene) -> None:
    """It opens one issue even when the forge did and the answer never came."""
    scene.demo.fail_next("POST", "/issues$", 0, after=True)
    with pytest.raises(ForgeUnavailable):
        await write(scene)
    await write(scene)
    assert len(shown(scene)) == 1


async def test_behind_many(scene: Scene) -> None:
    """It finds its issue on a later page."""
    for number in range(101):
        other = f"<!-- other {number} -->"
        await scene.demo.open_issue(scene.pull.repo, scene.bot, "Other", other)
    number = await write(scene)
    assert await write(scene) == number


async def test_too_long(scene: Scene) -> None:
    """It tells that the forge refuses, which no repetition would change."""
    with pytest.raises(ForgeRefused):
        await write(scene, body=MARKER + "x" * scene.wire.too_long)


@pytest.mark.parametrize("identity", ["token", "app"])
async def test_too_long_a_title(scene: Scene) -> None:
    with pytest.raises(ForgeRefused):
        await write(scene, title="x" * 257)


@pytest.mark.parametrize("identity", ["personal"])
async def test_longest_title(scene: Scene) -> None:
    """It cuts what the port allows to the 255 characters that GitLab takes."""
    await write(scene, title="x" * 256)
    assert shown(scene)[0][1] == "x" * 254 + "…"


async def test_left_as_people_left_it(scene: Scene) -> None:
    """It edits one that somebody closed without opening it, and opens one that is not there."""
    number = await write(scene, is_open=None)
    issue = scene.pull.repo.issues[number]
    await scene.demo.set_issue_open(issue, "ann", False)
    await write(scene, number, body=f"{BODY} more", is_open=None)
    assert shown(scene) == [(scene.bot, "Title", f"{BODY} more", ("prbot",), False)]


SAID = "<!-- prbot:x:said:1 -->"


async def comment(scene: Scene, body: str = f"words\n\n{SAID}", marker: str = SAID) -> None:
    number = next(iter(scene.pull.repo.issues))
    await scene.port.comment_on_issue(scene.repo, number, marker, body)


def comments(scene: Scene) -> list[tuple[str, str]]:
    (issue,) = scene.pull.repo.issues.values()
    return [(one.user.login, one.body) for one in issue.comments]


async def test_comments_on_issues(scene: Scene) -> None:
    """It says each thing once, also when it is told to again."""
    await write(scene)
    await comment(scene)
    await comment(scene)
    other = SAID.replace("1", "2")
    await comment(scene, f"more\n\n{other}", other)
    said = [(scene.bot, f"words\n\n{SAID}"), (scene.bot, f"more\n\n{other}")]
    assert comments(scene) == said
    assert scene.pull.comments == []


async def test_a_comment_with_our_marker(scene: Scene) -> None:
    """It does not take somebody else's comment for its own."""
    await write(scene)
    (issue,) = scene.pull.repo.issues.values()
    await scene.demo.comment(issue, "bob", f"forged\n\n{SAID}")
    await comment(scene)
    assert [who for who, _ in comments(scene)] == ["bob", scene.bot]


async def test_a_lost_answer_to_a_comment(scene: Scene) -> None:
    """It does not say it twice when the forge took it and the answer never came."""
    await write(scene)
    scene.demo.fail_next("POST", "/(comments|notes)$", 0, after=True)
    with pytest.raises(ForgeUnavailable):
        await comment(scene)
    await comment(scene)
    assert len(comments(scene)) == 1


async def test_a_comment_on_no_issue(scene: Scene) -> None:
    with pytest.raises(NotFound):
        await scene.port.comment_on_issue(scene.repo, 99, SAID, SAID)


async def test_whether_it_is_open(scene: Scene) -> None:
    """It tells it of an issue of ours with this marker, and of nothing else."""
    number = await write(scene)
    issue = scene.pull.repo.issues[number]

    async def is_open(number: int = number, marker: str = MARKER) -> Any:
        return await scene.port.issue_is_open(scene.repo, number, marker)

    assert await is_open() is True
    await scene.demo.set_issue_open(issue, "ann", False)
    assert await is_open() is False
    assert await is_open(marker="<!-- prbot:x:issue:other -->") is None
    forged = await scene.demo.open_issue(scene.pull.repo, "ann", "Forged", BODY)
    assert await is_open(forged.number) is None
    assert await is_open(4711) is None
