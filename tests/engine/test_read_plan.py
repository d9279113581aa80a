"""The collector of cycles rests while a plan is read, and works again afterwards."""

from __future__ import annotations

import gc
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prbot.engine.planner import read_plan
from prbot.errors import BadPlan
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
