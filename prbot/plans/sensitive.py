"""What must not be told: the sensitive strings of a plan, and a veil over them.

Marks are not enough. Terraform loses them on the way (the `output` of `terraform_data`,
the message of a failing check, a provider's answer), so every text shown is also searched
for the values that are marked somewhere else in the same plan.

What is not promised: that a program which holds a secret cannot disguise it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prbot.plans.plan import Change, Json, Plan, not_too_deep
from prbot.telemetry import SHORTEST, Needles

SENSITIVE = "(sensitive value)"
"""Secrets shorter than SHORTEST are hidden only where they are the whole value: `1` stands
everywhere."""
_SHORTEST_LINE = 16
_LONG = 10_000


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
    for marks in (change.before_sensitive, change.after_sensitive):
        if any_mark(marks):
            yield from marked(change.before, marks)
            yield from marked(change.after, marks)


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
    if not marks or marks is True:  # most are false or empty
        return marks is True
    inner = marks.values() if isinstance(marks, dict) else marks
    return isinstance(marks, dict | list) and any(map(any_mark, inner))


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
        marks = resource.get("sensitive_values")
        if any_mark(marks):
            yield from marked(resource.get("values"), marks)
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
    _long: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)
    """What was found of texts longer than _LONG, which are asked for several times."""

    def hides(self, text: str) -> bool:
        if len(text) <= _LONG:
            return self._holds(text)
        if text not in self._long:
            self._long[text] = self._holds(text)
        return self._long[text]

    def _holds(self, text: str) -> bool:
        return text in self.whole or any(self.parts.finds(text))

    def over(self, text: str) -> str:
        return SENSITIVE if self.hides(text) else text


def veil(secrets: frozenset[str], known: Iterable[str] = ()) -> Veil:
    """A veil over these strings, their JSON and base64 forms, and long lines of them; over what
    is `known` besides only as it is. Neither is left to whoever sees the texts later: by then
    they are cut, and half of a secret is not found."""
    parts = {form for text in secrets for form in _forms(text) if len(form) >= SHORTEST}
    return Veil(secrets, Needles(parts.union(known)))


def _forms(text: str) -> Iterator[str]:
    yield text.strip()
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    if len(text) >= SHORTEST:
        yield base64.b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")
    lines = [line.strip() for line in text.splitlines()]
    # an indented copy (cloud-init, a chart's values) differs from the secret in its blanks
    yield from (line for line in lines if len(line) >= _SHORTEST_LINE)
