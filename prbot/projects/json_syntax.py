"""Configuration in JSON (`.tf.json`) to the same shape as HCL.

After Terraform's documentation, JSON Configuration Syntax: a block with labels is one
object within another, several of one kind may stand in a list, and every text is a
template. Lines are not known: `line` is that of the file's first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from prbot.projects.scan import scan, unescaped
from prbot.projects.syntax import Block, Call, Doubt, Other, Parsed, Template, Value
from prbot.projects.tokens import MAX_DEPTH

_LABELS = {"provider": 1, "module": 1, "variable": 1, "output": 1, "resource": 2, "data": 2}
_BLOCKS = frozenset({*_LABELS, "terraform", "locals", "moved", "import", "removed", "check"})
_INNER = {"backend": 1, "cloud": 0, "workspaces": 0, "required_providers": 0}
_READS = re.compile(r"\$\{.*\bfile")


def read_json(text: str) -> Parsed:
    """Read a whole file. Raises Doubt, certain: nobody else reads JSON."""
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()  # half a character is none
    except json.JSONDecodeError as error:
        near = text[error.pos : error.pos + 1].strip() or "the end of the file"
        raise Doubt(error.pos, near, certain=True) from None
    except (RecursionError, ValueError):
        raise Doubt(0, "its structure", certain=True) from None
    if not isinstance(value, dict):
        raise Doubt(0, "something that is no object", certain=True)
    reader = _Reader()
    body = Block()
    for name in value.keys() & _BLOCKS:
        body.blocks += reader.blocks(name, value[name], _LABELS.get(name, 0), ())
    reader.look(value, 0)
    return Parsed(body, tuple(reader.calls))


@dataclass
class _Reader:
    calls: list[Call] = field(default_factory=list)

    def blocks(self, name: str, value: object, labels: int, so_far: tuple[str, ...]) -> list[Block]:
        if isinstance(value, list):
            return [block for each in value for block in self.blocks(name, each, labels, so_far)]
        if not isinstance(value, dict):
            return []
        if labels:
            inner = ((name, each, labels - 1, (*so_far, key)) for key, each in value.items())
            return [block for arguments in inner for block in self.blocks(*arguments)]
        return [self._block(name, so_far, value)]

    def _block(self, name: str, labels: tuple[str, ...], value: dict[str, object]) -> Block:
        block = Block(name, labels)
        for key, each in value.items():
            if key in _INNER and name in ("terraform", "cloud"):
                block.blocks += self.blocks(key, each, _INNER[key], ())
            elif key != "//":
                block.attributes[key] = _value(each)
        return block

    def look(self, value: object, depth: int) -> None:
        """Collect the calls in every text."""
        if depth > MAX_DEPTH:
            raise Doubt(0, "its structure", certain=True)
        if isinstance(value, str):
            self.calls += _calls(value)
        elif isinstance(value, (list, dict)):
            for each in value.values() if isinstance(value, dict) else value:
                self.look(each, depth + 1)


def _value(value: object) -> Value:
    if isinstance(value, str):
        return _template(value)
    if isinstance(value, list):
        return tuple(_value(each) for each in value)
    if isinstance(value, dict):
        return {key: _value(each) for key, each in value.items()}
    return Other(json.dumps(value))


def _template(text: str) -> Template:
    bare = text.replace("$${", "").replace("%%{", "")
    if "${" in bare or "%{" in bare:
        return Template(text, literal=False)
    return Template(unescaped(text.replace("\\", "\\\\")))


def _calls(text: str) -> Iterator[Call]:
    if not _READS.search(text):
        return
    try:
        yield from scan(f"x = <<JSON\n{text}\nJSON\n").calls
    except Doubt:
        return
