"""Checks of single projects: all of a commit's have one, or none, and none is left stale."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import (
    CLOSED,
    DONE_MERGED,
    HEAD,
    NEW_HEAD,
    OLD_HEAD,
    PUSHED,
    RULES,
    World,
    by_comment,
    by_event,
    earlier,
    keys,
    only,
    plan,
    planned,
    planning,
)

from prbot.config.server import MOST_PROJECT_CHECKS
from prbot.model import ProjectKey, Sha
from prbot.runs.checks import mark_of_project, project_of_mark
from prbot.runs.decide import decide
from prbot.runs.project_checks import project_checks, spoken_of
from prbot.runs.run import AskKind, Flaw, JobState, Run, RunState, Trouble
from prbot.runs.say import ProjectResult
from prbot.runs.steps import Check, SetStatus, Step

TWO = replace(RULES, project_checks=2)
A, B, C = plan("a"), plan("b", 2), plan("c", 3)
BEFORE = earlier(planned(A), planned(B))
FAILED = planning(JobState.FAILED)
PLAN = by_event()


def world(*jobs: object, **odd: object) -> World:
    usual = {"plans": (A, B, C), "others": (), "rules": TWO, "jobs": jobs, "ask": PLAN}
    return World(**{**usual, **odd})  # type: ignore[arg-type] # rows name fields freely


def projects(steps: tuple[Step, ...]) -> set[str]:
    """What becomes of the checks of projects."""
    checks = (step for step in steps if isinstance(step, SetStatus) and step.project)
    return {f"{step.verdict} {step.project}" for step in checks}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        # as many as may: each has one
        (world(planned(A), projects="a"), {"success a"}),
        (world(planned(A), planned(B), projects="a b"), {"success a", "success b"}),
        (world(FAILED, planned(B), projects="a b"), {"failure a", "success b"}),
        # one more, or none may: no project has one
        (world(planned(A), planned(B), planned(C), projects="a b c"), set()),
        (world(planned(A), projects="a", rules=RULES), set()),
        # a part is planned: the others of this commit keep what they had
        (
            world(
                planned(A),
                projects="a",
                ask=by_comment(AskKind.PLAN, select=only("a")),
                others=(BEFORE,),
            ),
            {"success a", "success b"},
        ),
        # what is no longer shown is taken back
        (world(planned(A), projects="a", others=(BEFORE,)), {"success a", "neutral b"}),
        (
            world(planned(A), planned(B), planned(C), projects="a b c", others=(BEFORE,)),
            {"neutral a", "neutral b"},
        ),
        (
            world(planned(A), projects="a", rules=RULES, others=(BEFORE,)),
            {"neutral a", "neutral b"},
        ),
        (world(projects="", others=(BEFORE,)), {"neutral a", "neutral b"}),
        # another commit's are history
        (
            world(planned(A), projects="a", others=(earlier(planned(B), head=OLD_HEAD),)),
            {"success a"},
        ),
        # a run that never told its plans showed nothing to keep, but may be asked to take back
        (
            world(planned(A), projects="a", others=(earlier(planned(B), state=RunState.WORKING),)),
            {"success a"},
        ),
        # ends that speak of the commit as a whole
        (
            world(planned(A), laid_out_at=HEAD, pull=PUSHED, others=(BEFORE,)),
            {"neutral a", "neutral b"},
        ),
        (world(planned(A), pull=CLOSED, others=(BEFORE,)), {"neutral a", "neutral b"}),
        (
            world(planned(A), laid_out_at=HEAD, pull=DONE_MERGED, others=(BEFORE,)),
            {"neutral a", "neutral b"},
        ),
        (
            world(rules=Trouble("The file is wrong."), projects="a", others=(BEFORE,)),
            {"neutral a", "neutral b"},
        ),
        (
            world(projects="a b c", rules=replace(TWO, projects_per_run=2), others=(BEFORE,)),
            {"neutral a", "neutral b"},
        ),
        # while it goes on, what was told stays
        (world(planning(JobState.RUNNING), projects="a", others=(BEFORE,)), set()),
        (World(PLAN, rules=TWO, others=(BEFORE,)), set()),
    ],
)
def test_projects(given: World, shown: set[str]) -> None:
    """It shows all projects of the commit or none, and takes back what no longer holds."""
    run = given.run()
    assert projects(decide(run, given.scene(run))) == shown


def test_what_stands_there() -> None:
    """It tells one project's result and notes, without buttons; why there is none in words."""
    flaw = Flaw("main.tf", 3, 3, True, "Unsupported block", "why")
    broken = ProjectResult(keys("b")[0], trouble=Trouble("It broke.", flaws=(flaw,)))
    results = (ProjectResult(keys("a")[0], A), broken, ProjectResult(keys("c")[0]))
    checks = project_checks(HEAD, results, 3, ())
    assert [check.description for check in checks] == ["", "It broke.", "not planned"]
    details = [check.detail for check in checks if check.detail]
    assert [detail.results for detail in details] == [(result,) for result in results]
    assert [[n.path for n in detail.notes] for detail in details] == [[], ["b/main.tf"], []]
    assert [detail.buttons for detail in details] == [(), (), ()]


