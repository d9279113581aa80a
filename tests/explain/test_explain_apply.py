"""`prbot explain apply`: scenes of applies and merges, and what is to become of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prbot.app.explain_apply import explained
from prbot.config.scene_file import read_scene

SCENES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "apply_scenes.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("row", SCENES, ids=[row["name"] for row in SCENES])
def test_scene(row: dict[str, Any]) -> None:
    """It allows what the table allows, and tells every reason why not, each once."""
    found = explained(read_scene(json.dumps(row["scene"], indent=2), "scene.json"))
    told = {reason.requirement for reason in found.reasons}
    assert (found.allowed, told) == (row["allowed"], set(row["reasons"])), row["why"]
