"""Addresses of resource instances, taken apart: `module.a["k"].aws_x.b[0]` as steps.

Why here: configuration is looked up by address without keys, and a `moved` block names
addresses. What is not a plain address in HCL, such as one that a forged plan makes up,
has no steps; then nothing is looked up and no block is offered.

Source: https://developer.hashicorp.com/terraform/cli/state/resource-addressing
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"[^\W\d][\w-]*"
# in a quoted key `$${` and `%%{` are Terraform's escapes; a single one would be a template
_LETTER = r"\$\$\{|%%\{|[$%](?!\{)|[^\"\\$%\x00-\x1f]"
_ESCAPE = r"\\[\"\\nrt]|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}"
_KEY = rf'\[(?:\d+|"(?:{_LETTER}|{_ESCAPE})*")\]'
_STEP = re.compile(rf"((?:module|(?:data\.)?{_NAME})\.{_NAME})({_KEY})?(?:\.|\Z)")


@dataclass(frozen=True)
class Step:
    """`name` is `module.a`, `aws_x.b` or `data.aws_x.b`; `key` is `["k"]`, `[0]` or empty."""

    name: str
    key: str = ""

    @property
    def module(self) -> str | None:
        """The called module's name; None for a resource."""
        return self.name[len("module.") :] if self.name.startswith("module.") else None

    def __str__(self) -> str:
        return self.name + self.key


def steps(address: str) -> tuple[Step, ...]:
    """Modules first, the resource last; empty for what is no instance's address."""
    found, at = [], 0
    while at < len(address):
        match = _STEP.match(address, at)
        if match is None:
            return ()
        found.append(Step(match[1], match[2] or ""))
        at = match.end()
    modules = [step.module is not None for step in found]
    whole = bool(found) and not address.endswith(".") and modules[-1] is False
    return tuple(found) if whole and all(modules[:-1]) else ()


def joined(path: tuple[Step, ...]) -> str:
    """The address again."""
    return ".".join(map(str, path))
