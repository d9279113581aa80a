"""Which versions of the tool can go on with a state after an apply."""

from __future__ import annotations

from prbot.config.versions import version


def raised(written_by: str | None, tool: str) -> str:
    """`written_by` again where `tool` (`terraform 1.11.4`) is newer by more than a patch.

    Patches of one minor version read one another's states:
    https://developer.hashicorp.com/terraform/language/v1-compatibility-promises
    """
    old, new = version(written_by or ""), version(tool.partition(" ")[2])
    if old is None or new is None or new.numbers[:2] <= old.numbers[:2]:
        return ""
    return written_by or ""