def test_notes_stand_once() -> None:
    """It leaves the notes of the whole to the projects' checks, where they have them."""
    flaw = Flaw("main.tf", 3, 3, True, "Unsupported block", "why")
    job = replace(FAILED, trouble=Trouble("It broke.", flaws=(flaw,)))
    for rules, places in ((TWO, {ProjectKey("a")}), (RULES, {None})):
        given = world(job, projects="a", rules=rules)
        run = given.run()
        steps = [s for s in decide(run, given.scene(run)) if isinstance(s, SetStatus)]
        assert {s.project for s in steps if s.detail and s.detail.notes} == places


def test_words_of_what_is_taken_back() -> None:
    """It says why, in the words of the whole."""
    given = world(planned(A), laid_out_at=HEAD, pull=PUSHED, others=(BEFORE,))
    run = given.run()
    steps = decide(run, given.scene(run))
    taken = {s.description for s in steps if isinstance(s, SetStatus) and s.project}
    assert taken == {f"taken back: superseded by {NEW_HEAD[:7]}"}
    assert {s.check for s in steps if isinstance(s, SetStatus) and s.project} == {Check.PLAN}


def many(count: int, head: Sha = HEAD) -> Run:
    return earlier(*(planning(JobState.PLANNED, f"p{n}") for n in range(count)), head=head)


@pytest.mark.parametrize(
    ("run", "found"),
    [
        (many(3), 3),
        (many(MOST_PROJECT_CHECKS), MOST_PROJECT_CHECKS),
        (many(MOST_PROJECT_CHECKS + 1), 0),
        (many(3, OLD_HEAD), 0),
        (replace(many(3), checkout=None), 0),
        (replace(many(3), state=RunState.FAILED), 3),
    ],
)
def test_spoken_of(run: Run, found: int) -> None:
    """It asks after no more projects than may ever have had a check."""
    given = world(others=(run,))
    assert len(spoken_of(given.scene(given.run()), HEAD)) == found


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=10)
KEYS = st.builds(ProjectKey, NAMES, NAMES)


@given(key=KEYS)
def test_marks(key: ProjectKey) -> None:
    """It marks a project's check with the project, in letters and digits."""
    mark = mark_of_project(key)
    assert mark.isascii()
    assert mark.isalnum()
    assert project_of_mark(mark) == key


@pytest.mark.parametrize("mark", ["", "p", "pzz", "p00ff", "p6162", "0123456789abcdef", "q6100"])
def test_marks_of_others(mark: str) -> None:
    """It takes no other mark for a project's."""
    assert project_of_mark(mark) is None


def test_a_long_name() -> None:
    """It does not mark the check of a project whose name is too long for that."""
    assert mark_of_project(ProjectKey("d" * 200)) == ""
