"""What holds of every decision, whatever the world looks like."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import (
    ALWAYS_ON_MERGE,
    AUTHOR,
    CLOSED,
    COMMENTS_ONLY,
    DONE_MERGED,
    DRAFT,
    FORK,
    HEAD,
    MERGED,
    NEVER_ON_MERGE,
    NEW_BASE,
    NO_APPROVALS,
    OLD_HEAD,
    OTHER_PULL,
    PLAN_DRAFTS,
    PULL,
    PUSHED,
    RULES,
    WRONG,
    World,
    after_merge,
    applying,
    approval,
    by_comment,
    by_event,
    earlier,
    lock,
    merged,
    only,
    plan,
    planned,
    planning,
    pull,
)

from prbot.errors.runs import IllegalTransition
from prbot.model import Permission, PlanId, ReviewState
from prbot.runs.run import (
    JOB_MOVES,
    RUN_MOVES,
    AskKind,
    JobKind,
    JobState,
    RunState,
    check_job_move,
    check_run_move,
)
from prbot.runs.say import Refusal
from prbot.runs.steps import (
    Acknowledge,
    Finish,
    FreeLocks,
    LayOut,
    Say,
    SetStatus,
    StartJob,
    Step,
    TakeLocks,
    Verdict,
)

# --- worlds -----------------------------------------------------------------------------

PULLS = [
    pull(),
    DRAFT,
    FORK,
    CLOSED,
    PUSHED,
    DONE_MERGED,
    pull(mergeable=False),
    pull(base_sha=NEW_BASE),
    pull(draft=True, head_repo=None),
    merged(head_repo="stranger/infra"),
    merged(merge_sha=None),
]
PLANS = [
    plan("a"),
    plan("a", 2, minute=3),
    plan("a", 3, head=OLD_HEAD),
    plan("a", 4, minute=8, content="other"),
    plan("a", 5, applied=True),
    plan("a", 6, lost=True),
    plan("a", 7, errored=True),
    plan("a", 8, applyable=False),
    plan("a", 9, changes=0),
    plan("b", 10),
    plan("b", 11, base=NEW_BASE, minute=26),
    after_merge("a", 12),
    after_merge("a", 13, content="other"),
    after_merge("b", 14, changes=0),
]
JOBS = [
    *(planned(made) for made in PLANS),
    *(planned(made, "count 1 -> 2", reviewed=1) for made in PLANS),
    *(planned(made, reviewed=1) for made in PLANS),
    *(planning(state, name) for state in (JobState.RUNNING, JobState.FAILED) for name in "ab"),
    *(
        applying(state, name, number)
        for state in JobState
        if state is not JobState.PLANNED
        for name, number in (("a", 1), ("b", 10))
    ),
]
ASKS = [
    *(by_event(kind) for kind in (AskKind.PLAN, AskKind.MERGE, AskKind.CLOSE)),
    *(by_comment(kind) for kind in (AskKind.PLAN, AskKind.APPLY, AskKind.UNLOCK, AskKind.HELP)),
    by_comment(AskKind.APPLY),
    by_comment(AskKind.APPLY, AUTHOR, select=only("a")),
    by_comment(AskKind.APPLY, accept_changes=True),
    by_comment(AskKind.APPLY, plan_id=PlanId("p-000002")),
    by_comment(AskKind.PLAN, select=only("a")),
    by_event(head=OLD_HEAD),
]
REVIEWS = [
    approval(),
    approval(AUTHOR),
    approval(commit=OLD_HEAD),
    approval(permission=Permission.READ),
    approval(state=ReviewState.CHANGES_REQUESTED),
]
RUNS = st.builds(
    earlier,
    st.sampled_from(JOBS),
    kind=st.sampled_from([AskKind.PLAN, AskKind.APPLY, AskKind.MERGE]),
    state=st.sampled_from([RunState.DONE, RunState.WORKING, RunState.SUPERSEDED]),
    head=st.sampled_from([HEAD, OLD_HEAD, MERGED]),
)
WORLDS = st.builds(
    World,
    ask=st.sampled_from(ASKS),
    pull=st.sampled_from(PULLS),
    projects=st.sampled_from(["", "a", "a b"]),
    rules=st.sampled_from(
        [RULES, COMMENTS_ONLY, NEVER_ON_MERGE, ALWAYS_ON_MERGE, NO_APPROVALS, PLAN_DRAFTS, WRONG]
    ),
    permission=st.sampled_from(Permission),
    reviews=st.lists(st.sampled_from(REVIEWS), max_size=2).map(tuple),
    plans=st.lists(st.sampled_from(PLANS), max_size=4, unique_by=lambda p: p.id).map(tuple),
    others=st.none() | st.lists(RUNS, max_size=3).map(tuple),
    locks=st.lists(st.sampled_from([lock("a"), lock("b"), lock("a", OTHER_PULL)]), max_size=1).map(
        tuple
    ),
    jobs=st.none()
    | st.lists(st.sampled_from(JOBS), max_size=2, unique_by=lambda j: j.project).map(tuple),
    laid_out_at=st.sampled_from([None, None, HEAD]),
    served=st.sampled_from([True, True, True, False]),
    broken=st.sampled_from([None, None, None, WRONG]),
)


def usual(kind: AskKind) -> st.SearchStrategy[World]:
    """Worlds near an ordinary day, in which applies do happen."""
    day = World(by_comment(kind)) if kind is AskKind.APPLY else World(by_event(kind))
    after = after_merge("a", 12)
    again = plan("a", 2, minute=3) if kind is AskKind.APPLY else after_merge("a", 13)
    stale = (applying(JobState.STALE), planned(again, reviewed=1))
    days = [
        day,
        replace(day, plans=(again, plan("a")), jobs=stale, locks=(lock("a"),)),
        replace(day, pull=DONE_MERGED, plans=(again, plan("a")), jobs=stale, locks=(lock("a"),)),
        replace(
            day, pull=DONE_MERGED, plans=(after, plan("a")), jobs=(planned(after, reviewed=1),)
        ),
    ]

    @st.composite
    def odd(draw: st.DrawFn) -> World:
        world, other = draw(st.sampled_from(days)), draw(WORLDS)
        names = draw(
            st.lists(
                st.sampled_from(
                    ["pull", "rules", "permission", "reviews", "others", "locks", "served"]
                ),
                max_size=2,
            )
        )
        return replace(world, **{name: getattr(other, name) for name in names})

    return odd()


ALL = st.one_of(WORLDS, usual(AskKind.APPLY), usual(AskKind.MERGE))


def applies(steps: tuple[Step, ...]) -> list[StartJob]:
    return [s for s in steps if isinstance(s, StartJob) and s.kind is JobKind.APPLY]


# --- what holds -------------------------------------------------------------------------


@given(ALL)
@settings(max_examples=200)
def test_applies_are_locked_and_not_refused(world: World) -> None:
    """It locks exactly what it applies, before, and never applies beside a refusal or an end."""
    steps = world.outcome()
    started = applies(steps)
    if not started:
        assert not any(isinstance(s, TakeLocks) for s in steps)
        return
    (taken,) = [s for s in steps if isinstance(s, TakeLocks)]
    assert steps.index(taken) < steps.index(started[0])
    assert taken.projects == tuple(job.project for job in started)
    assert not any(isinstance(s, Say) and isinstance(s.message, Refusal) for s in steps)
    assert not any(isinstance(s, Finish | FreeLocks) for s in steps)


@given(ALL)
@settings(max_examples=200)
def test_nothing_unfit_is_applied(world: World) -> None:
    """It applies only what may be: right person, commit, plan, mode and pull request."""
    for started in applies(world.outcome()):
        chosen = next(p for p in world.plans if p.id == started.reviewed)
        assert world.permission.can_write
        assert world.served
        assert world.rules not in (COMMENTS_ONLY, WRONG)
        assert not any((chosen.state_is_lost, chosen.summary.errored, chosen.applied_at))
        assert chosen.summary.applyable
        assert chosen.summary.has_changes
        assert chosen.project == started.project
        assert not any(k.project == started.project and k.holder != PULL for k in world.locks)
        if world.pull.merged:
            assert chosen.commit == world.pull.merge_sha
        else:
            assert world.ask.kind is AskKind.APPLY
            assert chosen.head == world.pull.head_sha
            assert world.pull.open
            assert not any((world.pull.draft, world.pull.fork))


@given(ALL)
@settings(max_examples=200)
def test_a_merge_applies_only_what_was_seen(world: World) -> None:
    """It applies by itself only what was compared, and where merges apply."""
    if world.ask.kind is not AskKind.MERGE or not applies(world.outcome()):
        return
    assert world.rules != NEVER_ON_MERGE
    assert not world.pull.fork
    compared = {job.project: job for job in world.jobs or () if job.reviewed}
    for started in applies(world.outcome()):
        assert started.project in compared
        assert world.rules == ALWAYS_ON_MERGE or not compared[started.project].differences


@given(ALL)
@settings(max_examples=200)
def test_each_plan_is_started_once(world: World) -> None:
    """It never starts an apply of a plan that an apply was started of before."""
    run = world.run()
    tried = {job.reviewed for job in world.scene(run).jobs() if job.kind is JobKind.APPLY}
    assert not tried & {started.reviewed for started in applies(world.outcome())}


@given(ALL)
@settings(max_examples=200)
def test_order(world: World) -> None:
    """It acknowledges first, lays out last, and finishes last and once."""
    steps = world.outcome()
    kinds = [type(step) for step in steps]
    assert kinds.count(Acknowledge) <= 1
    assert Acknowledge not in kinds[1:]
    assert kinds.count(LayOut) <= 1
    assert kinds.count(Finish) <= 1
    assert Finish not in kinds[:-1]
    if Finish in kinds:
        assert not {StartJob, TakeLocks} & set(kinds)


@given(ALL)
@settings(max_examples=200)
def test_plans_end_both_checks(world: World) -> None:
    """It leaves no plan run without both checks in an end state on its own commit."""
    steps = world.outcome()
    ends = [step for step in steps if isinstance(step, Finish)]
    silent = not world.served or world.permission is Permission.NONE or world.ask.select.dirs
    if world.ask.kind is not AskKind.PLAN or not ends or world.pull.merged:
        return
    before_anything = LayOut() not in steps and world.jobs is None and not world.broken
    if world.ask.by_comment and (silent or before_anything):
        return
    if not world.served:
        return
    last = {step.check: step for step in steps if isinstance(step, SetStatus)}
    assert len(last) == 2
    assert all(step.verdict is not Verdict.PENDING for step in last.values())
    assert len({step.sha for step in last.values()}) == 1


@given(ALL)
@settings(max_examples=100)
def test_a_decision_may_be_taken_twice(world: World) -> None:
    """It decides the same from the same scene: a worker may die and another one go on."""
    assert world.outcome() == world.outcome()


# --- the transition tables ----------------------------------------------------------------

FINISHED = {state for state in RunState if state.finished}


@pytest.mark.parametrize("old", list(RunState))
@pytest.mark.parametrize("new", list(RunState))
def test_run_moves(old: RunState, new: RunState) -> None:
    """It lets a run go forward only, and never out of an end."""
    open_ways = {
        RunState.QUEUED: {RunState.WORKING, RunState.WAITING},
        RunState.WORKING: {RunState.WAITING},
        RunState.WAITING: {RunState.RESUMED},
        RunState.RESUMED: {RunState.WAITING},
    }
    forward = old in open_ways and new in FINISHED | open_ways[old]
    assert (new in RUN_MOVES.get(old, ())) is forward
    if forward:
        check_run_move(old, new)
    else:
        with pytest.raises(IllegalTransition):
            check_run_move(old, new)


JOB_PATHS = {
    JobKind.PLAN: "blocked>queued blocked>skipped blocked>dropped"
    " queued>running running>planned running>failed running>queued"
    " queued>dropped running>dropped",
    JobKind.IMPORT: "queued>running queued>dropped running>changed running>failed"
    " running>interrupted",
    JobKind.STATE_RM: "queued>running queued>dropped running>changed running>failed"
    " running>interrupted",
    JobKind.VERSION: "queued>running running>looked running>failed running>queued"
    " queued>dropped running>dropped",
    JobKind.LOOK: "queued>running running>looked running>failed running>queued"
    " queued>dropped running>dropped",
    JobKind.INVENTORY: "queued>running running>looked running>failed running>queued"
    " queued>dropped running>dropped",
    JobKind.PLAN_APPLIED: "queued>running running>planned running>failed running>queued"
    " queued>dropped running>dropped",
    JobKind.PRE_HOOKS: "queued>running running>hooked running>failed running>queued"
    " queued>dropped running>dropped",
    JobKind.POST_HOOKS: "queued>running running>hooked running>failed running>queued"
    " queued>dropped running>dropped",
    JobKind.FORCE_UNLOCK: "queued>running running>freed running>failed running>queued"
    " queued>dropped running>dropped",
    JobKind.APPLY: "blocked>queued blocked>skipped blocked>dropped"
    " queued>running running>applied running>failed running>interrupted"
    " running>queued queued>dropped running>dropped running>stale",
}


@pytest.mark.parametrize("kind", list(JobKind))
@pytest.mark.parametrize("old", list(JobState))
@pytest.mark.parametrize("new", list(JobState))
def test_job_moves(kind: JobKind, old: JobState, new: JobState) -> None:
    """It lets a job move along its table; an apply that ran is never queued by a new name."""
    allowed = f"{old}>{new}" in JOB_PATHS[kind].split()
    assert (new in JOB_MOVES.get((kind, old), ())) is allowed
    if allowed:
        check_job_move(kind, old, new)
    else:
        with pytest.raises(IllegalTransition):
            check_job_move(kind, old, new)


def test_worlds_do_apply() -> None:
    """It tests the properties on worlds in which something is applied."""
    assert applies(World(by_comment(AskKind.APPLY)).outcome())
