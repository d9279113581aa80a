"""A commit's files, links and contents, from real git."""

from __future__ import annotations

import os
from pathlib import Path

from prbot.adapters.blobs import blobs, listing
from prbot.adapters.git import Git

NAMES = ["a.tf", "with blank/main.tf", "größe/x.tf", "new\nline.tf", "-rf/x.tf"]


async def committed(place: Path) -> Git:
    """A repository in `place` with odd names, two links and an empty file."""
    git = Git({"PATH": os.environ["PATH"]}, place)
    for name in NAMES:
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(f"# {name}\nx")
    (place / "empty.tf").touch()
    (place / "link.tf").symlink_to("with blank/main.tf")
    (place / "out").symlink_to("../../elsewhere")
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.invalid"}
    who |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.invalid"}
    await git.ask(["init", "--quiet"], cwd=place)
    await git.ask(["add", "-A"], cwd=place)
    await git.ask(["commit", "--quiet", "-m", "x"], cwd=place, extra=who)
    return git


async def test_listing(tmp_path: Path) -> None:
    """It lists files with their ids, and where links lead, whatever they are called."""
    git = await committed(tmp_path)
    head = await git.ask(["rev-parse", "HEAD"], cwd=tmp_path)
    found = await listing(git, tmp_path, head)
    assert set(found.files) == {*NAMES, "empty.tf"}
    assert found.links == {"link.tf": "with blank/main.tf", "out": "../../elsewhere"}


async def test_contents(tmp_path: Path) -> None:
    """It reads many contents at once, and none that is missing or too large."""
    git = await committed(tmp_path)
    head = await git.ask(["rev-parse", "HEAD"], cwd=tmp_path)
    files = (await listing(git, tmp_path, head)).files
    found = await blobs(git, tmp_path, [*files.values(), "0" * 40], 14)
    read = {path: found[id_] for path, id_ in files.items()}
    wanted = {name: f"# {name}\nx".encode() for name in NAMES} | {"empty.tf": b""}
    assert read == {name: text if len(text) <= 14 else None for name, text in wanted.items()}
    assert found["0" * 40] is None
    assert await blobs(git, tmp_path, [], 14) == {}
