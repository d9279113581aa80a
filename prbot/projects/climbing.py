"""Paths in a file's text that lead upwards: to scripts of a provisioner, to files that a
provider reads, to whatever else stands outside of the module's directory.

The text is searched as it is, because such a path may stand in a command, in a heredoc or
among other words. What is found is not known to be read, and not even to be a path; whether
something is there decides. Not promised: paths that are put together.
"""

from __future__ import annotations

import re

from prbot.projects.facts import Origin, Read

MOST = 500
"""Paths of one file."""
_UPWARDS = re.compile(
    r"(?:\$\{path\.(module|root|cwd)\}/)?(?<![\w.])(\.\.(?:/[\w.@+-]+)*)(?![.\w])"
)


def climbs(text: str) -> tuple[Read, ...]:
    """A path that does not say what it is relative to may be so to either."""
    if ".." not in text:
        return ()
    found: dict[Read, None] = {}
    for written, path in _UPWARDS.findall(text):
        if written != "module":
            found[Read(path, Origin.ROOT)] = None
        if written in ("", "module"):
            found[Read(path, Origin.MODULE)] = None
        if len(found) >= MOST:
            break
    return tuple(sorted(found, key=lambda read: (read.path, read.origin)))
