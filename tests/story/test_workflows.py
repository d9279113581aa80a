"""A repository whose projects are planned and applied by steps of their own."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from town import REPOSITORY, Town, resource
from watchfiles import awatch

from prbot.config.per_repository import RepositoryRule
from prbot.config.workflows import Workflow
from prbot.demo.person import Clone
from prbot.demo.state import Pull

VARIABLE = 'variable "size" {}\nresource "terraform_data" "web" {\n  input = var.size\n}\n'
SECRET = "s3cr3t-of-the-operator"


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


def server(*rules: dict[str, object], **workflows: object) -> dict[str, object]:
    """Settings of the operator's file."""
    return {
        "per_repository": [RepositoryRule.model_validate({"match": ["*/*"], **r}) for r in rules],
        "workflows": {name: Workflow.model_validate(w) for name, w in workflows.items()},
    }


def stages(plan: list[object] | None = None, apply: list[object] | None = None) -> object:
    return {"plan": {"steps": plan}, "apply": {"steps": apply}}


async def opened(town: Town, files: dict[str, str], **changes: object) -> tuple[Clone, Pull]:
    """A repository with `app`, prbot started with these settings, and a pull request that
    adds a resource `more`."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web"), **files})
    await town.start(**changes)
    await clone.push("topic", "Change", {"app/more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    return clone, pull


async def applied(town: Town, pull: Pull) -> str:
    await town.written()
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    return await town.hears(pull, "Applied")


OWN_STEPS = """\
version: 3
projects: [{dir: app, name: shop, workflow: mine}]
workflows:
  mine:
    plan:
      steps:
        - env: {name: TF_VAR_size, command: 'printf "%s" "$PROJECT_NAME-$REPO_REL_DIR"'}
        - multienv: {command: 'echo "EXTRA=-no-color,OTHER=x"'}
        - run: {command: 'echo "quiet words"', output: hide}
        - run: 'echo "loud words for $PULL_AUTHOR" && echo "and $PULL_NUM, $TF_VAR_size" >&2'
        - init: {extra_args: [-upgrade]}
        - plan: {extra_args: [$EXTRA, '-parallelism=1']}
    apply:
      steps:
        - run: 'echo "before $(basename "$PLANFILE")"'
        - apply
"""


async def test_atlantis_yaml(town: Town) -> None:
    """It plans and applies by the steps of a repository's own `atlantis.yaml`."""
    files = {"atlantis.yaml": OWN_STEPS, "app/main.tf": town.backend("app") + VARIABLE}
    _, pull = await opened(town, files, **server({"own_workflows": True}))
    body = await town.hears(pull, "terraform_data.more")
    assert '"shop-app"' in body
    assert "loud words for alice\nand 1, shop-app" in body
    assert "Set: EXTRA, OTHER" in body
    assert "quiet words" not in body.replace('echo "quiet words"', "")
    await applied(town, pull)
    state = await asyncio.to_thread(town.state_file("app").read_text)
    assert '"shop-app"' in state
    assert '"more"' in state


async def test_plan_left_by_a_command(town: Town) -> None:
    """It shows and applies the plan that commands leave where Atlantis expects it."""
    plan = ["init", {"run": "terraform plan -out $PLANFILE"}]
    whole = stages(plan, [{"run": "terraform apply -no-color $PLANFILE"}])
    _, pull = await opened(town, {}, **server({"workflow": "by-hand"}, **{"by-hand": whole}))
    body = await town.hears(pull, "2 to create", "terraform_data.more")
    assert "Output of <code>run&#58; terraform plan" in body
    await applied(town, pull)
    state = await asyncio.to_thread(town.state_file("app").read_text)
    assert '"more"' in state
    actions = [entry.action for entry in await town.journal(pull)]
    assert actions.index("apply intended") < actions.index("apply began")
    assert "apply applied" in actions


