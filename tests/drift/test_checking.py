"""What a check came to, and what it shows: from two plans that were read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from prbot.config.drift import Reaction
from prbot.drift.checking import Reading, Subject, section_of
from prbot.drift.issue import Found
from prbot.drift.reading import Read
from prbot.drift.verdict import LastApplied, Planned, ProjectVerdict
from prbot.model import ProjectKey, RepoRef, Sha
from prbot.plans.threeway import Verdict
from prbot.runs.run import Trouble

NOW = datetime(2026, 3, 4, 4, 50, tzinfo=UTC)
SUBJECT = Subject(RepoRef("gh", "acme/infra"), ProjectKey("app"), Sha("c" * 40), NOW, "prod")
WRONG = Trouble("It failed.")


def read(digest: str, *found: str, changes: bool = True) -> Read:
    rows = tuple(Found(name, "tags", Verdict.REVERTS, Reaction.ALERT) for name in found)
    return Read(Planned(digest, changes, drifted=bool(found)), rows)


CLEAN = read("0", changes=False)
ROWS: dict[str, tuple[Reading, LastApplied, Reading, ProjectVerdict, tuple[str, ...]]] = {
    "nothing changes": (CLEAN, LastApplied.SAME, None, ProjectVerdict.IN_SYNC, ()),
    "drift is the head's": (
        read("1", "a"),
        LastApplied.SAME,
        None,
        ProjectVerdict.DRIFTED,
        ("a",),
    ),
    "of two plans the applied one tells the drift": (
        read("1", "a", "b"),
        LastApplied.DIFFERENT,
        read("2", "a"),
        ProjectVerdict.MIXED,
        ("a",),
    ),
    "unapplied code is no drift": (
        read("1", "b"),
        LastApplied.DIFFERENT,
        CLEAN,
        ProjectVerdict.BEHIND,
        (),
    ),
    "the applied commit is not at hand": (
        read("1", "b"),
        LastApplied.DIFFERENT,
        None,
        ProjectVerdict.UNKNOWN,
        (),
    ),
    "the applied commit cannot be planned": (
        read("1", "b"),
        LastApplied.DIFFERENT,
        WRONG,
        ProjectVerdict.ERROR,
        (),
    ),
    "the head cannot be planned": (WRONG, LastApplied.SAME, None, ProjectVerdict.ERROR, ()),
    "nothing is known as applied": (
        read("1", "a"),
        LastApplied.NOTHING,
        None,
        ProjectVerdict.DRIFTED,
        ("a",),
    ),
}


@pytest.mark.parametrize(("head", "last", "applied", "verdict", "found"), ROWS.values(), ids=ROWS)
def test_sections(
    head: Reading,
    last: LastApplied,
    applied: Reading,
    verdict: ProjectVerdict,
    found: tuple[str, ...],
) -> None:
    """It shows drift alone, and of an error what went wrong."""
    section = section_of(SUBJECT, head, last, applied, unmerged=False)
    assert section.verdict is verdict
    assert tuple(each.address for each in section.found) == found
    assert (section.trouble == WRONG) is (verdict is ProjectVerdict.ERROR)
    assert (section.commit, section.environment) == (SUBJECT.commit, "prod")


def test_applied_and_not_merged() -> None:
    """It is the pull request's, whatever else the plan would do."""
    section = section_of(SUBJECT, read("1", "a"), LastApplied.SAME, None, unmerged=True)
    assert section.verdict is ProjectVerdict.APPLIED_UNMERGED
    assert section.found == ()
