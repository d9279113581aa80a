"""Projects that fail alike are one incident: expired credentials are one piece of news, however
many projects they keep from being planned."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from prbot.drift.issue import Kind, Section
from prbot.runs.run import Trouble

LEAST = 5
"""Projects that make an incident."""

LONGEST = 1_000
"""Characters of what was said that are compared."""

_QUOTED = re.compile(r"""\"[^"\n]*\"|'[^'\n]*'|`[^`\n]*`""")
_ID = re.compile(r"[0-9a-f-]*[0-9][0-9a-f-]*", re.IGNORECASE)
_ERROR = re.compile(r"(?m)^[│|╷ ]*Error: ([^\n]+)")


@dataclass(frozen=True)
class Incident:
    """`words` are those of the first of them; `sections` in the order they were checked."""

    words: str
    sections: tuple[Section, ...]


def incidents(
    sections: Iterable[Section], least: int = LEAST
) -> tuple[tuple[Incident, ...], tuple[Section, ...]]:
    """The incidents, those of most projects first, and what stands by itself, in its order."""
    known = tuple(sections)
    alike: dict[str, list[Section]] = {}
    for section in known:
        if section.kind is Kind.FAILURE and section.trouble is not None:
            alike.setdefault(cause(section.trouble), []).append(section)
    groups = [tuple(group) for group in alike.values() if len(group) >= least]
    together = {id(section) for group in groups for section in group}
    found = (Incident(_words(group[0]), group) for group in groups)
    largest = sorted(found, key=lambda incident: -len(incident.sections))
    return tuple(largest), tuple(each for each in known if id(each) not in together)


def cause(trouble: Trouble) -> str:
    """What went wrong without what is each project's own: names, numbers, ids and paths."""
    words = _QUOTED.sub("…", _said(trouble)[:LONGEST]).split()
    return " ".join(map(_plain, words)).casefold()


def _plain(word: str) -> str:
    return "…" if "/" in word or "\\" in word else _ID.sub("…", word)


def _said(trouble: Trouble) -> str:
    """The tool's own first error where it gave one, else our sentence: that a plan failed with
    exit code 1 is true of them all."""
    fatal = [flaw.summary for flaw in trouble.flaws if flaw.fatal]
    told = _ERROR.search(trouble.output)
    return fatal[0] if fatal else told[1] if told else trouble.sentence


def _words(section: Section) -> str:
    return "" if section.trouble is None else _said(section.trouble)