REFUSALS = [
    ("own", {}, {}, ("does not allow", "mine", "own_workflows: true")),
    ("of the server", {"workflow": "guarded"}, {"guarded": stages(["init", "plan"])}, ()),
    ("unknown", {"own_workflows": True}, {}, ("`nowhere` is not defined",)),
    ("reserved", {"workflow": "w"}, {"w": stages([{"env": {"name": "TF_CLI_ARGS", "value": "x"}}])},
     ("`TF_CLI_ARGS`", "may not set")),
    ("no plan", {"workflow": "w"}, {"w": stages(["init"])}, ("ended without a plan file",)),
    ("no such variable", {"workflow": "w"}, {"w": stages([{"init": {"extra_args": ["$NOPE"]}}])},
     ("`NOPE`", "not set")),
    ("a link", {"workflow": "w"}, {"w": stages(["init", {"run": "ln -s /etc/passwd $PLANFILE"}])},
     ("ended without a plan file",)),
    ("misprinted", {"workflow": "w"}, {"w": stages([{"multienv": "echo no-equals-sign"}])},
     ("`multienv`", "cannot be read")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rule", "workflows", "words"), REFUSALS, ids=lambda v: str(v)[:9])
async def test_refused(
    town: Town,
    name: str,
    rule: dict[str, object],
    workflows: dict[str, object],
    words: tuple[str, ...],
) -> None:
    """It refuses in words what is not allowed or cannot be carried out, and runs the rest."""
    named = {"own": "mine", "unknown": "nowhere"}.get(name)
    own = f"version: 1\nprojects: [{{dir: app, workflow: {named}}}]\nworkflows: {{mine: {{}}}}\n"
    files = {"prbot.yaml": own} if named else {}
    _, pull = await opened(town, files, **server(rule, **workflows))
    await town.hears(pull, *(words or ("terraform_data.more",)))
    await town.status(pull, "prbot/plan", "failure" if words else "success")


async def test_head_changes_no_workflow(town: Town) -> None:
    """It takes workflows from the default branch, whatever the pull request's head says."""
    head = OWN_STEPS.replace("loud words", "words of the head")
    files = {"atlantis.yaml": OWN_STEPS, "app/main.tf": town.backend("app") + VARIABLE}
    clone = await town.build(files)
    await town.start(**server({"own_workflows": True}))
    change: dict[str, str | None] = {"atlantis.yaml": head, "app/more.tf": resource("more")}
    await clone.push("topic", "Change", change)
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    body = await town.hears(pull, "terraform_data.more")
    assert "loud words" in body
    assert "words of the head" not in body


async def test_workflow_changed(town: Town) -> None:
    """It applies no plan whose workflow is not the reviewed one any more, and says what changed."""
    files = {"atlantis.yaml": OWN_STEPS, "app/main.tf": town.backend("app") + VARIABLE}
    clone, pull = await opened(town, files, **server({"own_workflows": True}))
    await town.hears(pull, "terraform_data.more")
    await town.forge.review(pull, "bob", "APPROVE")
    await clone.push("main", "Steps", {"atlantis.yaml": OWN_STEPS.replace("before", "long before")})
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "step 1 of the workflow's `apply` (`run`) changed")
    assert not town.state_file("app").exists()


async def test_secrets(town: Town) -> None:
    """It masks what commands print of the environment, and of what steps set."""
    plan: list[object] = [
        {"env": {"name": "DB_PASSWORD", "command": "echo second-s3cr3t-value"}},
        {"run": 'echo "first $OPERATOR_TOKEN, second $DB_PASSWORD, token ${STORY_TOKEN:-none}"'},
        {"run": 'printf %s "$OPERATOR_TOKEN" | base64'},
        *("init", "plan", {"run": "terraform show -json $PLANFILE"}),
    ]
    sensitive = 'variable "pin" {\n  default   = "third-s3cr3t"\n  sensitive = true\n}\n'
    used = 'resource "terraform_data" "pin" {\n  input = var.pin\n}\n'
    town.environ["OPERATOR_TOKEN"] = SECRET
    tool = town.config.terraform.model_copy(update={"environment": ("OPERATOR_*", "STORY_*")})
    whole = server({"workflow": "w"}, w=stages(plan))
    _, pull = await opened(town, {"app/pin.tf": sensitive + used}, terraform=tool, **whole)
    body = await town.hears(pull, "terraform_data.more")
    assert "first [redacted], second [redacted], token none" in body
    assert "planned_values" in body
    encoded = base64.b64encode(SECRET.encode()).decode()
    for secret in (SECRET, encoded, "second-s3cr3t", "third-s3cr3t"):
        assert secret not in body


async def test_failing_command(town: Town) -> None:
    """It shows which step failed and what it said, hidden or not, without secrets."""
    town.environ["OPERATOR_TOKEN"] = SECRET
    tool = town.config.terraform.model_copy(update={"environment": ("OPERATOR_*",)})
    fails = {"run": {"command": 'echo "bad: $OPERATOR_TOKEN"; exit 3', "output": "hide"}}
    whole = server({"workflow": "w"}, w=stages(["init", fails, "plan"]))
    _, pull = await opened(town, {}, terraform=tool, **whole)
    body = await town.hears(pull, "Step 2 of the workflow's `plan`", "failed with exit code 3")
    assert "bad: [redacted]" in body
    assert SECRET not in body
    await town.status(pull, "prbot/plan", "failure")


async def begun(directory: Path, name: str) -> None:
    """Wait until a file of that name is there."""
    async with asyncio.timeout(60):
        watching = awatch(directory, step=5, rust_timeout=200, yield_on_timeout=True)
        while not (directory / name).exists():
            await anext(watching)


async def test_cancel(town: Town) -> None:
    """It interrupts a running command, with what it started, and says that it was cancelled."""
    trap = f"trap 'touch {town.directory}/told; exit 1' INT; touch {town.directory}/begun"
    waits = {"run": f'sh -c "{trap}; sleep 300 & wait"; sleep 300'}
    whole = server({"workflow": "w"}, w=stages(["init", waits, "plan"]))
    _, pull = await opened(town, {}, **whole)
    await begun(town.directory, "begun")
    await town.forge.comment(pull, "alice", "prbot cancel")
    await town.hears(pull, "Cancelled")
    await begun(town.directory, "told")
    await town.status(pull, "prbot/plan", "failure")


async def test_failing_apply(town: Town) -> None:
    """It tells an apply that a command did not end well, and never starts it again."""
    apply: list[object] = [{"run": "echo half done; exit 4"}]
    whole = server({"workflow": "w"}, w=stages(None, apply))
    _, pull = await opened(town, {}, **whole)
    await town.hears(pull, "terraform_data.more")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Step 1 of the workflow's `apply`", "exit code 4", "half done")
    assert "apply failed" in [entry.action for entry in await town.journal(pull)]
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "Not done")


