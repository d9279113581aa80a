"""A repository of many projects: which are planned, in what order, and who decides that."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from town import REPOSITORY, Town, resource

from prbot.demo.person import Clone
from prbot.demo.state import Pull


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def proposed(town: Town, clone: Clone, files: dict[str, str | None]) -> Pull:
    await clone.push("topic", "Change", files)
    return await town.forge.open_pull(REPOSITORY, head="topic", title="Change", author="alice")


async def test_a_changed_module(town: Town) -> None:
    """It plans the projects that use the module, by way of another one too, and no other."""
    net, app = 'module "net" {\n  source = "%s"\n}\n', 'module "app" {\n  source = "%s"\n}\n'
    clone = await town.build(
        {
            "live/a/main.tf": town.backend("a") + net % "../../parts/net",
            "live/b/main.tf": town.backend("b") + app % "../../parts/app",
            "live/c/main.tf": town.backend("c") + resource("c"),
            "parts/app/main.tf": net % "../net",
            "parts/net/main.tf": resource("net"),
        }
    )
    await town.start()
    pull = await proposed(town, clone, {"parts/net/main.tf": resource("net", "two")})
    body = await town.hears(pull, "Plan for 2 projects")
    assert "`live/a`" in body
    assert "`live/b`" in body
    assert "`live/c`" not in body
    assert await town.status(pull, "prbot/plan", "success") == "2 projects planned, 2 with changes"


ATLANTIS = """\
version: 3
emoji_reaction: rocket
projects:
  - {name: web, dir: web, autoplan: {when_modified: ["*.tf", "../shared/*.json"]}}
  - {name: quiet, dir: quiet, autoplan: {enabled: false}}
"""


async def test_atlantis_yaml_alone(town: Town) -> None:
    """It plans what Atlantis would plan, names what it does not honour once in the pull
    request, and applies nothing on merge."""
    clone = await town.build(
        {
            "atlantis.yaml": ATLANTIS,
            "web/main.tf": town.backend("web"),
            "quiet/main.tf": town.backend("quiet"),
            "undeclared/main.tf": town.backend("undeclared"),
        }
    )
    await town.start()
    files = {f"{name}/more.tf": resource(name) for name in ("web", "quiet", "undeclared")}
    pull = await proposed(town, clone, files)
    body = await town.hears(pull, "Plan for `web`")
    assert "`emoji_reaction` is not honoured" in body
    await clone.push("topic", "Read", {"shared/x.json": "{}", "web/more.tf": resource("other")})
    body = await town.hears(pull, "terraform_data.other")
    assert "emoji_reaction" not in body
    await town.forge.comment(pull, "alice", "prbot plan")
    await town.hears(pull, "Plan for 2 projects", "`quiet`")  # asked, so also the quiet one
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.merge(pull, "bob")
    await town.hears(pull, "Held", "`apply_on_merge` is `never` here")
    assert not town.state_file("web").exists()


OURS = """\
version: 1
projects:
  - {dir: prod, name: prod, when_modified: ["*.tf", "../shared/*.json"]}
