"""`prbot explain apply`: scenes of applies and merges, and what is to become of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prbot.app.explain_apply import decisions, explain_apply, explained
from prbot.config.scene_file import read_scene
from prbot.errors.configuration import BadConfiguration
from prbot.runs.exported import exported, is_judgement

SCENES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "apply_scenes.json").read_text(encoding="utf-8")
)
SILENT = (
    "nobody says apply",
    "merged in mode comment",
    "merged, applied by comment before",
)
"""They end without a word about an apply, so there is nothing to export."""


@pytest.mark.parametrize("row", SCENES, ids=[row["name"] for row in SCENES])
def test_scene(row: dict[str, Any]) -> None:
    """It allows what the table allows, and tells every reason why not, each once."""
    found = explained(read_scene(json.dumps(row["scene"], indent=2), "scene.json"))
    told = {reason.requirement for reason in found.reasons}
    assert (found.allowed, told) == (row["allowed"], set(row["reasons"])), row["why"]


@pytest.mark.parametrize("row", SCENES, ids=[row["name"] for row in SCENES])
def test_exported(row: dict[str, Any]) -> None:
    """What is exported of its decision, read again, gives the same reasons in the same words."""
    file = read_scene(json.dumps(row["scene"]), "scene.json")
    judged = [known for known, steps in decisions(file) if is_judgement(known.run, steps)]
    assert bool(judged) == (row["name"] not in SILENT)
    for known in judged:
        document = json.dumps(exported(known.run, known.scene), indent=2)
        assert explained(read_scene(document, "exported.json")) == explained(file), document


def test_there_are_enough() -> None:
    """It stays a table of many scenes, each named once."""
    names = [row["name"] for row in SCENES]
    assert len(names) == len(set(names)) >= 80


@pytest.mark.parametrize("as_json", [True, False])
def test_command(as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints every reason with what unblocks it, and exits 0 when it could read the scene."""
    row = next(row for row in SCENES if row["reasons"] == ["approved"])
    file = tmp_path / "scene.json"
    file.write_text(json.dumps(row["scene"], indent="\t"), encoding="utf-8")
    assert explain_apply(file, as_json) == 0
    printed = capsys.readouterr().out
    if as_json:
        (reason,) = json.loads(printed)["reasons"]
        assert set(reason) == {"requirement", "message", "unblock"}
        assert not json.loads(printed)["allowed"]
    else:
        assert printed.startswith("not allowed\napproved: 0 of 1 approvals")


BAD = {
    '{"now": "2026-03-04T10:00:00+00:00",\n"comand": {}}': (2, "Did you mean `command`?"),
    '{"now": "2026-03-04T10:00:00", "command": {"actor": "b"}, "pull": {"author": "a"}}': (
        1,
        "`now` cannot be used",
    ),
    '{"now": "2026-03-04T10:00:00Z", "pull": {"author": "a"}}': (1, "`command` is missing"),
    "[1, 2]": (1, "it is not a mapping"),
    '{"now": ': (1, "this is not YAML"),
}


@pytest.mark.parametrize("text", BAD)
def test_bad_scene(text: str) -> None:
    """It names line, key and near miss of what cannot be read."""
    line, words = BAD[text]
    with pytest.raises(BadConfiguration) as caught:
        read_scene(text, "scene.json")
    said = f"{caught.value} {caught.value.next_step}"
    assert said.startswith(f"scene.json, line {line}, ")
    assert words in said
