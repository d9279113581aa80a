"""One plan as a check reads it: the recorded ones, with and without their code applied."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from prbot.config.drift import DriftRule, DriftSettings, Reaction
from prbot.drift.reading import Asked, Read, read
from prbot.plans.plan import Change, parse
from prbot.plans.threeway import Verdict

PLANS = Path(__file__).parent.parent / "fixtures" / "plans"
ROWS = json.loads((PLANS / "verdicts.json").read_text())
RULE = DriftRule(attribute=("delay_seconds",), action=Reaction.IGNORE, reason="ours alone")
ASKED = Asked(DriftSettings(rules=(RULE,)), "prod", date(2026, 3, 4), lambda told: told)


FOLLOWS: dict[str, set[tuple[str, str | None]]] = {
    "08": {("aws_sqs_queue.q", "name")},  # the rest is known after the replacement
    "09": {("aws_sqs_queue.main", None)},  # had it been applied, it would be there
}


def reading(name: str, proven: bool) -> Read:
    (path,) = PLANS.glob(f"{name}_*.json")
    return read(parse(path.read_bytes()), "digest", True, 0, proven, ASKED)


def rows(found: Read) -> set[tuple[str, str | None, str]]:
    return {(each.address, each.attribute, each.verdict.value) for each in found.found}


@pytest.mark.parametrize("path", sorted(PLANS.glob("[01]?_*.json")), ids=lambda path: path.stem)
def test_what_the_code_changes_is_no_drift(path: Path) -> None:
    """It has a row for each attribute that the plan itself tells others changed."""
    told = {(r["address"], r["attribute"], r["verdict"]) for r in ROWS if r["fixture"] == path.stem}
    found = reading(path.stem[:2], proven=False)
    assert rows(found) == {row for row in told if row[2] != "change"}


@pytest.mark.parametrize("path", sorted(PLANS.glob("[01]?_*.json")), ids=lambda path: path.stem)
def test_what_applied_code_changes_is_drift(path: Path) -> None:
    """It has one for what the code alone would change too, where that code was applied; not for
    what only follows from a replacement."""
    mine = [r for r in ROWS if r["fixture"] == path.stem]
    before, after = rows(reading(path.stem[:2], False)), rows(reading(path.stem[:2], True))
    coded = {(r["address"], r["attribute"]) for r in mine if r["verdict"] == "change"}
    assert before <= after
    coded = FOLLOWS.get(path.stem[:2], coded)
    assert {row[:2] for row in after - before} == coded


def test_what_is_to_be_done() -> None:
    """It says of each row which rule decided and why, and what lives instead of what."""
    one, two = reading("05", proven=True).found[0], reading("05", proven=True).found[1]
    assert (one.attribute, one.action, one.rule) == (
        "delay_seconds",
        Reaction.IGNORE,
        "drift.rules[0]",
    )
    assert (one.reason, two.reason) == ("ours alone", "")
    assert (one.live, one.wanted) == ("9", "5")
    assert (two.attribute, two.verdict, two.action) == ("tags", Verdict.REVERTS, Reaction.ALERT)
    assert two.rule is None


def test_an_output() -> None:
    """Where the plan's own code is what was applied its outputs follow from what drifted; else
    another value of one is code that nobody applied."""
    (path,) = PLANS.glob("02_*.json")
    other = {"o": Change(("update",), before="x", after="y")}
    plan = replace(parse(path.read_bytes()), output_changes=other)
    assert not read(plan, "digest", True, 0, True, ASKED).beyond.more
    unproven = read(plan, "digest", True, 0, False, ASKED)
    assert (unproven.beyond.more, unproven.planned.more) == (True, True)


def test_what_is_secret() -> None:
    """It puts together only what was redacted."""
    veiled = replace(
        ASKED, redact_values=lambda told: tuple(replace(one, values=()) for one in told)
    )
    (path,) = PLANS.glob("05_*.json")
    found = read(parse(path.read_bytes()), "digest", True, 0, True, veiled).found
    assert {(each.live, each.wanted) for each in found} == {("", "")}
