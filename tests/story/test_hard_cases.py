"""Input that nobody would choose: each ends in a clear sentence, and the service goes on."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from town import BOT, BOT_TOKEN, REPOSITORY, Town, resource
from watchfiles import awatch

from prbot.demo.git import git
from prbot.demo.state import Pull


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def opened(town: Town, files: dict[str, str | None], **more: object) -> Pull:
    """A repository with one project, prbot started, and a pull request with `files`."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start()
    await clone.push("topic", "Change", files)
    return await town.forge.open_pull(
        REPOSITORY, head="topic", title="Topic", author="alice", **more
    )


async def still_works(town: Town) -> None:
    """Another pull request is planned as if nothing had happened."""
    clone = await town.clone_of("bob")
    await clone.push("after", "After", {"app/after.tf": resource("after")})
    pull = await town.forge.open_pull(REPOSITORY, head="after", title="After", author="bob")
    await town.hears(pull, "terraform_data.after")


async def gone(directory: Path, pattern: str) -> None:
    """Wait until nothing of that name is there any more."""
    async with asyncio.timeout(60):
        watching = awatch(directory, step=5, rust_timeout=200, yield_on_timeout=True)
        while list(directory.glob(pattern)):
            await anext(watching)


BROKEN = [
    ("invalid HCL", {"app/broken.tf": 'resource "terraform_data" {\n'}, ("init", "broken.tf")),
    (
        "failing init",
        {"app/module.tf": 'module "gone" {\n  source = "../nowhere"\n}\n'},
        ("init", "nowhere"),
    ),
    (
        "failing plan",
        {"app/check.tf": 'resource "terraform_data" "x" {\n  input = file("absent.txt")\n}\n'},
        ("plan", "absent.txt"),
    ),
]


@pytest.mark.parametrize(("name", "files", "words"), BROKEN, ids=[row[0] for row in BROKEN])
async def test_broken_code(
    town: Town, name: str, files: dict[str, str | None], words: tuple[str, ...]
) -> None:
    """It shows the tool's diagnostic, fails the check, and goes on."""
    pull = await opened(town, files)
    await town.hears(pull, *words)
    assert "1 of 1 project" in await town.status(pull, "prbot/plan", "failure")
    await still_works(town)


async def test_hostile_names(town: Town) -> None:
    """It plans directories with blanks, quotes, unicode and Markdown in their names."""
    names = ["my app", "ünï/日本", "a`b|c", "x'y", "<b>@alice"]
    files: dict[str, str | None] = {
        f"{name}/main.tf": town.backend(f"s{i}") + resource(f"r{i}") for i, name in enumerate(names)
    }
    pull = await opened(town, files)
    body = await town.hears(pull, "5 projects")
    for i in range(len(names)):
        assert f"terraform_data.r{i}" in body
    await town.forge.comment(pull, "alice", "prbot plan -d 'my app'")
    assert "terraform_data.r0" in await town.hears(pull, "my app")


async def test_plans_that_cannot_be_removed(town: Town) -> None:
    """It ends a closed pull request, worktrees and all, when its stored plans stay."""
    pull = await opened(town, {"app/more.tf": resource("more")})
    await town.hears(pull, "terraform_data.more")
    await town.status(pull, "prbot/plan", "success")
    state = town.config.state_dir
    (state / "artifacts").rename(state / "elsewhere")
    (state / "artifacts").touch()
    await town.forge.close(pull, "alice")
    await gone(state / "git" / "forge" / "trees", f"*/{pull.number}")
    (state / "artifacts").unlink()
    await still_works(town)
    assert (await town.journal(pull))[-1].action.endswith("->done")


async def test_binary_and_renamed_files(town: Town) -> None:
    """It counts a renamed Terraform file for both directories, and skips binary files."""
    main = town.backend("app") + resource("web")
    clone = await town.build({"app/main.tf": main, "old/main.tf": town.backend("o") + main[:0]})
    await town.start()
    await git(clone.directory, "checkout", "--quiet", "-b", "topic")
    (clone.directory / "new").mkdir()
    await git(clone.directory, "mv", "old/main.tf", "new/main.tf")
    (clone.directory / "app" / "logo.png").write_bytes(bytes(range(256)))
    await git(clone.directory, "add", "--all")
    await git(clone.directory, "commit", "--quiet", "-m", "Move")
    await git(clone.directory, "push", "--quiet", "origin", "topic")
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Move", author="alice")
    body = await town.hears(pull, "new")
    assert "`app`" not in body


async def test_no_projects(town: Town) -> None:
    """It says nothing and ends both checks when no project is touched."""
    pull = await opened(town, {"README.md": "Hello.\n"})
    assert await town.status(pull, "prbot/plan", "success") == "0 projects"
    assert await town.status(pull, "prbot/apply", "success") == "0 projects"
    assert town.said(pull) == []


async def test_empty_pull_request(town: Town) -> None:
    """It ends both checks of a pull request without a difference."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start()
    await git(clone.directory, "checkout", "--quiet", "-b", "topic")
    await git(clone.directory, "commit", "--quiet", "--allow-empty", "-m", "Nothing")
    await git(clone.directory, "push", "--quiet", "origin", "topic")
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Nothing", author="alice")
    assert await town.status(pull, "prbot/plan", "success") == "0 projects"


async def test_conflict(town: Town) -> None:
    """It names the files that conflict with the base branch."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await clone.push("topic", "One", {"app/main.tf": resource("web", "topic")})
    await clone.push("main", "Other", {"app/main.tf": resource("web", "main")})
    await town.start()
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "conflicts", "app/main.tf")
    await town.status(pull, "prbot/plan", "failure")


