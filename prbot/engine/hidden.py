"""What is to be said loses its secrets before anything of it is cut to fit: half of a secret is
none that the redactor would know."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from prbot.plans.record import StoredPlan
from prbot.telemetry import Redactor

Told = TypeVar("Told")


def hidden(redactor: Redactor, told: Told) -> Told:
    """The same without secrets in any name or word of it. What a plan shows was redacted when
    it was made (`Planner`), and a thousand plans are not read again: of each only its name."""
    found: Any = told
    if isinstance(told, StoredPlan):
        found = replace(told, project=redactor.redact_values(told.project))
    elif isinstance(told, tuple):
        found = tuple(hidden(redactor, each) for each in told)
    elif is_dataclass(told) and not isinstance(told, type | Enum):
        parts = {each.name: getattr(told, each.name) for each in fields(told)}
        found = replace(told, **{name: hidden(redactor, part) for name, part in parts.items()})
    elif isinstance(told, str):
        found = redactor.redact_values(told)
    return found  # type: ignore[no-any-return]
