"""Drift that a real provider reports: who changed the value, the code or somebody else?"""

from __future__ import annotations

from pathlib import Path

import pytest

from prbot.plans.plan import parse
from prbot.plans.summary import summarise
from prbot.plans.threeway import drift

PARAMETER = "aws_ssm_parameter.setting"


@pytest.fixture
def judged(make_run, tool, aws_root_module, tmp_path: Path):
    """Plan the code with this value, or apply it; answers with the plan's JSON."""

    async def plan(name: str, value: str, *, apply: bool = False) -> bytes:
        run = make_run(
            name, aws_root_module(tmp_path / "state.tfstate", bucket="logs", value=value)
        )
        await tool.init(run)
        await tool.plan(run, run.root / "plan")
        shown = await tool.show(run, run.root / "plan")
        if apply:
            assert (await tool.apply(run, run.root / "plan")).ok
        return shown

    return plan


async def test_drift(judged, aws_client) -> None:
    """It tells what a plan takes back, adopts, overrules or makes anew."""
    await judged("first", "first-value", apply=True)

    def found(shown: bytes) -> dict[str | None, str]:
        rows = drift(parse(shown))
        assert {row.address for row in rows} <= {PARAMETER}
        return {row.attribute: row.verdict.value for row in rows}

    assert found(await judged("clean", "first-value")) == {}
    ssm = aws_client("ssm")
    ssm.put_parameter(Name="/p", Value="other-value", Type="String", Overwrite=True)
    # the service counts its versions; no code says what they should be
    for value, verdict in (
        ("first-value", "reverts"),
        ("other-value", "adopts"),
        ("third-value", "conflict"),
    ):
        third = await judged(verdict, value)
        assert found(third) == {"value": verdict, "version": "ignored"}
    told = repr(summarise(parse(third)))
    assert [value for value in ("first-value", "other-value", "third-value") if value in told] == []
    ssm.delete_parameter(Name="/p")
    again = await judged("gone", "first-value")
    assert found(again) == {None: "gone"}
    assert summarise(parse(again)).counts.create == 1
