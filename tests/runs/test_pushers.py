"""Whoever pushed to a pull request, or had prbot open it, is one of its authors: their approval
is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenes import (
    AUTHOR,
    DONE_MERGED,
    HEAD,
    MERGER,
    OLD_HEAD,
    REVIEWER,
    World,
    after_merge,
    approval,
    by_comment,
    by_event,
    earlier,
    plan,
    planned,
    words,
)

from prbot.model import Login, Review, Sha
from prbot.runs.run import AskKind, Run

GO = {"lock a", "apply a=p1"}
REFUSED = {"refuse: approved", "refused"}
HELD, GOES_ON = {"hold", "apply:failure", "held"}, {"lock a", "apply a=p3"}


def told_by(actor: Login, head: Sha = HEAD) -> Run:
    """The plan run of the event by which `actor` told of `head`."""
    run = earlier(planned(plan("a", head=head)), head=head)
    return replace(run, ask=replace(run.ask, actor=actor))


ROWS: dict[str, tuple[tuple[Run, ...], set[str]]] = {
    "the reviewer pushed nothing": ((told_by(AUTHOR),), GO),
    "the reviewer pushed to the author's branch": ((told_by(REVIEWER),), REFUSED),
    "in another spelling": ((told_by(Login("Reviewer")),), REFUSED),
    "the reviewer pushed an earlier commit": (
        (told_by(AUTHOR), told_by(REVIEWER, OLD_HEAD)),
        REFUSED,
    ),
    "the reviewer reopened what the author had pushed": (
        (told_by(REVIEWER), told_by(AUTHOR)),
        GO,
    ),
}


@pytest.mark.parametrize(("runs", "expected"), ROWS.values(), ids=ROWS)
def test_approval(runs: tuple[Run, ...], expected: set[str]) -> None:
    """It counts approvals by people who brought none of the heads."""
    assert words(World(by_comment(AskKind.APPLY), others=runs).outcome()) == expected


ASKERS: dict[str, tuple[frozenset[str], set[str]]] = {
    "nobody asked for it": (frozenset(), GO),
    "somebody else asked for it": (frozenset({"zoe"}), GO),
    "the reviewer asked for it": (frozenset({"reviewer"}), REFUSED),
    "both asked for it": (frozenset({"reviewer", "zoe"}), REFUSED),
}


@pytest.mark.parametrize(("askers", "expected"), ASKERS.values(), ids=ASKERS)
def test_asked_for(askers: frozenset[str], expected: set[str]) -> None:
    """It counts no approval by whoever had prbot open the pull request."""
    runs = (told_by(AUTHOR),)
    asked = World(by_comment(AskKind.APPLY), others=runs, askers=askers)
    assert words(asked.outcome()) == expected


MERGED_BY: dict[str, tuple[frozenset[str], tuple[Review, ...], set[str]]] = {
    "somebody else asked for it": (frozenset({"zoe"}), (), GOES_ON),
    "the merger asked for it": (frozenset({MERGER.lower()}), (), HELD),
    "the merger approved what they asked for": (
        frozenset({MERGER.lower()}),
        (approval(MERGER),),
        HELD,
    ),
    "somebody else approved it": (frozenset({MERGER.lower()}), (approval(),), GOES_ON),
}


@pytest.mark.parametrize(("askers", "reviews", "expected"), MERGED_BY.values(), ids=MERGED_BY)
def test_merged_alone(
    askers: frozenset[str], reviews: tuple[Review, ...], expected: set[str]
) -> None:
    """It applies nothing because one person asked for a pull request and merged it."""
    merge = by_event(AskKind.MERGE)
    fresh, reviewed = after_merge("a", 3, run="r-now"), plan("a")
    world = World(
        merge,
        pull=DONE_MERGED,
        plans=(fresh, reviewed),
        jobs=(planned(fresh, reviewed=1),),
        askers=askers,
        reviews=reviews,
    )
    assert words(world.outcome()) == expected
