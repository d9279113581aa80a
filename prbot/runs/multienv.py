"""What a `multienv` command prints: `A=1,B="two, and more",C='three'`.

As Atlantis reads it (its documentation, and parseMultienvLine in its source): in double
quotes `\\"` is a quote and `\\\\` a backslash, in single quotes all is meant literally. What
Atlantis would pass over in silence is an error here: words behind a closing quote, and a line
break outside quotes, by which several lines would become one value.

No error repeats what was printed: it may be a secret.
"""

from __future__ import annotations

import re

from prbot.errors.workflows import BadMultiEnv

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = {
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
    "'": re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL),
}
_PLAIN = re.compile(r'(?:[^,"\n\r\\]|\\.)*')


def variables(printed: str) -> dict[str, str]:
    """Names and values, in their order; of one name twice, the last. Raises BadMultiEnv."""
    text = printed.strip()
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        name, position = _name(text, position, len(found) + 1)
        found[name], position = _value(text, position, name)
        if position < len(text):
            if text[position] != ",":
                raise BadMultiEnv(f"the value of {name} does not end where a comma follows")
            position += 1
            if position == len(text):
                raise BadMultiEnv("nothing follows the last comma")
    return found


def _name(text: str, position: int, number: int) -> tuple[str, int]:
    match = _NAME.match(text, position)
    if match is None or text[match.end() : match.end() + 1] != "=":
        raise BadMultiEnv(f"entry {number} does not begin with a name and `=`")
    return match[0], match.end() + 1


def _value(text: str, position: int, name: str) -> tuple[str, int]:
    quote = text[position : position + 1]
    if quote in _QUOTED and quote:
        match = _QUOTED[quote].match(text, position)
        if match is None:
            raise BadMultiEnv(f"the quote of {name} is not closed")
        return (match[1] if quote == "'" else _unescaped(match[1])), match.end()
    plain = _PLAIN.match(text, position)
    return (_unescaped(plain[0]), plain.end()) if plain else ("", position)


def _unescaped(value: str) -> str:
    """Only where a quote is escaped; else `\\n` and Windows paths stay as they are."""
    if '\\"' not in value:
        return value
    return value.replace("\\\\", "\\").replace('\\"', '"')
