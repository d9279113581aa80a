"""`prbot explain drift`: which rule decides on what a plan's JSON says that others changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from prbot.app.explain_plan import judged, read_plan
from prbot.app.migrate import text_of
from prbot.config.drift import DriftSettings, Reaction
from prbot.config.repo import load_repo
from prbot.drift.rules import Decided, beyond, decide, drifts, of_project
from prbot.plans.plan import Plan
from prbot.plans.summary import Drifted

AUTO_NEEDS = (
    "auto also needs the server's consent (`drift-auto`), nothing unapplied, an open window, no"
    " freeze and no hold; it is done twice a day, and not after the same failed twice"
)


@dataclass(frozen=True)
class Row:
    """One attribute as it may be shown, and what is done about it."""

    shown: Drifted
    decided: Decided

    @property
    def rule(self) -> str | None:
        number = self.decided.rule
        return None if number is None else _place(number)


@dataclass(frozen=True)
class Explained:
    rows: tuple[Row, ...]
    action: Reaction | None
    reserve: str
    """Why the project's action is less than what its attributes want; or empty."""


def explain_drift(file: Path, config: Path | None, environment: str | None, as_json: bool) -> int:
    """Print it; 0 when both files could be read. Raises PrbotError."""
    settings = DriftSettings() if config is None else load_repo(text_of(config), str(config)).drift
    found = explained(read_plan(file), settings, environment, datetime.now(UTC).date())
    text = json.dumps(_document(found), indent=2) if as_json else "\n".join(_told(found, settings))
    sys.stdout.write(f"{text}\n")
    return 0


def explained(
    plan: Plan, settings: DriftSettings, environment: str | None, today: date
) -> Explained:
    """Raises BadPlan for endless nesting."""
    rest = beyond(plan)
    decided = [decide(settings, one, environment, today) for one in drifts(plan)]
    rows = (Row(*pair) for pair in zip(judged(plan).drift, decided, strict=True))
    action = of_project(decided, rest)
    return Explained(tuple(rows), action, _reserve(decided, action))


def _reserve(decided: list[Decided], action: Reaction | None) -> str:
    acting = {one.action for one in decided if one.action is not Reaction.IGNORE}
    if len(acting) != 1 or action in acting:
        return "" if len(acting) < 2 else "one plan corrects all or nothing: the weakest counts"
    return "the plan would change more than what may be corrected"


def _document(found: Explained) -> dict[str, object]:
    return {
        "attributes": [
            {
                "address": row.shown.address,
                "attribute": row.shown.attribute,
                "verdict": row.shown.verdict.value,
                "rule": row.rule,
                "action": row.decided.action.value,
            }
            for row in found.rows
        ],
        "action": None if found.action is None else found.action.value,
    }


def _told(found: Explained, settings: DriftSettings) -> Iterator[str]:
    for row in found.rows:
        what = row.shown.attribute or "the object"
        yield f"{row.shown.address}, {what}: {row.shown.verdict.value}; {_why(row, settings)}"
    if found.action is None:
        yield "nothing drifted"
    else:
        yield f"together: {found.action.value}{f', because {found.reserve}' * bool(found.reserve)}"
    if found.action is Reaction.AUTO:
        yield AUTO_NEEDS


def _why(row: Row, settings: DriftSettings) -> str:
    lapsed = "".join(f"; {_place(number)} has lapsed" for number in row.decided.lapsed)
    action = row.decided.action.value
    if row.rule is None:
        asked = row.decided.action is not Reaction.IGNORE or settings.default is Reaction.IGNORE
        return f"{action}, {'by no rule' if asked else 'nothing to correct'}{lapsed}"
    reason = settings.rules[row.decided.rule or 0].reason
    return f"{action}, by {row.rule}{f' ({visible(reason)})' if reason else ''}{lapsed}"


def _place(number: int) -> str:
    return f"drift.rules[{number}]"


def visible(text: str) -> str:
    """Fit for a terminal: nothing in it moves the cursor."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
