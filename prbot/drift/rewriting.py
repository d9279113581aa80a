"""Where a literal must change so that code which makes one value makes another.

The difference between the value that is wanted (what the code makes, by the plan) and the live
one leads through the expression to the literals that account for it. What is equal on both sides
is not looked at, whatever it is computed from; what differs and is no literal is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prbot.drift.laying import Edit, Edits, Layout, Unwritable
from prbot.drift.matching import aligned, alike, in_order, paired
from prbot.drift.secretlike import secret_like
from prbot.drift.written import bare, entries, heredoc, quoted, scalar, value
from prbot.plans.plan import Json
from prbot.plans.text import single_line
from prbot.plans.threeway import same
from prbot.projects.places import Computed, Form, Item, Listed, Literal, Mapped, Node, Place

BY_HAND = "write it by hand"
LONGEST = 16_384
"""Characters of one text that are still written into code."""


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits, which must not overlap."""
    parts, at = [], 0
    for edit in sorted(edits, key=lambda one: (one.start, one.end)):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


@dataclass(frozen=True)
class Rewriting:
    """Of one file's text."""

    text: str

    @property
    def layout(self) -> Layout:
        return Layout(self.text)

    # --- blocks ------------------------------------------------------------------------------

    def block(self, place: Place, wanted: Mapping[str, Json], live: Mapping[str, Json]) -> Edits:
        """Edits that turn a block's values into the live ones, by the names in `live`. Raises
        Unwritable."""
        missing: list[tuple[str, Json]] = []
        for name in sorted(live):
            if same(wanted.get(name), live[name]):
                continue
            if (found := place.attributes.get(name)) is not None:
                yield from self.node(found.value, name, wanted.get(name), live[name])
            elif any(block.type == name for block in _all(place)):
                yield from self._nested(place, name, wanted.get(name), live[name])
            else:
                missing.append((name, self._fit(place, name, wanted.get(name), live[name])))
        if missing:
            yield self._more_attributes(place, missing)

    def _fit(self, place: Place, name: str, wanted: Json, live: Json) -> Json:
        """An attribute that the code does not have, if it may get it."""
        if not same(wanted, None):
            raise Unwritable(
                place.start,
                f"nothing here gives `{name}` its value",
                "find out what it follows from, such as a default of the provider",
            )
        if isinstance(live, list) and any(isinstance(each, dict) for each in live):
            raise Unwritable(
                place.start, f"`{name}` would be a new block", "write the block by hand"
            )
        self._allowed(place.start, name, live)
        return live

    def _nested(self, place: Place, name: str, wanted: Json, live: Json) -> Edits:
        blocks = list(place.of(name))
        if any(block.type == "dynamic" for block in place.blocks if name in block.labels):
            where = next(b for b in place.of("dynamic") if name in b.labels)
            raise Unwritable(
                where.start,
                f"a `dynamic` block makes `{name}`",
                "change what it iterates over by hand",
            )
        before, after = _listed(wanted), _listed(live)
        ordered = aligned(blocks, before)
        if ordered is None:
            raise Unwritable(
                blocks[0].start,
                f"which of the blocks `{name}` is meant cannot be told",
                "change the block by hand",
            )
        for old, new in paired(before, after):
            if old is None or new is None:
                raise Unwritable(
                    blocks[0].start,
                    f"a block `{name}` would come or go",
                    "add or remove the block by hand",
                )
            yield from self.block(ordered[old], before[old], after[new])

    def _more_attributes(self, place: Place, missing: Sequence[tuple[str, Json]]) -> Edit:
        """Behind the last attribute that stands before the nested blocks."""
        first_block = min((block.start for block in place.blocks), default=place.end)
        above = [one for one in place.attributes.values() if one.start < first_block]
        last = max(above, key=lambda one: one.start, default=None)
        lines = self.layout.behind(last, missing) if last else self._at_the_top(place, missing)
        if lines is None:
            raise Unwritable(place.start, "the block stands in one line", BY_HAND)
        return lines

    def _at_the_top(self, place: Place, missing: Sequence[tuple[str, Json]]) -> Edit | None:
        end, around = self.layout.end, self.layout.margin(place.start)
        rest = self.text[place.opened : place.end - 1]
        text = entries(missing, f"{around}  ", end)
        if not rest.strip():
            return Edit(place.opened, place.end - 1, f"{end}{text}{end}{around}")
        gap = end if place.blocks else ""
        broken = rest.lstrip(" \t").startswith(("\n", "\r\n"))
        return Edit(place.opened, place.opened, f"{end}{text}{gap}") if broken else None

    # --- values ------------------------------------------------------------------------------

    def node(self, node: Node, name: str, wanted: Json, live: Json) -> Edits:
        """Edits of one expression. Raises Unwritable."""
        if same(wanted, live):
            return
        match node:
            case Literal():
                yield self._literal(node, name, wanted, live)
            case Mapped():
                yield from self._mapped(node, name, wanted, live)
            case Listed():
                yield from self._listed(node, name, wanted, live)
            case Computed():
                raise self._computed(node, name)

    def _computed(self, node: Node, name: str) -> Unwritable:
        source = single_line(self.text[node.start : node.end], 60)
        way = "change it where that gets its value, or write the value here by hand"
        return Unwritable(node.start, f"the value of `{name}` comes from `{source}`", way)

    def _literal(self, node: Literal, name: str, wanted: Json, live: Json) -> Edit:
        if not alike(node.value, wanted):
            raise self._other(node.start, name)
        if isinstance(live, (dict, list)) and node.value is not None:
            raise self._other(node.start, name)
        self._allowed(node.start, name, live)
        return Edit(node.start, node.end, self._in_style(node, wanted, live))

    def _in_style(self, node: Literal, wanted: Json, live: Json) -> str:
        """A number that stood there in quotes, or a text without them, is written so again."""
        if isinstance(live, (dict, list)):
            return value(live, self.layout.margin(node.start), self.layout.end)
        kinds = [type(one) for one in (wanted, live)]
        if node.form is Form.HEREDOC and isinstance(live, str):
            return heredoc(live, self.text[node.start : node.end]) or quoted(live)
        if isinstance(node.value, str) and live is not None and {str, type(None)}.isdisjoint(kinds):
            return f'"{scalar(live)}"'
        if node.form in (Form.NUMBER, Form.WORD) and kinds == [str, str]:
            return bare(live) or quoted(live)
        return scalar(live)

    def _allowed(self, position: int, name: str, live: Json) -> None:
        why = secret_like(name, live)
        if why is not None:
            way = "keep it out of the code: refer to where the secret is kept"
            raise Unwritable(position, f"`{name}` may be a secret: {why}", way)
        if any(len(text) > LONGEST for text in _texts(live)):
            raise Unwritable(position, f"`{name}` is too long", BY_HAND)

    def _other(self, position: int, name: str) -> Unwritable:
        return Unwritable(
            position,
            f"`{name}` does not say here what the plan makes of it",
            "see which code decides on it, and change it by hand",
        )

    # --- objects and lists -------------------------------------------------------------------

    def _mapped(self, node: Mapped, name: str, wanted: Json, live: Json) -> Edits:
        before, after = ({} if same(one, None) else one for one in (wanted, live))
        known = {item.key: item for item in node.items}
        if not isinstance(before, dict) or not isinstance(after, dict):
            raise self._other(node.start, name)
        if None in known or len(known) != len(node.items):
            raise Unwritable(node.start, f"a key of `{name}` is computed", BY_HAND)
        gone: list[Item] = []
        more: list[tuple[str, Json]] = []
        for key in sorted({*before, *after}):
            item, old, new = known.get(key), before.get(key), after.get(key)
            if same(old, new) and (key in before) == (key in after):
                continue
            if item is not None and key in after:
                yield from self.node(item.value, key, old, new)
            elif item is not None:
                gone.append(self._removable(item, key, old))
            elif old is not None:
                raise self._other(node.start, name)
            elif new is not None:
                self._allowed(node.start, key, new)
                more.append((key, new))
        yield from self.layout.changed(node, gone, more)

    def _listed(self, node: Listed, name: str, wanted: Json, live: Json) -> Edits:
        before, after = ([] if same(one, None) else one for one in (wanted, live))
        if not isinstance(before, list) or not isinstance(after, list):
            raise self._other(node.start, name)
        ordered = in_order(node.items, before)
        if ordered is None:
            raise self._other(node.start, name)
        gone: list[Item] = []
        more: list[tuple[Item | None, Json]] = []
        anchor: Item | None = None
        for old, new in paired(before, after):
            if old is None and new is not None:
                self._allowed(node.start, name, after[new])
                more.append((anchor, after[new]))
            elif old is not None and new is None:
                gone.append(self._removable(ordered[old], name, before[old]))
            elif old is not None and new is not None:
                anchor = ordered[old]
                yield from self.node(anchor.value, name, before[old], after[new])
        kept = [item for item in node.items if item not in gone]
        yield from self.layout.without(node, gone, kept)
        yield from self.layout.longer(node, more)

    def _removable(self, item: Item, name: str, wanted: Json) -> Item:
        if isinstance(item.value, Computed):
            raise self._computed(item.value, name)
        if isinstance(item.value, Literal) and not alike(item.value.value, wanted):
            raise self._other(item.start, name)
        return item


def _all(place: Place) -> Iterator[Place]:
    """Its blocks, and those that a `dynamic` block would make."""
    for block in place.blocks:
        yield block
        if block.type == "dynamic" and block.labels:
            yield Place(block.labels[0], (), block.start, block.opened)


def _listed(one: Json) -> list[Json]:
    if same(one, None):
        return []
    found = one if isinstance(one, list) else [one]
    return [each if isinstance(each, dict) else {} for each in found]


def _texts(one: Json) -> Iterator[str]:
    if isinstance(one, str):
        yield one
    elif isinstance(one, dict):
        for inner in one.values():
            yield from _texts(inner)
    elif isinstance(one, list):
        for inner in one:
            yield from _texts(inner)
