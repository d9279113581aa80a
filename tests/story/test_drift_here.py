"""`prbot drift run` in a checkout: what it finds without a service, and what its exit code says.

Drift itself needs a resource that a provider reads anew: tests/aws/test_aws_drift_here.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prbot.adapters.terraform_setup import find_command
from prbot.cli import run
from prbot.demo.git import git

pytestmark = pytest.mark.no_forge("a verb on a checkout")

WEB = 'resource "terraform_data" "web" {\n  input = "one"\n}\n'
CHECK = (
    'check "health" {\n  assert {\n    condition     = terraform_data.web.input == "two"\n'
    '    error_message = "It is not two."\n  }\n}\n'
)
PROJECT = (
    *("dir", "workspace", "environment", "verdict", "commit", "found", "attributes", "trouble"),
    *("checked_at", "succeeded_at", "due_at", "held", "under_way"),
)


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


@dataclass
class Desk:
    """A checkout, and what `prbot drift run` says in it."""

    place: Path
    capsys: pytest.CaptureFixture[str]

    def prbot(self, *words: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        code = run(["drift", "run", *words])
        told = self.capsys.readouterr()
        return code, told.out, told.err

    def verdicts(self, *words: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Exit code, verdict of each directory, and the document."""
        code, out, _ = self.prbot(*words, "--json")
        (document,) = json.loads(out)["repositories"]
        assert {tuple(project) for project in document["projects"]} == {PROJECT}
        return code, {each["dir"]: each["verdict"] for each in document["projects"]}, document

    def git(self, *words: str) -> None:
        asyncio.run(git(self.place, *words))

    def commit(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.place / name).parent.mkdir(parents=True, exist_ok=True)
            (self.place / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "Change")

    def applied(self, directory: str) -> None:
        tool = find_command(None, os.environ["PATH"])
        for words in (("init",), ("apply", "-auto-approve")):
            done = subprocess.run(
                [*tool, *words], cwd=self.place / directory, check=True, capture_output=True
            )
            assert done.returncode == 0


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, capsys)


def test_what_it_finds(desk: Desk) -> None:
    """It tells each project apart, and none is missing; the state stays as it is."""
    desk.git("init", "--quiet", "--initial-branch", "main")
    desk.commit({"app/main.tf": WEB, ".gitignore": "*.tfstate*\n.terraform*\n"})
    desk.applied("app")
    state = (desk.place / "app" / "terraform.tfstate").read_bytes()

    code, out, err = desk.prbot()
    assert (code, out) == (0, "app: in-sync\n")
    assert "planning app" in err

    broken = 'resource "terraform_data" "web" {\n  input = var.unknown\n}\n'
    desk.commit({"app/main.tf": WEB.replace("one", "two"), "db/main.tf": broken})
    code, found, document = desk.verdicts()
    assert (code, found) == (1, {"app": "behind", "db": "error"})
    assert any("no record tells here what was applied last" in note for note in document["notes"])
    (db,) = (each for each in document["projects"] if each["dir"] == "db")
    assert "var.unknown" in db["trouble"]["output"]

    code, found, _ = desk.verdicts("-d", "a*")
    assert (code, found) == (2, {"app": "behind"})
    code, _, err = desk.prbot("-d", "nope")
    assert code == 1
    assert "nope" in err

    desk.commit({"app/main.tf": WEB + CHECK, "db/main.tf": "x = = 1\n"})
    (desk.place / "app" / "main.tf").write_text("# not committed\n")
    code, found, document = desk.verdicts()
    assert (code, found) == (1, {"app": "check-failed"})
    assert [each.partition(": ")[0] for each in document["unread"]] == ["db/main.tf:1"]
    assert "uncommitted changes are not looked at; commit them first" in document["notes"]
    assert "db/main.tf:1: " in desk.prbot()[1]

    ignored = "version: 1\ndiscovery: {ignore: [db]}\n"
    desk.commit({"app/main.tf": WEB, "prbot.yaml": ignored})
    assert desk.verdicts()[:2] == (0, {"app": "in-sync"})
    assert (desk.place / "app" / "terraform.tfstate").read_bytes() == state
    assert list((desk.place / "app").glob("*.lock.info")) == []


def test_where_nothing_can_be_looked_at(desk: Desk) -> None:
    """It says why, and what to do."""
    for words in (("--here", "--config", "x.yaml"), ("--no-wait",), ("--repo", "acme/infra")):
        assert desk.prbot(*words)[0] == 64
    code, _, err = desk.prbot()
    assert code == 1
    assert "is not inside a git repository" in err
    desk.git("init", "--quiet", "--initial-branch", "main")
    code, _, err = desk.prbot()
    assert code == 1
    assert "no commit yet" in err
    desk.commit({"README.md": "Hello.\n"})
    code, _, err = desk.prbot()
    assert code == 1
    assert "no directory with Terraform files" in err
    desk.commit({"app/main.tf": WEB, "prbot.yaml": "version: 1\ndrift: {wndow: x}\n"})
    code, _, err = desk.prbot()
    assert code == 1
    assert "prbot.yaml, line 2" in err


async def test_interrupted(tmp_path: Path) -> None:
    """It ends what it began, and says that nothing was changed."""
    await git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    (tmp_path / "main.tf").write_text(WEB)
    await git(tmp_path, "add", "--all")
    await git(tmp_path, "commit", "--quiet", "-m", "Change")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "prbot", "drift", "run"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    while b"planning" not in await process.stderr.readline():
        assert not process.stderr.at_eof()
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().startswith("prbot: The look was interrupted before it ended")
    assert "Traceback" not in err.decode()
