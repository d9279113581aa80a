"""What git says is told without credentials."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from prbot.adapters.git import Git, last_words, redacted
from prbot.adapters.process import Completed
from prbot.ports.forge import CloneAccess

PLAIN = "x-access-token:s3cr3t-t0ken"
CODED = base64.b64encode(PLAIN.encode()).decode()
ACCESS = CloneAccess("https://forge.example/acme/infra.git", f"Authorization: Basic {CODED}")


@pytest.mark.parametrize(
    "said",
    [
        f"fatal: bad header Authorization: Basic {CODED}",
        f"fatal: {CODED} refused",
        f"fatal: {PLAIN} refused",
        "fatal: s3cr3t-t0ken refused",
        "fatal: unable to access 'https://ada:s3cr3t-t0ken@forge.example/'",
    ],
)
def test_redacted(said: str) -> None:
    """It takes the credentials out, in each spelling they may have."""
    words = last_words(Completed(128, b"", said.encode()), ACCESS)
    assert "s3cr3t" not in words
    assert CODED not in words
    assert words.startswith("fatal: ")


def test_url_credentials_without_header() -> None:
    """It hides what stands before the host of any URL."""
    assert redacted("https://u:p@h/x", None) == "https://***@h/x"


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (b"warning: x\nfatal: no\n", "fatal: no"),
        (b"just\nwords\n", "just words"),
        (b"", "git ended with 128"),
        (b"fatal: \x1b[31mred\x07\n", "fatal:  [31mred"),
        (b"remote: Repository not found.\nfatal: no\n", "remote: Repository not found. fatal: no"),
        (b"fatal: \xff\n", "fatal: \ufffd"),
    ],
)
def test_last_words(stderr: bytes, words: str) -> None:
    """It keeps the telling lines, in printable signs."""
    assert last_words(Completed(128, b"", stderr)) == words


async def test_credentials_stay_in_the_environment(tmp_path: Path) -> None:
    """It hands the header to git for its URL only, and writes it nowhere."""
    git = Git({"PATH": os.environ["PATH"]}, tmp_path / "home")
    git.home.mkdir()
    await git.ask(["init", "--quiet", "--bare", "r.git"], cwd=tmp_path)
    words = ["config", "--get-urlmatch", "http.extraHeader"]
    for url, told in ((ACCESS.url, True), ("https://forge.example/other.git", False)):
        done = await git.run([*words, url], cwd=tmp_path / "r.git", access=ACCESS)
        assert (CODED in done.stdout.decode()) is told
    written = _written(tmp_path)
    assert written
    assert CODED.encode() not in written


def _written(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


async def test_machine_configuration_is_ignored(tmp_path: Path) -> None:
    """It reads no configuration but its own and the mirror's."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text("[alias]\n\tversion = !false\n[a]\n\tb = c\n")
    git = Git({"PATH": os.environ["PATH"]}, tmp_path / "home")
    assert (await git.run(["config", "--get", "a.b"], cwd=tmp_path)).code == 1
