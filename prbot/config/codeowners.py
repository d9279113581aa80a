"""CODEOWNERS as GitHub reads it: who owns which file.

Source: https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners.
The last pattern that matches a path counts alone. Patterns are those of `.gitignore`, except
that `!`, `[ ]` and an escaped `#` have no meaning: such a line is passed over, as is one with
an owner that is none. A pattern without owners takes its files out again. Case counts.

Not promised: that an owner named by an e-mail address can be told; no account is known by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import re2

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in this order; the first that exists is the one."""
MAX_BYTES = 3 * 1024 * 1024
"""A larger one GitHub does not load."""

_WORD = re.compile(r"(?:\\.|\S)+")
_OWNER = re.compile(r"@[\w.-]+(?:/[\w.-]+)*|[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Rule:
    """One line that counts. `owners` as written: `@user`, `@org/team` or an address."""

    pattern: str
    owners: tuple[str, ...]

    @cached_property
    def _compiled(self) -> re2._Regexp | None:
        options = re2.Options()
        options.log_errors = False
        try:
            return re2.compile(_expression(self.pattern), options)
        except re2.error:
            return None

    def matches(self, path: str) -> bool:
        text = path.encode("utf-8", "replace").decode()
        return self._compiled is not None and self._compiled.fullmatch(text) is not None


@dataclass(frozen=True)
class CodeOwners:
    """`rules` in the order of the file."""

    rules: tuple[Rule, ...] = ()

    def of(self, path: str) -> tuple[str, ...]:
        """The owners of a file; none of one that nobody owns."""
        found = (rule for rule in reversed(self.rules) if rule.matches(path))
        rule = next(found, None)
        return rule.owners if rule else ()


def code_owners(text: str) -> CodeOwners:
    """Read the file; never raises, as GitHub never does."""
    found = (_rule(line) for line in text.splitlines())
    return CodeOwners(tuple(rule for rule in found if rule is not None))


def _rule(line: str) -> Rule | None:
    words = []
    for word in _WORD.findall(line):
        if word.startswith("#"):
            break
        words.append(word)
    if not words:
        return None
    pattern, owners = words[0], tuple(words[1:])
    odd = pattern.startswith(("!", "\\#")) or "[" in pattern or "***" in pattern
    if odd or not pattern.strip("/") or not all(map(_OWNER.fullmatch, owners)):
        return None
    return Rule(pattern, owners)


def _expression(pattern: str) -> str:
    """RE2's, of whole paths. What matches a directory matches all that is in it; but a lone
    `*` at the end only its files."""
    inside = pattern.endswith("/")
    parts = pattern.strip("/").split("/")
    anchored = pattern.startswith("/") or len(parts) > 1
    out = "" if anchored else "(?:.*/)?"
    for part in parts[:-1]:
        out += "(?:.*/)?" if part == "**" else _part(part) + "/"
    last = parts[-1]
    if inside:
        return f"(?s){out}{_part(last)}/.+"
    if last == "**":
        return f"(?s){out}.+"
    return f"(?s){out}{_part(last)}" + ("" if last == "*" and anchored else "(?:/.*)?")


def _part(part: str) -> str:
    if part == "*":
        return "[^/]+"
    pieces = re.findall(r"\\.|.", part, re.DOTALL)
    signs = {"*": "[^/]*", "**": "[^/]*", "?": "[^/]"}
    return "".join(signs.get(piece) or re2.escape(piece.removeprefix("\\")) for piece in pieces)
