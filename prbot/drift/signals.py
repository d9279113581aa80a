"""What other programs are told of drift, whatever a rule says of it, silence included.

Each project is told of once when it begins to drift, when something else drifts, and when
nothing does any more; and once when it was not looked at for too long. Names are told, and never
values. A check that could not see tells nothing: an error is neither drift nor its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from prbot.config.drift import Reaction
from prbot.drift.issue import Found, Section
from prbot.drift.state import Standing, Trace
from prbot.drift.verdict import BLIND, ProjectVerdict
from prbot.model import ProjectKey, RepoRef, Sha

VERSION = 1
MOST = 100
"""Attributes that one message names; how many more there are, it says."""
LONGEST = 500
"""Characters of one name."""


class Kind(StrEnum):
    NEW = "drift.new"
    CHANGED = "drift.changed"
    GONE = "drift.gone"
    OVERDUE = "drift.overdue"
    CAUGHT_UP = "drift.caught-up"


class News(StrEnum):
    """Of one attribute, since the message before."""

    ADDED = "added"
    ALTERED = "altered"
    SAME = "same"


@dataclass(frozen=True)
class Row:
    """One attribute that drifted, by name; None: the whole object."""

    address: str
    attribute: str | None
    verdict: StrEnum
    action: Reaction
    rule: str | None
    news: News


@dataclass(frozen=True)
class Signal:
    """One message about one project. `baseline`: the repository's first complete sweep is not
    over yet. `gone` are names of what drifted before. `last_success` is when it was last checked
    without an error; `reason` says, where it is overdue, what is known of the cause."""

    kind: Kind
    repo: RepoRef
    project: ProjectKey
    environment: str | None
    at: datetime
    verdict: ProjectVerdict | None = None
    commit: Sha | None = None
    baseline: bool = False
    rows: tuple[Row, ...] = ()
    gone: tuple[str, ...] = ()
    last_success: datetime | None = None
    reason: str = ""


def after_check(
    before: Standing, section: Section, baseline: bool
) -> tuple[Trace, tuple[Signal, ...]]:
    """What is to be told, and what other programs know then. `section` as people answered to it."""
    signals = [_about(before, section, Kind.CAUGHT_UP)] if _has_caught_up(before, section) else []
    trace = before.trace
    if section.verdict not in BLIND:
        now = section.digests
        if (told := _drift(before, section, now)) is not None:
            signals.append(replace(told, baseline=baseline))
        trace = replace(trace, told=now)
    return trace, tuple(signals)


def _drift(before: Standing, section: Section, now: Mapping[str, str]) -> Signal | None:
    known = before.trace.told
    if now == known:
        return None
    kind = Kind.GONE if not now else Kind.CHANGED if known else Kind.NEW
    rows = (_row(each, known, now) for each in section.drifted)
    gone = tuple(sorted(known.keys() - now.keys()))
    return replace(_about(before, section, kind), rows=tuple(rows), gone=gone)


def _row(one: Found, known: Mapping[str, str], now: Mapping[str, str]) -> Row:
    name = one.name
    news = News.SAME if known.get(name) == now[name] else News.ALTERED
    news = news if name in known else News.ADDED
    return Row(one.address, one.attribute, one.verdict, one.action, one.rule, news)


def _about(before: Standing, section: Section, kind: Kind) -> Signal:
    return Signal(
        kind,
        section.repo,
        section.project,
        section.environment,
        section.checked_at,
        verdict=section.verdict,
        commit=section.commit,
        last_success=before.succeeded_at if section.trouble else section.checked_at,
    )


def _has_caught_up(before: Standing, section: Section) -> bool:
    return before.overdue_at is not None and section.trouble is None


def removed(standing: Standing, now: datetime) -> Signal | None:
    """It is no project any more; told where other programs believe that it drifts, or that
    nobody looks at it: neither will ever be found to be over."""
    if not standing.trace.told and standing.overdue_at is None:
        return None
    gone = tuple(sorted(standing.trace.told))
    reason = "It is no project of the default branch any more."
    return replace(_of(standing, Kind.GONE, now), gone=gone, reason=reason)


def overdue(standing: Standing, skipped: str, now: datetime) -> Signal:
    """`skipped`: why its repository is not looked at; empty where it is."""
    trouble = standing.section.trouble if standing.section else None
    reason = skipped or standing.held or (trouble.sentence if trouble else "")
    return replace(_of(standing, Kind.OVERDUE, now), reason=reason)


def _of(standing: Standing, kind: Kind, now: datetime) -> Signal:
    section = standing.section
    return Signal(
        kind,
        standing.repo,
        standing.project,
        standing.environment,
        now,
        verdict=None if section is None else section.verdict,
        commit=None if section is None else section.commit,
        last_success=standing.succeeded_at,
    )


# --- as it is sent -----------------------------------------------------------------------------


def document(signal: Signal, delivery: str) -> dict[str, Any]:
    """As JSON; `docs/drift-webhook.schema.json` describes it."""
    rows, gone = signal.rows[:MOST], signal.gone[:MOST]
    return {
        "version": VERSION,
        "id": delivery,
        "type": signal.kind,
        "at": signal.at.isoformat(),
        "project": {
            "forge": signal.repo.forge,
            "repository": signal.repo.path,
            "directory": signal.project.dir,
            "workspace": signal.project.workspace,
            "environment": signal.environment,
        },
        "verdict": signal.verdict,
        "commit": signal.commit,
        "baseline": signal.baseline,
        "ignored": bool(signal.rows) and all(row.action is Reaction.IGNORE for row in signal.rows),
        "attributes": [_shown(row) for row in rows],
        "gone": [_cut(name) for name in gone],
        "left_out": len(signal.rows) - len(rows) + len(signal.gone) - len(gone),
        "last_success": None if signal.last_success is None else signal.last_success.isoformat(),
        "reason": _cut(signal.reason),
    }


def _shown(row: Row) -> dict[str, Any]:
    return {
        "address": _cut(row.address),
        "attribute": None if row.attribute is None else _cut(row.attribute),
        "verdict": row.verdict,
        "action": row.action,
        "rule": row.rule,
        "news": row.news,
    }


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
