"""The collector of cycles rests while a plan is read, and works again afterwards."""

from __future__ import annotations

import gc
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prbot.engine.planner import read_plan
from prbot.errors.plans import BadPlan
from prbot.telemetry import Redactor

PLAN = json.dumps({"format_version": "1.2", "variables": {"v": {"value": "1"}}}).encode()


def test_it_leaves_the_collector_on() -> None:
    """It switches it on again, also where the plan cannot be read."""
    read_plan(PLAN, Redactor(), b"key")
    assert gc.isenabled()
    with pytest.raises(BadPlan):
        read_plan(b"{", Redactor(), b"key")
    assert gc.isenabled()


def test_it_leaves_the_collector_on_among_many() -> None:
    """It does so however the readings of several threads overlap."""
    with ThreadPoolExecutor(8) as pool:
        digests = pool.map(lambda _: read_plan(PLAN, Redactor(), b"k")[0], range(200))
        assert len(set(digests)) == 1
    assert gc.isenabled()


DRIFTED = Path(__file__).parent.parent / "fixtures" / "plans"


def test_it_tells_what_would_be_recorded() -> None:
    """It counts what a refresh-only plan records, and takes two that differ in it for two plans;
    a clean apply leaves nothing to record."""
    clean = (DRIFTED / "00_clean_after_apply.json").read_bytes()
    drifted = json.loads((DRIFTED / "02_managed_attr_drift.json").read_bytes())
    drifted["resource_changes"] = []
    first, summary = read_plan(json.dumps(drifted).encode(), Redactor(), b"k", recording=True)
    assert summary.records == 1
    assert summary.has_changes
    (change,) = (each["change"] for each in drifted["resource_drift"])
    change["after"] = {**change["after"], "delay_seconds": 77}
    second, _ = read_plan(json.dumps(drifted).encode(), Redactor(), b"k", recording=True)
    assert first != second
    _, nothing = read_plan(clean, Redactor(), b"k", recording=True)
    assert nothing.records == 0
    assert not nothing.has_changes


def test_it_leaves_the_collector_off() -> None:
    """It does not switch on what somebody else switched off."""
    gc.disable()
    try:
        read_plan(PLAN, Redactor(), b"key")
        assert not gc.isenabled()
    finally:
        gc.enable()


CREDENTIAL = "AKIAIOSFODNN7EXAMPLE"
RESOURCE = "terraform_data.one"


def told_of(redactor: Redactor, before: object, after: object) -> str:
    change = {"actions": ["update"], "before": before, "after": after}
    resource = {
        "address": RESOURCE,
        "mode": "managed",
        "type": "terraform_data",
        "name": "one",
        "change": change,
    }
    plan = {"format_version": "1.2", "resource_changes": [resource]}
    _, summary = read_plan(json.dumps(plan).encode(), redactor, b"key")
    assert summary.changes
    return repr(summary)


@pytest.mark.parametrize("pad", [0, 100, 210, 219, 225, 232, 238, 245, 400])
@pytest.mark.parametrize("known", ["to prbot", "to another project of the pull request"])
def test_half_of_a_credential(known: str, pad: int) -> None:
    """It hides what prbot itself resolved, and what other plans of the pull request call secret,
    before it cuts a long value, wherever it cuts: no half of it is left that the redactor would
    not know."""
    redactor = Redactor()
    if known == "to prbot":
        redactor.register(CREDENTIAL)
    with redactor.about("acme/infra#1"):
        if known != "to prbot":
            redactor.hide([CREDENTIAL])
        _no_half_is_told(redactor, pad)


def _no_half_is_told(redactor: Redactor, pad: int) -> None:
    value = f"{'x' * pad}{CREDENTIAL}{'y' * 300}"
    lines = f"one\n{'z' * pad}{CREDENTIAL}\ntwo\n"
    shapes: list[tuple[object, object]] = [
        ({"input": "old"}, {"input": value}),
        ({"input": f"{value}1"}, {"input": f"{value}2"}),
        ({"input": lines}, {"input": f"{lines}three\n"}),
        ({"input": {"a": "old"}}, {"input": {"a": value, value: "b"}}),
        ({"input": ["old"]}, {"input": ["old", value]}),
        ({"input": json.dumps({"a": "old"})}, {"input": json.dumps({"a": value})}),
    ]
    for before, after in shapes:
        told = told_of(redactor, before, after)
        assert CREDENTIAL[:5] not in told
        assert CREDENTIAL[-5:] not in told
