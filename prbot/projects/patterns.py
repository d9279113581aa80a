"""Patterns in Atlantis's meaning: those of a .dockerignore file.

`when_modified` is matched as Docker matches (moby/patternmatcher): `*` and `?` stay within
one part of a path, `**` crosses parts, a pattern that matches a directory matches all that
is in it, `!` takes back, the last word counts. Matching is a walk over states, not a
backtracking expression: patterns come from people who may not mean well.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_ANY, _STAR, _DEEP, _PARTS = "any", "star", "deep", "parts"


@dataclass(frozen=True)
class _Set:
    """`[a-z]`, or with `^` or `!` all but these."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool

    def has(self, sign: str) -> bool:
        return sign != "/" and self.negated != any(a <= sign <= b for a, b in self.ranges)


_Step = str | _Set
"""A character to be met, one of the words above, or a set."""


def matches(directory: str, patterns: Sequence[str], path: str) -> bool:
    """Whether `path` (of the repository) matches the patterns, which are relative to
    `directory`. A pattern that leads out of the repository matches nothing."""
    matched = False
    for written in patterns:
        pattern = written.strip()
        takes_back = pattern.startswith("!")
        if takes_back != matched or not pattern.lstrip("!"):
            continue
        whole = posixpath.normpath(f"{directory}/{pattern[takes_back:].lstrip('/')}")
        if _matches_or_parent(whole, path):
            matched = not takes_back
    return matched


def _matches_or_parent(pattern: str, path: str) -> bool:
    literal, steps = _steps(pattern)
    if not (path.startswith(literal) or literal.startswith(path)):
        return False
    parts = path.split("/")
    return any(_match(steps, "/".join(parts[: n + 1])) for n in reversed(range(len(parts))))


@lru_cache(maxsize=4096)
def _steps(pattern: str) -> tuple[str, tuple[_Step, ...]]:
    """The pattern's literal beginning, and its steps."""
    steps: list[_Step] = []
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        at += 1
        if sign == "*" and pattern[at : at + 1] == "*":
            while pattern[at : at + 1] == "*":
                at += 1
            if pattern[at : at + 1] == "/":
                steps.append(_PARTS)
                at += 1
            else:
                steps.append(_DEEP)
        elif sign == "*":
            steps.append(_STAR)
        elif sign == "?":
            steps.append(_ANY)
        elif sign == "[" and "]" in pattern[at + 1 :]:
            end = pattern.index("]", at + 1)
            steps.append(_set(pattern[at:end]))
            at = end + 1
        elif sign == "\\" and at < len(pattern):
            steps.append(pattern[at])
            at += 1
        else:
            steps.append(sign)
    count = next((n for n, s in enumerate(steps) if not _literal(s)), len(steps))
    return "".join(map(str, steps[:count])), tuple(steps)


def _literal(step: _Step) -> bool:
    return isinstance(step, str) and len(step) == 1


def _set(body: str) -> _Set:
    negated = body[0] in "^!"
    body = body[negated:]
    ranges, at = [], 0
    while at < len(body):
        if body[at + 1 : at + 2] == "-" and at + 2 < len(body):
            ranges.append((body[at], body[at + 2]))
            at += 3
        else:
            ranges.append((body[at], body[at]))
            at += 1
    return _Set(tuple(ranges), negated)


def _match(steps: tuple[_Step, ...], path: str) -> bool:
    states = _reached(steps, {0})
    for sign in path:
        states = _reached(steps, {n for s in states for n in _next(steps, s, sign)})
        if not states:
            return False
    return len(steps) in states


def _reached(steps: tuple[_Step, ...], states: set[int]) -> set[int]:
    """These states, and those behind steps that may be empty."""
    found, todo = set(states), list(states)
    while todo:
        state = todo.pop()
        if state < len(steps) and steps[state] in (_STAR, _DEEP, _PARTS) and state + 1 not in found:
            found.add(state + 1)
            todo.append(state + 1)
    return found


def _next(steps: tuple[_Step, ...], state: int, sign: str) -> tuple[int, ...]:
    if state == len(steps):
        return ()
    step = steps[state]
    if isinstance(step, _Set):
        return (state + 1,) if step.has(sign) else ()
    if step == _STAR:
        return () if sign == "/" else (state,)
    if step == _DEEP:
        return (state,)
    if step == _ANY:
        return () if sign == "/" else (state + 1,)
    if step == _PARTS:
        return (state,)
    return (state + 1,) if step == sign else ()
