"""The published JSON Schemas: current, and of one mind with the models."""

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from prbot.config.repo import RepoConfig, load_repo
from prbot.config.schema import schema_of
from prbot.errors.configuration import BadConfiguration

DOCS = Path(__file__).parents[2] / "docs"
FILES = {"repo": "prbot.schema.json", "server": "prbot.server.schema.json"}


@pytest.mark.parametrize("which", FILES)
def test_current(which: str) -> None:
    """It is published as the models have it (mend it with `prbot schema`)."""
    assert (DOCS / FILES[which]).read_text() == schema_of(which)


def fits(which: str, value: object) -> bool:
    schema = yaml.safe_load(schema_of(which))
    jsonschema.Draft202012Validator.check_schema(schema)
    return not list(jsonschema.Draft202012Validator(schema).iter_errors(value))


def test_documented_examples() -> None:
    """It takes every example of the documentation."""
    page = (DOCS / "configuration.md").read_text()
    shown = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    assert len(shown) >= 3
    for value in shown:
        which = "server" if "forges" in value or "per_repository" in value else "repo"
        known = {"version": 1} if which == "repo" else {"repositories": ["a/b"], "forges": [F]}
        assert fits(which, {**known, **value}), value


F = {"name": "g", "kind": "github", "token": "env://T", "webhook_secret": "env://W"}

SAME = [
    ("projects: [{dir: a}]", True),
    ("projects: [{name: a}]", False),
    ("projects: [{dir: a, autoplan: false, order: 3, tool: tofu}]", True),
    ("projects: [{dir: a, tool: opentofu}]", False),
    ("projects: [{dir: a, when_modified: ['*.tf', '!x'], title: b}]", False),
    ("discovery: {mode: disabled, order_by_state: false}", True),
    ("discovery: {mode: off}", False),
    ("workflows: {a: {plan: {steps: [init, {run: x}, {plan: {extra_args: [a]}}]}}}", True),
    ("workflows: {a: {plan: {steps: [{run: {command: x, output: hide}}]}}}", True),
    ("workflows: {a: {plan: {steps: [{run: {command: x, output: [{filter_regex: a}]}}]}}}", True),
    ("workflows: {a: {plan: {steps: [{run: {command: x, output: loud}}]}}}", False),
    ("workflows: {a: {plan: {steps: [foo]}}}", False),
    ("workflows: {a: {plan: {steps: [{foo: x}]}}}", False),
    ("workflows: {a: {plan: {steps: [{run: x, init: {}}]}}}", False),
    ("workflows: {a: {import: {steps: [init, import]}}}", True),
    ("workflows: {a: {policy_check: {}}}", False),
    ("limits: {projects_per_run: 5}", True),
    ("defaults: {tool: tofu, version: '>=1.9'}", True),
    ("environments: {}", True),
    ("environments: {prod: {match: 'envs/prod/**'}}", True),
    ("environments: {prod: {match: [a, '!b'], permissions: {import: [ann]}}}", True),
    ("environments: {prod: {match: a, apply_requirements: {approved: false}}}", True),
    ("environments: {prod: {match: a, apply_requirements: {up-to-date: false}}}", True),
    ("environments: {prod: {}}", False),
    ("environments: {prod: {match: []}}", False),
    ("environments: {prod: {match: a, permissions: {aply: [ann]}}}", False),
    ("defaults: {apply_requirements: {approved: {count: 2, teams: ['@acme/sre']}}}", True),
]


@pytest.mark.parametrize(("text", "good"), SAME)
def test_one_mind(text: str, good: bool) -> None:
    """It takes what the models take, and refuses what they refuse."""
    assert fits("repo", {"version": 1, **yaml.safe_load(text)}) is good
    if good:
        assert isinstance(load_repo(f"version: 1\n{text}"), RepoConfig)
    else:
        with pytest.raises(BadConfiguration):
            load_repo(f"version: 1\n{text}")
