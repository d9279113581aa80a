"""Which Terraform or OpenTofu plans and applies a project, and when nothing is done instead.

The programs in the mirror are the machine's Terraform under another name: they say which
version they are, and write down what they were asked.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from release_mirror import KEY, Mirror, serving_releases, tarred, zipped
from town import REPOSITORY, Town, resource

from prbot.config.server_tools import OneTool, TofuTool, Tools
from prbot.demo.state import Pull

RECORDING = """#!/bin/sh
if [ "$1" = version ]; then
  printf '{{"terraform_version": "{version}"}}\\n'
  exit 0
fi
call=$(printf '%s\\n' "{tool} {version}" "$@"; env | sort)
printf '%s\\n\\n' "$call" >> '{record}' # in one piece: two may be called at once
exec '{real}' "$@"
"""


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on PATH: nothing can stand in for another version")


@pytest.fixture
async def mirror() -> AsyncIterator[Mirror]:
    async with serving_releases() as made:
        yield made


def recording(town: Town, tool: str, version: str) -> bytes:
    return RECORDING.format(
        tool=tool, version=version, record=record(town), real=shutil.which("terraform")
    ).encode()


def record(town: Town) -> Path:
    return town.directory / "record"


def tools(town: Town, mirror: Mirror, **changes: object) -> Tools:
    """Settings that download from the mirror, signed by its key."""
    key = town.directory / "mirror.asc"
    key.write_text(str(KEY.extract_certificate()))
    return Tools(
        terraform=OneTool(mirror=mirror.url, signing_key=key),
        tofu=TofuTool(mirror=f"{mirror.url}/tofu", signing_key=key),
    ).model_copy(update=changes)


async def opened(town: Town, files: dict[str, str | None], branch: str = "topic") -> Pull:
    clone = await town.clone_of("alice")
    await clone.push(branch, "Change", files)
    return await town.forge.open_pull(REPOSITORY, head=branch, title="Topic", author="alice")


async def applied(town: Town, pull: Pull) -> str:
    await town.written()
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    return await town.hears(pull, "Applied")


def calls(town: Town) -> list[tuple[str, list[str], dict[str, str]]]:
    """The tool that was called, the words, and the variables, of each call."""
    found = []
    for call in record(town).read_text().strip().split("\n\n"):
        tool, *lines = call.splitlines()
        first = next(n for n, line in enumerate(lines) if "=" in line and line[0] not in "-")
        pairs = (line.partition("=") for line in lines[first:])
        found.append((tool, lines[:first], {name: value for name, _, value in pairs}))
    return found


MORE = {"app/more.tf": resource("more")}
TOFU = "version: 1\ndefaults: {tool: tofu}\n"


async def begun(town: Town, mirror: Mirror, more: dict[str, str], **changes: object) -> None:
    await town.build({"app/main.tf": town.backend("app") + resource("web"), **more})
    await town.start(tools=tools(town, mirror, **changes))


async def test_downloaded_and_used_again(town: Town, mirror: Mirror) -> None:
    """It downloads the version that a project names, and applies with exactly that one."""
    mirror.terraform("1.9.8", archive=zipped({"terraform": recording(town, "terraform", "1.9.8")}))
    await begun(town, mirror, {})
    pull = await opened(town, {"app/.terraform-version": "1.9.8\n", **MORE})
    assert "terraform 1.9.8" in await town.hears(pull, "terraform_data.more")
    await applied(town, pull)
    done = calls(town)
    assert {tool for tool, _, _ in done} == {"terraform 1.9.8"}
    assert [words[0] for _, words, _ in done if words[0] in ("plan", "apply")] == ["plan", "apply"]
    assert mirror.downloads == 1


async def test_tofu(town: Town, mirror: Mirror) -> None:
    """It speaks to OpenTofu with Terraform's words and variables."""
    mirror.tofu("1.9.0", archive=tarred({"tofu": recording(town, "tofu", "1.9.0")}))
    await begun(town, mirror, {"prbot.yaml": TOFU})
    pull = await opened(town, dict(MORE))
    assert "tofu 1.9.0" in await town.hears(pull, "terraform_data.more")
    await applied(town, pull)
    done = calls(town)
    assert {tool for tool, _, _ in done} == {"tofu 1.9.0"}
    plan, apply = (
        next((words, env) for _, words, env in done if words[0] == verb)
        for verb in ("plan", "apply")
    )
    assert plan[0][:4] == ["plan", "-json", "-input=false", "-detailed-exitcode"]
    assert apply[0][:3] == ["apply", "-json", "-input=false"]
    for _, env in (plan, apply):
        assert env["TF_IN_AUTOMATION"] == "1"
        assert env["TF_CLI_CONFIG_FILE"].endswith("terraform.tfrc")
        assert env["TF_DATA_DIR"].startswith(str(town.directory))
        assert "STORY_TOKEN" not in env


REFUSED = [
    (
        {"app/v.tf": 'terraform {\n  required_version = "~> 1.5.0"\n}\n'},
        {"versions": "~> 1.9.0"},
        ("No version of terraform", "`1.9.8`", "app/.terraform-version", "app/v.tf", "line 1"),
    ),
    (
        {"app/.terraform-version": "1.8.5\n"},
        {"versions": "~> 1.9.0"},
        ("`1.8.5`", "none of `~> 1.9.0`", "line 1"),
    ),
    ({"app/.terraform-version": "soon\n"}, {}, ("app/.terraform-version", "line 1", "`soon`")),
    ({"app/.terraform-version": "1.8.5\n"}, {}, ("could not be downloaded", "404")),
    ({"prbot.yaml": "version: 1\ndefaults: {tool: tofu}\n"}, {}, ("with tofu what", "terraform")),
]


@pytest.mark.parametrize(("files", "bound", "words"), REFUSED)
async def test_refused(
    town: Town,
    mirror: Mirror,
    files: dict[str, str | None],
    bound: dict[str, str],
    words: tuple[str, ...],
) -> None:
    """It plans nothing where no version will do, and says why with file and line."""
    await town.build(
        {
            "app/main.tf": town.backend("app") + resource("web"),
            "app/.terraform-version": "1.9.8\n",
        }
    )
    its = tools(town, mirror)
    its = its.model_copy(update={"terraform": its.terraform.model_copy(update=bound)})
    await town.start(tools=its)
    pull = await opened(town, {**MORE, **files})
    await town.hears(pull, *words)
    await town.status(pull, "prbot/plan", "failure")


async def test_switch_that_is_meant(town: Town, mirror: Mirror) -> None:
    """It plans with the other tool where the operator allows it, and a new project anyway."""
    mirror.tofu("1.9.0", archive=tarred({"tofu": recording(town, "tofu", "1.9.0")}))
    await begun(town, mirror, {}, allow_switch=True)
    pull = await opened(town, {"prbot.yaml": TOFU, **MORE})
    assert "tofu 1.9.0" in await town.hears(pull, "terraform_data.more")


async def test_new_project_with_the_other_tool(town: Town, mirror: Mirror) -> None:
    """It plans a new project with the tool that it names: nothing is changed for another."""
    mirror.tofu("1.9.0", archive=tarred({"tofu": recording(town, "tofu", "1.9.0")}))
    await begun(town, mirror, {})
    pull = await opened(
        town,
        {
            "prbot.yaml": "version: 1\nprojects: [{dir: new, tool: tofu, version: '~> 1.9.0'}]\n",
            "new/main.tf": town.backend("new") + resource("new"),
        },
    )
    assert "tofu 1.9.0" in await town.hears(pull, "terraform_data.new")
