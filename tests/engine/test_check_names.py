"""What a project's check is called, and where there is one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prbot.engine.letters import LONGEST_PROJECT, status_letter
from prbot.engine.world import World
from prbot.model import ProjectKey, PullRef, RepoRef, Sha
from prbot.ports.outbox import StatusLetter
from prbot.runs.steps import Check, SetStatus, Verdict
from prbot.telemetry import Redactor

SECRET = "correct-horse-battery"
PULL = PullRef(RepoRef("gh", "acme/infra"), 7)


def letter(world: World, *project: str, shows: bool = True) -> StatusLetter | None:
    redactor = Redactor()
    redactor.register(SECRET)
    forge = replace(world.forges["gh"], shows_reports=shows)
    here = replace(world, redactor=redactor, forges={"gh": forge})
    key = ProjectKey(*project) if project else None
    step = SetStatus(Sha("1" * 40), Check.PLAN, Verdict.FAILURE, "It broke.", project=key)
    return status_letter(here, PULL, step)


def name(world: World, *project: str) -> str:
    found = letter(world, *project)
    assert found is not None
    assert found.beside
    return found.context


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        (("envs/prod",), "prbot/plan: envs/prod"),
        ((".",), "prbot/plan: ."),
        (("envs/prod", "blue"), "prbot/plan: envs/prod (blue)"),
        (("größe/日本",), "prbot/plan: größe/日本"),
    ],
)
def test_names(world: World, project: tuple[str, ...], expected: str) -> None:
    """It is the whole's name, and the project's as people know it."""
    assert name(world, *project) == expected


def test_hostile_names(world: World) -> None:
    """It hides what cannot be shown, and still gives each project another name."""
    long = "x" * 2_000
    odd = ["a\u202eb", "a\nb", "a\x1b[31mb", "a\udcffb", f"{long}1", f"{long}2"]
    odd += [f"{SECRET}/1", f"{SECRET}/2"]
    names = [name(world, each) for each in odd]
    assert len(set(names)) == len(odd)
    for each in names:
        assert each.isprintable()
        assert len(each) <= len("prbot/plan: ") + LONGEST_PROJECT + len(" 01234567")
        assert SECRET not in each


def test_only_where_checks_are_shown(world: World) -> None:
    """It has none where the forge shows a status only; the whole has its own in any case."""
    assert letter(world, "a", shows=False) is None
    whole = letter(world, shows=False)
    assert whole is not None
    assert (whole.context, whole.beside) == ("prbot/plan", False)