"""


async def test_the_head_hides_nothing(town: Town) -> None:
    """It plans what the default branch declares, and says what the head may not say."""
    clone = await town.build({"prbot.yaml": OURS, "prod/main.tf": town.backend("prod")})
    await town.start()
    hiding = OURS.replace('"*.tf"', '"!*.tf"').replace(
        "name: prod,", "name: prod, autoplan: false,"
    )
    pull = await proposed(town, clone, {"prbot.yaml": hiding, "prod/more.tf": resource("more")})
    body = await town.hears(pull, "terraform_data.more")
    assert "`prbot.yaml, line 3`: `autoplan` of the project `prod` is read from" in body
    assert "`prbot.yaml, line 3`: `when_modified` of the project `prod`" in body


async def test_a_circle(town: Town) -> None:
    """It is an error with file and line, before anything runs."""
    clone = await town.build({f"{name}/main.tf": town.backend(name) for name in "ab"})
    await town.start()
    circle = "version: 1\nprojects:\n  - {dir: a, depends_on: [b]}\n  - {dir: b, depends_on: [a]}\n"
    pull = await proposed(town, clone, {"prbot.yaml": circle, "a/more.tf": resource("a")})
    body = await town.hears(pull, "Failed", "circle")
    assert "line 3" in body
    assert "a → b → a" in body
    await town.status(pull, "prbot/plan", "failure")


PARALLEL = 3


@dataclass(frozen=True)
class Layers:
    """How many projects each has; `broken` is the number of the project of the second layer
    that cannot be applied."""

    counts: tuple[int, int, int]
    broken: int

    @property
    def total(self) -> int:
        return sum(self.counts)

    def below(self, layer: int, number: int) -> str:
        """What a project of a later layer depends on."""
        return f"l{layer - 1}-{number % self.counts[layer - 1]:02}"


FORTY = Layers((4, 12, 24), broken=5)
ELEVEN = Layers((2, 3, 6), broken=1)
"""How many there are is nothing to the forge: one of them sees them all, the other fewer."""


def layered(town: Town, layers: Layers) -> dict[str, str]:
    """Projects in three layers; each writes down when its apply begins and ends. Two of the
    first layer wait for one another, so they end only when they are applied together."""
    os.mkfifo(town.directory / "meet")
    files, declared = {}, []
    for layer, count in enumerate(layers.counts):
        for number in range(count):
            name = f"l{layer}-{number:02}"
            code = _noting(town.directory, layer, number, layers.broken)
            files[f"{name}/main.tf"] = town.backend(name) + code
            needs = f", depends_on: [{layers.below(layer, number)}]" if layer else ""
            declared.append(f"  - {{dir: {name}, name: {name}{needs}}}")
    return {"prbot.yaml": "\n".join(["version: 1", "projects:", *declared, ""]), **files}


def _noting(directory: Path, layer: int, number: int, broken: int) -> str:
    name, log = f"l{layer}-{number:02}", directory / "log"
    middle = {(0, 0): f"echo met > {directory}/meet", (0, 1): f"cat {directory}/meet"}
    work = "exit 7" if (layer, number) == (1, broken) else middle.get((layer, number), "true")
    command = f"echo begin {name} >> {log}; {work}; echo end {name} >> {log}"
    provisioner = f'  provisioner "local-exec" {{\n    command = "{command}"\n  }}\n'
    return f'resource "terraform_data" "x" {{\n{provisioner}}}\n'


async def test_many_projects_in_three_layers(town: Town) -> None:
    """It applies them in parallel within the limit, each after what it depends on, and one
    that fails keeps exactly its dependants from being applied."""
    layers = ELEVEN if town.gitlab else FORTY
    files = layered(town, layers)
    later = {path: files.pop(path) for path in [*files] if path.endswith(".tf")}
    clone = await town.build(files | {"l0-00/README.md": "See.\n"})
    limits = town.config.limits.model_copy(update={"parallel_jobs": PARALLEL})
    await town.start(limits=limits)
    pull = await proposed(town, clone, dict(later))
    await town.hears(pull, f"Plan for {layers.total} projects")
    await town.status(pull, "prbot/plan", "success")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    body = await town.hears(pull, f"Applied: {layers.total - 3} of {layers.total}")
    dependants = {f"l2-{number:02}" for number in (layers.broken, layers.broken + layers.counts[1])}
    assert body.count(f"it depends on `l1-{layers.broken:02}`") == len(dependants)
    lines = [line.split() for line in (town.directory / "log").read_text().splitlines()]
    begun = [name for what, name in lines if what == "begin"]
    assert sorted(begun) == sorted({path.split("/")[0] for path in later} - dependants)
    _check_order(lines, layers)


def _check_order(lines: list[list[str]], layers: Layers) -> None:
    ended: set[str] = set()
    going: set[str] = set()
    most = 0
    for what, name in lines:
        if what == "begin":
            layer, number = int(name[1]), int(name[3:])
            assert layer == 0 or layers.below(layer, number) in ended, name
            going.add(name)
            most = max(most, len(going - {f"l1-{layers.broken:02}"}))
        else:
            going.discard(name)
            ended.add(name)
    assert 2 <= most <= PARALLEL


async def test_by_name(town: Town) -> None:
    """It plans and frees what is named, and tells the probable name of what is not there."""
    named = "version: 1\nprojects:\n  - {dir: live/net, name: prod-net}\n  - {dir: live/app}\n"
    clone = await town.build(
        {
            "prbot.yaml": named,
            "live/net/main.tf": town.backend("net") + resource("net"),
            "live/app/main.tf": town.backend("app"),
        }
    )
    await town.start()
    pull = await proposed(town, clone, {"live/app/more.tf": resource("app")})
    await town.hears(pull, "Plan for `live/app`")
    before = await town.status(pull, "prbot/plan", "success")
    await town.forge.comment(pull, "alice", "prbot plan -p prod-nte")
    await town.hears(pull, "no project is named `prod-nte`", "Did you mean `prod-net`?")
    assert await town.status(pull, "prbot/plan", "success") == before
    await town.forge.comment(pull, "alice", "prbot plan -p 'prod-*'")
    await town.hears(pull, "Plan for `live/net`", "terraform_data.net")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply -p prod-net")
    await town.hears(pull, "Applied", "`live/net`")
    await town.forge.comment(pull, "alice", "prbot unlock -p prod-net")
    await town.hears(pull, "`live/net`", "free")
    assert town.state_file("net").exists()
    assert not town.state_file("app").exists()


OLD_STATE = """\
{"version": 4, "terraform_version": "1.5.0", "serial": 1, "lineage": "a", "resources": [],
 "outputs": {"x": {"value": "y", "type": "string"}}}
"""


async def test_a_state_of_an_older_version(town: Town) -> None:
    """It says first that an apply would raise the state's version, and not where it would do
    nothing."""
    output = 'output "x" {\n  value = "y"\n}\n'
    main = {f"{name}/main.tf": town.backend(name) + output for name in ("a", "b")}
    clone = await town.build(main)
    for name in ("a", "b"):
        await asyncio.to_thread(town.state_file(name).write_text, OLD_STATE)
    await town.start()
    files = {"a/more.tf": resource("more"), "b/more.tf": "locals {}\n"}
    body = await town.hears(await proposed(town, clone, files), "Plan for 2 projects")
    raised = "**This apply raises the version of the state** from `1.5.0` to"
    assert body.count(raised) == 1
    assert body.index(raised) < body.index("terraform_data.more")
