"""What is applied is what was reviewed, or it is not applied: the world moved in between."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from town import REPOSITORY, Town, resource

from prbot.app.serve import running
from prbot.demo.state import Pull
from prbot.model import PullRef, RepoRef
from prbot.telemetry import Redactor

SECRETS = ("token-of-monday", "token-of-tuesday")
SENSITIVE = 'variable "token" {\n  sensitive = true\n}\n'
USES_IT = 'resource "terraform_data" "user" {\n  input = var.token\n}\n'


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def approved(town: Town, files: dict[str, str | None]) -> Pull:
    """A pull request with these files, planned and approved."""
    clone = await town.clone_of("alice")
    await clone.push("topic", "Change", files)
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.")
    await town.status(pull, "prbot/plan", "success")
    await town.forge.review(pull, "bob", "APPROVE")
    return pull


def write_state(town: Town, lineage: str, serial: int, project: str = "app") -> None:
    """As somebody would who works on the state by hand."""
    state = {
        "version": 4,
        "terraform_version": "1.0.0",
        "serial": serial,
        "lineage": lineage,
        "outputs": {},
        "resources": [],
    }
    town.state_file(project).parent.mkdir(exist_ok=True)
    town.state_file(project).write_text(json.dumps(state))


async def test_the_state_moved(town: Town) -> None:
    """It refuses another state by both names; where only the serial moved, it plans again
    and applies the plan that is equal to the reviewed one."""
    await town.build({"app/main.tf": town.backend("app") + resource("web")})
    write_state(town, "lineage-of-ours", 3)
    await town.start()
    pull = await approved(town, {"app/more.tf": resource("more")})
    write_state(town, "lineage-of-others", 3)
    await town.forge.comment(pull, "alice", "prbot apply")
    told = await town.hears(pull, "Applied: 0 of 1", "state lineage")
    assert "lineage-of-ours" in told
    assert "lineage-of-others" in told
    write_state(town, "lineage-of-ours", 4)
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied: 1 of 1")
    actions = [line.action for line in await town.journal(pull)]
    assert actions.count("apply intended") == 1
    stale = actions.index("apply job running->stale", actions.index("apply job running->stale") + 1)
    assert "plan job running->planned" in actions[stale:]
    assert json.loads(town.state_file("app").read_text())["lineage"] == "lineage-of-ours"


async def test_a_dependant_waits(town: Town) -> None:
    """It applies what depends on a project whose plan is made again once that is applied, in one
    command."""
    rules = "version: 1\nprojects: [{dir: network}, {dir: app, depends_on: [network]}]\n"
    roots = {f"{name}/main.tf": town.backend(name) for name in ("network", "app")}
    await town.build({"prbot.yaml": rules, **roots})
    write_state(town, "lineage-of-ours", 3, "network")
    await town.start()
    pull = await approved(
        town, {"network/net.tf": resource("net"), "app/more.tf": resource("more")}
    )
    write_state(town, "lineage-of-ours", 4, "network")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied: 2 of 2")
    lines = await town.journal(pull)
    assert "apply job running->stale" in [line.action for line in lines]
    begun = [line.plan_id for line in lines if line.action == "apply intended"]
    decided = {line.plan_id: line.detail for line in lines if line.action == "apply decided"}
    assert [decided[plan] for plan in begun] == ["network", "app"]


@asynccontextmanager
async def prbot_with(town: Town, token: str) -> AsyncIterator[None]:
    """prbot runs with this token in its environment while the block lasts."""
    terraform = town.config.terraform.model_copy(update={"environment": ("TF_VAR_*",)})
    config = town.config.model_copy(update={"terraform": terraform})
    async with running(config, town.environ | {"TF_VAR_token": token}, Redactor()) as prbot:
        town.prbot = prbot
        town.listen_at(prbot.url)
        yield


async def test_a_secret_changed(town: Town) -> None:
    """It refuses a plan that was made with another secret, names the variable, and tells
    neither value."""
    main = town.backend("app") + SENSITIVE + resource("web")
    await town.build({"app/main.tf": main})
    async with prbot_with(town, SECRETS[0]):
        pull = await approved(town, {"app/user.tf": USES_IT})
    async with prbot_with(town, SECRETS[1]):
        await town.forge.comment(pull, "alice", "prbot apply")
        told = await town.hears(pull, "Applied: 0 of 1", "another value of")
        assert "TF_VAR_token" in told
        assert "prbot plan -d app" in told
    assert not any(secret in c.body for c in town.said(pull) for secret in SECRETS)
    assert not town.state_file("app").exists()


RUNS = 'resource "terraform_data" "run" {{\n  provisioner "local-exec" {{\n    {0}\n  }}\n}}\n'
SCRIPTED = RUNS.format('command = "sh ../scripts/deploy.sh"')
IN_MODULE = 'module "hook" {\n  source = "../hook"\n}\n'
CHANGED_IN_BASE = {
    "a script outside of the root": (
        {"scripts/deploy.sh": "echo one\n"},
        {"app/run.tf": SCRIPTED},
        {"scripts/deploy.sh": "echo two\n"},
        ("Held", "files: `scripts/`"),
    ),
    "a script that the script calls": (
        {"scripts/deploy.sh": ". ./lib.sh\n", "scripts/lib.sh": "echo one\n"},
        {"app/run.tf": SCRIPTED},
        {"scripts/lib.sh": "echo two\n"},
        ("Held", "files: `scripts/`"),
    ),
    "a command in the root, where files may move": (
        {
            "prbot.yaml": "version: 1\ndefaults: {apply_requirements: {up-to-date: false}}\n",
            "app/run.tf": RUNS.format('command = "echo one"'),
        },
        {"app/more.tf": resource("more")},
        {"app/run.tf": RUNS.format('command = "echo two"')},
        ("Held", "configuration of terraform_data.run changed"),
    ),
    "a command in the root": (
        {"app/run.tf": RUNS.format('command = "echo one"')},
        {"app/more.tf": resource("more")},
        {"app/run.tf": RUNS.format('command = "echo two"')},
        ("Not done", "up-to-date", "files that `app` reads changed"),
    ),
    "a provisioner in a module": (
        {"hook/main.tf": RUNS.format('command = "echo one ${self.id}"')},
        {"app/hook.tf": IN_MODULE},
        {"hook/main.tf": RUNS.format('command = "echo two ${self.id}"')},
        ("Not done", "up-to-date", "files that `app` reads changed"),
    ),
}


@pytest.mark.parametrize(
    ("before", "change", "in_base", "told"), CHANGED_IN_BASE.values(), ids=CHANGED_IN_BASE
)
async def test_what_runs_was_changed_in_the_base(
    town: Town,
    before: dict[str, str],
    change: dict[str, str | None],
    in_base: dict[str, str | None],
    told: tuple[str, ...],
) -> None:
    """It applies nothing although no resource differs, and says that files do: code before
    anything is planned again, scripts once the new plan is compared."""
    await town.build({"app/main.tf": town.backend("app") + resource("web"), **before})
    await town.start()
    pull = await approved(town, change)
    clone = await town.clone_of("bob")
    await clone.push("main", "Change what runs", in_base)
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, *told)
    assert not town.state_file("app").exists()


async def test_what_is_kept_of_a_plan_was_swapped(town: Town) -> None:
    """It applies neither a file nor goes by a JSON that is not the plan's own, though it was
    sealed with the installation's key and stands under the right name."""
    await town.build({"app/main.tf": town.backend("app") + resource("web")})
    prbot = await town.start()
    pull = await approved(town, {"app/more.tf": resource("more")})
    async with prbot.store.begin() as unit:
        (plan,) = await unit.plans.of_pull(
            PullRef(RepoRef("forge", pull.repo.full_name), pull.number)
        )
    artifacts = prbot.service._world.artifacts
    shown = await artifacts.get(plan.plan_json)
    assert shown is not None
    await artifacts.put(plan.plan_json, shown.replace(b'"one"', b'"two"'))
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied: 0 of 1", "another content", "who can write")
    await artifacts.put(plan.plan_json, shown)
    await artifacts.put(plan.plan_file, b"another plan")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Applied: 0 of 1", "is not the one that was made")
    assert "apply intended" not in {line.action for line in await town.journal(pull)}
    assert not town.state_file("app").exists()
