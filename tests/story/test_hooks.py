"""Hooks around runs: what they generate is planned and applied, and what they say is told."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from town import REPOSITORY, Town, resource

from prbot.config.per_repository import RepositoryRule
from prbot.demo.person import Clone
from prbot.demo.state import Pull

SECRET = "s3cr3t-of-the-operator"
GENERATE = """\
set -eu
mkdir -p .generated
for unit in units/*; do
  name=$(basename "$unit" .txt)
  mkdir -p ".generated/$name"
  sed "s/NAME/$name/" code.tmpl > ".generated/$name/main.tf"
  cat "$unit" >> ".generated/$name/main.tf"
done
"""
"""Makes a project of each file in `units`."""


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


def hooked(
    pre: list[dict[str, object]] | None = None, post: list[dict[str, object]] | None = None
) -> dict[str, object]:
    """Settings of the operator's file."""
    rule = {"match": ["*/*"], "pre_hooks": pre or [], "post_hooks": post or []}
    return {"per_repository": [RepositoryRule.model_validate(rule)]}


async def generating(town: Town, **more: str) -> Clone:
    """A repository whose projects `one` and `two` exist in no commit."""
    backend = town.backend("NAME")
    files = {
        ".gitignore": ".generated\n",
        "code.tmpl": backend,
        "generate.sh": GENERATE,
        "units/one.txt": resource("one"),
        "units/two.txt": resource("two"),
        **more,
    }
    return await town.build(files)


async def opened(town: Town, clone: Clone, files: dict[str, str | None]) -> Pull:
    await clone.push("topic", "Change", files)
    return await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")


async def applied(town: Town, pull: Pull) -> str:
    await town.written()
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    return await town.hears(pull, "Applied")


async def test_generated_project(town: Town) -> None:
    """It plans and applies exactly the generated projects that a change affects, also after a
    restart that found every checkout gone."""
    clone = await generating(town)
    lasting, town.stack = town.stack, AsyncExitStack()
    await town.start(**hooked([{"run": "sh generate.sh", "commands": ["plan"]}]))
    pull = await opened(town, clone, {"units/two.txt": resource("two") + resource("more")})
    body = await town.hears(pull, "terraform_data.more")
    assert ".generated/two" in body
    assert ".generated/one" not in body
    await town.status(pull, "prbot/plan", "success")
    await town.stack.aclose()
    town.stack = lasting
    shutil.rmtree(town.directory / "prbot" / "git")
    await town.start(**hooked([{"run": "sh generate.sh", "commands": ["plan"]}]))
    await applied(town, pull)
    state = await asyncio.to_thread(town.state_file("two").read_text)
    assert '"more"' in state
    assert not town.state_file("one").exists()


async def test_untouched(town: Town) -> None:
    """It plans no generated project that a change leaves alone."""
    clone = await generating(town)
    await town.start(**hooked([{"run": "sh generate.sh"}]))
    pull = await opened(town, clone, {"README.md": "words\n"})
    assert await town.status(pull, "prbot/plan", "success") == "0 projects"


async def test_generated_prbot_yaml(town: Town) -> None:
    """It takes projects from a `prbot.yaml` that a hook writes, within what a head may add."""
    writes = "printf 'version: 1\\nprojects: [{dir: app, name: generated-name}]\\n' > prbot.yaml"
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start(**hooked([{"run": writes, "shell": "bash", "shell_args": "-ec"}]))
    pull = await opened(town, clone, {"app/more.tf": resource("more")})
    await town.hears(pull, "terraform_data.more")
    await town.forge.comment(pull, "alice", "prbot plan -p generated-name")
    await town.hears(pull, "terraform_data.more")


async def test_merge(town: Town) -> None:
    """It generates at the merge commit too, and applies what is as it was reviewed."""
    clone = await generating(town)
    await town.start(**hooked([{"run": "sh generate.sh"}]))
    pull = await opened(town, clone, {"units/two.txt": resource("two") + resource("more")})
    await town.hears(pull, "terraform_data.more")
    await town.forge.merge(pull, "bob")
    await town.hears(pull, "Applied")
    assert '"more"' in await asyncio.to_thread(town.state_file("two").read_text)


