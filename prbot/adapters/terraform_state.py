"""Reads what Terraform says of a state: its lock, and what is recorded in it.

Facts of the wire, seen with 1.11: there is no command that only tells who holds the lock,
but every command that needs it says so in words when it does not get it, with the block
"Lock Info". The `http` backend puts the *asking* command's own data into that block and
names the holder's id only in the sentence before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from prbot.adapters.terraform_output import plain
from prbot.runs.state_look import Recorded, StateLock, hcl_string

ASKING = ("state", "rm", "-no-color", "-dry-run", "-lock-timeout=0s")
"""Asks for the lock, gives it back, changes nothing and starts no provider."""
NOBODY = "terraform_data.prbot_asks_for_the_lock"
"""The address that is asked about; whether there is one does not matter."""
FREE = ("No state file was found!", "No matching objects found", "Would have removed nothing.")
"""What is said once the lock was had."""
_LOCKED = "Error acquiring the state lock"
_HOLDER = re.compile(r"already locked:\s+ID=(\S+)")
_FIELD = re.compile(r"^ +(ID|Path|Operation|Who|Created): +(\S.*)$", re.MULTILINE)


def lock_of(text: str) -> StateLock | None:
    """The lock that kept a command from its work, if the words tell its id."""
    if _LOCKED not in text:
        return None
    holder = _HOLDER.search(text)
    if holder is not None:
        return StateLock(id=holder[1])
    fields = {name.lower(): value.strip() for name, value in _FIELD.findall(text)}
    return StateLock(**fields) if fields.get("id") else None


def is_free(text: str) -> bool:
    return any(words in text for words in FREE)


def recorded(state: bytes) -> tuple[Recorded, ...]:
    """The managed objects of a state (version 4) with their ids, as `state pull` gives it,
    without the old halves of replacements.

    Raises ValueError for what is no such state. An empty answer is an empty state.
    """
    return tuple(found for found, deposed in _objects(state) if not deposed)


def managed(state: bytes) -> tuple[str, ...]:
    """The addresses of all managed objects. Raises ValueError as `recorded`."""
    return tuple(f"{found.address}{' (deposed)' * old}" for found, old in _objects(state))


def written_by(shown: bytes) -> str | None:
    """The version that wrote a state, as `show -json` gives it; None of an empty one."""
    try:
        found = json.loads(shown)
    except ValueError:
        return None
    version = found.get("terraform_version") if isinstance(found, dict) else None
    return version if isinstance(version, str) else None


def workspaces(listed: bytes) -> frozenset[str]:
    """The names that `workspace list` prints; a star stands before the selected one."""
    return frozenset(name for line in plain(listed).splitlines() if (name := line.strip(" *")))


def _objects(state: bytes) -> Iterator[tuple[Recorded, bool]]:
    """Each with whether it is deposed: the old half of a replacement."""
    if not state.strip():
        return
    parsed = json.loads(state)
    if not isinstance(parsed, dict) or parsed.get("version") != 4:
        raise ValueError("it is no state of version 4")
    for resource in parsed.get("resources") or ():
        if resource.get("mode") == "managed":
            yield from _instances(resource)


def _instances(resource: Mapping[str, Any]) -> Iterator[tuple[Recorded, bool]]:
    module = resource.get("module")
    name = f"{resource['type']}.{resource['name']}"
    whole = f"{module}.{name}" if module else name
    for instance in resource.get("instances") or ():
        attributes = instance.get("attributes") or {}
        address = whole + _key(instance.get("index_key"))
        yield Recorded(address, str(attributes.get("id") or "")), bool(instance.get("deposed"))


def _key(key: object) -> str:
    if key is None:
        return ""
    return f"[{key}]" if isinstance(key, int) else f"[{hcl_string(str(key))}]"
