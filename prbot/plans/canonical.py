"""Are two plans equal? One canonical form, a keyed hash of it, and the differences in words.

The bytes of equal plans differ, and two plans that differ in a secret print the same
text; so equality is decided here, on the JSON. The canonical form holds what applying
would do and why: changes that are not no-ops or mere reads (moves, imports and forgets
count), output changes, variables, and the configuration section, in which a changed
`local-exec` shows although no resource changes. Order, timestamps, drift, checks and the
states are left out.

`differences` is empty exactly when the fingerprints are equal: both read the same form.
What is not promised: that plans of different tool versions compare equal.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from prbot.plans.plan import Action, Change, Json, Plan, ResourceChange, not_too_deep
from prbot.plans.sensitive import SENSITIVE, Veil, sensitive_strings, veil
from prbot.plans.text import address_text, shown, single_line

_FORM = "prbot plan 1"
_MOST_LINES = 200


@dataclass(frozen=True)
class Canonical:
    """The parts of a plan that decide on equality; values are tagged by `_tagged`.

    `changes` are keyed by address and deposed key, `outputs` and `variables` by name.
    """

    changes: Mapping[tuple[str, str], Json]
    outputs: Mapping[str, Json]
    variables: Mapping[str, Json]
    configuration: Json
    rest: Json


@not_too_deep
def fingerprint(plan: Plan, key: bytes, recording: bool = False) -> str:
    """64 hex digits: HMAC-SHA256 of the canonical form under the installation's key. What a
    plan records that only does that (`recording`) is part of what it is."""
    form = _canonical(plan)
    text = _dump(
        [
            _FORM,
            sorted([list(where), change] for where, change in _texts(form.changes).items()),
            form.outputs,
            form.variables,
            form.configuration,
            form.rest,
            *([_drift(plan)] if recording else []),
        ]
    )
    return hmac.digest(key, text.encode(), "sha256").hex()


def _drift(plan: Plan) -> Json:
    return sorted([list(c.key), _dump(_resource(c))] for c in plan.resource_drift)


def _texts(parts: Mapping[tuple[str, str], Json]) -> dict[tuple[str, str], str]:
    return {where: _dump(part) for where, part in parts.items()}


def _canonical(plan: Plan) -> Canonical:
    return Canonical(
        changes={c.key: _resource(c) for c in plan.resource_changes if _counts(c)},
        outputs={
            name: _change(change)
            for name, change in plan.output_changes.items()
            if change.action is not Action.NO_OP
        },
        variables={name: _tagged(value) for name, value in plan.variables.items()},
        configuration=_tagged(plan.configuration),
        rest={
            "errored": bool(plan.errored),
            "complete": plan.complete is not False,
            "actions": _tagged(plan.action_invocations),
            "deferred": _tagged(plan.deferred_changes),
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
        "before": _tagged(change.before, False, change.before_sensitive),
        "after": _tagged(change.after, change.after_unknown, change.after_sensitive),
        "replace_paths": sorted(_dump(list(path)) for path in change.replace_paths),
        "importing": _tagged(change.importing),
        "generated_config": change.generated_config,
    }


def _tagged(value: Json, unknown: Json = False, sensitive: Json = False) -> Json:
    """The value as JSON of one spelling, with its marks in it.

    Every list starts with a tag (l: list, n: fraction, s: sensitive, u: unknown), so that
    no value can pass for another one's tag.
    """
    if not unknown and not sensitive:
        return _unmarked(value)
    if sensitive is True:
        return ["s", _tagged(value, unknown)]
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
        name: _tagged(value.get(name), marks.get(name, False), hidden.get(name, False))
        for name in names
    }


def _tagged_items(value: list[Json], unknown: Json, sensitive: Json) -> Iterator[Json]:
    marks = unknown if isinstance(unknown, list) else []
    hidden = sensitive if isinstance(sensitive, list) else []
    for at, item in enumerate(value):
        yield _tagged(item, _mark(marks, at), _mark(hidden, at))


def _mark(marks: list[Json], at: int) -> Json:
    return marks[at] if at < len(marks) else False


def _dump(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


# --- differences ------------------------------------------------------------------------------


@not_too_deep
def differences(reviewed: Plan, fresh: Plan) -> tuple[str, ...]:
    """What the fresh plan would do otherwise, a line each; no line holds a secret.

    Empty if and only if the two plans have the same fingerprint under any key.
    """
    old, new = _canonical(reviewed), _canonical(fresh)
    hide = veil(sensitive_strings(reviewed) | sensitive_strings(fresh))
    named = {where[0] for where in _unequal(old.changes, new.changes)}
    lines = (
        *_changed_resources(old, new, hide),
        *_changed_outputs(old, new),
        *(f"variable {_name(name)} has another value" for name in _changed_variables(old, new)),
        *_changed_configuration(reviewed, fresh, named),
        *_changed_rest(old.rest, new.rest),
    )
    more = len(lines) - _MOST_LINES
    return lines if more <= 0 else (*lines[:_MOST_LINES], f"and {more} more differences")


def _unequal(
    old: Mapping[tuple[str, str], Json], new: Mapping[tuple[str, str], Json]
) -> list[tuple[str, str]]:
    a, b = _texts(old), _texts(new)
    return sorted(where for where in a.keys() | b.keys() if a.get(where) != b.get(where))


def _changed_resources(old: Canonical, new: Canonical, hide: Veil) -> Iterator[str]:
    for where in _unequal(old.changes, new.changes):
        address = address_text(where[0], hide) + (f" (deposed {where[1]})" if where[1] else "")
        before, after = old.changes.get(where), new.changes.get(where)
        if not before:
            yield f"{address}: {_verb(after or {})} appeared"
        elif not after:
            yield f"{address}: {_verb(before)} is gone"
        else:
            yield from _changed_resource(address, before, after, hide)


def _verb(change: Mapping[str, Json]) -> str:
    if change["actions"] != ["no-op"]:
        return "+".join(change["actions"])
    return "move" if change["previous_address"] else "import"


def _changed_resource(
    address: str, old: Mapping[str, Json], new: Mapping[str, Json], hide: Veil
) -> Iterator[str]:
    if old["actions"] != new["actions"]:
        yield f"{address}: {_verb(new)} instead of {_verb(old)}"
        return
    for path, a, b in _changed_attributes(old["after"], new["after"]):
        yield f"{address}: {path} {_words(a, b, hide, 'would become {new}, reviewed was {old}')}"
    for path, a, b in _changed_attributes(old["before"], new["before"]):
        yield f"{address}: {path} {_words(a, b, hide, 'is now {new}, was {old} when reviewed')}"
    for name in _OTHER_FIELDS:
        if _dump(old[name]) != _dump(new[name]):
            yield f"{address}: the {name.replace('_', ' ')} differs"


_OTHER_FIELDS = (
    "previous_address",
    "mode",
    "type",
    "provider",
    "reason",
    "replace_paths",
    "importing",
    "generated_config",
)


def _changed_attributes(old: Json, new: Json) -> Iterator[tuple[str, Json, Json]]:
    """(top-level attribute, old, new) where they differ; `the object` when one has none."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if _dump(old) != _dump(new):
            yield "the object", old, new
        return
    for name in sorted(old.keys() | new.keys()):
        if _dump(old.get(name, _ABSENT)) != _dump(new.get(name, _ABSENT)):
            yield single_line(name, 120), old.get(name, _ABSENT), new.get(name, _ABSENT)


