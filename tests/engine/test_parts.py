"""The comments of one report: how many letters they are, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prbot.engine.letters import comment_letters, fold_letters
from prbot.engine.world import World
from prbot.model import ProjectKey, PullRef, RepoRef
from prbot.ports import CommentLetter
from prbot.runs.say import TooMany
from prbot.runs.steps import Fold, Say

PULL = PullRef(RepoRef("gh", "acme/infra"), 7)
SECRET = "correct-horse-battery"


def letters(world: World, many: int, again: bool = False) -> tuple[CommentLetter, ...]:
    world.redactor.register(SECRET)
    projects = tuple(ProjectKey(f"envs/{SECRET}/{number:05}") for number in range(many))
    return comment_letters(world, PULL, Say("r-1", TooMany(projects, 10)), again=again)


@pytest.mark.parametrize(("many", "count"), [(3, 1), (2_000, 2), (9_000, 3)])
def test_letters(world: World, many: int, count: int) -> None:
    """It writes as many as it takes, three at most, each marked as its own and redacted."""
    found = letters(world, many)
    assert len(found) == count
    assert len({letter.marker for letter in found}) == count
    for letter in found:
        assert letter.body.rstrip().endswith(letter.marker)
        assert SECRET not in letter.body
        assert len(letter.body) <= 65_536
        assert not letter.if_written


@pytest.mark.parametrize(("many", "count"), [(3, 1), (2_000, 2), (9_000, 3)])
def test_again(world: World, many: int, count: int) -> None:
    """It empties those that are not needed any more, where they were written."""
    written = [letter for letter in letters(world, many, again=True) if not letter.if_written]
    emptied = [letter for letter in letters(world, many, again=True) if letter.if_written]
    assert (len(written), len(emptied)) == (count, 3 - count)
    assert all("shorter by now" in letter.body for letter in emptied)
    markers = [letter.marker for letter in (*written, *emptied)]
    assert markers == [each.folds for each in fold_letters(world, PULL, Fold("r-1"))]


def test_where_the_rest_is(world: World) -> None:
    """It names the check where the forge has such pages, and else a way to see it."""
    assert "on a machine of your own" in letters(world, 9_000)[-1].body
    app = replace(world, forges={"gh": replace(world.forges["gh"], shows_reports=True)})
    assert "in the check `prbot/plan`" in letters(app, 9_000)[-1].body
