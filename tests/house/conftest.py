"""prbot's own source, as the house tests read it."""

import ast
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One module: dotted name, file, text and syntax tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module


def read_source(path: Path) -> Source:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts).removesuffix(".__init__")
    text = path.read_text()
    return Source(name, path, text, ast.parse(text))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Every module of the package."""
    return [read_source(path) for path in sorted((ROOT / "prbot").rglob("*.py"))]


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Every file that is or would be in git, as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]
