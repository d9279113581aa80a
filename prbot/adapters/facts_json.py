"""What a configuration file says, to JSON and back; anything else than that is refused."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from prbot.projects.facts import FileFacts

_ADAPTER = TypeAdapter(FileFacts)


def to_json(facts: FileFacts) -> bytes:
    return _ADAPTER.dump_json(facts, exclude_defaults=True)


def from_json(text: bytes) -> FileFacts | None:
    """None for what is damaged, or was written by another version."""
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError:
        return None
