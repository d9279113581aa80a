"""Lint, format, types and the direction of imports."""

import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
CHECKS = {
    "lint": ["ruff", "check", "--no-cache", "."],
    "format": ["ruff", "format", "--no-cache", "--check", "."],
    "types": ["mypy"],
    "imports": ["lint-imports", "--no-cache"],
    "shell": ["bash", "-n", ".ci/run"],
}


@pytest.mark.parametrize("check", CHECKS)
def test_clean(check: str, root: Path) -> None:
    """It passes the house's checks."""
    tool, *arguments = CHECKS[check]
    found = BIN / tool if (BIN / tool).exists() else tool
    done = subprocess.run(
        [str(found), *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_dockerfile(root: Path) -> None:
    """It builds the image by the rules of hadolint."""
    hadolint = BIN / "hadolint"
    if not hadolint.exists():
        pytest.skip("hadolint is not installed: its wheel exists for Linux on x86-64 only")
    done = subprocess.run(
        [str(hadolint), "--no-color", "Dockerfile"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("argument", ["PYTHON_DIGEST", "TERRAFORM_SHA256", "TERRAFORM_VERSION"])
def test_image_takes_nothing_on_trust(argument: str, root: Path) -> None:
    """It gives no default to the digest and the checksum, and refuses to build without."""
    lines = (root / "Dockerfile").read_text().splitlines()
    assert f"ARG {argument}" in lines
    assert any("${" + argument + ":?" in line for line in lines)
