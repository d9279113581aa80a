"""`per_repository:` of the operator's file: which workflows and hooks a repository may have, and
what an apply needs there at least.

As in Atlantis's `repos.yaml`: of several rules that match, the last one that says something
about a key counts for that key. What nobody says is prbot's own workflow, no choice, and
none of a repository's making.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from prbot.config.check import Section
from prbot.config.environments import NO_MINIMUM, Minimum
from prbot.config.globs import check_pattern, listed
from prbot.config.workflows import Hook, Workflow
from prbot.errors.workflows import UnknownWorkflow, WorkflowNotAllowed

DEFAULT = "default"
"""prbot's own steps, or the operator's workflow of this name."""


class Allowed(StrEnum):
    """What nobody may do unless the operator says so."""

    DESTROY = "destroy"
    """`plan --destroy`"""
    AUTOMERGE = "automerge"
    """`automerge` of the repository's file"""
    IMPORT = "import"
    STATE_RM = "state-rm"
    DRIFT_AUTO = "drift-auto"
    """rules of the repository's file that say `auto`"""


class RepositoryRule(Section):
    match: tuple[Annotated[str, AfterValidator(check_pattern)], ...] = Field(
        min_length=1, description="the repositories it is for, such as `acme/*`; `!` excludes."
    )
    workflow: str | None = Field(
        default=None, description="the workflow of projects that name none."
    )
    workflows_allowed: tuple[str, ...] | None = Field(
        default=None, description="which of `workflows` projects may name; `*` is each of them."
    )
    own_workflows: bool | None = Field(
        default=None, description="whether `prbot.yaml` may define workflows: code that runs here."
    )
    pre_hooks: tuple[Hook, ...] | None = Field(
        default=None, description="commands before a run: `run`, `description`, `commands`."
    )
    post_hooks: tuple[Hook, ...] | None = Field(default=None, description="commands after a run.")
    allow: frozenset[Allowed] | None = Field(
        default=None,
        description="what is off elsewhere: `automerge`, `destroy`, `drift-auto`, `import`,"
        " `state-rm`.",
    )
    minimum: Minimum | None = Field(
        default=None, description="`apply_requirements` and `permissions` it cannot go below."
    )


@dataclass(frozen=True)
class RepositoryBounds:
    """What holds for one repository."""

    workflow: str = DEFAULT
    workflows_allowed: tuple[str, ...] = ()
    own_workflows: bool = False
    pre_hooks: tuple[Hook, ...] = ()
    post_hooks: tuple[Hook, ...] = ()
    allow: frozenset[Allowed] = frozenset()
    minimum: Minimum = NO_MINIMUM


def bounds_for(rules: Sequence[RepositoryRule], repo: str) -> RepositoryBounds:
    """The rules for `owner/name`, laid over one another in their order."""
    given: dict[str, Any] = {}
    for rule in rules:
        if listed(rule.match, repo, fold_case=True):
            keys = rule.model_fields_set - {"match"}
            given |= {key: getattr(rule, key) for key in keys if getattr(rule, key) is not None}
    return RepositoryBounds(**given)


def check_rules(rules: Sequence[RepositoryRule], workflows: Mapping[str, Workflow]) -> None:
    """Every workflow that a rule names exists. Raises ValueError(UnknownWorkflow)."""
    for rule in rules:
        for name in (rule.workflow or DEFAULT, *(rule.workflows_allowed or ())):
            if name not in (DEFAULT, "*") and name not in workflows:
                raise ValueError(UnknownWorkflow(name))


def chosen_workflow(
    name: str | None,
    bounds: RepositoryBounds,
    server: Mapping[str, Workflow],
    own: Mapping[str, Workflow],
) -> Workflow:
    """The workflow of a project that names `name` (None: it names none).

    `own` are the workflows of the repository's file on the default branch. Raises
    UnknownWorkflow or WorkflowNotAllowed.
    """
    if name is None:
        return _of_server(bounds.workflow, server)
    if bounds.own_workflows and name in own:
        return own[name]
    if name in own and name not in server:
        raise WorkflowNotAllowed(name, "own_workflows: true")
    found = _of_server(name, server)
    if name not in bounds.workflows_allowed and "*" not in bounds.workflows_allowed:
        raise WorkflowNotAllowed(name, f"workflows_allowed: [{name}]")
    return found


def _of_server(name: str, server: Mapping[str, Workflow]) -> Workflow:
    if name in server:
        return server[name]
    if name == DEFAULT:
        return Workflow()
    raise UnknownWorkflow(name)
