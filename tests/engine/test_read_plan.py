"""The collector of cycles rests while a plan is read, and works again afterwards."""

from __future__ import annotations

import gc
import json
from concurrent.futures import ThreadPoolExecutor

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


def test_it_leaves_the_collector_off() -> None:
    """It does not switch on what somebody else switched off."""
    gc.disable()
    try:
        read_plan(PLAN, Redactor(), b"key")
        assert not gc.isenabled()
    finally:
        gc.enable()