_ABSENT: Json = ["absent"]


def _words(old: Json, new: Json, hide: Veil, template: str) -> str:
    """Old and new value where both can be told in few words; else only that they differ."""
    values = _value(old, hide), _value(new, hide)
    if None in values or values[0] == values[1]:
        return "differs"
    return template.format(old=values[0], new=values[1])


def _value(tagged: Json, hide: Veil) -> str | None:
    """A tagged value for people; None when it is an object or a list."""
    match tagged:
        case ["s", *_]:
            return SENSITIVE
        case ["u"]:
            return "(known after apply)"
        case ["n", str(text)]:
            return text
        case ["absent"] | None:
            return "null"
        case list() | dict():
            return None
        case _:
            return shown(tagged, hide)


def _changed_outputs(old: Canonical, new: Canonical) -> Iterator[str]:
    for name in sorted(old.outputs.keys() | new.outputs.keys()):
        before, after = old.outputs.get(name), new.outputs.get(name)
        if before is None:
            yield f"output {_name(name)}: change appeared"
        elif after is None:
            yield f"output {_name(name)}: change is gone"
        elif _dump(before) != _dump(after):
            yield f"output {_name(name)} differs"


def _changed_variables(old: Canonical, new: Canonical) -> list[str]:
    names = old.variables.keys() | new.variables.keys()
    return sorted(
        name
        for name in names
        if _dump(old.variables.get(name, _ABSENT)) != _dump(new.variables.get(name, _ABSENT))
    )


def _changed_rest(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[str]:
    words = {
        "errored": "whether planning failed",
        "complete": "whether the plan is complete",
        "actions": "the provider actions to be invoked",
        "deferred": "the deferred changes",
    }
    for name, text in words.items():
        if _dump(old[name]) != _dump(new[name]):
            yield f"{text} differs" if name in ("errored", "complete") else f"{text} differ"


def _changed_configuration(reviewed: Plan, fresh: Plan, named: set[str]) -> Iterator[str]:
    """What of the configuration changed, resources that are named already left out."""
    old, new = _tagged(reviewed.configuration), _tagged(fresh.configuration)
    if _dump(old) == _dump(new):
        return
    parts_old, parts_new = dict(_parts(old)), dict(_parts(new))
    changed = sorted(
        part
        for part in parts_old.keys() | parts_new.keys()
        if parts_old.get(part) != parts_new.get(part)
    )
    yield from (f"configuration of {_name(part)} changed" for part in changed if part not in named)
    if not changed:
        yield "configuration changed"


def _parts(configuration: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, provider in _dict(configuration.get("provider_config")).items():
        yield f"provider {name}", _dump(provider)
    yield from _module_parts("", _dict(configuration.get("root_module")))


def _module_parts(prefix: str, module: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for resource in _items(module.get("resources")):
        yield f"{prefix}{_dict(resource).get('address')}", _dump(resource)
    for noun, key in (("output", "outputs"), ("variable", "variables")):
        for name, part in _dict(module.get(key)).items():
            yield f"{noun} {prefix}{name}", _dump(part)
    for name, call in _dict(module.get("module_calls")).items():
        where = f"{prefix}module.{name}"
        yield where, _dump({k: v for k, v in _dict(call).items() if k != "module"})
        yield from _module_parts(f"{where}.", _dict(_dict(call).get("module")))


def _dict(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _items(tagged: Json) -> list[Json]:
    return tagged[1:] if isinstance(tagged, list) and tagged[:1] == ["l"] else []


def _name(text: str) -> str:
    return single_line(text, 300)
