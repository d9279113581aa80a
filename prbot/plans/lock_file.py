"""Which versions of providers a dependency lock file names.

`init` writes the file itself, one line for each value
(https://developer.hashicorp.com/terraform/language/files/dependency-lock), so that it is read by
line; whatever is not written so names no version.
"""

from __future__ import annotations

import re

Versions = tuple[tuple[str, str], ...]
"""Providers by source address, `registry.terraform.io/hashicorp/aws`, each with its version; in
order of their names."""

MOST = 100
"""Providers of one project; of more than that, none is known."""

_PROVIDER = re.compile(r'provider "([A-Za-z0-9._:/-]{1,200})" \{')
_VERSION = re.compile(r'  version += "([0-9A-Za-z.+-]{1,64})"')


def provider_versions(lock_file: bytes) -> Versions:
    """What the file says, whoever wrote it; nothing where it names no provider."""
    found: dict[str, str] = {}
    provider = ""
    for line in lock_file.decode("utf-8", "replace").split("\n"):
        if line[:1] not in ("", " ", "#"):
            named = _PROVIDER.fullmatch(line.rstrip())
            provider = named[1] if named else ""
        elif provider and (version := _VERSION.fullmatch(line.rstrip())):
            found[provider] = version[1]
    return tuple(sorted(found.items())) if len(found) <= MOST else ()
