"""Where an expression ends, and whether it has the shape of one.

A walk over tokens that knows only two states, before and behind an operand, and the
brackets around. It accepts a little more than the language does (a `:` without its `?`),
never less than files that are in use have; whatever else it meets is a Doubt.
"""

from __future__ import annotations

from dataclasses import dataclass

from prbot.projects.syntax import READING, Doubt
from prbot.projects.tokens import Kind, Token

_BINARY = frozenset({"+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "&&", "||"})
_BINARY_OR_CHOICE = _BINARY | {"?", ":"}
_CLOSES = {
    ")": frozenset({"(", "call"}),
    "]": frozenset({"[", "[for", "index"}),
    "}": frozenset({"{", "{for", "${", "%{", "%{for"}),
}
_INSERTS = frozenset({"${", "%{", "%{for"})
_LISTED = frozenset({"[", "{", "call", "[for", "{for", "%{for"})
_FOR = frozenset({"[for", "{for", "%{for"})
_DIRECTIVE_ENDS = frozenset({"else", "endif", "endfor"})


@dataclass(frozen=True, slots=True)
class CallAt:
    """A call of a function that reads files: the tokens between its parentheses."""

    name: str
    start: int
    end: int


def expression(tokens: list[Token], at: int, calls: list[CallAt]) -> int:
    """The index behind the expression that begins at `at`; notes calls. Raises Doubt."""
    return _Walk(tokens, at, calls).run()


class _Walk:
    """`stack` holds the brackets around; `operand`: one stands before; `fresh`: a bracket
    may close although none does (it is empty, or the last sign was a comma)."""

    def __init__(self, tokens: list[Token], at: int, calls: list[CallAt]) -> None:
        self.tokens, self.at, self.calls = tokens, at, calls
        self.stack: list[str] = []
        self.open_calls: list[tuple[str, int]] = []
        self.operand = self.fresh = False

    def run(self) -> int:
        while not self._ended():
            kind, text, position = self.tokens[self.at]
            if kind is Kind.PUNCT:
                fine = self._behind(text) if self.operand else self._before(text)
            elif kind is Kind.NAME:
                fine = self._name(text)
            elif kind is Kind.NEWLINE:
                fine = self._newline()
            else:
                fine = self._other(kind, text)
            if not fine:
                # Two arguments in a line: python-hcl2 reads them, Terraform does not.
                follows = self.operand and not self.stack and kind is Kind.NAME
                raise Doubt(position, text, certain=follows)
            self.at += 1
        return self.at

    def _ended(self) -> bool:
        if self.stack or not self.operand:
            return False
        kind, text, _ = self.tokens[self.at]
        return kind is Kind.NEWLINE or kind is Kind.END or (kind is Kind.PUNCT and text == "}")

    def _top(self) -> str:
        return self.stack[-1] if self.stack else ""

    def _now(self, operand: bool, fresh: bool = False) -> bool:
        self.operand, self.fresh = operand, fresh
        return True

    def _push(self, frame: str, fresh: bool = False) -> bool:
        self.stack.append(frame)
        return self._now(False, fresh)

    def _name(self, text: str) -> bool:
        top = self._top()
        if self.operand:
            wanted = text in ("in", "if") and (top in _FOR)
            return wanted and self._now(False)
        if text == "for" and self.fresh and top in ("[", "{", "%{") and self._is_for():
            self.stack[-1] = f"{top}for"
            return self._now(False)
        if top == "%{" and self.fresh and text == "if":
            return self._now(False)
        return self._now(True)

    def _is_for(self) -> bool:
        """Not a key of that name: `{ for = 1 }`."""
        following = self.tokens[self.at + 1]
        return following[0] is not Kind.PUNCT

    def _newline(self) -> bool:
        if not self.stack:
            return False
        if self._top() == "{":
            return (self.operand or self.fresh) and self._now(False, fresh=True)
        return True

    def _other(self, kind: Kind, text: str) -> bool:
        if kind is Kind.CHARS:
            return True
        if kind is Kind.INSERT:
            return self._push(text, fresh=text == "%{")
        if kind is Kind.CLOSE:
            self.stack.pop()
            return self._now(True)
        if kind is Kind.END or self.operand:
            return False
        return self._push('"') if kind is Kind.OPEN else self._now(True)

    def _before(self, sign: str) -> bool:
        if sign in "-!":
            return self._now(False)
        if sign in "([{":
            return self._push(sign, fresh=sign != "(")
        return self.fresh and self._top() not in _INSERTS and self._close(sign)

    def _behind(self, sign: str) -> bool:
        if sign in _BINARY_OR_CHOICE:
            return self._now(False)
        if sign in (".", "::"):
            return self._part(sign)
        if sign == "(":
            return self._call()
        if sign == "[":
            return self._index()
        if sign == ",":
            return self._top() in _LISTED and self._now(False, fresh=True)
        if sign == "=":
            return self._top() == "{" and self._now(False)
        if sign == "=>":
            return self._top() == "{for" and self._now(False)
        if sign == "...":
            return self._top() in ("call", "{for")
        return self._close(sign)

    def _part(self, sign: str) -> bool:
        self.at += 1
        kind, text, _ = self.tokens[self.at]
        if kind is Kind.NAME:
            return True
        return sign == "." and (kind is Kind.NUMBER or (kind is Kind.PUNCT and text == "*"))

    def _call(self) -> bool:
        kind, name, _ = self.tokens[self.at - 1]
        if kind is not Kind.NAME:
            return False
        self.open_calls.append((name, self.at + 1))
        return self._push("call", fresh=True)

    def _index(self) -> bool:
        following = [text for _, text, _ in self.tokens[self.at + 1 : self.at + 3]]
        if following == ["*", "]"]:
            self.at += 2
            return True
        return self._push("index")

    def _close(self, sign: str) -> bool:
        if not self.stack or self.stack[-1] not in _CLOSES.get(sign, ()):
            return False
        frame = self.stack.pop()
        if frame == "call":
            name, start = self.open_calls.pop()
            if name in READING:
                self.calls.append(CallAt(name, start, self.at))
        return self._now(frame not in _INSERTS)