async def test_other_files_at_apply(town: Town) -> None:
    """It applies nothing when the hooks generate other code than was reviewed."""
    counter = town.directory / "value"
    counter.write_text("first")
    made = f'sed "s/VALUE/$(cat {counter})/" main.tmpl > app/generated.tf'
    files = {"app/main.tf": town.backend("app"), "main.tmpl": resource("web", "VALUE")}
    clone = await town.build(files)
    await town.start(**hooked([{"run": made}]))
    pull = await opened(town, clone, {"app/more.tf": resource("more")})
    await town.hears(pull, "terraform_data.more", "first")
    counter.write_text("second")
    await town.forge.review(pull, "bob", "APPROVE")
    await town.forge.comment(pull, "alice", "prbot apply")
    await town.hears(pull, "the plan has changed since it was reviewed", "second")
    assert not town.state_file("app").exists()


FAILURES = [
    ({"run": "echo so bad; exit 3"}, ("failed with exit code 3", "so bad")),
    ({"run": "kill -9 $$"}, ("was ended by signal SIGKILL",)),
    ({"run": "echo failure > $OUTPUT_STATUS_FILE", "description": "The gate"},
     ("`The gate`", "said `failure`")),
    ({"run": "x", "shell": "no-such-shell"}, ("failed with exit code 127",)),
    ({"run": "head -c 70000000 /dev/zero > large"}, ("66 MiB of new files",)),
]  # fmt: skip


@pytest.mark.parametrize(("hook", "words"), FAILURES, ids=lambda value: str(value)[:20])
async def test_failing_pre_hook(town: Town, hook: dict[str, object], words: tuple[str]) -> None:
    """It plans nothing when a pre hook fails, and says which and why."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start(**hooked([{"run": "true"}, hook]))
    pull = await opened(town, clone, {"app/more.tf": resource("more")})
    body = await town.hears(pull, "## Failed", *words)
    assert "terraform_data.more" not in body
    await town.status(pull, "prbot/plan", "failure")
    await town.status(pull, "prbot/apply", "failure")


async def test_secrets(town: Town) -> None:
    """It masks what hooks print, and gives them none of its own tokens."""
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    town.environ["OPERATOR_TOKEN"] = SECRET
    tool = town.config.terraform.model_copy(update={"environment": ("OPERATOR_*", "STORY_*")})
    says = 'echo "mine $OPERATOR_TOKEN, its ${STORY_TOKEN:-none}, for $COMMAND_NAME"; exit 1'
    await town.start(terraform=tool, **hooked([{"run": says}]))
    pull = await opened(town, clone, {"app/more.tf": resource("more")})
    body = await town.hears(pull, "## Failed")
    assert "mine [redacted], its none, for plan" in body
    assert all(SECRET not in comment.body for comment in town.said(pull))


async def test_post_hooks(town: Town) -> None:
    """It runs post hooks after what is told, for their commands alone, and a failure of theirs
    changes nothing."""
    seen = town.directory / "seen"
    tells = f'echo "$COMMAND_NAME $PULL_NUM $COMMAND_HAS_ERRORS" >> {seen}'
    fails = {"run": "echo sorry; exit 5", "commands": ["apply"], "description": "Tell them"}
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start(**hooked(post=[{"run": tells}, fails]))
    pull = await opened(town, clone, {"app/more.tf": resource("more")})
    await town.hears(pull, "terraform_data.more")
    await applied(town, pull)
    await town.hears(pull, "post hook 2, `Tell them`, failed with exit code 5", "sorry")
    await town.status(pull, "prbot/apply", "success")
    assert (await asyncio.to_thread(seen.read_text)).split("\n")[:2] == [
        "plan 1 false",
        "apply 1 false",
    ]


@pytest.mark.parametrize("kind", ["draft", "fork"])
async def test_not_planned(town: Town, kind: str) -> None:
    """It runs no hook on a stranger's code, nor for a draft that is not planned."""
    seen = town.directory / "seen"
    clone = await town.build({"app/main.tf": town.backend("app") + resource("web")})
    await town.start(**hooked([{"run": f"touch {seen}"}], [{"run": f"touch {seen}"}]))
    change = {"app/more.tf": resource("more")}
    if kind == "draft":
        await clone.push("topic", "Change", change)
        who, head = "alice", "topic"
    else:
        fork = await town.forge.fork(REPOSITORY, "carol")
        stranger = await Clone.of(town.forge, fork.full_name, "carol", town.directory / "fork")
        await stranger.push("topic", "Change", change)
        who, head = "carol", "carol:topic"
    draft = kind == "draft"
    pull = await town.forge.open_pull(REPOSITORY, head=head, title="T", author=who, draft=draft)
    if town.gitlab and kind == "fork":  # it takes no status for a commit that only a fork has
        await town.hears(pull, "fork")
    else:
        await town.status(pull, "prbot/plan", "failure")
    assert not seen.exists()
