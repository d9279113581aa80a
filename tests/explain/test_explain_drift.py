"""`prbot explain drift`: what is printed for recorded plans, and which rule decided."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prbot.cli import run

PLANS = Path(__file__).parent.parent / "fixtures" / "plans"
RECORDED = sorted(PLANS.glob("[01]?_*.json"))
RULES = """\
version: 1
drift:
  rules:
    - {type: aws_sqs_queue, attribute: delay_seconds, environment: prod, action: auto}
    - {address: aws_ssm_parameter, action: ignore, reason: "old", until: 2001-01-01}
    - {address: aws_ssm_parameter.p, action: open_pr, proposal: revert}
    - {attribute: "tag*", action: ignore, reason: "set by the cost tool"}
"""


@pytest.fixture
def rules(tmp_path: Path) -> str:
    file = tmp_path / "prbot.yaml"
    file.write_text(RULES)
    return str(file)


def explained(capsys: pytest.CaptureFixture[str], name: str, *more: str) -> dict[str, Any]:
    assert run(["explain", "drift", str(PLANS / f"{name}.json"), "--json", *more]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    document: dict[str, Any] = json.loads(out)
    return document


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_every_verdict(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It tells of each recorded plan what was written down by hand, every key each time; where
    no rule decides it alerts to what a plan would take back, and leaves the rest."""
    document = explained(capsys, file.stem)
    assert list(document) == ["attributes", "action"]
    rows = json.loads((PLANS / "verdicts.json").read_text())
    expected = [
        {
            "address": row["address"],
            "attribute": row["attribute"],
            "verdict": row["verdict"],
            "rule": None,
            "action": "ignore" if row["verdict"] in ("adopts", "ignored") else "alert",
        }
        for row in rows
        if row["fixture"] == file.stem and row["verdict"] != "change"
    ]
    assert document["attributes"] == expected
    actions = {row["action"] for row in expected}
    assert document["action"] == (min(actions) if actions else None)


DECIDED: dict[str, tuple[str, str | None, str | None, str, str]] = {
    "a rule": ("02_managed_attr_drift", "prod", "drift.rules[0]", "auto", "auto"),
    "a rule of another environment": ("02_managed_attr_drift", "dev", None, "alert", "alert"),
    "a rule, and no environment": ("02_managed_attr_drift", None, None, "alert", "alert"),
    "auto, where the code wants a third value": (
        "03_drift_and_change_same_attr_conflict",
        "prod",
        "drift.rules[0]",
        "auto",
        "alert",
    ),
    "auto, where code was not applied": (
        "05_drift_one_attr_change_other_attr",
        "prod",
        "drift.rules[0]",
        "auto",
        "alert",
    ),
    "what the code adopts": ("04_code_adopts_drift", "prod", None, "ignore", "ignore"),
    "what the plan leaves": ("06_ignored_attr_drift", "prod", None, "ignore", "ignore"),
    "the rule behind a lapsed one": (
        "07_deleted_out_of_band",
        None,
        "drift.rules[2]",
        "open_pr",
        "open_pr",
    ),
}


@pytest.mark.parametrize(
    ("name", "environment", "rule", "action", "together"), DECIDED.values(), ids=DECIDED.keys()
)
def test_what_decided(
    name: str,
    environment: str | None,
    rule: str | None,
    action: str,
    together: str,
    rules: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It names the rule that decided, and what follows for the project."""
    more = ("--environment", environment) if environment else ()
    document = explained(capsys, name, "--config", rules, *more)
    (row,) = document["attributes"]
    assert (row["rule"], row["action"], document["action"]) == (rule, action, together)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "05_drift_one_attr_change_other_attr",
            [
                "aws_sqs_queue.q, delay_seconds: reverts; auto, by drift.rules[0]",
                "together: alert, because the plan would change more than what may be corrected",
            ],
        ),
        (
            "07_deleted_out_of_band",
            [
                "aws_ssm_parameter.p, the object: gone; open_pr, by drift.rules[2];"
                " drift.rules[1] has lapsed",
                "together: open_pr",
            ],
        ),
        (
            "06_ignored_attr_drift",
            [
                "aws_sqs_queue.q, visibility_timeout_seconds: ignored; ignore, nothing to correct",
                "together: ignore",
            ],
        ),
        ("00_clean_after_apply", ["nothing drifted"]),
    ],
)
def test_in_words(
    name: str, lines: list[str], rules: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says the same in words."""
    file = str(PLANS / f"{name}.json")
    assert run(["explain", "drift", file, "--config", rules, "--environment", "prod"]) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_unreadable_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It exits 1 with place and next step where rules cannot be read; none are guessed."""
    plan, file = str(PLANS / "02_managed_attr_drift.json"), tmp_path / "prbot.yaml"
    assert run(["explain", "drift", plan, "--config", str(file)]) == 1
    file.write_text("version: 1\ndrift:\n  rules:\n    - {action: ignore}\n")
    assert run(["explain", "drift", plan, "--config", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "line 4" in err
    assert "needs a `reason`" in err


def test_unreadable_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It exits 1 for what is no plan."""
    file = tmp_path / "plan.json"
    file.write_text("[]")
    assert run(["explain", "drift", str(file), "--json"]) == 1
    assert capsys.readouterr().out == ""
