"""`prbot explain projects`: what is printed for real directories and real commits."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from prbot.cli import run

BACKEND = 'terraform {{\n  backend "s3" {{\n    bucket = "b"\n    key    = "{0}"\n  }}\n}}\n'
FILES = {
    "live/net/main.tf": BACKEND.format("net") + 'module "m" {\n  source = "../../modules/m"\n}\n',
    "live/app/main.tf": BACKEND.format("app")
    + 'data "terraform_remote_state" "net" {\n  backend = "s3"\n'
    '  config = { bucket = "b", key = "net" }\n}\n',
    "modules/m/main.tf": 'resource "terraform_data" "x" {}\n',
    "README.md": "hello\n",
}
KEYS = ["name", "dir", "workspace", "depends_on", "order", "because"]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def git(root: Path, *words: str) -> str:
    who = {
        f"GIT_{who}_{what}": "a@b.invalid"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    env = {"PATH": os.environ["PATH"], "HOME": str(root), **who}
    done = subprocess.run(["git", *words], cwd=root, env=env, check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository on `main` with two projects and a module."""
    root = tmp_path / "repo"
    write(root, FILES)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "-A")
    git(root, "commit", "--quiet", "-m", "first")
    return root


def explained(capsys: pytest.CaptureFixture[str], repo: Path, *words: str) -> dict[str, Any]:
    assert run(["explain", "projects", "--repo", str(repo), *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def dirs(document: dict[str, Any]) -> list[str]:
    return [project["dir"] for project in document["projects"]]


def test_all(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints every project, in order, with what it waits for and why."""
    document = explained(capsys, repo, "--all")
    assert list(document) == ["projects", "modules", "warnings"]
    assert [list(project) for project in document["projects"]] == [KEYS, KEYS]
    net, app = document["projects"]
    assert (net["dir"], net["name"], net["workspace"], net["order"]) == (
        "live/net",
        None,
        "default",
        0,
    )
    assert (app["dir"], app["depends_on"], app["order"]) == ("live/app", ["live/net"], 1)
    assert net["because"] == ["it has a backend, `s3`"]
    assert document["modules"] == {"modules/m": ["live/net"]}
    assert document["warnings"] == []


def test_changed(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the projects that changed paths affect, however they are given."""
    assert dirs(explained(capsys, repo, "--changed", "modules/m/main.tf")) == ["live/net"]
    paths = ["--changed", "./live/app/main.tf", "modules/m/new.tf"]
    assert dirs(explained(capsys, repo, *paths)) == ["live/net", "live/app"]
    assert dirs(explained(capsys, repo, "--changed", "README.md")) == []


def test_uncommitted(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It sees what is not committed yet, and the whole repository from within it."""
    write(repo, {"live/new/main.tf": BACKEND.format("new")})
    (repo / "live" / "new" / "m.tf").symlink_to("../../modules/m/main.tf")
    assert dirs(explained(capsys, repo / "live", "--changed", "modules/m/main.tf")) == [
        "live/net",
        "live/new",
    ]


def test_no_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It takes a directory that is in no repository as it is."""
    write(tmp_path, FILES)
    assert dirs(explained(capsys, tmp_path, "--all")) == ["live/net", "live/app"]


def test_commits(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It compares a branch with where it left the base, and reads the branch's files."""
    git(repo, "checkout", "--quiet", "-b", "topic")
    write(repo, {"live/new/main.tf": BACKEND.format("new"), "live/net/x.tfvars": "a = 1\n"})
    git(repo, "add", "-A")
    git(repo, "commit", "--quiet", "-m", "second")
    git(repo, "checkout", "--quiet", "main")
    write(repo, {"live/app/other.tf": "\n"})
    git(repo, "add", "-A")
    git(repo, "commit", "--quiet", "-m", "third")
    assert dirs(explained(capsys, repo, "--base", "main", "--head", "topic")) == [
        "live/net",
        "live/new",
    ]
    assert dirs(explained(capsys, repo)) == []


def test_configuration(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It follows prbot.yaml: names, ignored directories."""
    write(
        repo,
        {
            "prbot.yaml": "version: 1\ndiscovery: {ignore: ['live/n*']}\n"
            "projects:\n  - {dir: live/app, name: app, workspace: blue}\n"
        },
    )
    document = explained(capsys, repo, "--all")
    assert [(p["name"], p["dir"], p["workspace"]) for p in document["projects"]] == [
        ("app", "live/app", "blue")
    ]


def test_atlantis(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It takes atlantis.yaml where that is alone, and names what it does not honour."""
    text = "version: 3\nemoji_reaction: rocket\nprojects:\n  - {dir: live/app, workspace: blue}\n"
    write(repo, {"atlantis.yaml": text})
    document = explained(capsys, repo, "--all")
    assert [(p["dir"], p["workspace"]) for p in document["projects"]] == [("live/app", "blue")]
    (warning,) = document["warnings"]
    assert (warning["path"], warning["line"]) == ("atlantis.yaml", 2)
    assert "`emoji_reaction`" in warning["message"]
    write(repo, {"prbot.yaml": "version: 1\n"})
    assert dirs(explained(capsys, repo, "--all")) == ["live/net", "live/app"]


def test_shared_state(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It warns of two projects with one state, with file and line."""
    write(repo, {"live/twin/main.tf": BACKEND.format("net")})
    (warning,) = explained(capsys, repo, "--all")["warnings"]
    assert (warning["path"], warning["line"]) == ("live/twin/main.tf", 2)
    assert "`live/net` and `live/twin`" in warning["message"]


def test_words(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It tells people the same in words."""
    write(repo, {"live/net/bad.tf": "oh no\n"})
    assert run(["explain", "projects", "--repo", str(repo), "--changed", "live/net/main.tf"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("live/net\n    `live/net/main.tf` changed\n")
    assert "warning: live/net/bad.tf, line 1: not valid syntax" in out
    assert run(["explain", "projects", "--repo", str(repo), "--changed", "README.md"]) == 0
    assert capsys.readouterr().out.startswith("no projects\n")


REFUSED = {
    "a cycle": (
        "version: 1\nprojects:\n  - {dir: live/net, depends_on: [live/app]}\n"
        "  - {dir: live/app, depends_on: [live/net]}\n",
        "prbot.yaml, line 3",
    ),
    "an unknown key": ("version: 1\nprojcts: []\n", "Did you mean `projects`?"),
    "an unknown name": (
        "version: 1\nprojects:\n  - {dir: live/net, depends_on: [live/ap]}\n",
        "Did you mean `live/app`?",
    ),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(repo: Path, capsys: pytest.CaptureFixture[str], text: str, words: str) -> None:
    """It says in a sentence what is wrong with the configuration, and exits 1."""
    write(repo, {"prbot.yaml": text})
    assert run(["explain", "projects", "--repo", str(repo), "--all", "--json"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert words in told.err


WRONG = {
    "no directory": (["--repo", "nowhere", "--all"], 1),
    "no repository": (["--base", "main"], 1),
    "no such revision": (["--base", "nowhere"], 1),
    "all of changed": (["--all", "--changed", "x"], 64),
    "commits and files": (["--base", "main", "--changed", "x"], 64),
    "a path alone": (["x"], 64),
}


@pytest.mark.parametrize(("words", "code"), WRONG.values(), ids=WRONG.keys())
def test_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
) -> None:
    """It says in a sentence what it cannot read."""
    monkeypatch.chdir(tmp_path)
    assert run(["explain", "projects", *words]) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err
    assert "Traceback" not in told.err
