"""What an apply tells, from Terraform's own stream."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from prbot.model import PullRef, RepoRef
from prbot.runs.journal import JournalEntry
from prbot.runs.told import Moment, Told, told_by, told_in

STREAM = Path(__file__).parents[1] / "fixtures" / "plans" / "12_apply_sigkilled.jsonl"
CREATED = Told(
    Moment.COMPLETE, "aws_eip.e", "create", "aws_eip", "id", "eipalloc-f0d761267b151e6bc"
)


def _entry(action: str, detail: str, subject: str = "j-1") -> JournalEntry:
    pull = PullRef(RepoRef("forge", "acme/infra"), 1)
    return JournalEntry(datetime(2026, 1, 1, tzinfo=UTC), pull, None, subject, action, detail)


def test_a_real_stream() -> None:
    """It finds what began and what ended, in order, and nothing else."""
    assert told_by(STREAM.read_text().splitlines()) == (
        Told(Moment.BEGAN, "aws_eip.e", "create", "aws_eip"),
        CREATED,
        Told(Moment.BEGAN, "terraform_data.slow", "create", "terraform_data"),
    )


def test_through_the_journal() -> None:
    """It is the same after it went through the journal, and other subjects are not it."""
    told = told_by(STREAM.read_text().splitlines())
    entries = [_entry(one.moment, one.detail) for one in told]
    entries += [_entry("locked", "network"), _entry(CREATED.moment, CREATED.detail, "j-2")]
    assert told_in(entries, "j-1") == told


@pytest.mark.parametrize(
    "line",
    [
        "",
        '"apply_complete"',
        '{"type":"apply_complete"',
        '{"type":"apply_complete"}',
        '{"type":"apply_complete","hook":[]}',
        '{"type":"apply_complete","hook":{"resource":{"addr":""},"action":"create"}}',
        '{"type":"apply_complete","hook":{"resource":{"addr":"data.a.b"},"action":"read"}}',
        '{"type":"apply_progress","hook":{"resource":{"addr":"a.b"},"action":"create"}}',
    ],
)
def test_what_tells_nothing(line: str) -> None:
    """It is not disturbed by lines of another kind or form."""
    assert told_by([line]) == ()


@pytest.mark.parametrize("detail", ["", "[]", '{"address": 7}', "no JSON"])
def test_a_strange_entry(detail: str) -> None:
    """It reads an entry as far as it goes."""
    (told,) = told_in([_entry("apply_errored", detail)], "j-1")
    assert told.moment is Moment.ERRORED
