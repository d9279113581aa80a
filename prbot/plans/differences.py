"""In what a fresh plan is not the reviewed one, in words: a line each, no line with a secret.

Both are read in their canonical form, so that `differences` is empty exactly when the
fingerprints are equal. `compared` is the milder one: a reviewed change may be missing if it
is live already. What the plan's JSON does not tell (the literal parts of a template with a
reference in it) is told by the files, which are compared elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prbot.plans.canonical import Canonical, canonical_form, dumped, tagged, texts
from prbot.plans.live import is_live, live_values
from prbot.plans.plan import Change, Json, Plan, ResourceChange, not_too_deep
from prbot.plans.sensitive import SENSITIVE, Veil, any_mark, sensitive_strings, veil
from prbot.plans.text import address_text, shown, single_line

_MOST_LINES = 200


@dataclass(frozen=True)
class Compared:
    """`different` is empty if the fresh plan may be applied as the reviewed one: `live` are
    reviewed changes that it may do without, because they came true meanwhile."""

    different: tuple[str, ...]
    live: tuple[str, ...] = ()


@not_too_deep
def differences(reviewed: Plan, fresh: Plan) -> tuple[str, ...]:
    """What the fresh plan would do otherwise, a line each; no line holds a secret.

    Empty if and only if the two plans have the same fingerprint under any key.
    """
    return _bounded(line for line, _ in _lines(reviewed, fresh, {}))


@not_too_deep
def compared(reviewed: Plan, fresh: Plan, known: Iterable[str] = ()) -> Compared:
    """As `differences`, less what is live already; no line holds what is `known` to be secret
    besides. Unknown values are equal if they come from the same expressions: the configuration
    sections must be."""
    lines = list(_lines(reviewed, fresh, live_values(fresh), known))
    return Compared(
        _bounded(line for line, live in lines if not live),
        _bounded(line for line, live in lines if live),
    )


Line = tuple[str, bool]
"""Words for people, and whether what differs came true."""


def _bounded(lines: Iterable[str]) -> tuple[str, ...]:
    found = tuple(lines)
    more = len(found) - _MOST_LINES
    return found if more <= 0 else (*found[:_MOST_LINES], f"and {more} more differences")


def _lines(
    reviewed: Plan, fresh: Plan, values: Mapping[str, Json], known: Iterable[str] = ()
) -> Iterator[Line]:
    old, new = canonical_form(reviewed), canonical_form(fresh)
    hide = veil(sensitive_strings(reviewed) | sensitive_strings(fresh), known)
    named = {where[0] for where in _unequal(old.changes, new.changes)}
    live = {c.key: c for c in reviewed.resource_changes} if values else {}
    for where in _unequal(old.changes, new.changes):
        yield from _changed_resource(where, old, new, hide, live.get(where), values)
    others = (
        *_changed_outputs(old, new),
        *(f"variable {_name(name)} has another value" for name in _changed_variables(old, new)),
        *_changed_configuration(reviewed, fresh, named),
        *_changed_rest(old.rest, new.rest),
    )
    yield from ((line, False) for line in others)


def _unequal(
    old: Mapping[tuple[str, str], Json], new: Mapping[tuple[str, str], Json]
) -> list[tuple[str, str]]:
    a, b = texts(old), texts(new)
    return sorted(where for where in a.keys() | b.keys() if a.get(where) != b.get(where))


def _changed_resource(
    where: tuple[str, str],
    old: Canonical,
    new: Canonical,
    hide: Veil,
    reviewed: ResourceChange | None,
    values: Mapping[str, Json],
) -> Iterator[Line]:
    address = address_text(where[0], hide) + (f" (deposed {where[1]})" if where[1] else "")
    before, after = old.changes.get(where), new.changes.get(where)
    if not before:
        yield f"{address}: {_verb(after or {})} appeared", False
    elif after:
        came_true = _already(reviewed.change, after["before"]) if reviewed and values else ()
        yield from _changed(address, before, after, hide, came_true)
    elif reviewed is not None and is_live(reviewed, values):
        yield f"{address}: {_verb(before)} is live already", True
    else:
        yield f"{address}: {_verb(before)} is gone", False


def _already(reviewed: Change, now: Json) -> Collection[str]:
    """The attributes that have the reviewed value now."""
    after, unknown = reviewed.after, reviewed.after_unknown
    if not isinstance(after, dict) or not isinstance(now, dict):
        return ()
    marks = unknown if isinstance(unknown, dict) else {}
    hidden = reviewed.after_sensitive if isinstance(reviewed.after_sensitive, dict) else {}
    return {
        name
        for name in after
        if not any_mark(marks.get(name, False))
        and dumped(tagged(after[name], False, hidden.get(name, False)))
        == dumped(now.get(name, _ABSENT))
    }


def _verb(change: Mapping[str, Json]) -> str:
    if change["actions"] != ["no-op"]:
        return "+".join(change["actions"])
    return "move" if change["previous_address"] else "import"


def _changed(
    address: str,
    old: Mapping[str, Json],
    new: Mapping[str, Json],
    hide: Veil,
    came_true: Collection[str],
) -> Iterator[Line]:
    if old["actions"] != new["actions"]:
        yield f"{address}: {_verb(new)} instead of {_verb(old)}", False
        return
    for path, a, b in _changed_attributes(old["after"], new["after"]):
        words = _words(a, b, hide, "would become {new}, reviewed was {old}")
        yield f"{address}: {path} {words}", False
    for path, a, b in _changed_attributes(old["before"], new["before"]):
        words = _words(a, b, hide, "is now {new}, was {old} when reviewed")
        yield f"{address}: {path} {words}", path in came_true
    for name in _OTHER_FIELDS:
        if dumped(old[name]) != dumped(new[name]):
            yield f"{address}: the {name.replace('_', ' ')} differs", False


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
        if dumped(old) != dumped(new):
            yield "the object", old, new
        return
    for name in sorted(old.keys() | new.keys()):
        if dumped(old.get(name, _ABSENT)) != dumped(new.get(name, _ABSENT)):
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
        elif dumped(before) != dumped(after):
            yield f"output {_name(name)} differs"


def _changed_variables(old: Canonical, new: Canonical) -> list[str]:
    names = old.variables.keys() | new.variables.keys()
    return sorted(
        name
        for name in names
        if dumped(old.variables.get(name, _ABSENT)) != dumped(new.variables.get(name, _ABSENT))
    )


def _changed_rest(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[str]:
    words = {
        "errored": "whether planning failed",
        "complete": "whether the plan is complete",
        "actions": "the provider actions to be invoked",
        "deferred": "the deferred changes",
    }
    for name, text in words.items():
        if dumped(old[name]) != dumped(new[name]):
            yield f"{text} differs" if name in ("errored", "complete") else f"{text} differ"


def _changed_configuration(reviewed: Plan, fresh: Plan, named: set[str]) -> Iterator[str]:
    """What of the configuration changed, resources that are named already left out."""
    old, new = tagged(reviewed.configuration), tagged(fresh.configuration)
    if dumped(old) == dumped(new):
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
        yield f"provider {name}", dumped(provider)
    yield from _module_parts("", _dict(configuration.get("root_module")))


def _module_parts(prefix: str, module: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for resource in _items(module.get("resources")):
        yield f"{prefix}{_dict(resource).get('address')}", dumped(resource)
    for noun, key in (("output", "outputs"), ("variable", "variables")):
        for name, part in _dict(module.get(key)).items():
            yield f"{noun} {prefix}{name}", dumped(part)
    for name, call in _dict(module.get("module_calls")).items():
        where = f"{prefix}module.{name}"
        yield where, dumped({k: v for k, v in _dict(call).items() if k != "module"})
        yield from _module_parts(f"{where}.", _dict(_dict(call).get("module")))


def _dict(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _items(tagged: Json) -> list[Json]:
    return tagged[1:] if isinstance(tagged, list) and tagged[:1] == ["l"] else []


def _name(text: str) -> str:
    return single_line(text, 300)
