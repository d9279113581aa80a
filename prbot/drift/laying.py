"""Entries that come into lists, objects and blocks, or go: where in the file, in which style.

Every other byte stays as it is: nothing is aligned anew, and comments stay also where what they
spoke of goes. New lines stand in line with those above where they fit, else by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prbot.drift.written import entries, key_text, value
from prbot.plans.plan import Json
from prbot.projects.places import Attribute, Item, Listed, Mapped

_BLANKS = re.compile(r"[ \t]*")


@dataclass(frozen=True)
class Edit:
    """`text` in the place of what stands from `start` up to `end`."""

    start: int
    end: int
    text: str


Edits = Iterator[Edit]
Pairs = Sequence[tuple[str, Json]]


class Unwritable(Exception):
    """A live value that the code at `position` cannot be made to say, and what to do."""

    def __init__(self, position: int, why: str, by_hand: str) -> None:
        super().__init__(why)
        self.position, self.why, self.by_hand = position, why, by_hand


@dataclass(frozen=True)
class Layout:
    """Of one file's text."""

    text: str

    @property
    def end(self) -> str:
        """How its lines end."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def indent(self, position: int) -> str | None:
        """The blanks before a position; None where anything else stands before it in its line."""
        line = self.text[self._begin(position) : position]
        return line if not line.strip(" \t") else None

    def margin(self, position: int) -> str:
        """The blanks at the beginning of the line."""
        found = _BLANKS.match(self.text, self._begin(position))
        return found[0] if found else ""

    def _begin(self, position: int) -> int:
        return self.text.rfind("\n", 0, position) + 1

    def behind(self, last: Attribute | Item, pairs: Pairs, comma: str = "") -> Edit | None:
        """Lines `name = value` behind the line in which `last` stands alone; None where it does
        not."""
        indent = self.indent(last.start)
        if indent is None or last.line_end < 0:
            return None
        several = "\n" in self.text[last.start : last.value.end]
        width = 0 if several else last.sign - last.start - 1
        fits = all(len(name) <= width for name, _ in pairs)
        gap = "" if fits or several else self.end
        text = entries(pairs, indent, self.end, width if fits else 0, comma)
        return Edit(last.line_end, last.line_end, f"{gap}{self.end}{text}")

    # --- objects -----------------------------------------------------------------------------

    def changed(self, node: Mapped, gone: Sequence[Item], more: Pairs) -> Edits:
        """An object without some entries, and with others. Raises Unwritable."""
        kept = [item for item in node.items if item not in gone]
        pairs = [(key_text(key, self._quotes(node)), one) for key, one in more]
        taken = 0
        if not kept or self._flat(node):  # who comes takes the place of who goes
            taken = min(len(gone), len(pairs))
        for item, (key, one) in zip(gone, pairs, strict=False):
            if taken:
                yield Edit(item.start, item.end, f"{key}{self._sign(item)}{value(one, '', ' ')}")
        stay = [item for item in node.items if item in kept or item in gone[:taken]]
        yield from self.without(node, gone[taken:], stay)
        if pairs[taken:]:
            yield self._with(node, pairs[taken:], stay[-1] if stay else None)

    def _flat(self, node: Mapped | Listed) -> bool:
        """All of it stands in one line, as far as there are entries."""
        return "\n" not in self.text[node.start : node.items[-1].end] if node.items else False

    def _quotes(self, node: Mapped) -> bool:
        return bool(node.items) and all(self.text[item.start] == '"' for item in node.items)

    def _sign(self, item: Item) -> str:
        return ": " if self.text[item.sign] == ":" else " = "

    def _with(self, node: Mapped, pairs: Pairs, last: Item | None) -> Edit:
        if last is None:
            return self._first(node, pairs)
        comma = "," if last.comma >= 0 else ""
        sign = self._sign(last)
        lines = self.behind(last, pairs, comma) if "=" in sign else None
        if lines is not None:
            return lines
        words = ", ".join(f"{key}{sign}{value(one, '', ' ')}" for key, one in pairs)
        at = last.comma if comma else last.end
        return Edit(at, at, f" {words}," if comma else f", {words}")

    def _first(self, node: Mapped, pairs: Pairs) -> Edit:
        at, around = node.start + 1, self.margin(node.start)
        if self.text[at : node.end - 1].strip():
            raise Unwritable(node.start, "only a comment stands there", "write it by hand")
        text = entries(pairs, f"{around}  ", self.end)
        return Edit(at, node.end - 1, f"{self.end}{text}{self.end}{around}")

    # --- lists -------------------------------------------------------------------------------

    def longer(self, node: Listed, more: Sequence[tuple[Item | None, Json]]) -> Edits:
        """A list with further values, each behind the entry that it follows (None: first).
        Raises Unwritable."""
        if more and not node.items:
            if self.text[node.start + 1 : node.end - 1].strip():
                raise Unwritable(node.start, "only a comment stands there", "write it by hand")
            around = self.margin(node.start)
            yield Edit(node.start, node.end, value([one for _, one in more], around, self.end))
            return
        anchors = list(dict.fromkeys(anchor for anchor, _ in more))
        for anchor in anchors:
            values = [one for before, one in more if before == anchor]
            yield from self._after(node, anchor, values)

    def _after(self, node: Listed, anchor: Item | None, values: Sequence[Json]) -> Edits:
        beside = node.items[0] if anchor is None else anchor
        indent = self.indent(beside.start)
        if indent is None or (anchor is not None and anchor.line_end < 0):
            words = ", ".join(value(one, "", " ") for one in values)
            if anchor is None:
                yield Edit(beside.start, beside.start, f"{words}, ")
            elif anchor.comma >= 0:
                yield Edit(anchor.comma, anchor.comma, f" {words},")
            else:
                yield Edit(anchor.end, anchor.end, f", {words}")
            return
        texts = [value(one, indent, self.end) for one in values]
        if anchor is None:
            lines = "".join(f"{text},{self.end}{indent}" for text in texts)
            yield Edit(beside.start, beside.start, lines)
            return
        if anchor.comma < 0:
            yield Edit(anchor.end, anchor.end, ",")
        comma = "," if anchor.comma >= 0 else ""
        lines = ",".join(f"{self.end}{indent}{text}" for text in texts)
        yield Edit(anchor.line_end, anchor.line_end, lines + comma)

    # --- what goes ---------------------------------------------------------------------------

    def without(self, node: Mapped | Listed, gone: Sequence[Item], kept: Sequence[Item]) -> Edits:
        """Entries less; the line as well where nothing else stands in it."""
        gone = sorted(gone, key=lambda item: item.start)
        rest = [item for item in gone if not self._heads_its_line(item)]
        yield from (self._line(item) for item in gone if item not in rest)
        last = max(kept, key=lambda item: item.start, default=None)
        tail = [item for item in rest if last is None or item.start > last.start]
        for item in rest:
            if item not in tail:
                blanks = _BLANKS.match(self.text, item.comma)
                yield Edit(item.start, blanks.end() if blanks else item.comma, "")
        if tail:
            yield self._tail(last, tail[0], tail[-1])

    def _heads_its_line(self, item: Item) -> bool:
        """It stands there with at most a comment behind it."""
        return item.line_end >= 0 and self.indent(item.start) is not None

    def _line(self, item: Item) -> Edit:
        behind = max(item.comma, item.end)
        if self.text[behind : item.line_end].strip():
            return Edit(item.start, behind, "")
        before = self._begin(item.start) - 1
        start = before - (before > 0 and self.text[before - 1] == "\r")
        return Edit(max(start, 0), item.line_end, "")

    def _tail(self, last: Item | None, first: Item, final: Item) -> Edit:
        """The end of a line, behind the last that stays."""
        if last is not None and final.comma < 0:
            return Edit(last.end, final.end, "")
        start = first.start if last is None else last.comma
        return Edit(start, max(final.comma, final.end), "")
