"""What an interrupted apply left, laid out for its template: the blocks that import it."""

from __future__ import annotations

from collections.abc import Iterable

from prbot.runs.state_look import hcl_string
from prbot.runs.told import Told


def import_blocks(created: Iterable[Told]) -> str:
    """HCL that takes these objects into the state; empty when none has an id.

    https://developer.hashicorp.com/terraform/language/import: `to` is the address as it
    is, `id` what the provider knows the object by (for a few types not the attribute `id`).
    """
    return "\n\n".join(_block(one) for one in created if one.id and one.id_key == "id")


def _block(one: Told) -> str:
    return f"import {{\n  to = {one.address}\n  id = {hcl_string(one.id)}\n}}"
