"""What changes in one resource, as lines of `sign path = value`.

Made from before, after and their marks; never from the tool's text. A sensitive subtree
is one line without keys; unknown values read `(known after apply)`. Signs: `+` set,
`-` gone, `~` changed, blank for context. Values of no change are left out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from prbot.plans.align import aligned
from prbot.plans.json_text import json_in
from prbot.plans.plan import Action, Change, Json, PathStep
from prbot.plans.sensitive import SENSITIVE, Veil, any_mark
from prbot.plans.text import path_text, printable, shown, shown_string, single_line

UNKNOWN = "(known after apply)"
LONGEST_TEXT = 50_000
"""Characters up to which two multi-line strings are compared line by line."""
_AT_THE_TOP = re.compile(r"@@ -[01][, ]")

_Path = tuple[PathStep, ...]


class _Absent:
    """The value on a side that has none (null counts as none, as it does in Terraform)."""


ABSENT = _Absent()


class _Side(NamedTuple):
    """One side of a change at one place. Made by the million: a tuple costs the least."""

    value: Json
    unknown: Json = False
    sensitive: Json = False

    @property
    def absent(self) -> bool:
        return self.unknown is not True and (self.value is None or self.value is ABSENT)

    @property
    def empty(self) -> bool:
        return self.absent or self.value in ("", [], {})

    @property
    def hidden(self) -> bool:
        """Marked as a whole, or marked in a shape that the value does not have."""
        if isinstance(self.sensitive, dict | list):
            strange = type(self.sensitive) is not type(self.value)
            return strange and not self.absent and any_mark(self.sensitive)
        return self.sensitive is True

    def step(self, key: PathStep) -> _Side:
        return _Side(
            _child(self.value, key, ABSENT),
            _child(self.unknown, key, False),
            _child(self.sensitive, key, False),
        )

    def keys(self) -> list[PathStep]:
        if isinstance(self.value, list):
            return list(range(len(self.value)))
        marks = self.unknown if isinstance(self.unknown, dict) else {}
        names = self.value if isinstance(self.value, dict) else {}
        return [*names, *(key for key in marks if key not in names and marks[key])]


_NOTHING = _Side(ABSENT)


def _child(tree: Json, key: PathStep, default: Json) -> Json:
    if isinstance(tree, dict):
        return tree.get(key, default)
    if isinstance(tree, list) and isinstance(key, int) and key < len(tree):
        return tree[key]
    return default


def attribute_lines(
    change: Change, hide: Veil, most: int, root: str | None = None
) -> tuple[tuple[str, ...], int]:
    """At most `most` lines, and how many more there would be (counted up to 10,000).

    `root` is the name of a value that has no attributes of its own, such as an output.
    """
    before = _Side(change.before, False, change.before_sensitive)
    after = _Side(change.after, change.after_unknown, change.after_sensitive)
    forced = frozenset(change.replace_paths)
    brief = root is None and change.action is not Action.UPDATE
    lines = _Walk(hide, forced, brief).lines((root,) if root else (), before, after)
    kept = tuple(islice(lines, most))
    return kept, sum(1 for _ in islice(lines, 10_000))


@dataclass(frozen=True)
class _Walk:
    """`brief`: the object comes or goes as a whole (see `_alike`), and unknown values,
    which then follow from the action itself, share one last line."""

    hide: Veil
    forced: frozenset[_Path]
    brief: bool

    def lines(self, path: _Path, before: _Side, after: _Side) -> Iterator[str]:
        unknown: list[str] = []
        yield from self._at(path, before, after, unknown)
        if unknown:
            yield single_line(f"  known after apply: {', '.join(unknown)}", 400)

    def _at(self, path: _Path, old: _Side, new: _Side, unknown: list[str]) -> Iterator[str]:
        if old.hidden or new.hidden:
            yield from self._hidden(path, old, new)
        elif self._inside(old, new):
            for key, one, two in _steps(old, new):
                yield from self._at((*path, key), one, two, unknown)
        elif self.brief and new.unknown is True and path not in self.forced:
            unknown.append(self._name(path))
        else:
            yield from self._leaf(path, old, new)

    def _inside(self, old: _Side, new: _Side) -> bool:
        """Both sides are, as far as they exist, objects or lists of the same kind."""
        kinds = {_kind(side) for side in (old, new) if not side.absent}
        return len(kinds) == 1 and kinds <= {dict, list} and bool(old.keys() or new.keys())

    def _hidden(self, path: _Path, old: _Side, new: _Side) -> Iterator[str]:
        nothing = old.absent and new.absent
        if not nothing and (new.unknown or not _same(old.value, new.value)):
            yield self._line(path, old, new, SENSITIVE)

    def _leaf(self, path: _Path, old: _Side, new: _Side) -> Iterator[str]:
        if new.unknown is not True and self._alike(old, new):
            return
        texts = [side.value for side in (old, new) if not side.absent and not side.unknown]
        if self._both_json(old, new):
            yield from self._json(path, old, new)
        elif any(isinstance(text, str) and "\n" in text for text in texts):
            yield from self._multiline(path, old, new)
        else:
            yield self._line(path, old, new, self._values(old, new))

    def _both_json(self, old: _Side, new: _Side) -> bool:
        if new.unknown is True:
            return False
        one, two = json_in(old.value), json_in(new.value)
        return one is not None and type(one) is type(two)

    def _json(self, path: _Path, old: _Side, new: _Side) -> Iterator[str]:
        if self.hide.hides(old.value) or self.hide.hides(new.value):
            yield self._line(path, old, new, SENSITIVE)
            return
        one, two = _Side(json_in(old.value)), _Side(json_in(new.value))
        same = _same(one.value, two.value)
        yield self._line(path, old, new, "(the same JSON, written otherwise)" if same else "(JSON)")
        if not same:
            yield from self._at(path, one, two, [])

    def _alike(self, old: _Side, new: _Side) -> bool:
        """Equal; an object that comes or goes as a whole loses nothing with an empty value."""
        whole = self.brief and old.empty and new.empty
        return whole or (old.absent and new.absent) or _same(old.value, new.value)

    def _line(self, path: _Path, old: _Side, new: _Side, value: str) -> str:
        forced = "  # forces replacement" if path in self.forced else ""
        return f"{_sign(old, new)} {self._name(path)} = {value}{forced}"

    def _values(self, old: _Side, new: _Side) -> str:
        start = _common_start(old.value, new.value)
        sides = [side for side in (old, new) if not side.absent]
        return " -> ".join(self._value(side, start) for side in sides)

    def _value(self, side: _Side, start: int = 0) -> str:
        if side.unknown is True:
            return UNKNOWN
        if isinstance(side.value, str):
            return shown_string(side.value, self.hide, start)
        return (
            self._compound(side)
            if isinstance(side.value, dict | list)
            else shown(side.value, self.hide)
        )

    def _compound(self, side: _Side) -> str:
        """An object or list that stands beside a value of another kind, in a few words.

        Its leaves may be sensitive, so only its size is told.
        """
        if not side.value:
            return "[]" if isinstance(side.value, list) else "{}"
        noun = "element" if isinstance(side.value, list) else "key"
        size = len(side.value)
        return f"({size} {noun}{'' if size == 1 else 's'})"

    def _multiline(self, path: _Path, old: _Side, new: _Side) -> Iterator[str]:
        texts = [_text(side) for side in (old, new)]
        if any(self.hide.hides(text) for text in texts):
            yield self._line(path, old, new, SENSITIVE)
        elif max(map(len, texts)) > LONGEST_TEXT:
            yield self._line(path, old, new, self._values(old, new))
        else:
            value = f"(text) -> {UNKNOWN}" if new.unknown is True else "(text)"
            yield self._line(path, old, new, value)
            yield from _line_diff(texts[0], texts[1])

    def _name(self, path: _Path) -> str:
        return path_text(path, self.hide) or "(whole object)"


def _steps(old: _Side, new: _Side) -> Iterator[tuple[PathStep, _Side, _Side]]:
    """What stands inside of both, side by side; of two lists only what is not equal."""
    if isinstance(old.value, list) and isinstance(new.value, list) and not any_mark(new.unknown):
        for i, j in aligned(old.value, new.value):
            one = _NOTHING if i is None else old.step(i)
            two = _NOTHING if j is None else new.step(j)
            yield (j if j is not None else i or 0), one, two
        return
    for key in _union(old.keys(), new.keys()):
        yield key, old.step(key), new.step(key)


def _union(old: Sequence[PathStep], new: Sequence[PathStep]) -> list[PathStep]:
    """All keys, in the order in which Terraform prints them: by name, or by index."""
    return sorted({*old, *new}, key=lambda key: (isinstance(key, str), key))


def _kind(side: _Side) -> type | None:
    if isinstance(side.unknown, dict) and not isinstance(side.value, list):
        return dict
    return None if side.unknown is True else type(side.value)


def _same(old: Json, new: Json) -> bool:
    """Equal as JSON: `true` is not `1`."""
    return type(old) is type(new) and bool(old == new)


def _sign(old: _Side, new: _Side) -> str:
    if old.absent:
        return "+"
    return "-" if new.absent else "~"


def _text(side: _Side) -> str:
    return side.value if isinstance(side.value, str) else ""


def _common_start(old: Json, new: Json) -> int:
    """How many characters two strings share at their start."""
    if not (isinstance(old, str) and isinstance(new, str)):
        return 0
    low, high = 0, min(len(old), len(new))
    while low < high:  # everything before `low` is shared, nothing at `high` needs to be
        middle = (low + high + 1) // 2
        low, high = (middle, high) if old[low:middle] == new[low:middle] else (low, middle - 1)
    return low


def _line_diff(old: str, new: str) -> Iterator[str]:
    """The changed lines of a text with two lines of context; long lines are cut."""
    a, b = printable(old).split("\n") if old else [], printable(new).split("\n") if new else []
    for line in islice(difflib.unified_diff(a, b, n=2, lineterm=""), 2, None):
        if line.startswith("@@"):
            if not _AT_THE_TOP.match(line):
                yield "      …"
        else:
            yield f"{line[:1]}     {single_line(line[1:], 240)}".rstrip()
