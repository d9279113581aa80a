"""What somebody changed outside of the code, as rows: what was, what is, what will be."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.plans.summary import Drifted, PlanSummary, Verdict

_OVERRULED = (Verdict.CONFLICT, Verdict.REVERTS, Verdict.GONE)
_WORDS = {
    Verdict.CONFLICT: "conflict",
    Verdict.REVERTS: "put back",
}


@dataclass(frozen=True)
class HandRow:
    """One row; `path` is empty for a whole object that is gone. `word` is the verdict's."""

    address: str
    path: str = ""
    applied: str = ""
    live: str = ""
    wanted: str = ""
    word: str = ""
    again: bool = False


def overruled(summary: PlanSummary) -> tuple[HandRow, ...]:
    """Conflicts first: the code and somebody's hand want different things."""
    found = [one for one in summary.drift if one.verdict in _OVERRULED]
    found.sort(key=lambda one: _OVERRULED.index(one.verdict))
    return tuple(row for one in found for row in _rows(one))


def kept(summary: PlanSummary) -> tuple[Drifted, ...]:
    """What this plan leaves as somebody made it."""
    return tuple(one for one in summary.drift if one.verdict not in _OVERRULED)


def _rows(one: Drifted) -> list[HandRow]:
    word = _WORDS.get(one.verdict, "")
    rows = [HandRow(one.address, v.path, v.applied, v.live, v.wanted, word) for v in one.values]
    return rows or [HandRow(one.address, one.attribute or "", word=word, again=one.again)]
