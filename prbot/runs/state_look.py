"""What a look at a project's state finds: what is recorded, and who holds its lock."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class StateLock:
    """The tool's own lock on the state (prbot's locks are another matter).

    All but `id` is as the holder wrote it, for people, and empty where the backend does
    not tell. `operation` is the tool's word, such as `OperationTypeApply`.
    """

    id: str
    who: str = ""
    operation: str = ""
    created: str = ""
    path: str = ""


@dataclass(frozen=True)
class Recorded:
    """One managed object in the state; `id` is empty for one that has none."""

    address: str
    id: str


@dataclass(frozen=True)
class StateLook:
    recorded: tuple[Recorded, ...]
    lock: StateLock | None


def hcl_string(text: str) -> str:
    """As Terraform writes strings: JSON's escapes, and no template sequences."""
    words = json.dumps(text, ensure_ascii=False)
    return words.replace("${", "$${").replace("%{", "%%{")
