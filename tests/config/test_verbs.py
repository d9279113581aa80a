"""`prbot migrate`, `prbot validate` and `prbot schema`, as people type them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PRBOT = Path(sys.executable).parent / "prbot"
ATLANTIS = "version: 3\nemoji_reaction: rocket\nprojects:\n- {dir: a, workspace: x}\n"
FLAGS = "--repo-allowlist=github.com/acme/* --port 80"


def prbot(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PRBOT), *arguments],
        cwd=where,
        env={"PATH": "", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_migrate(tmp_path: Path) -> None:
    """It writes both files, tells key by key, and what it wrote is valid."""
    (tmp_path / "atlantis.yaml").write_text(ATLANTIS)
    done = prbot(tmp_path, "migrate", "--flags", FLAGS)
    assert done.returncode == 2, done.stderr
    assert "  emoji_reaction (atlantis.yaml:2): prbot reacts" in done.stdout
    assert done.stdout.endswith("written: prbot.yaml, prbot.server.yaml\n")
    (tmp_path / "atlantis.yaml").unlink()
    checked = prbot(tmp_path, "validate", "--server", "prbot.server.yaml")
    assert checked.returncode == 0
    assert checked.stdout == "nothing is wrong in prbot.yaml, prbot.server.yaml\n"


def test_migrate_json(tmp_path: Path) -> None:
    """It prints one JSON document."""
    (tmp_path / "atlantis.yaml").write_text(ATLANTIS)
    done = prbot(tmp_path, "migrate", "--json")
    told = json.loads(done.stdout)
    assert told["written"] == ["prbot.yaml"]
    assert told["report"][1] == {
        "source": "atlantis.yaml",
        "line": 2,
        "key": "emoji_reaction",
        "verdict": "different",
        "words": "prbot reacts with eyes",
    }


def test_migrate_replaces_nothing(tmp_path: Path) -> None:
    """It writes none of its files if one is there already, unless told to."""
    (tmp_path / "atlantis.yaml").write_text(ATLANTIS)
    (tmp_path / "prbot.server.yaml").write_text("mine")
    done = prbot(tmp_path, "migrate", "--flags", FLAGS)
    assert done.returncode == 1
    assert done.stderr.startswith("prbot: prbot.server.yaml is there already")
    assert not (tmp_path / "prbot.yaml").exists()
    assert (tmp_path / "prbot.server.yaml").read_text() == "mine"
    assert prbot(tmp_path, "migrate", "--flags", FLAGS, "--force").returncode == 2
    assert (tmp_path / "prbot.server.yaml").read_text() != "mine"


@pytest.mark.parametrize(
    ("files", "arguments", "said"),
    [
        ({}, [], "There is no atlantis.yaml"),
        ({}, ["--repos", "none.yaml"], "none.yaml could not be read"),
        ({"r.yaml": "repos: []"}, ["--repos", "r.yaml"], "Nothing says which repositories"),
        ({"r.yaml": "rpos: []"}, ["--repos", "r.yaml", "--flags", FLAGS], "unknown key `rpos`"),
        ({"atlantis.yaml": "version: 1"}, [], "atlantis.yaml, line 1, column 1"),
        ({}, ["--flags", "--a 'b"], "quotes do not pair"),
    ],
)
def test_migrate_cannot(
    tmp_path: Path, files: dict[str, str], arguments: list[str], said: str
) -> None:
    """It says in a sentence why it could not, writes nothing, and exits 1."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = prbot(tmp_path, "migrate", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)


VALIDATED = [
    ({}, [], 0, "no configuration file here, and none is needed\n"),
    ({"prbot.yaml": "version: 1"}, [], 0, "nothing is wrong in prbot.yaml\n"),
    (
        {"prbot.yaml": "version: 1\nprojcts: []"},
        [],
        2,
        "prbot.yaml:2:1: unknown key `projcts`. Did you mean `projects`?\n",
    ),
    (
        {"atlantis.yaml": "version: 3\nemoji_reaction: rocket"},
        ["atlantis.yaml"],
        0,
        "atlantis.yaml:2: `emoji_reaction` is not honoured. prbot reacts with eyes\n"
        "nothing is wrong in atlantis.yaml\n",
    ),
    (
        {"s.yaml": "repositories: [a/b]\nforges: [{name: g, kind: github, token: env://T}]"},
        ["--server", "s.yaml"],
        2,
        "s.yaml: The setting forges[0].webhook_secret is missing",
    ),
    (
        {"prbot.yaml": "version: 1\nworkflows:\n  bad:\n    plan: {steps: [apply]}\n"},
        [],
        2,
        "prbot.yaml:3:3: The workflow `bad` cannot be used: The workflow's stage",
    ),
    (
        {"atlantis.yaml": "version: 3\nworkflows:\n  bad:\n    apply: {steps: []}\n"},
        [],
        2,
        "atlantis.yaml:3:3: The workflow `bad` cannot be used: No step of",
    ),
    (
        {
            "s.yaml": "repositories: [a/b]\nforges: [{name: g, kind: github, token: env://T,"
            " webhook_secret: env://S}]\nworkflows:\n  bad:\n    policy: {steps: [policy]}\n"
        },
        ["--server", "s.yaml"],
        2,
        "s.yaml:4:3: The workflow `bad` cannot be used",
    ),
]


@pytest.mark.parametrize(("files", "arguments", "code", "said"), VALIDATED)
def test_validate(
    tmp_path: Path, files: dict[str, str], arguments: list[str], code: int, said: str
) -> None:
    """It names file, line and column of what is wrong, and exits 2."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = prbot(tmp_path, "validate", *arguments)
    assert done.returncode == code, done.stderr
    assert done.stdout.startswith(said)


def test_validate_json(tmp_path: Path) -> None:
    """It prints one JSON document with every key."""
    (tmp_path / "prbot.yaml").write_text("version: 1\nx: 1")
    (tmp_path / "atlantis.yaml").write_text("version: 3\nemoji_reaction: rocket")
    done = prbot(tmp_path, "validate", "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert told["checked"] == ["prbot.yaml", "atlantis.yaml"]
    (finding,) = told["findings"]
    assert (finding["path"], finding["line"], finding["column"]) == ("prbot.yaml", 2, 1)
    (note,) = told["notes"]
    assert (note["path"], note["line"], note["column"]) == ("atlantis.yaml", 2, None)


def test_validate_nowhere(tmp_path: Path) -> None:
    """It exits 1 when it could not tell."""
    done = prbot(tmp_path, "validate", "nowhere")
    assert done.returncode == 1
    assert done.stderr.startswith("prbot: nowhere could not be read")


def test_schema(tmp_path: Path) -> None:
    """It prints the schema of either file, and knows no other."""
    for which, key in (("repo", "projects"), ("server", "forges")):
        assert key in json.loads(prbot(tmp_path, "schema", which).stdout)["properties"]
    assert prbot(tmp_path, "schema", "other").returncode == 64
