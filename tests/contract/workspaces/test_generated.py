"""What hooks leave in a worktree becomes a commit, the same one everywhere."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from prbot.adapters import generated
from prbot.adapters.workspaces import GitWorkspaces
from prbot.errors.plans import GeneratedIsGone, GeneratedTooMuch


@pytest.fixture
async def checkout(workspaces, forge):
    forge.commit({"b.tf": "b\n", ".gitignore": "*.auto.tf\nout\n", "sub/c.tf": "c\n"})
    await workspaces.fetch(forge.pull(), forge.access)
    return await workspaces.lay_out(forge.pull())


async def left(workspaces, forge, checkout, files, name="j-1"):
    """The commit after something wrote these files."""
    async with workspaces.fresh(forge.pull().ref, checkout.commit, name) as tree:
        for path, text in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        return await workspaces.keep(forge.pull().ref, checkout.commit, name)


async def test_nothing(workspaces, forge, checkout) -> None:
    """It is the commit itself where nothing was left, or only what tools download."""
    only = {".terraform/modules/m.tf": "m\n", "sub/.terragrunt-cache/x/y.tf": "y\n"}
    assert await left(workspaces, forge, checkout, {}) == checkout.commit
    assert await left(workspaces, forge, checkout, only) == checkout.commit


async def test_listed_and_laid_out(workspaces, forge, checkout) -> None:
    """It has new, changed and ignored files, is laid out with them, and mended to them."""
    files = {"app/x.auto.tf": "x\n", "b.tf": "changed\n", "out/:(odd) *.tf": "odd\n"}
    made = await left(workspaces, forge, checkout, files)
    listing = await workspaces.listing(forge.pull().ref.repo, made)
    assert {*files, "sub/c.tf"} <= set(listing.files)
    changed = await workspaces.changed(forge.pull().ref.repo, checkout.commit, made)
    assert set(changed) == set(files)
    path = await workspaces.ensure(forge.pull().ref, replace(checkout, generated=made))
    (path / "app/x.auto.tf").unlink()
    (path / "late.tf").write_text("late\n")
    await workspaces.ensure(forge.pull().ref, replace(checkout, generated=made))
    assert (path / "app/x.auto.tf").read_text() == "x\n"
    assert not (path / "late.tf").exists()
    plain = await workspaces.ensure(forge.pull().ref, checkout)
    assert (plain / "b.tf").read_text() == "b\n"
    assert not (plain / "app").exists()


async def test_same_again(workspaces, forge, checkout) -> None:
    """It is the same commit for the same files, and another for others; no worktree stays."""
    first = await left(workspaces, forge, checkout, {"x.tf": "x\n"})
    again = await left(workspaces, forge, checkout, {"x.tf": "x\n"}, name="j-2")
    other = await left(workspaces, forge, checkout, {"x.tf": "y\n"}, name="j-3")
    assert first == again != other
    beside = {path.name for path in Path(checkout.path).parent.iterdir() if path.is_dir()}
    assert beside == {checkout.commit}


async def test_repository_within(workspaces, forge, checkout) -> None:
    """It has the files of a repository that a hook cloned, and links lead nowhere outside."""
    async with workspaces.fresh(forge.pull().ref, checkout.commit, "j-1") as tree:
        inner = tree / "vendor" / "lib"
        shutil.copytree(forge.clone / ".git", inner / ".git")
        (inner / "main.tf").write_text("inner\n")
        (tree / "passwd.tf").symlink_to("/etc/passwd")
        made = await workspaces.keep(forge.pull().ref, checkout.commit, "j-1")
    path = await workspaces.ensure(forge.pull().ref, replace(checkout, generated=made))
    assert (path / "vendor/lib/main.tf").read_text() == "inner\n"
    assert not (path / "passwd.tf").is_symlink()
    assert (path / "passwd.tf").read_text() == "/etc/passwd"


async def test_too_much(workspaces, forge, checkout, monkeypatch) -> None:
    """It refuses more than a limit before it is written down."""
    monkeypatch.setattr(generated, "LARGEST", 10)
    with pytest.raises(GeneratedTooMuch):
        await left(workspaces, forge, checkout, {"x.tf": "more than ten bytes\n"})


async def test_another_machine(workspaces, forge, checkout, tmp_path) -> None:
    """It can be brought to a machine that never generated it."""
    made = await left(workspaces, forge, checkout, {"x.tf": "x\n", "out/y.tf": "y\n"})
    repo = forge.pull().ref.repo
    pack = await workspaces.pack(repo, (made,), (checkout.commit,))
    other = GitWorkspaces(tmp_path / "other", {"PATH": os.environ["PATH"]})
    await other.fetch(forge.pull(), forge.access)
    there = replace(checkout, generated=made)
    with pytest.raises(GeneratedIsGone):
        await other.ensure(forge.pull().ref, there)
    await other.unpack(repo, pack)
    path = await other.ensure(forge.pull().ref, there)
    assert (path / "out/y.tf").read_text() == "y\n"
