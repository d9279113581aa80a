"""Dependants wait for what they depend on, and are skipped when it fails."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import NOON, PULL

from prbot.model import JobId, Login, ProjectKey, RunId
from prbot.projects.project import Project
from prbot.runs.order import in_order, placed_of, release
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Placed, Run, Trouble
from prbot.runs.steps import ReleaseJob, SkipJob, StartJob

RUN = Run(RunId("r-1"), PULL, Ask(AskKind.PLAN, Login("alice"), "opened"), NOON)
GOOD = {JobKind.PLAN: JobState.PLANNED, JobKind.APPLY: JobState.APPLIED}
BLOCKED, QUEUED, RUNNING = JobState.BLOCKED, JobState.QUEUED, JobState.RUNNING
FAILED, SKIPPED, DROPPED = JobState.FAILED, JobState.SKIPPED, JobState.DROPPED
PLANNED, APPLIED = JobState.PLANNED, JobState.APPLIED


def placed(text: str) -> tuple[Placed, ...]:
    """`"a b<a c<a,b d:2"`: b needs a, c needs both, d is in the second group."""
    found = []
    for word in text.split():
        head, _, needs = word.partition("<")
        name, _, group = head.partition(":")
        needed = tuple(ProjectKey(each) for each in needs.split(",") if each)
        found.append(Placed(ProjectKey(name), needed, int(group or 0)))
    return tuple(found)


def run_of(order: str, kind: JobKind = JobKind.PLAN, **states: JobState) -> Run:
    jobs = tuple(
        Job(JobId(f"j-{name}"), RUN.id, ProjectKey(name), kind, state)
        for name, state in states.items()
    )
    return replace(RUN, placed=placed(order), jobs=jobs)


@pytest.mark.parametrize(
    ("order", "starting", "blocked"),
    [
        pytest.param("a b c", "abc", "", id="independent"),
        pytest.param("a b<a", "ab", "b", id="one after the other"),
        pytest.param("a b<a", "b", "", id="what it needs is not in this run"),
        pytest.param("a b<a c<a,b", "ac", "c", id="through one that is left out"),
        pytest.param("a:1 b:2 c:1", "abc", "b", id="groups"),
        pytest.param("a:2 b:2", "ab", "", id="one group alone"),
        pytest.param("a:1 b:3 c:2", "abc", "bc", id="three groups"),
        pytest.param("", "ab", "", id="nothing is known"),
    ],
)
def test_in_order(order: str, starting: str, blocked: str) -> None:
    """It holds back what needs something that is started with it."""
    run = replace(RUN, placed=placed(order))
    steps = in_order(run, tuple(StartJob(ProjectKey(n), JobKind.PLAN) for n in starting))
    held = [step.project.dir for step in steps if isinstance(step, StartJob) and step.blocked]
    assert "".join(held) == blocked
    assert len(steps) == len(starting)


@pytest.mark.parametrize(
    ("order", "states", "released", "skipped"),
    [
        pytest.param("a b<a", {"a": RUNNING, "b": BLOCKED}, "", "", id="it still runs"),
        pytest.param("a b<a", {"a": QUEUED, "b": BLOCKED}, "", "", id="it still waits"),
        pytest.param("a b<a", {"a": PLANNED, "b": BLOCKED}, "b", "", id="it is done"),
        pytest.param("a b<a", {"a": FAILED, "b": BLOCKED}, "", "b", id="it failed"),
        pytest.param("a b<a", {"a": DROPPED, "b": BLOCKED}, "", "b", id="it was dropped"),
        pytest.param("a b<a", {"a": SKIPPED, "b": BLOCKED}, "", "b", id="it was skipped"),
        pytest.param("a b<a", {"b": BLOCKED}, "b", "", id="it is not here"),
        pytest.param(
            "a b c<a,b", {"a": PLANNED, "b": RUNNING, "c": BLOCKED}, "", "", id="one of two"
        ),
        pytest.param(
            "a b c<a,b", {"a": FAILED, "b": RUNNING, "c": BLOCKED}, "", "c", id="one failed"
        ),
        pytest.param(
            "a b<a c<a,b d",
            {"a": FAILED, "b": BLOCKED, "c": BLOCKED, "d": RUNNING},
            "",
            "bc",
            id="exactly the dependants",
        ),
        pytest.param("a:1 b:2", {"a": RUNNING, "b": BLOCKED}, "", "", id="the group runs"),
        pytest.param(
            "a:1 b:2", {"a": FAILED, "b": BLOCKED}, "b", "", id="a group just comes after"
        ),
        pytest.param(
            "a:1 b:2 c:3", {"a": PLANNED, "b": BLOCKED, "c": BLOCKED}, "b", "", id="next group"
        ),
    ],
)
def test_release(order: str, states: dict[str, JobState], released: str, skipped: str) -> None:
    """It lets go on what has all it needs, and ends what never will."""
    for kind in (JobKind.PLAN, JobKind.APPLY):
        good = {n: GOOD[kind] if state is PLANNED else state for n, state in states.items()}
        steps = release(run_of(order, kind, **good))
        assert "".join(s.job.project.dir for s in steps if isinstance(s, ReleaseJob)) == released
        assert "".join(s.job.project.dir for s in steps if isinstance(s, SkipJob)) == skipped


STALE = Job(
    JobId("j-a"), RUN.id, ProjectKey("a"), JobKind.APPLY, JobState.STALE, trouble=Trouble("Moved.")
)
B_WAITS = Job(JobId("j-b"), RUN.id, ProjectKey("b"), JobKind.APPLY, BLOCKED)
NEVER = replace(STALE, trouble=Trouble("Another lineage.", refused=True))
A = (ProjectKey("a"),)


def again(state: JobState, kind: JobKind = JobKind.PLAN) -> Job:
    return Job(JobId(f"j-again-{kind}"), RUN.id, ProjectKey("a"), kind, state)


@pytest.mark.parametrize(
    ("jobs", "ended", "expected"),
    [
        pytest.param((STALE,), {}, "", id="it will be planned again"),
        pytest.param((NEVER,), {}, "skip", id="planning again does not help"),
        pytest.param((STALE, again(RUNNING)), {}, "", id="it is planned again"),
        pytest.param((STALE, again(PLANNED)), {}, "", id="it is to be judged"),
        pytest.param((STALE, again(PLANNED)), {"done": A}, "go", id="nothing was left to do"),
        pytest.param((STALE, again(PLANNED)), {"given_up": A}, "skip", id="another plan"),
        pytest.param((STALE, again(FAILED)), {"given_up": A}, "skip", id="no plan"),
        pytest.param(
            (STALE, again(PLANNED), again(QUEUED, JobKind.APPLY)), {}, "", id="it is applied again"
        ),
        pytest.param(
            (STALE, again(PLANNED), again(APPLIED, JobKind.APPLY)), {}, "go", id="it is applied"
        ),
        pytest.param(
            (STALE, again(PLANNED), replace(STALE, id=JobId("j-2"))), {}, "skip", id="stale twice"
        ),
        pytest.param(
            (again(PLANNED), STALE), {}, "skip", id="it was planned again before it was stale"
        ),
    ],
)
def test_release_after_a_stale_plan(
    jobs: tuple[Job, ...], ended: dict[str, tuple[ProjectKey, ...]], expected: str
) -> None:
    """It neither lets go nor ends what waits for an apply that did not begin, before it is known
    what becomes of that."""
    words = {ReleaseJob: "go", SkipJob: "skip"}
    run = replace(RUN, placed=placed("a b<a"), jobs=(*jobs[:1], B_WAITS, *jobs[1:]))
    assert [words[type(step)] for step in release(run, **ended)] == ([expected] if expected else [])


def test_a_group_waits_for_a_stale_plan() -> None:
    """It lets a later group go on when it is known what becomes of the earlier one."""
    run = replace(RUN, placed=placed("a:1 b:2"), jobs=(STALE, B_WAITS, again(PLANNED)))
    assert release(run) == ()
    assert release(run, given_up=A) == (ReleaseJob(B_WAITS),)


def test_plans_made_again_wait_for_one_another() -> None:
    """It goes on with the plan of a dependant once what it needs is planned again."""
    b_stale = replace(STALE, id=JobId("j-b"), project=ProjectKey("b"))
    b_plan = replace(B_WAITS, id=JobId("j-b-again"), kind=JobKind.PLAN)
    run = replace(RUN, placed=placed("a b<a"), jobs=(STALE, b_stale, again(PLANNED), b_plan))
    assert release(run) == (ReleaseJob(b_plan),)


def test_a_skip_says_why() -> None:
    """It names what failed, and what to do."""
    (step,) = release(run_of("a b<a", a=FAILED, b=BLOCKED))
    assert isinstance(step, SkipJob)
    assert "`a`" in step.why.sentence
    assert step.why.hint == "Mend `a` first; what depends on it follows."
    (step,) = release(run_of("a b<a", JobKind.APPLY, a=FAILED, b=BLOCKED))
    assert isinstance(step, SkipJob)
    assert step.why.hint == "Mend `a` first; then comment `prbot apply -d b`."


def test_plans_are_no_applies() -> None:
    """It does not take a plan made again for the apply that is waited for."""
    plan = Job(JobId("j-1"), RUN.id, ProjectKey("a"), JobKind.PLAN, PLANNED)
    run = run_of("a b<a", JobKind.APPLY, a=RUNNING, b=BLOCKED)
    assert release(replace(run, jobs=(plan, *run.jobs))) == ()


NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1)


@given(NAMES, st.data())
def test_every_order_ends(names: list[str], data: st.DataObject) -> None:
    """It brings every job of every acyclic order to an end, none before what it needs."""
    needs = {
        name: tuple(ProjectKey(n) for n in data.draw(st.sets(st.sampled_from(names[:at]))))
        if at
        else ()
        for at, name in enumerate(names)
    }
    groups = {name: data.draw(st.integers(0, 2)) for name in names}
    order = placed_of(Project(ProjectKey(n), depends_on=needs[n], group=groups[n]) for n in names)
    run = replace(RUN, placed=order)
    starting = tuple(StartJob(ProjectKey(name), JobKind.PLAN) for name in names)
    states = {
        step.project.dir: BLOCKED if step.blocked else QUEUED
        for step in in_order(run, starting)
        if isinstance(step, StartJob)
    }
    done: list[str] = []
    while any(not state.finished for state in states.values()):
        for name, state in states.items():
            if state is QUEUED:
                states[name] = data.draw(st.sampled_from([PLANNED, FAILED]))
                done.append(name)
                assert all(n.dir in done for n in needs[name])
        jobs = run_of("", **states).jobs
        for step in release(replace(run, jobs=jobs)):
            assert isinstance(step, ReleaseJob | SkipJob)
            states[step.job.project.dir] = QUEUED if isinstance(step, ReleaseJob) else SKIPPED
    for name, state in states.items():
        bad = [n for n in needs[name] if states[n.dir] is not PLANNED]
        assert (state is SKIPPED) == bool(bad)


def test_placed_of_follows_through() -> None:
    """It knows also what is needed by way of others, in this run or not."""
    key = ProjectKey
    projects = (
        Project(key("a"), group=2),
        Project(key("b"), depends_on=(key("a"),)),
        Project(key("c"), depends_on=(key("b"),), group=1, name="see", var_files=("c.tfvars",)),
    )
    needs = (key("a"), key("b"))
    assert placed_of(projects)[2] == Placed(key("c"), needs, 2, name="see", var_files=("c.tfvars",))
