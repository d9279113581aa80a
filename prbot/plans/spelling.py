"""One spelling for arguments of the tool, so that the same ones are the same words.

Go's `flag` package takes one dash or two, and a value after `=` or as the next word
(https://pkg.go.dev/flag#hdr-Command_line_flag_syntax); a file's path has any number of
spellings. The order stays: of two values the tool takes the later one.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

SWITCHES = frozenset({"refresh", "compact-warnings", "destroy", "refresh-only", "dry-run"})
"""Options whose value, if any, only ever follows a `=`."""


def one_spelling(arguments: Sequence[str]) -> tuple[str, ...]:
    """`--var-file ./a.tfvars` and `-var-file=a.tfvars` are both `-var-file=a.tfvars`."""
    return tuple(_spelt(iter(arguments)))


def _spelt(words: Iterator[str]) -> Iterator[str]:
    for word in words:
        if word == "--":  # what follows are no options
            yield word
            yield from words
        elif not word.startswith("-") or word == "-":
            yield word
        else:
            yield _option(word.removeprefix("-").removeprefix("-"), words)


def _option(option: str, words: Iterator[str]) -> str:
    name, equals, value = option.partition("=")
    if not equals and name not in SWITCHES:
        value = next(words, "")
    elif not equals:
        value = "true"
    if name == "var-file":
        value = posixpath.normpath(value)
    return f"-{name}={value}"
