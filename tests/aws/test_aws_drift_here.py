"""`prbot drift run` in a checkout, where a real provider reads what lives: what others changed is
told attribute by attribute, with the rule that decided, and nothing is written."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from prbot.adapters.terraform_setup import cli_config, find_command
from prbot.cli import run
from prbot.demo.git import git

IGNORED = """\
version: 1
drift:
  rules:
  - {type: aws_ssm_parameter, attribute: [description], action: ignore, reason: "set by hand"}
"""


@pytest.fixture
def checkout(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    aws_provider_mirror: Path,
    aws_environment: dict[str, str],
    aws_root_module: Any,
    need: Any,
) -> Path:
    """An applied project in a checkout, which is the current directory."""
    need("terraform")
    (tmp_path / "own.tfrc").write_text(cli_config(aws_provider_mirror))
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "own.tfrc"))
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)
    place = tmp_path / "infra"
    (place / "app").mkdir(parents=True)
    code = aws_root_module(tmp_path / "state.tfstate", bucket="here", parameter="/here", value="v")
    code = code.replace('value = "v"', 'value = "v"\n  description = "for the app"')
    (place / "app" / "main.tf").write_text(code)
    (place / ".gitignore").write_text(".terraform*\n")
    tool = find_command(None, os.environ["PATH"])
    for words in (("init",), ("apply", "-auto-approve")):
        subprocess.run([*tool, *words], cwd=place / "app", check=True, capture_output=True)
    asyncio.run(git(place, "init", "--quiet", "--initial-branch", "main"))
    commit(place)
    monkeypatch.chdir(place)
    return place


def commit(place: Path) -> None:
    asyncio.run(git(place, "add", "--all"))
    asyncio.run(git(place, "commit", "--quiet", "-m", "Change"))


def test_what_others_changed(
    checkout: Path, tmp_path: Path, aws_client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names address, attribute and the rule, masks what is sensitive, and a rule may leave
    all of it as it is."""
    state = (tmp_path / "state.tfstate").read_bytes()
    aws_client("ssm").put_parameter(
        Name="/here", Value="swordfish", Description="by hand", Type="String", Overwrite=True
    )

    assert run(["drift", "run"]) == 2
    told = capsys.readouterr().out
    assert told.startswith("app: drifted\n")
    assert 'aws_ssm_parameter.setting, description: live "by hand", wanted "for the app"; ' in told
    assert "setting, value: live (sensitive value), wanted (sensitive value); " in told
    assert "swordfish" not in told

    asked = {"Name": "/here", "Value": "v", "Description": "by hand", "Type": "String"}
    aws_client("ssm").put_parameter(**asked, Overwrite=True)
    (checkout / "prbot.yaml").write_text(IGNORED)
    commit(checkout)
    assert run(["drift", "run", "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)["repositories"]
    (app,) = document["projects"]
    rows = {each["attribute"]: each for each in app["attributes"]}
    assert rows["description"]["action"] == "ignore"
    assert rows["description"]["reason"] == "set by hand"
    assert rows["description"]["rule"] == "drift.rules[0]"
    assert (tmp_path / "state.tfstate").read_bytes() == state
    assert list(tmp_path.glob("*.lock.info")) == []
