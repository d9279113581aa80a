"""What a check tells beside its line."""

from __future__ import annotations

from dataclasses import replace

import pytest
import scenes
from scenes import COMMENTS_ONLY, DRAFT, FORK, NOON, RULES, keys

from prbot.model import ProjectKey, RunId
from prbot.runs.checks import (
    APPLY,
    MOST_NOTES,
    RERUN,
    detail_of,
    mark_of,
    may_ask_to_apply,
    notes_of,
    path_in_repository,
)
from prbot.runs.reconcile import why_known
from prbot.runs.requirements.standing import beside_the_button
from prbot.runs.run import Ask, AskKind, Flaw, Run, RunState, Trouble
from prbot.runs.say import ProjectResult


@pytest.mark.parametrize(
    ("root", "file", "path"),
    [
        (".", "main.tf", "main.tf"),
        ("envs/prod", "main.tf", "envs/prod/main.tf"),
        ("envs/prod", "../../modules/vpc/main.tf", "modules/vpc/main.tf"),
        ("envs/prod", "./sub/../main.tf", "envs/prod/main.tf"),
        ("envs/größe x", "main.tf", "envs/größe x/main.tf"),
        ("a", "../../etc/passwd", None),
        (".", "../outside.tf", None),
        ("a", "..", None),
        ("a", "/etc/passwd", None),
        ("a", ".terraform/modules/vpc/main.tf", None),
        ("a", "main.tf\nError: x", None),
        ("a", "ma\u202ein.tf", None),
        ("a", "", "a"),
    ],
)
def test_paths(root: str, file: str, path: str | None) -> None:
    """It tells where a file stands in the repository, and of none that does not."""
    assert path_in_repository(root, file) == path


def failed(project: str, *flaws: Flaw) -> ProjectResult:
    return ProjectResult(keys(project)[0], trouble=Trouble("It failed.", flaws=flaws))


def flaw(file: str, line: int = 1, *, fatal: bool = True) -> Flaw:
    return Flaw(file, line, line, fatal, f"wrong in {file}", "why")


def test_the_worst_notes_come_first() -> None:
    """It tells errors before warnings, and of those first what the pull request changed."""
    results = [
        failed("b", flaw("old.tf"), flaw("warned.tf", fatal=False), flaw("new.tf", 9)),
        failed("a", flaw("new.tf", 3), flaw("/elsewhere.tf")),
        failed("b", flaw("old.tf")),
    ]
    found = notes_of(results, ["b/new.tf", "b/warned.tf"])
    assert [(note.path, note.line, note.fatal) for note in found] == [
        ("b/new.tf", 9, True),
        ("a/new.tf", 3, True),
        ("b/old.tf", 1, True),
        ("b/warned.tf", 1, False),
    ]


def test_no_more_notes_than_fit() -> None:
    """It keeps the errors of a project with more notes than a request may have."""
    warned = [flaw("a.tf", line, fatal=False) for line in range(1, 90)]
    found = notes_of([failed("p", *warned, *(flaw("z.tf", line) for line in range(1, 21)))], [])
    assert len(found) == MOST_NOTES
    assert [note.fatal for note in found] == [True] * 20 + [False] * 30


def test_long_words_are_cut() -> None:
    """It cuts what a hostile provider says to what a forge takes."""
    (note,) = notes_of([failed("p", Flaw("a.tf", 1, 1, True, "s" * 9_999, "d" * 99_999))], [])
    assert (len(note.title), len(note.message)) == (200, 4_000)


PLANNED = ProjectResult(ProjectKey("a"), scenes.plan("a"))
QUIET = ProjectResult(ProjectKey("b"), scenes.plan("b", changes=0))
LOST = ProjectResult(ProjectKey("c"), scenes.plan("c", lost=True))
BROKEN = ProjectResult(ProjectKey("d"), scenes.plan("d", applyable=False))
APPLIED = ProjectResult(ProjectKey("e"), scenes.plan("e", applied=True))


@pytest.mark.parametrize(
    ("results", "pull", "rules", "may"),
    [
        ((PLANNED,), scenes.pull(), RULES, True),
        ((PLANNED, QUIET), scenes.pull(), RULES, True),
        ((), scenes.pull(), RULES, False),
        ((QUIET,), scenes.pull(), RULES, False),
        ((APPLIED,), scenes.pull(), RULES, False),
        ((PLANNED, failed("x")), scenes.pull(), RULES, False),
        ((PLANNED, LOST), scenes.pull(), RULES, False),
        ((PLANNED, BROKEN), scenes.pull(), RULES, False),
        ((PLANNED,), scenes.pull(), COMMENTS_ONLY, False),
        ((PLANNED,), DRAFT, RULES, False),
        ((PLANNED,), FORK, RULES, False),
        ((PLANNED,), scenes.pull(open=False), RULES, False),
        ((PLANNED,), scenes.merged(), RULES, False),
    ],
)
def test_when_the_apply_button_stands_there(results, pull, rules, may) -> None:
    """It offers to apply only where an apply of everything has a chance."""
    assert may_ask_to_apply(results, pull, rules) is may
    buttons = detail_of(results, pull, rules, ()).buttons
    assert buttons == ((RERUN, APPLY) if may else (RERUN,))


@pytest.mark.parametrize("button", [RERUN, APPLY])
def test_buttons_fit(button) -> None:
    """It gives buttons that the narrowest forge takes."""
    assert max(len(button.id), len(button.label)) <= 20
    assert len(button.description) <= 40


def test_a_flaw_survives_the_store() -> None:
    """It reads troubles back that were stored before there were flaws."""
    assert replace(Trouble("a")).flaws == ()


def test_marks() -> None:
    """It marks the plans that an apply would take, in whatever order, and no others."""
    one, two = scenes.plan("a", 1), scenes.plan("b", 2)
    assert mark_of((one, two)) == mark_of((two, one)) != mark_of((one,))
    results = (PLANNED, QUIET, APPLIED)
    assert detail_of(results, scenes.pull(), RULES, ()).mark == mark_of((PLANNED.plan,))
    assert "-" not in mark_of(())


@pytest.mark.parametrize(
    ("mark", "reasons"), [("", ["seen"]), (mark_of((scenes.plan("a"),)), []), ("-", ["seen"])]
)
def test_other_plans_than_beside_the_button(mark: str, reasons: list[str]) -> None:
    """It tells when the plans are no longer those that stood beside the button."""
    ask = Ask(AskKind.APPLY, scenes.WRITER, "pressed", check_id=3, mark=mark)
    assert [r.requirement for r in beside_the_button(ask, (scenes.plan("a"),))] == reasons
    said = replace(ask, check_id=None, comment_id=42)
    assert beside_the_button(said, (scenes.plan("a"),)) == ()


RUNNING = Run(RunId("r-1"), scenes.PULL, Ask(AskKind.PLAN, scenes.WRITER, "x", check_id=3), NOON)


@pytest.mark.parametrize(
    ("ask", "run", "news"),
    [
        ({"check_id": 3}, RUNNING, False),
        ({"check_id": 3}, replace(RUNNING, state=RunState.DONE), True),
        ({"check_id": 4}, RUNNING, True),
        ({"check_id": 3, "kind": AskKind.APPLY}, RUNNING, True),
        ({"comment_id": 3}, RUNNING, True),
    ],
)
def test_pressed_twice(ask: dict[str, object], run: Run, news: bool) -> None:
    """It takes a button that is pressed twice as one wish, and one pressed later as another."""
    asked = Ask(**{"kind": AskKind.PLAN, "actor": scenes.WRITER, "reason": "x", **ask})
    assert (why_known(asked, (run,)) == "") is news
