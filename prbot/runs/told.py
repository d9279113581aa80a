"""What an apply tells of itself while it runs, and how the journal remembers it.

Terraform names each object's id as soon as it exists, long before the state is saved:
after a crash these lines may be all that is known of it. Facts of the wire:
https://developer.hashicorp.com/terraform/internals/machine-readable-ui#operation-messages
(`id_key` and `id_value` are missing where an object has neither id nor name).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from prbot.runs.journal import JournalEntry


class Moment(StrEnum):
    """Also the journal's word for it."""

    BEGAN = "apply_start"
    COMPLETE = "apply_complete"
    ERRORED = "apply_errored"


CHANGING = frozenset({"create", "update", "delete"})
"""Reading a data source is told in the same words, and changes nothing."""


@dataclass(frozen=True)
class Told:
    """One object's change, begun or ended. `type` is the resource type; `id_key` says what
    `id` is: `id`, or another attribute that tells objects of this type apart."""

    moment: Moment
    address: str
    action: str
    type: str = ""
    id_key: str = ""
    id: str = ""

    @property
    def detail(self) -> str:
        """As JSON, for the journal; the moment is the entry's action."""
        fields = asdict(self)
        del fields["moment"]
        return json.dumps(fields, sort_keys=True)


def told_by(lines: Iterable[str]) -> tuple[Told, ...]:
    """The changes among the lines of `apply -json`, in order."""
    return tuple(told for told in map(_of_line, lines) if told is not None)


def told_in(entries: Iterable[JournalEntry], job_id: str) -> tuple[Told, ...]:
    """What the journal remembers of one apply, in order."""
    mine = (entry for entry in entries if entry.subject == job_id)
    return tuple(told for told in map(_of_entry, mine) if told is not None)


def _of_line(line: str) -> Told | None:
    if '"apply_' not in line:  # most lines are progress, and parsing costs
        return None
    event = parsed(line)
    hook = _object(event, "hook")
    resource = _object(hook, "resource")
    moment, action = event.get("type"), hook.get("action")
    if moment not in tuple(Moment) or action not in CHANGING or not resource.get("addr"):
        return None
    return Told(
        Moment(moment),
        str(resource["addr"]),
        str(action),
        str(resource.get("resource_type", "")),
        str(hook.get("id_key", "")),
        str(hook.get("id_value", "")),
    )


def _of_entry(entry: JournalEntry) -> Told | None:
    if entry.action not in tuple(Moment):
        return None
    fields = {name: str(value) for name, value in parsed(entry.detail).items()}
    names = ("type", "id_key", "id")
    rest = {name: fields.get(name, "") for name in names}
    return Told(Moment(entry.action), fields.get("address", ""), fields.get("action", ""), **rest)


def parsed(text: str) -> dict[str, Any]:
    """A JSON object; an empty one where the text is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _object(holder: dict[str, Any], key: str) -> dict[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}
