"""The plan, as `terraform show -json` tells it: the one border where plan JSON is read.

The dataclasses have the names and the shape of the wire format, so that one pydantic
adapter reads them; keys prbot has no use for are left behind. Values of resources stay
plain JSON (fractions as `Decimal`, so that no digit is lost).

Source: https://developer.hashicorp.com/terraform/internals/json-format. Format versions
0.1 to 1.x are read, later minor versions too; another major version is refused. What is
not promised: that the values are free of secrets. They stand there in the clear.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from prbot.errors.plans import BadPlan

Json: TypeAlias = Any
"""Any JSON value; fractions are Decimal."""

PathStep: TypeAlias = str | int

_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


def not_too_deep(reader: Callable[_Asked, _Answer]) -> Callable[_Asked, _Answer]:
    """Make a function that walks values recursively raise BadPlan where they never end."""

    @wraps(reader)
    def guarded(*args: _Asked.args, **kwargs: _Asked.kwargs) -> _Answer:
        try:
            return reader(*args, **kwargs)
        except RecursionError:
            raise BadPlan("it is nested too deeply") from None

    return guarded


class Action(StrEnum):
    """What happens to one resource instance or output; replace is its own action."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"
    READ = "read"
    NO_OP = "no-op"


_ACTIONS: Mapping[tuple[str, ...], Action] = {
    ("create",): Action.CREATE,
    ("update",): Action.UPDATE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("create", "forget"): Action.CREATE,
    ("delete",): Action.DELETE,
    ("forget",): Action.FORGET,
    ("read",): Action.READ,
    ("no-op",): Action.NO_OP,
}


@dataclass(frozen=True)
class Change:
    """Before and after, with trees of marks beside them (true marks a whole subtree)."""

    actions: tuple[str, ...]
    before: Json = None
    after: Json = None
    after_unknown: Json = False
    before_sensitive: Json = False
    after_sensitive: Json = False
    replace_paths: tuple[tuple[PathStep, ...], ...] = ()
    importing: dict[str, Json] | None = None
    generated_config: str | None = None

    @property
    def action(self) -> Action:
        return _ACTIONS[self.actions]

    @property
    def forgets_old(self) -> bool:
        """The old object is left alone and no longer managed."""
        return "forget" in self.actions

    @property
    def create_first(self) -> bool:
        return self.actions == ("create", "delete")


@dataclass(frozen=True)
class ResourceChange:
    """One resource instance; `deposed` is the key of an object an earlier replacement left."""

    address: str
    mode: str
    type: str
    change: Change
    name: str = ""
    previous_address: str | None = None
    provider_name: str = ""
    deposed: str | None = None
    action_reason: str | None = None

    @property
    def managed(self) -> bool:
        return self.mode == "managed"

    @property
    def moved(self) -> bool:
        return self.previous_address not in (None, self.address)

    @property
    def imported(self) -> bool:
        return self.change.importing is not None

    @property
    def key(self) -> tuple[str, str]:
        return (self.address, self.deposed or "")


@dataclass(frozen=True)
class CheckAddress:
    to_display: str


@dataclass(frozen=True)
class Problem:
    message: str = ""


@dataclass(frozen=True)
class CheckInstance:
    status: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Check:
    """A check block, a pre- or postcondition or a variable's validation.

    `status` is `pass`, `fail`, `error` or `unknown`.
    """

    address: CheckAddress
    status: str
    instances: tuple[CheckInstance, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A whole plan. `errored`, `applyable` and `complete` are None in old formats."""

    format_version: str
    terraform_version: str = ""
    variables: dict[str, Json] = field(default_factory=dict)
    resource_changes: tuple[ResourceChange, ...] = ()
    resource_drift: tuple[ResourceChange, ...] = ()
    output_changes: dict[str, Change] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    configuration: dict[str, Json] = field(default_factory=dict)
    prior_state: dict[str, Json] = field(default_factory=dict)
    planned_values: dict[str, Json] = field(default_factory=dict)
    action_invocations: list[Json] = field(default_factory=list)
    deferred_changes: list[Json] = field(default_factory=list)
    errored: bool | None = None
    applyable: bool | None = None
    complete: bool | None = None


_PLAN = TypeAdapter(Plan)


def parse(data: bytes) -> Plan:
    """Read the output of `show -json`. Raises BadPlan, without any value in its words."""
    document = _load(data)
    _check_version(document)
    plan = _validate(document)
    _check_actions(plan)
    _check_addresses(plan)
    return plan


def _load(data: bytes) -> dict[str, Json]:
    try:
        document = json.loads(data, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadPlan(_where(error)) from None
    if not isinstance(document, dict):
        raise BadPlan("it is not an object")
    return document


def _where(error: Exception) -> str:
    """Say what is wrong with the JSON; Python's own message may quote the document."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else "it is not JSON"


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _check_version(document: Mapping[str, Json]) -> None:
    version = document.get("format_version")
    if not isinstance(version, str):
        raise BadPlan("it has no format_version")
    if version.split(".")[0] not in ("0", "1"):
        raise BadPlan(f"format version {version[:20]} is not known (0.1 to 1.x are)")


def _validate(document: dict[str, Json]) -> Plan:
    # `null` stands for "nothing" in places where a list or an object may be left out
    present = {key: value for key, value in document.items() if value is not None}
    try:
        return _PLAN.validate_python(present)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"][:2])
        raise BadPlan(f"{where[:100]}: {first['msg'][:100]}") from None


def _check_actions(plan: Plan) -> None:
    """An action that prbot cannot count or explain must not be shown as if it were none."""
    resources = (*plan.resource_changes, *plan.resource_drift)
    for change in (*(r.change for r in resources), *plan.output_changes.values()):
        if change.actions not in _ACTIONS:
            raise BadPlan(f"the action {'+'.join(change.actions)[:60]} is not known")


def _check_addresses(plan: Plan) -> None:
    keys = [change.key for change in plan.resource_changes]
    if len(set(keys)) != len(keys):
        raise BadPlan("one resource instance stands in it twice")
