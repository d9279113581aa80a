"""Which snapshot of a state it is: lineage and serial, from a plan file or from the state.

A plan file is a zip that holds the state it was made on as `tfstate`, in Terraform
(https://github.com/hashicorp/terraform/blob/main/internal/plans/planfile/writer.go) as in
OpenTofu (internal/plans/planfile/writer.go there), which may encrypt the whole file: then
nothing is known. Both write lineage and serial before anything that grows
(internal/states/statefile/version4.go), so that a large state need not be read.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib

from prbot.plans.record import StateAt

STATE = "tfstate"
BEGINNING = 4096
"""Bytes within which lineage and serial stand."""
LARGEST = 64 * 1024 * 1024
"""Bytes of a state in another order that are read as a whole."""
_FIRST = re.compile(
    rb'\s*\{\s*"version":\s*4,\s*"terraform_version":\s*"[^"]*",'
    rb'\s*"serial":\s*(\d+),\s*"lineage":\s*"([^"]*)"'
)
NOTHING_YET = StateAt("", 0)


def of_plan_file(file: bytes) -> StateAt | None:
    """The snapshot a plan was made on; None when the file does not tell."""
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive, archive.open(STATE) as state:
            beginning = state.read(BEGINNING)
            return _beginning(beginning) or _whole(beginning + state.read(LARGEST))
    except (zipfile.BadZipFile, KeyError, RuntimeError, EOFError, NotImplementedError, zlib.error):
        return None


def of_state(pulled: bytes) -> StateAt | None:
    """What `state pull` printed; nothing at all is a state that was never written."""
    if not pulled.strip():
        return NOTHING_YET
    return _beginning(pulled[:BEGINNING]) or _whole(pulled[:LARGEST])


def _beginning(text: bytes) -> StateAt | None:
    found = _FIRST.match(text)
    return StateAt(found[2].decode("utf-8", "replace"), int(found[1])) if found else None


def _whole(text: bytes) -> StateAt | None:
    try:
        state = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(state, dict):
        return None
    lineage, serial = state.get("lineage", ""), state.get("serial")
    if not isinstance(lineage, str) or not isinstance(serial, int):
        return None
    return StateAt(lineage, serial)
