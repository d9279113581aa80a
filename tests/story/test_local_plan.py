"""`prbot plan`: the comment made on this machine, and what its exit code says."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from forked import forked

from prbot.adapters.terraform_setup import find_command
from prbot.demo.git import git

pytestmark = pytest.mark.no_forge("a verb on a checkout")

WEB = 'resource "terraform_data" "web" {\n  input = "one"\n}\n'
MORE = 'resource "terraform_data" "more" {\n  input = "two"\n}\n'


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def prbot(directory: Path, *words: str) -> tuple[int, str, str]:
    """Run `prbot plan` in a directory: exit code, stdout, stderr."""
    process = await forked(["plan", *words], dict(os.environ) | {"COLUMNS": "100"}, directory)
    out, err = await process.communicate()
    return await process.wait(), out.decode(), err.decode()


async def repository(directory: Path, files: dict[str, str]) -> Path:
    """`main` with two applied-looking projects, and `topic` checked out with `files`."""
    await git(directory, "init", "--quiet", "--initial-branch", "main")
    await commit(directory, {"app/main.tf": WEB, "db/main.tf": "", "README.md": "Hello.\n"})
    await git(directory, "checkout", "--quiet", "-b", "topic")
    await commit(directory, files)
    return directory


async def commit(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    await git(directory, "add", "--all")
    await git(directory, "commit", "--quiet", "--allow-empty", "-m", "Change")


async def test_changes(tmp_path: Path) -> None:
    """It exits 2, shows the plan without HTML, and says on stderr what it does."""
    await repository(tmp_path, {"app/more.tf": MORE})
    code, out, err = await prbot(tmp_path)
    assert code == 2
    assert "terraform_data.more" in out
    assert "<details" not in out
    assert "[!" not in out
    assert "<!--" not in out
    assert "planning app" in err


async def test_markdown(tmp_path: Path) -> None:
    """It prints the comment as the bot would post it."""
    await repository(tmp_path, {"app/more.tf": MORE})
    code, out, _ = await prbot(tmp_path, "--markdown")
    assert code == 2
    assert "<details" in out
    assert out.rstrip().endswith("-->")


async def test_no_changes(tmp_path: Path) -> None:
    """It exits 0 when the plan has no changes."""
    await repository(tmp_path, {"db/empty.tf": "# nothing\n"})
    assert (await prbot(tmp_path))[0] == 0


async def test_no_projects(tmp_path: Path) -> None:
    """It exits 0 when no project is touched."""
    await repository(tmp_path, {"README.md": "Hello again.\n"})
    assert (await prbot(tmp_path))[0] == 0


async def test_failure(tmp_path: Path) -> None:
    """It exits 1 and shows Terraform's words when a project fails."""
    await repository(tmp_path, {"app/broken.tf": "resource {\n"})
    code, out, _ = await prbot(tmp_path)
    assert code == 1
    assert "broken.tf" in out


async def test_local_state(tmp_path: Path) -> None:
    """It plans against a state that lies beside the code, and leaves it as it is."""
    await repository(tmp_path, {"app/main.tf": WEB.replace("one", "two")})
    await git(tmp_path, "checkout", "--quiet", "main")
    for words in (("init",), ("apply", "-auto-approve")):
        tool = await asyncio.create_subprocess_exec(
            *find_command(None, os.environ["PATH"]),
            *words,
            cwd=tmp_path / "app",
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert await tool.wait() == 0
    state = (tmp_path / "app" / "terraform.tfstate").read_bytes()
    _, out, _ = await prbot(tmp_path, "--head", "topic")
    assert "1 to update" in out
    assert (tmp_path / "app" / "terraform.tfstate").read_bytes() == state


async def test_revisions(tmp_path: Path) -> None:
    """It compares the revisions it is given, whatever is checked out."""
    await repository(tmp_path, {"app/more.tf": MORE})
    await git(tmp_path, "checkout", "--quiet", "main")
    elsewhere = tmp_path.parent
    words = ("--repo", str(tmp_path), "--base", "main", "--head", "topic")
    code, out, _ = await prbot(elsewhere, *words)
    assert code == 2
    assert "terraform_data.more" in out


async def test_uncommitted(tmp_path: Path) -> None:
    """It says that uncommitted changes are not planned."""
    await repository(tmp_path, {"app/more.tf": MORE})
    (tmp_path / "app" / "more.tf").write_text("")
    code, out, err = await prbot(tmp_path)
    assert code == 2
    assert "terraform_data.more" in out
    assert "ncommitted" in err


WRONG = [
    (("-d", "nowhere"), "nowhere"),
    (("-d", "../x"), "outside"),
    (("-d", "/etc"), "outside"),
    (("--head", "no-such-branch"), "no-such-branch"),
    (("--base", "--upload-pack=x"), "upload-pack"),
    (("--repo", "/"), "git repository"),
    (("--repo", "/no/such/directory"), "git repository"),
]


@pytest.mark.parametrize(("words", "said"), WRONG, ids=[" ".join(row[0]) for row in WRONG])
async def test_wrong(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """It exits 1 with a sentence and a hint, never with a traceback."""
    await repository(tmp_path, {"app/more.tf": MORE})
    code, _, err = await prbot(tmp_path, *words)
    assert code == 1, err
    assert said in err
    assert "hint:" in err
    assert "Traceback" not in err


async def test_a_deleted_project(tmp_path: Path) -> None:
    """It exits 2 when a deleted project's state, kept beside its code, still holds something."""
    await repository(tmp_path, {})
    await git(tmp_path, "rm", "--quiet", "-r", "app")
    await git(tmp_path, "commit", "--quiet", "-m", "Delete")
    provider = 'provider["terraform.io/builtin/terraform"]'
    web: dict[str, object] = {
        "mode": "managed",
        "type": "terraform_data",
        "name": "web",
        "provider": provider,
    }
    web["instances"] = [{"schema_version": 0, "attributes": {"id": "1"}}]
    state = {"version": 4, "serial": 1, "lineage": "x", "terraform_version": "1.5.0"}
    (tmp_path / "app").mkdir()
    kept = json.dumps({**state, "outputs": {}, "resources": [web]})
    (tmp_path / "app" / "terraform.tfstate").write_text(kept)
    code, out, err = await prbot(tmp_path, "--markdown")
    assert code == 2, err
    assert "`app` is deleted, and its state still holds 1 resource" in out
    assert "- `terraform_data.web`" in out
    assert (tmp_path / "app" / "terraform.tfstate").read_text() == kept


async def test_by_name(tmp_path: Path) -> None:
    """It plans a project by its name, also one that did not change, and guesses at a wrong one."""
    named = "version: 1\nprojects: [{dir: db, name: the-database}]\n"
    await repository(tmp_path, {"app/more.tf": MORE, "prbot.yaml": named, "db/main.tf": WEB})
    code, out, err = await prbot(tmp_path, "-p", "the-*")
    assert code == 2, err
    assert "db" in out
    assert "terraform_data.more" not in out
    code, _, err = await prbot(tmp_path, "-p", "the-databse")
    assert code == 1
    assert "the-database" in err
    code, _, err = await prbot(tmp_path, "-p", "the-database", "-d", "db")
    assert code == 64, err