async def test_unfetchable_repository(town: Town) -> None:
    """It says that the repository cannot be fetched, and plans once it can be."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    fault = town.forge.fail_next("GET", r".*/info/refs.*", 500, times=20)
    await town.start()
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    body = await town.hears(pull, "could not be fetched")
    assert BOT_TOKEN not in body
    fault.times = 0
    await town.forge.comment(pull, "alice", "prbot plan")
    await town.hears(pull, "terraform_data.more")


async def test_deleted_fork(town: Town) -> None:
    """It refuses a fork, also when the fork is gone by the time it looks."""
    await town.build({"app/main.tf": town.backend("app") + resource("web")})
    fork = await town.forge.fork(REPOSITORY, "carol")
    clone_at = town.directory / "fork"
    await git(town.directory, "clone", "--quiet", str(fork.git.path), str(clone_at))
    (clone_at / "app" / "evil.tf").write_text(resource("evil"))
    await git(clone_at, "checkout", "--quiet", "-b", "topic")
    await git(clone_at, "add", "--all")
    await git(clone_at, "commit", "--quiet", "-m", "From a fork")
    await git(clone_at, "push", "--quiet", "origin", "topic")
    await town.forge.refresh(fork.full_name, "carol")
    await town.start()
    pull = await town.forge.open_pull(
        REPOSITORY, head="carol:topic", title="From a fork", author="carol"
    )
    await town.hears(pull, "fork")
    if not town.gitlab:  # which takes no status for a commit that only a fork has
        await town.status(pull, "prbot/plan", "failure")
    await town.forge.delete_repository(fork.full_name)
    await town.forge.comment(pull, "bob", "prbot plan")
    await town.hears(pull, "fork")
    await town.forge.comment(pull, "bob", "prbot apply")
    await town.hears(pull, "Not done", "fork")


async def test_terraform_missing(town: Town) -> None:
    """It does not start without Terraform, and says where it looked."""
    from prbot.errors.tools import ToolMissing

    await town.build({"app/main.tf": town.backend("app")})
    tool = town.config.terraform.model_copy(update={"path": str(town.directory / "absent")})
    with pytest.raises(ToolMissing, match="absent"):
        await town.start(terraform=tool)


async def test_terraform_vanishes(town: Town) -> None:
    """It says in the pull request that Terraform is gone, and goes on when it is back."""
    binary = shutil.which("terraform")
    if binary is None:
        pytest.skip("terraform is not on PATH: there is nothing to take away")
    link = town.directory / "terraform"
    link.symlink_to(Path(binary).resolve())
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start(terraform=town.config.terraform.model_copy(update={"path": str(link)}))
    link.unlink()
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "Terraform was not found")
    link.symlink_to(Path(binary).resolve())
    await town.forge.comment(pull, "alice", "prbot plan")
    await town.hears(pull, "terraform_data.more")


async def test_state_in_the_checkout(town: Town) -> None:
    """It plans, but never applies, what would lose its state."""
    clone = await town.build({"app/main.tf": resource("web")})
    await town.start()
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more", "state")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Not done", "backend")


async def test_configuration_from_the_default_branch(town: Town) -> None:
    """It reads safety from the default branch: the head cannot loosen its own rules."""
    pull = await opened(
        town,
        {
            "app/more.tf": resource("more"),
            "prbot.yaml": (
                "version: 1\ndefaults:\n  apply_requirements:\n    approved: {count: 0}\n"
            ),
        },
    )
    await town.hears(pull, "terraform_data.more")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Not done", "approv")
    assert not await asyncio.to_thread(town.state_file("app").exists)


async def test_broken_configuration(town: Town) -> None:
    """It names file, line and key of a configuration error on the default branch."""
    clone = await town.build(
        {
            "app/main.tf": town.backend("app") + resource("web"),
            "prbot.yaml": "version: 1\ndefaultz: {}\n",
        }
    )
    await town.start()
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "prbot.yaml", "line 2", "defaults")
    await town.status(pull, "prbot/plan", "failure")


async def test_who_is_heard(town: Town) -> None:
    """It answers nobody from outside, refuses readers, and never talks to itself."""
    pull = await opened(town, {"app/more.tf": resource("more")})
    await town.hears(pull, "terraform_data.more")
    repo = pull.repo
    repo.private = False
    outsider = await town.forge.comment(pull, "mallory", "prbot apply")
    own = await town.forge.comment(pull, BOT, "prbot apply")
    await town.forge.comment(pull, "carol", "prbot apply")
    await town.hears(pull, "Not done", "carol", "write access")
    assert outsider.reactions == []
    assert own.reactions == []
    assert not any("mallory" in comment.body for comment in town.said(pull))


async def test_a_name_that_is_no_text(town: Town) -> None:
    """It says that a directory's name is at fault, not that Terraform is missing."""
    clone = await town.build({})
    await town.start()
    name = os.fsdecode(b"caf\xe9")
    await clone.push("topic", "Change", {f"{name}/main.tf": town.backend("a") + resource("a")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    body = await town.hears(pull, "cannot be entered in the checkout", "UTF-8")
    assert "Terraform was not found" not in body
    await town.status(pull, "prbot/plan", "failure")
