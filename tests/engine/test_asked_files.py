"""Variable files that somebody names stay inside the repository, whatever leads there."""

from __future__ import annotations

from pathlib import Path

import pytest

from prbot.engine.planner import inside
from prbot.errors.plans import VarFileOutside
from prbot.plans.arguments import var_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root module in a worktree, with links, and secrets beside the worktree."""
    root = tmp_path / "tree" / "app"
    root.mkdir(parents=True)
    (tmp_path / "secret.tfvars").write_text("a = 1")
    (tmp_path / "tree" / "shared.tfvars").write_text("a = 1")
    (root / "own.tfvars").write_text("a = 1")
    (root / "out").symlink_to(tmp_path)
    (root / "out.tfvars").symlink_to("../../secret.tfvars")
    (root / "twice.tfvars").symlink_to("out.tfvars")
    (root / "shared.tfvars").symlink_to("../shared.tfvars")
    return root


@pytest.mark.parametrize("name", ["own.tfvars", "shared.tfvars", "none.tfvars"])
def test_inside(root: Path, name: str) -> None:
    """It takes what lies in the repository; whether there is such a file the tool says."""
    assert inside(var_files((f"-var-file={name}",)), root, root.parent) == (name,)


@pytest.mark.parametrize("name", ["out.tfvars", "twice.tfvars", "out/secret.tfvars"])
def test_outside(root: Path, name: str) -> None:
    """It refuses what links lead out, by themselves, in two steps, or half-way."""
    with pytest.raises(VarFileOutside):
        inside(var_files(("-target=a.b", f"-var-file={name}")), root, root.parent)
