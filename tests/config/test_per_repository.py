"""Which workflow a project has: the operator's rules, last match first."""

import pytest

from prbot.config.per_repository import RepositoryBounds, bounds_for, chosen_workflow
from prbot.config.repo import load_repo
from prbot.config.server import ServerConfig, load_server
from prbot.errors import PrbotError
from prbot.errors.configuration import BadConfiguration
from prbot.errors.workflows import UnknownWorkflow, WorkflowNotAllowed

SERVER = """\
repositories: [acme/*]
forges: [{name: g, kind: github, token: env://T, webhook_secret: env://W}]
workflows:
  tg: {plan: {steps: [{run: tg}]}}
  other: {plan: {steps: [{run: other}]}}
"""


def server(rules: str, more: str = "") -> ServerConfig:
    return load_server(f"{SERVER}{more}per_repository: [{rules}]", "s", {})


BOUNDS = [
    ("", RepositoryBounds()),
    ("{match: [other/*], own_workflows: true}", RepositoryBounds()),
    ("{match: [ACME/*], own_workflows: true}", RepositoryBounds(own_workflows=True)),
    ("{match: [acme/*, '!acme/app'], own_workflows: true}", RepositoryBounds()),
    (
        "{match: [acme/*], workflow: tg, own_workflows: true},"
        " {match: [acme/app], workflow: other}",
        RepositoryBounds(workflow="other", own_workflows=True),
    ),
    (
        "{match: [acme/app], workflows_allowed: [tg]}, {match: ['*/*'], workflows_allowed: []}",
        RepositoryBounds(),
    ),
]


@pytest.mark.parametrize(("rules", "bounds"), BOUNDS)
def test_bounds(rules: str, bounds: RepositoryBounds) -> None:
    """It lays the rules that match over one another, key by key."""
    assert bounds_for(server(rules).per_repository, "acme/app") == bounds


OWN = """\
version: 1
workflows:
  mine: {plan: {steps: [{run: mine}]}}
  tg: {plan: {steps: [{run: my-tg}]}}
"""
CHOICES: list[tuple[str, str | None, str | type[PrbotError]]] = [
    ("", None, "own steps"),
    ("workflow: tg", None, "tg"),
    ("", "default", WorkflowNotAllowed),
    ("workflows_allowed: [default]", "default", "own steps"),
    ("", "tg", WorkflowNotAllowed),
    ("workflow: tg", "other", WorkflowNotAllowed),
    ("workflows_allowed: [tg]", "tg", "tg"),
    ("workflows_allowed: [tg]", "other", WorkflowNotAllowed),
    ("workflows_allowed: ['*']", "other", "other"),
    ("workflows_allowed: ['*']", "mine", WorkflowNotAllowed),
    ("own_workflows: true", "mine", "mine"),
    ("own_workflows: true", "tg", "my-tg"),
    ("own_workflows: true", "other", WorkflowNotAllowed),
    ("own_workflows: true", "none", UnknownWorkflow),
]


@pytest.mark.parametrize(("rule", "name", "expected"), CHOICES)
def test_choice(rule: str, name: str | None, expected: str | type[PrbotError]) -> None:
    """It gives a project the workflow it names if the operator lets it."""
    config = server(f"{{match: [acme/app], {rule}}}" if rule else "")
    bounds = bounds_for(config.per_repository, "acme/app")
    own = load_repo(OWN).workflows
    if isinstance(expected, str):
        steps = chosen_workflow(name, bounds, config.workflows, own).plan.steps
        assert (steps[0].step.command if steps else "own steps") == expected
    else:
        with pytest.raises(expected):
            chosen_workflow(name, bounds, config.workflows, own)


def test_default_redefined() -> None:
    """It lets the operator define what `default` is."""
    config = server("", "  default: {plan: {steps: [{run: ours}]}}\n")
    steps = chosen_workflow(None, RepositoryBounds(), config.workflows, {}).plan.steps
    assert steps
    assert steps[0].step.command == "ours"


@pytest.mark.parametrize("key", ["workflow: tgg", "workflows_allowed: [tgg]"])
def test_unknown(key: str) -> None:
    """It refuses rules about workflows that do not exist."""
    with pytest.raises(BadConfiguration, match="`tgg` is not defined"):
        server(f"{{match: [acme/*], {key}}}")
