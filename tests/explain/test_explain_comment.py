"""`prbot explain comment`: the document, key by key."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from prbot.cli import run

KEYS = ["kind", "command", "dirs", "workspaces", "projects", "extra", "flags", "message"]


def document(kind: str, **known: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {key: [] for key in KEYS}
    return empty | {"kind": kind, "command": None, "flags": {}, "message": None} | known


ROWS = [
    (["prbot plan"], document("command", command="plan")),
    (
        ["prbot plan -d ./a/ -d b -w c --destroy -- -target=x"],
        document(
            "command",
            command="plan",
            dirs=["a", "b"],
            workspaces=["c"],
            flags={"destroy": True},
            extra=["-target=x"],
        ),
    ),
    (["apply -p net*"], document("command", command="apply", projects=["net*"])),
    (["apply p-3e91c0"], document("command", command="apply", flags={"plan": "p-3e91c0"})),
    (
        ["prbot apply --override 'on fire'"],
        document("command", command="apply", flags={"override": "on fire"}),
    ),
    (
        ["prbot approve_policies --policy cost"],
        document("command", command="approve-policies", flags={"policy": ["cost"]}),
    ),
    (["prbot state rm a.b"], document("command", command="state rm", extra=["a.b"])),
    (["--alias", "atlantis", "atlantis plan"], document("command", command="plan")),
    (
        ["--alias", "a", "--alias", "b", "--bot", "me[bot]", "@me plan"],
        document("command", command="plan"),
    ),
    (["atlantis plan"], document("ignored")),
    (["prbot"], document("help", command="help")),
    (["prbot plan --help"], document("help", command="help")),
    (["plan to do this"], document("ignored")),
    (["--", "-d x"], document("ignored")),
    (["--", "--help"], document("ignored")),
    ([""], document("ignored")),
]


@pytest.mark.parametrize(("words", "expected"), ROWS, ids=[" ".join(words) for words, _ in ROWS])
def test_document(
    capsys: pytest.CaptureFixture[str], words: list[str], expected: dict[str, Any]
) -> None:
    """It prints every key, whatever the comment is."""
    assert run(["explain", "comment", "--json", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == KEYS
    assert told == expected


@pytest.mark.parametrize(
    ("text", "kind", "mention"),
    [
        ("prbot plan -d ..", "error", ".."),
        ("prbot plan --dri a", "error", "--dir"),
        ("prbot pln", "hint", "prbot plan"),
        ("prbot plan\nplease", "hint", "one line"),
        ("prbot plan\r\nprbot apply", "hint", "one line"),
    ],
)
def test_message(capsys: pytest.CaptureFixture[str], text: str, kind: str, mention: str) -> None:
    """It prints the one reply that a comment gets which is no command."""
    assert run(["explain", "comment", text, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert mention in told["message"]
    assert told == document(kind, message=told["message"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/prbot plan -d 'my env'", "command: prbot plan -d 'my env'\n"),
        ("prbot", "help: prbot help\n"),
        ("plan this", "ignored: conversation\n"),
        ("prbot pln", "hint: `pln` is no command. Did you mean `prbot plan`?\n"),
    ],
)
def test_words(capsys: pytest.CaptureFixture[str], text: str, words: str) -> None:
    """It tells people the same in words."""
    assert run(["explain", "comment", text]) == 0
    assert capsys.readouterr().out == words


def test_later(capsys: pytest.CaptureFixture[str]) -> None:
    """It says beside the document what this version knows and does not carry out."""
    assert run(["explain", "comment", "prbot rollback", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == document("command", command="rollback")
    assert "does not know `rollback`" in told.err


@pytest.mark.parametrize("words", [[], ["a", "b"], ["--alais", "x", "a"]])
def test_usage(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """It exits 64 on a wrong command line, with nothing on stdout."""
    assert run(["explain", "comment", *words]) == 64
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err


def test_bytes_that_are_no_text() -> None:
    """It takes an argument that is no UTF-8, as the system hands it over."""
    prbot = Path(sys.executable).parent / "prbot"
    words = [bytes(prbot), b"explain", b"comment", b"prbot plan -d \xff"]
    for arguments in (words, [*words, b"--json"]):
        done = subprocess.run(arguments, capture_output=True, check=False)
        assert done.returncode == 0
        assert b"cannot be seen" in done.stdout
        assert done.stderr == b""
