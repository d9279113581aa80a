"""Are two plans equal? One canonical form, and a keyed hash of it.

The bytes of equal plans differ, and two plans that differ in a secret print the same
text; so equality is decided here, on the JSON. The canonical form holds what applying
would do and why: changes that are not no-ops or mere reads (moves, imports and forgets
count), output changes, variables, and the configuration section, in which a changed
`local-exec` shows although no resource changes. Order, timestamps, drift, checks and the
states are left out.

What is not promised: that plans of different tool versions compare equal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from prbot.plans.plan import Action, Change, Json, Plan, ResourceChange, not_too_deep

_FORM = "prbot plan 2"
_LONG = 4096
GIVEN = "TF_VAR_"
"""What stands before a variable's name in the environment."""


@dataclass(frozen=True)
class Canonical:
    """The parts of a plan that decide on equality; values are tagged by `tagged`.

    `changes` are keyed by address and deposed key, `outputs` and `variables` by name.
    """

    changes: Mapping[tuple[str, str], Json]
    outputs: Mapping[str, Json]
    variables: Mapping[str, Json]
    configuration: Json
    rest: Json


@dataclass(frozen=True)
class Digests:
    """64 hex digits each, HMAC-SHA256 under the installation's key: of the canonical form, of
    the configuration alone, and of each variable's value by its name, sorted."""

    content: str
    configuration: str
    variables: tuple[tuple[str, str], ...]


def fingerprint(plan: Plan, key: bytes, recording: bool = False) -> str:
    """As `Digests.content`."""
    return digests(plan, key, recording).content


@not_too_deep
def digests(plan: Plan, key: bytes, recording: bool = False) -> Digests:
    """What a plan records that only does that (`recording`) is part of what it is. Raises
    BadPlan for values that are nested too deeply."""
    form = canonical_form(plan)
    recorded = [_drift(plan)] if recording else []
    values = sorted(form.variables.items())
    return Digests(
        content=_keyed(key, [*_whole(form), *recorded]),
        configuration=_keyed(key, ["configuration", form.configuration]),
        variables=tuple((name, _keyed(key, ["variable", name, value])) for name, value in values),
    )


def given_digests(environment: Mapping[str, str], key: bytes) -> tuple[tuple[str, str], ...]:
    """Of each variable that the tool's environment gives, by its `TF_VAR_…` name."""
    given = sorted((n, v) for n, v in environment.items() if n.startswith(GIVEN))
    return tuple((name, _keyed(key, ["given", name, value])) for name, value in given)


def _drift(plan: Plan) -> Json:
    return sorted([list(c.key), dumped(_resource(c))] for c in plan.resource_drift)


def _whole(form: Canonical) -> list[Json]:
    changes = sorted([list(where), _brief(change)] for where, change in form.changes.items())
    return [_FORM, changes, form.outputs, form.variables, form.configuration, form.rest]


def _brief(change: Json) -> str:
    """Its digest stands for a change, which may hold megabytes, and is written once."""
    short = {name: _short(part) for name, part in change.items()}
    return _digest(dumped(short))


def _short(side: Json) -> Json:
    """An attribute of many characters as their digest: to escape it as JSON takes longer than
    to hash it. A tag of its own (t), like those of `tagged`."""
    if not isinstance(side, dict):
        return side
    return {
        name: ["t", _digest(value)] if type(value) is str and len(value) > _LONG else value
        for name, value in side.items()
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _keyed(key: bytes, value: Json) -> str:
    return hmac.digest(key, dumped(value).encode(), "sha256").hex()


def texts(parts: Mapping[tuple[str, str], Json]) -> dict[tuple[str, str], str]:
    return {where: dumped(part) for where, part in parts.items()}


def canonical_form(plan: Plan) -> Canonical:
    return Canonical(
        changes={c.key: _resource(c) for c in plan.resource_changes if _counts(c)},
        outputs={
            name: _change(change)
            for name, change in plan.output_changes.items()
            if change.action is not Action.NO_OP
        },
        variables={name: tagged(value) for name, value in plan.variables.items()},
        configuration=tagged(plan.configuration),
        rest={
            "errored": bool(plan.errored),
            "complete": plan.complete is not False,
            "actions": tagged(plan.action_invocations),
            "deferred": tagged(plan.deferred_changes),
        },
    )


def _counts(resource: ResourceChange) -> bool:
    idle = resource.change.action in (Action.NO_OP, Action.READ)
    return not idle or resource.moved or resource.imported


def _resource(resource: ResourceChange) -> Json:
    return {
        "previous_address": resource.previous_address if resource.moved else None,
        "mode": resource.mode,
        "type": resource.type,
        "provider": resource.provider_name,
        "reason": resource.action_reason,
        **_change(resource.change),
    }


def _change(change: Change) -> dict[str, Json]:
    return {
        "actions": list(change.actions),
        "before": tagged(change.before, False, change.before_sensitive),
        "after": tagged(change.after, change.after_unknown, change.after_sensitive),
        "replace_paths": sorted(dumped(list(path)) for path in change.replace_paths),
        "importing": tagged(change.importing),
        "generated_config": change.generated_config,
    }


def tagged(value: Json, unknown: Json = False, sensitive: Json = False) -> Json:
    """The value as JSON of one spelling, with its marks in it.

    Every list starts with a tag (l: list, n: fraction, s: sensitive, u: unknown), so that
    no value can pass for another one's tag.
    """
    if not unknown and not sensitive:
        return _unmarked(value)
    if sensitive is True:
        return ["s", tagged(value, unknown)]
    if unknown is True:
        return ["u"]
    if isinstance(value, dict) or (value is None and isinstance(unknown, dict) and unknown):
        return _tagged_object(value or {}, unknown, sensitive)
    if isinstance(value, list):
        return ["l", *_tagged_items(value, unknown, sensitive)]
    return ["n", str(value)] if isinstance(value, Decimal) else value


def _unmarked(value: Json) -> Json:
    """The same for the most of a plan, where nothing is marked: texts are taken at once."""
    if isinstance(value, dict):
        return {k: v if type(v) is str else _unmarked(v) for k, v in value.items()}
    if isinstance(value, list):
        return ["l", *(v if type(v) is str else _unmarked(v) for v in value)]
    return ["n", str(value)] if isinstance(value, Decimal) else value


def _tagged_object(value: dict[str, Json], unknown: Json, sensitive: Json) -> dict[str, Json]:
    marks = unknown if isinstance(unknown, dict) else {}
    hidden = sensitive if isinstance(sensitive, dict) else {}
    # what is unknown stands in the marks alone
    names = [*value, *(name for name in marks if name not in value and marks[name])]
    return {
        name: tagged(value.get(name), marks.get(name, False), hidden.get(name, False))
        for name in names
    }


def _tagged_items(value: list[Json], unknown: Json, sensitive: Json) -> Iterator[Json]:
    marks = unknown if isinstance(unknown, list) else []
    hidden = sensitive if isinstance(sensitive, list) else []
    for at, item in enumerate(value):
        yield tagged(item, _mark(marks, at), _mark(hidden, at))


def _mark(marks: list[Json], at: int) -> Json:
    return marks[at] if at < len(marks) else False


def dumped(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
