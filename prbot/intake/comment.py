"""A comment, read by the grammar: what was asked, in whatever spelling.

The rules: a command is the only line of its comment; a first word that calls prbot
makes it ours, and then anything wrong gets one hint; bare `plan` and `apply` are ours
only when they are right, because people talk of plans. Nothing that was not typed
becomes an option. Not promised: that a directory exists, that the author may ask, or
that this version carries it out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field

from prbot.errors.commands import (
    BadCommand,
    BehindTheDashes,
    GivenTwice,
    MisspeltOption,
    MoreThanOneLine,
    NotTogether,
    UnexpectedWord,
    UnknownOption,
    UnknownVerb,
    ValueNotWanted,
)
from prbot.intake import values
from prbot.intake.commanded import Conversation
from prbot.intake.grammar import FIRST_WORDS, LONG, NAME, SHORT, VERBS, Flag, Typed, Verb
from prbot.intake.line import echo, first_line, head, lowered, split
from prbot.intake.objects import objects
from prbot.model import Login, Selector

_BARE_VERBS = ("plan", "apply")
_HELP = ("-h", "--help", "-help")
_HINTS = (MoreThanOneLine, UnknownVerb)


@dataclass(frozen=True)
class Wrong:
    """Meant for prbot, and no command. `hint`: it may have been meant otherwise, too."""

    message: str
    hint: bool


Reading = Typed | Wrong | Conversation


def read(body: str, bot: Login, aliases: tuple[str, ...] = (), bare: bool = True) -> Reading:
    """Read a comment. `bot` is prbot's own login, `aliases` are further first words.

    Never raises: what was meant for prbot and is wrong becomes Wrong, with the one reply
    it gets; everything else that is no command becomes Conversation.
    """
    line, more = first_line(body)
    first, rest = head(line)
    word = lowered(first)
    if word in _first_words(bot, aliases):
        return _prefixed(rest, more)
    if bare and not more and word in _BARE_VERBS:
        return _unprefixed(word, rest)
    return Conversation()


def _first_words(bot: Login, aliases: tuple[str, ...]) -> set[str]:
    # people mention an App without the [bot] that stands in its login
    mentions = (f"@{bot}", f"@{bot.removesuffix('[bot]')}")
    return {lowered(word) for word in (NAME, f"/{NAME}", *mentions, *aliases)}


def _prefixed(rest: str, more: bool) -> Reading:
    typed, options = head(rest)
    word = lowered(typed)
    if not word:
        return Conversation() if more else Typed("help")
    try:
        if word in _HELP:
            word = "help"
        if word not in FIRST_WORDS:
            return _near_miss(word)
        if more:
            raise MoreThanOneLine
        return _command(FIRST_WORDS[word], options)
    except BadCommand as error:
        return Wrong(error.reply, isinstance(error, _HINTS))


def _unprefixed(verb: str, options: str) -> Reading:
    """Without a prefix only a flawless command counts."""
    try:
        return _command(verb, options)
    except BadCommand:
        return Conversation()


def _near_miss(word: str) -> Conversation:
    """Raise when the word was probably meant to be a verb; else people are just talking."""
    near = difflib.get_close_matches(word[:40], FIRST_WORDS, n=1, cutoff=0.75)
    if not near or abs(len(near[0]) - len(word)) > 1:
        return Conversation()
    raise UnknownVerb(echo(word), FIRST_WORDS[near[0]])


# --- the words after the verb ------------------------------------------------------------


@dataclass
class _Sorted:
    """What stood after the verb, by kind."""

    dirs: list[str] = field(default_factory=list)
    workspaces: list[str] = field(default_factory=list)
    projects: list[str] = field(default_factory=list)
    flags: dict[str, Flag] = field(default_factory=dict)
    plain: list[str] = field(default_factory=list)
    extra: tuple[str, ...] = ()

    @property
    def select(self) -> Selector:
        return Selector(tuple(self.dirs), tuple(self.workspaces), tuple(self.projects))


def _command(verb: str, options: str) -> Typed:
    words = split(options)
    if verb == "state rm":
        words = _without_subcommand(words)
    if any(word in _HELP for word in words[: _dashes(words)]):
        return Typed("help")
    found = _sort(verb, words)
    _check_together(found)
    flags, arguments = objects(verb, found.plain, found.select)
    given = flags | found.flags
    ordered = tuple((name, given[name]) for name in sorted(given))
    return Typed(verb, found.select, (*found.extra, *arguments), ordered)


def _without_subcommand(words: list[str]) -> list[str]:
    if words and lowered(words[0]) != "rm" and words[0] not in _HELP:
        raise UnexpectedWord("state", echo(words[0]))
    return words[1:] if words and words[0] not in _HELP else words


def _dashes(words: list[str]) -> int:
    return words.index("--") if "--" in words else len(words)


def _sort(verb: str, words: list[str]) -> _Sorted:
    found = _Sorted()
    end = _dashes(words)
    rest = iter(words[:end])
    for word in rest:
        if not word.startswith("-"):
            found.plain.append(_no_dash(verb, word))
        elif word == "-":
            raise UnexpectedWord(verb, word)
        else:
            _take_option(verb, word, rest, found)
    found.extra = values.for_tool(verb, VERBS[verb].extra, words[end + 1 :])
    return found


def _check_together(found: _Sorted) -> None:
    # as in Atlantis: a name says directory and workspace already
    if found.projects and (found.dirs or found.workspaces):
        raise NotTogether("`-p`", "`-d` or `-w`")
    if {"destroy", "refresh-only"} <= found.flags.keys():
        raise NotTogether("`--destroy`", "`--refresh-only`")


def _take_option(verb: str, word: str, rest: Iterator[str], found: _Sorted) -> None:
    spelt, name, value = _option(word)
    rules = VERBS[verb]
    if name not in rules.options:
        raise _unknown(verb, spelt, name)
    if name in rules.switches:
        if value is not None:
            raise ValueNotWanted(spelt)
        found.flags[name] = True
        return
    given = next(rest, "") if value is None else value
    if not _selected(name, spelt, given, found):
        _take_value(rules, name, spelt, given, found)


def _selected(name: str, spelt: str, value: str, found: _Sorted) -> bool:
    match name:
        case "dir":
            found.dirs.append(values.directory(spelt, value))
        case "workspace":
            found.workspaces.append(values.workspace(spelt, value))
        case "project":
            found.projects.append(values.project(spelt, value))
        case _:
            return False
    return True


def _take_value(rules: Verb, name: str, spelt: str, value: str, found: _Sorted) -> None:
    text = values.words(spelt, value)
    if name in rules.listed:
        before = found.flags.get(name, ())
        found.flags[name] = (*(before if isinstance(before, tuple) else ()), text)
    elif name in found.flags:
        raise GivenTwice(spelt)
    else:
        found.flags[name] = text


def _option(word: str) -> tuple[str, str, str | None]:
    """Split `--dir=x`, `-dir=x`, `-d=x`, `-dx` into spelling, name and value.

    A long name wins over a short one with its value glued on: `-destroy`, as Terraform
    spells it, is never the directory `estroy`, nor is what looks like it.
    """
    spelt, equals, value = word.partition("=")
    name = spelt[2:] if spelt.startswith("--") else spelt[1:]
    near = len(name) > 3 and difflib.get_close_matches(name[:40], LONG, n=1, cutoff=0.8)
    if word.startswith("--") or name in LONG or near:
        return spelt, name, value if equals else None
    short, glued = word[:2], word[2:].removeprefix("=")
    if short not in SHORT:
        return spelt, name, None
    return short, SHORT[short], glued if word[2:] else None


def _unknown(verb: str, spelt: str, name: str) -> UnknownOption:
    if name in VERBS[verb].extra:
        return BehindTheDashes(verb, echo(spelt))
    known = sorted(f"--{each}" for each in VERBS[verb].options)
    near = difflib.get_close_matches(lowered(spelt[:40]), known, n=1)
    if near and near[0] != spelt:
        return MisspeltOption(verb, echo(spelt), near[0])
    return UnknownOption(verb, echo(spelt))


_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
"""What phones and word processors make of one dash or two."""


def _no_dash(verb: str, word: str) -> str:
    """The word itself, unless it is an option in typographic dashes: those are told so."""
    name = word.lstrip(_DASHES + "-").partition("=")[0]
    if word[0:1] and word[0] in _DASHES:
        for typed, known in ((f"-{name}", SHORT), (name, VERBS[verb].options)):
            if typed in known:
                raise MisspeltOption(verb, echo(word), typed if typed in SHORT else f"--{typed}")
    return word
