"""`prbot explain plan`: what is printed for recorded plans and for what is none."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from prbot.cli import run

PLANS = Path(__file__).parent.parent / "fixtures" / "plans"
RECORDED = sorted(PLANS.glob("[01]?_*.json"))
COUNTS = ["create", "update", "replace", "delete", "import", "move", "forget", "read", "no_op"]
KEYS = ["counts", "outputs", "checks", "drift", "risk", "hash", "applyable", "errored", "complete"]


def explained(capsys: pytest.CaptureFixture[str], file: Path) -> dict[str, Any]:
    assert run(["explain", "plan", str(file), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    document: dict[str, Any] = json.loads(out)
    return document


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_it_prints_every_key(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has every key in every case, and the drift that was written down by hand."""
    document = explained(capsys, file)
    assert list(document) == KEYS
    assert list(document["counts"]) == COUNTS
    assert list(document["outputs"]) == ["create", "update", "delete"]
    assert list(document["checks"]) == ["pass", "fail", "error", "unknown"]
    assert list(document["risk"]) == ["level", "reasons"]
    rows = json.loads((PLANS / "verdicts.json").read_text())
    assert document["drift"] == [
        {key: row[key] for key in ("address", "attribute", "verdict")}
        for row in rows
        if row["fixture"] == file.stem and row["verdict"] != "change"
    ]


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_it_counts_as_terraform_does(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It reads as the line in the text of the same plan."""
    counts = explained(capsys, file)["counts"]
    text = file.with_suffix(".txt").read_text()
    lines = [line for line in text.splitlines() if line.startswith("Plan:")]
    add, destroy = counts["create"] + counts["replace"], counts["delete"] + counts["replace"]
    line = f"Plan: {add} to add, {counts['update']} to change, {destroy} to destroy."
    assert lines == ([line] if lines else [])
    assert lines or (add, counts["update"], destroy) == (0, 0, 0)


def test_one_whole_document(capsys: pytest.CaptureFixture[str]) -> None:
    """It is, value by value, what the product's page asks for."""
    document = explained(capsys, PLANS / "08_replace_force_new.json")
    digest = document.pop("hash")
    assert len(digest) == 64
    assert document == {
        "counts": dict.fromkeys(COUNTS, 0) | {"replace": 1, "no_op": 1},
        "outputs": {"create": 0, "update": 1, "delete": 0},
        "checks": {"pass": 0, "fail": 0, "error": 0, "unknown": 0},
        "drift": [],
        "risk": {
            "level": "high",
            "reasons": ["replaces `aws_sqs_queue.q`, which holds data (forced by `name`)"],
        },
        "applyable": True,
        "errored": False,
        "complete": True,
    }


def test_the_hash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It stays for another order and time, and changes with a secret value alone."""
    plan = json.loads((PLANS / "07_deleted_out_of_band.json").read_text())
    file = tmp_path / "plan.json"

    def digest(changed: dict[str, Any]) -> str:
        file.write_text(json.dumps(changed))
        return str(explained(capsys, file)["hash"])

    first = digest(plan)
    other = {key: plan[key] for key in reversed(plan)} | {"timestamp": "2030-01-01T00:00:00Z"}
    other["resource_changes"] = list(reversed(plan["resource_changes"]))
    assert digest(other) == first
    secret = json.loads(json.dumps(plan))
    created = next(r for r in secret["resource_changes"] if r["change"]["actions"] == ["create"])
    assert created["change"]["after_sensitive"]["value"] is True
    created["change"]["after"]["value"] = "another secret"
    assert digest(secret) != first
    file.write_text(json.dumps(secret))
    assert run(["explain", "plan", str(file)]) == 0
    assert "another secret" not in capsys.readouterr().out


def _hostile(address: str) -> dict[str, Any]:
    return {
        "format_version": "1.2",
        "resource_changes": [
            {
                "address": address,
                "mode": "managed",
                "type": "x",
                "change": {
                    "actions": ["update"],
                    "before": {"a": "hunter22", "b": "68756e7465723232", "c": "</details>"},
                    "after": {"a": "topsecret", "b": "x", "c": "```\n@everyone"},
                    "before_sensitive": {"a": True},
                    "after_sensitive": {"a": True},
                },
            }
        ],
    }


@pytest.mark.parametrize("limit", [1_000, 1_500, 65_536])
@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_the_comment_fits(file: Path, limit: int, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the comment within the limit, its counts and next step always there."""
    assert run(["explain", "plan", str(file), "--markdown", "--limit", str(limit)]) == 0
    out = capsys.readouterr().out
    assert len(out) <= limit
    assert out.startswith("## Plan for ")
    assert "**Next:**" in out
    assert out.count("<details") == out.count("</details>")


@pytest.mark.parametrize("form", ["--json", "--markdown"])
def test_no_secret_is_told(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It hides sensitive values, in other places and encodings too, and what would come alive."""
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(_hostile('x.a["hunter22"]')))
    assert run(["explain", "plan", str(file), form]) == 0
    out = capsys.readouterr().out
    assert [word for word in ("hunter22", "topsecret", "68756e7465723232") if word in out] == []
    assert "\n@everyone" not in out


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """It tells counts, risk, drift and likely renames without any option."""
    assert run(["explain", "plan", str(PLANS / "09_rename_without_moved.json")]) == 0
    assert capsys.readouterr().out == (
        "1 to delete, 1 to create, 1 output changes\n"
        "risk: high\n"
        "    deletes `aws_sqs_queue.q`, which holds data (no longer in the configuration)\n"
        "looks like a rename; this block would keep the object:\n"
        "    moved {\n"
        "      from = aws_sqs_queue.q\n"
        "      to   = aws_sqs_queue.main\n"
        "    }\n"
    )
    assert run(["explain", "plan", str(PLANS / "03_drift_and_change_same_attr_conflict.json")]) == 0
    assert "drift: aws_sqs_queue.q, delay_seconds: conflict\n" in capsys.readouterr().out


def test_an_errored_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is never applicable, whatever the plan says of itself."""
    file = tmp_path / "plan.json"
    file.write_text('{"format_version": "1.2", "errored": true, "applyable": true}')
    document = explained(capsys, file)
    assert (document["applyable"], document["errored"], document["complete"]) == (False, True, True)
    assert run(["explain", "plan", str(file)]) == 0
    assert "errored" in capsys.readouterr().out


def test_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It reads a plan from a pipe."""
    data = io.TextIOWrapper(io.BytesIO(RECORDED[0].read_bytes()))
    monkeypatch.setattr(sys, "stdin", data)
    assert explained(capsys, Path("-"))["counts"]["no_op"] == 2


def test_utf16(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It reads what PowerShell's `>` writes."""
    file = tmp_path / "plan.json"
    file.write_bytes(RECORDED[0].read_text().encode("utf-16"))
    assert explained(capsys, file)["counts"]["no_op"] == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "could not be read"),
        (b"", "Expecting value"),
        (b"{}", "format_version"),
        (b'{"format_version":"2.0"}', "2.0 is not known"),
        (b'{"format_version":"1.2"}{"format_version":"1.2"}', "Extra data"),
        (b'{"format_version":"1.2"} x', "Extra data"),
        (b"PK\x03\x04 and so on", "terraform show -json"),
    ],
)
def test_what_is_no_plan(
    data: bytes | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It exits 1 with a sentence on stderr, and prints nothing."""
    file = tmp_path / "plan.json"
    if data is not None:
        file.write_bytes(data)
    assert run(["explain", "plan", str(file), "--json"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["f", "--json", "--markdown"],
        ["f", "--markdown", "--limit", "999"],
        ["f", "--limit", "5000"],
        ["f", "--markdown", "--limit", "many"],
    ],
)
def test_a_wrong_command_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It exits 64 before it reads anything."""
    assert run(["explain", "plan", *words]) == 64
    assert capsys.readouterr().out == ""