async def test_step_after_the_apply(town: Town) -> None:
    """It says that the plan was applied when only what came after it failed."""
    whole = server({"workflow": "w"}, w=stages(None, ["apply", {"run": "echo tell; exit 1"}]))
    _, pull = await opened(town, {}, **whole)
    await town.hears(pull, "terraform_data.more")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "was applied, but then", "Step 2")
    assert '"more"' in await asyncio.to_thread(town.state_file("app").read_text)


async def test_killed_apply(town: Town) -> None:
    """It calls an apply interrupted whose command was killed: nobody knows what it did."""
    whole = server({"workflow": "w"}, w=stages(None, [{"run": "kill -9 $$"}]))
    _, pull = await opened(town, {}, **whole)
    await town.hears(pull, "terraform_data.more")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "nterrupted")
    assert "apply interrupted" in [entry.action for entry in await town.journal(pull)]


async def test_look_at_a_killed_apply(town: Town) -> None:
    """It readies the look as the workflow readies a plan: here a module is generated first."""
    generates = {"run": "mkdir -p generated && touch generated/empty.tf"}
    killed = {"run": "rm -r generated; kill -9 $$"}
    whole = server({"workflow": "w"}, w=stages([generates, "init", "plan"], [killed]))
    calls = 'module "generated" {\n  source = "./generated"\n}\n'
    _, pull = await opened(town, {"app/calls.tf": calls}, **whole)
    await town.hears(pull, "terraform_data.more")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    body = await town.hears(pull, "## Interrupted: `app`")
    assert "could not be looked at" not in body
    assert "state looked" in [entry.action for entry in await town.journal(pull)]


async def test_no_step_swaps_the_plan(town: Town) -> None:
    """It applies the plan that was reviewed, also when a step before put another in its place."""
    swap = "terraform plan -no-color -destroy -out $PLANFILE"
    whole = server({"workflow": "w"}, w=stages(None, [{"run": swap}, "apply"]))
    _, pull = await opened(town, {}, **whole)
    await town.hears(pull, "terraform_data.more")
    await applied(town, pull)
    assert '"more"' in await asyncio.to_thread(town.state_file("app").read_text)


async def test_variable_files(town: Town) -> None:
    """It gives the tool the workspace's file last, behind those of the project and the step."""
    files = {
        "app/main.tf": town.backend("app") + VARIABLE,
        "app/env/default.tfvars": 'size = "of the workspace"\n',
        "app/project.tfvars": 'size = "of the project"\n',
        "app/step.tfvars": 'size = "of the step"\n',
        "prbot.yaml": "version: 1\nprojects: [{dir: app, var_files: [project.tfvars]}]\n",
    }
    step = {"plan": {"extra_args": ["-var-file=step.tfvars"]}}
    _, pull = await opened(town, files, **server({"workflow": "w"}, w=stages(["init", step])))
    body = await town.hears(pull, "terraform_data.more")
    assert "of the workspace" in body
    assert "of the project" not in body
    assert "of the step" not in body


async def test_merge(town: Town) -> None:
    """It plans the merge by the same steps, and applies what is unchanged."""
    whole = server(
        {"workflow": "w"}, w=stages(["init", {"plan": {"extra_args": ["-refresh=true"]}}])
    )
    _, pull = await opened(town, {}, **whole)
    await town.hears(pull, "terraform_data.more")
    await town.forge.merge(pull, "bob")
    await town.hears(pull, "Applied")
    assert '"more"' in await asyncio.to_thread(town.state_file("app").read_text)
