"""The deciding reader: python-hcl2's grammar, asked where our scanner is in doubt.

Slow (some 20 ms for a page of code, and a second to get ready), so it is loaded when it is
first asked. Its tree is read without evaluating anything. Not promised: calls within
heredocs, which its grammar leaves whole, are found by our scanner or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prbot.projects.scan import scan, unescaped
from prbot.projects.syntax import READING, Block, Call, Doubt, Other, Parsed, Template, Value

_NAMES = frozenset({"identifier", "keyword", "literal_value"})


class Unreadable(Exception):
    """The file is no configuration."""


def read(text: str) -> Parsed:
    """Read a whole file. Raises Unreadable."""
    from hcl2 import api
    from lark.exceptions import LarkError

    try:
        tree = api.parses_to_tree(text)
        body = Block()
        _body(tree.children[0], body, text)
        return Parsed(body, tuple(_calls(tree, text)))
    except (LarkError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from None


def _body(tree: Any, block: Block, text: str) -> None:
    for child in _trees(tree):
        if child.data == "attribute":
            block.attributes[_name(child.children[0])] = _value(child.children[-1], text)
        elif child.data == "block":
            block.blocks.append(_block(child, text))


def _block(tree: Any, text: str) -> Block:
    heads = [child for child in _trees(tree) if child.data in _NAMES or child.data == "string"]
    first = next(_leaves(tree))
    block = Block(_name(heads[0]), tuple(map(_name, heads[1:])), first.line)
    _body(next(child for child in _trees(tree) if child.data == "body"), block, text)
    return block


def _trees(tree: Any) -> list[Any]:
    return [child for child in tree.children if hasattr(child, "children")]


def _leaves(tree: Any) -> Iterator[Any]:
    for child in tree.children:
        if hasattr(child, "children"):
            yield from _leaves(child)
        else:
            yield child


def _name(tree: Any) -> str:
    if tree.data == "string":
        return _text(tree).text
    return str(tree.children[0])


def _source(tree: Any, text: str) -> str:
    leaves = list(_leaves(tree))
    return text[leaves[0].start_pos : leaves[-1].end_pos] if leaves else ""


def _value(tree: Any, text: str) -> Value:
    if tree.data != "expr_term":
        return Other(_source(tree, text))
    inner = list(_values(tree))
    if len(inner) != 1:
        return Other(_source(tree, text))
    kind = inner[0].data
    if kind == "expr_term":
        return _value(inner[0], text)
    if kind == "string":
        return _text(inner[0])
    if kind == "tuple":
        return tuple(_value(each, text) for each in _values(inner[0]))
    if kind == "object":
        return dict(_elements(inner[0], text))
    if kind.startswith("heredoc"):
        return _heredoc(str(next(_leaves(inner[0]))))
    return Other(_source(tree, text))


def _values(tree: Any) -> Iterator[Any]:
    return (child for child in _trees(tree) if child.data != "new_line_or_comment")


def _elements(tree: Any, text: str) -> Iterator[tuple[str, Value]]:
    for element in _trees(tree):
        if element.data != "object_elem":
            continue
        key = element.children[0].children[0]
        while key.data == "expr_term" and len(key.children) == 1:
            key = key.children[0]
        if key.data in _NAMES or key.data == "string":
            yield _name(key), _value(element.children[-1], text)


def _text(tree: Any) -> Template:
    raw = "".join(str(leaf) for leaf in list(_leaves(tree))[1:-1])
    parts = [part for child in _trees(tree) for part in _trees(child)]
    return Template(raw, literal=False) if parts else Template(unescaped(raw))


def _heredoc(source: str) -> Value:
    return scan(f"terraform {{\nx = {source}\n}}").body.blocks[0].attributes["x"]


def _calls(tree: Any, text: str) -> Iterator[Call]:
    for found in tree.iter_subtrees_topdown():
        if found.data == "function_call":
            name = _name(found.children[0])
            listed = [child for child in _trees(found) if child.data == "arguments"]
            values = [each for child in listed for each in _values(child)]
            if name in READING:
                yield Call(name, tuple(_value(each, text) for each in values))
        elif found.data.startswith("heredoc"):
            yield from _within_heredoc(str(next(_leaves(found))))


def _within_heredoc(source: str) -> tuple[Call, ...]:
    try:
        return scan(f"x = {source}\n").calls
    except Doubt:
        return ()
