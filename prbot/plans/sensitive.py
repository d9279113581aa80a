"""What must not be told: the sensitive strings of a plan, and a veil over them.

Marks are not enough. Terraform loses them on the way (the `output` of `terraform_data`,
the message of a failing check, a provider's answer), so every text shown is also searched
for the values that are marked somewhere else in the same plan.

What is not promised: that a program which holds a secret cannot disguise it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prbot.plans.plan import Change, Json, Plan, not_too_deep
from prbot.telemetry import SHORTEST, Needles

SENSITIVE = "(sensitive value)"
"""Secrets shorter than SHORTEST are hidden only where they are the whole value: `1` stands
everywhere."""
_SHORTEST_LINE = 16


@not_too_deep
def sensitive_strings(plan: Plan) -> frozenset[str]:
    """Every non-empty string marked sensitive anywhere in the plan, short ones included.

    Looks at resources, drift, outputs, variables, configuration and both states.
    """
    return frozenset(text for text in _all(plan) if text.strip())


def _all(plan: Plan) -> Iterator[str]:
    for resource in (*plan.resource_changes, *plan.resource_drift):
        yield from _of_change(resource.change)
    for output in plan.output_changes.values():
        yield from _of_change(output)
    yield from _of_variables(plan)
    yield from _of_module(_object(plan.configuration.get("root_module")), {})
    for state in (plan.prior_state.get("values"), plan.planned_values):
        yield from _of_state(_object(state))


def _of_change(change: Change) -> Iterator[str]:
    # a value may keep its place and lose its mark: each side is read with both marks
    for value in (change.before, change.after):
        yield from marked(value, change.before_sensitive)
        yield from marked(value, change.after_sensitive)


def marked(value: Json, marks: Json) -> Iterator[str]:
    """The strings of `value` under `marks`, a tree in which true marks a subtree."""
    if marks is True:
        yield from _strings(value)
    elif isinstance(marks, dict) and isinstance(value, dict):
        for key, mark in marks.items():
            yield from marked(value.get(key), mark)
    elif isinstance(marks, list) and isinstance(value, list):
        for item, mark in zip(value, marks, strict=False):
            yield from marked(item, mark)
    elif any_mark(marks):  # marked in a shape that the value does not have
        yield from _strings(value)


def any_mark(marks: Json) -> bool:
    """Whether a tree of marks marks anything."""
    if isinstance(marks, dict | list):
        return any(map(any_mark, marks.values() if isinstance(marks, dict) else marks))
    return marks is True


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _of_variables(plan: Plan) -> Iterator[str]:
    declared = _object(_object(plan.configuration.get("root_module")).get("variables"))
    for name, variable in plan.variables.items():
        if _is_sensitive(declared.get(name)):
            yield from _strings(_object(variable).get("value"))


def _of_module(module: Mapping[str, Json], given: Mapping[str, Json]) -> Iterator[str]:
    """Constants of the configuration that a sensitive variable or output takes."""
    for name, variable in _object(module.get("variables")).items():
        if _is_sensitive(variable):
            yield from _strings(_object(variable).get("default"))
            yield from _strings(_object(given.get(name)).get("constant_value"))
    for output in _object(module.get("outputs")).values():
        if _is_sensitive(output):
            expression = _object(_object(output).get("expression"))
            yield from _strings(expression.get("constant_value"))
    for call in _object(module.get("module_calls")).values():
        inner = _object(_object(call).get("module"))
        yield from _of_module(inner, _object(_object(call).get("expressions")))


def _of_state(values: Mapping[str, Json]) -> Iterator[str]:
    for output in _object(values.get("outputs")).values():
        if _is_sensitive(output):
            yield from _strings(_object(output).get("value"))
    yield from _of_state_module(_object(values.get("root_module")))


def _of_state_module(module: Mapping[str, Json]) -> Iterator[str]:
    for resource in _list(module.get("resources")):
        resource = _object(resource)
        yield from marked(resource.get("values"), resource.get("sensitive_values"))
    for child in _list(module.get("child_modules")):
        yield from _of_state_module(_object(child))


def _is_sensitive(declaration: Json) -> bool:
    return _object(declaration).get("sensitive") is True


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


@dataclass(frozen=True)
class Veil:
    """Hides a whole text when it is, or holds, one of the secrets in a usual encoding."""

    whole: frozenset[str]
    parts: Needles

    def hides(self, text: str) -> bool:
        return text in self.whole or any(self.parts.finds(text))

    def over(self, text: str) -> str:
        return SENSITIVE if self.hides(text) else text


def veil(secrets: frozenset[str]) -> Veil:
    """A veil over these strings, their JSON and base64 forms, and long lines of them."""
    parts = {form for text in secrets for form in _forms(text) if len(form) >= SHORTEST}
    return Veil(secrets, Needles(parts))


def _forms(text: str) -> Iterator[str]:
    yield text.strip()
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    if len(text) >= SHORTEST:
        yield base64.b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")
    lines = [line.strip() for line in text.splitlines()]
    # an indented copy (cloud-init, a chart's values) differs from the secret in its blanks
    yield from (line for line in lines if len(line) >= _SHORTEST_LINE)
