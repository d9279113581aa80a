"""What the configuration says an attribute should be, as far as it says so with a constant.

Needed where a plan changes nothing: only the configuration tells whether the code wants
the live value or merely does not mind it. A constant counts also where it arrives through
variables, at the root or at the module's call. Everything else (references, functions,
`each.value`) is not known here, and the answer is no.

Source: https://developer.hashicorp.com/terraform/internals/json-format
(configuration and expression representation).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from prbot.plans.address import steps
from prbot.plans.plan import Json, Plan

_DEEPEST = 50
"""Calls through which a variable is followed; a forged plan could go in circles."""


@dataclass(frozen=True)
class Module:
    """A module's configuration, and what its caller gives (constants, at the root)."""

    config: Mapping[str, Json]
    given: Mapping[str, Json]
    caller: Module | None = None


@dataclass(frozen=True)
class Configured:
    """The expressions of one resource, by attribute or block, and their module."""

    expressions: Mapping[str, Json]
    module: Module

    def names(self, attribute: str) -> bool:
        return attribute in self.expressions

    def says(self, attribute: str, value: Json) -> bool:
        """Whether a constant gives this attribute this value, up to types and order."""
        return _says(self.expressions.get(attribute), value, self.module)


def configuration(plan: Plan) -> Mapping[str, Configured]:
    """Every resource's block by `bare` address."""
    return dict(_blocks(_root(plan), ""))


def bare(address: str) -> str:
    """An instance's address without keys; empty for what is no address."""
    return ".".join(step.name for step in steps(address))


def _blocks(module: Module, prefix: str) -> Iterator[tuple[str, Configured]]:
    for resource in map(_object, _list(module.config.get("resources"))):
        expressions = _object(resource.get("expressions"))
        yield f"{prefix}{resource.get('address')}", Configured(expressions, module)
    for name, call in _object(module.config.get("module_calls")).items():
        parts = _object(_object(call).get("module")), _object(_object(call).get("expressions"))
        yield from _blocks(Module(*parts, module), f"{prefix}module.{name}.")


def _root(plan: Plan) -> Module:
    values = ((name, _object(variable)) for name, variable in plan.variables.items())
    given = {n: {"constant_value": v["value"]} for n, v in values if "value" in v}
    return Module(_object(plan.configuration.get("root_module")), given)


def _says(expression: Json, value: Json, module: Module) -> bool:
    if isinstance(expression, list):  # nested blocks
        same = isinstance(value, list) and len(value) == len(expression)
        return same and all(_block(e, v, module) for e, v in zip(expression, value, strict=True))
    known = _constant(_object(expression), module)
    if known is not None:
        return _text(_loose(known[0])) == _text(_loose(value))
    return bool(expression) and "references" not in expression and _block(expression, value, module)


def _block(block: Json, value: Json, module: Module) -> bool:
    """What the block names has its value; computed attributes beside it do not matter."""
    if not (isinstance(block, dict) and isinstance(value, dict)):
        return False
    return all(_says(inner, value.get(name), module) for name, inner in block.items())


def _constant(expression: Mapping[str, Json], module: Module) -> tuple[Json] | None:
    """The expression's value in a tuple; None when it is no constant."""
    here: Module | None = module
    for _ in range(_DEEPEST):
        if "constant_value" in expression:
            return (expression["constant_value"],)
        match expression.get("references"):
            case [str(only)] if here is not None and only.startswith("var."):
                expression, here = _variable(here, only[len("var.") :])
            case _:
                return None
    return None


def _variable(module: Module, name: str) -> tuple[Mapping[str, Json], Module | None]:
    """The expression that gives a variable its value, and the module it stands in."""
    if name in module.given:
        return _object(module.given[name]), module.caller
    declared = _object(_object(module.config.get("variables")).get(name))
    return {"constant_value": declared["default"]} if "default" in declared else {}, None


def _loose(value: Json) -> Json:
    """One form for what HCL converts freely: `"5"` and 5, sets in any order, empty and null."""
    if isinstance(value, dict):
        inner = {name: _loose(item) for name, item in value.items()}
        return {name: item for name, item in inner.items() if item is not None} or None
    if isinstance(value, list):
        return sorted((_loose(item) for item in value), key=_text) or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return str(value.normalize()) if value % 1 else str(value)
    return None if value is None or value == "" else str(value)


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True)


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
