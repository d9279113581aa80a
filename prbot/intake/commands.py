"""Comments become commands: what was asked, in whatever spelling.

The rules: a command is the only line of its comment; a first word that calls prbot
makes it ours, and then anything wrong gets one hint; bare `plan` and `apply` are ours
only when they are right, because people talk of plans. Nothing here is passed to a
shell: words are split as a shell would, and stay words. Not promised: that a directory
exists, or that the author may ask.
"""

from __future__ import annotations

import difflib
import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from prbot.errors import (
    BadCommand,
    MissingValue,
    MisspeltOption,
    MoreThanOneLine,
    NotInThisVersion,
    OpenQuote,
    PlanIdAndSelector,
    RefusedValue,
    UnexpectedWord,
    UnknownOption,
    UnknownVerb,
    ValueNotWanted,
)
from prbot.model import (
    ApplyCommand,
    CancelCommand,
    Command,
    Conversation,
    HelpCommand,
    Login,
    NotUnderstood,
    PlanCommand,
    PlanId,
    Selector,
    UnlockCommand,
)

_NAME = "prbot"
_BARE_VERBS = ("plan", "apply")

# options are named by their long form without dashes
_SHORT = {"-d": "dir", "-w": "workspace", "-p": "project"}
_OPTIONS = {
    "plan": {"dir", "workspace", "all"},
    "apply": {"dir", "workspace", "accept-changes"},
    "unlock": {"dir", "workspace"},
    "cancel": {"dir", "workspace"},
    "help": set[str](),
}
_EXTRA = {"target", "replace", "var", "var-file", "refresh", "compact-warnings", "parallelism"}

# documented, and not built yet: named plainly instead of being called a mistake
_LATER_VERBS = {"version", "rollback", "import", "state"}
_LATER_VERBS |= {"approve-policies", "approve_policies"}
_LATER_OPTIONS = {
    "plan": {"project", "destroy", "refresh-only", "verbose"} | _EXTRA,
    "apply": {"project", "no-merge", "accept-orphans", "override"},
    "unlock": {"project"},
    "cancel": {"project"},
    "help": {"dir", "workspace", "project"},
}
_VALUED = {
    "dir",
    "workspace",
    "project",
    "override",
    "target",
    "replace",
    "var",
    "var-file",
    "parallelism",
}

_PLAN_ID = re.compile(r"p-[0-9a-f]{6,12}", re.IGNORECASE)
# Terraform: a workspace name must need no escaping in a URL's path
_WORKSPACE = re.compile(r"[A-Za-z0-9_~$&+:=@][A-Za-z0-9_.~$&+:=@-]*")


def parse(body: str, bot: Login, aliases: tuple[str, ...] = (), bare: bool = True) -> Command:
    """Read a comment. `bot` is prbot's own login, `aliases` are further first words.

    Never raises: what was meant for prbot and is wrong becomes NotUnderstood, with the
    one reply it gets; everything else that is no command becomes Conversation.
    """
    line, more = _first_line(body)
    first, rest = _head(line)
    if first.lower() in _first_words(bot, aliases):
        return _prefixed(rest, more)
    if bare and not more and first.lower() in _BARE_VERBS:
        return _unprefixed(first.lower(), rest)
    return Conversation()


def _first_line(body: str) -> tuple[str, bool]:
    """The line that may hold a command, and whether anything else is said below it."""
    lines = _peeled(body).splitlines() or [""]
    return _peeled(lines[0]), any(_peeled(line) for line in lines[1:])


def _peeled(text: str) -> str:
    return text.strip().strip("`").strip()


def _head(text: str) -> tuple[str, str]:
    first, *rest = text.split(None, 1) or [""]
    return first, rest[0] if rest else ""


def _first_words(bot: Login, aliases: tuple[str, ...]) -> set[str]:
    # people mention an App without the [bot] that stands in its login
    mentions = (f"@{bot}", f"@{bot.removesuffix('[bot]')}")
    return {word.lower() for word in (_NAME, f"/{_NAME}", *mentions, *aliases)}


def _prefixed(rest: str, more: bool) -> Command:
    typed, options = _head(rest)
    verb = typed.lower()
    if not verb:
        return Conversation() if more else HelpCommand()
    try:
        if verb not in (*_OPTIONS, *_LATER_VERBS):
            return _near_miss(verb)
        if more:
            raise MoreThanOneLine
        return _command(verb, options)
    except BadCommand as error:
        return NotUnderstood(error.reply)


def _unprefixed(verb: str, options: str) -> Command:
    """Without a prefix only a flawless command counts; one for a later version is one."""
    try:
        return _command(verb, options)
    except NotInThisVersion as error:
        return NotUnderstood(error.reply)
    except BadCommand:
        return Conversation()


def _near_miss(verb: str) -> Conversation:
    """Raise when the word was probably meant to be a verb; else people are just talking."""
    known = (*_OPTIONS, *_LATER_VERBS)
    near = difflib.get_close_matches(verb, known, n=1, cutoff=0.75)
    if not near or abs(len(near[0]) - len(verb)) > 1:
        return Conversation()
    if near[0] in _LATER_VERBS:
        raise NotInThisVersion(near[0])
    raise UnknownVerb(_echo(verb), near[0])


# --- the words after the verb ------------------------------------------------------------


@dataclass
class _Words:
    """What stood after the verb, sorted; `later` are options of a later version."""

    dirs: list[str] = field(default_factory=list)
    workspaces: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    plain: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)

    @property
    def select(self) -> Selector:
        return Selector(tuple(self.dirs), tuple(self.workspaces))


def _command(verb: str, options: str) -> Command:
    if verb in _LATER_VERBS:
        raise NotInThisVersion(verb)
    words = _sorted_words(verb, options)
    match verb:
        case "apply":
            return _apply(words)
        case "plan":
            return PlanCommand(_only_options(verb, words).select, "all" in words.flags)
        case "unlock":
            return UnlockCommand(_only_options(verb, words).select)
        case "cancel":
            return CancelCommand(_only_options(verb, words).select)
        case _:
            _only_options(verb, words)
            return HelpCommand()


def _apply(words: _Words) -> ApplyCommand:
    ids = words.plain[:1] if words.plain and _PLAN_ID.fullmatch(words.plain[0]) else []
    words.plain = words.plain[len(ids) :]
    _only_options("apply", words)
    if ids and words.select != Selector():
        raise PlanIdAndSelector
    plan_id = PlanId(ids[0].lower()) if ids else None
    return ApplyCommand(words.select, plan_id, "accept-changes" in words.flags)


def _only_options(verb: str, words: _Words) -> _Words:
    if words.plain:
        raise UnexpectedWord(verb, _echo(words.plain[0]))
    if words.later:
        raise NotInThisVersion(words.later[0])
    return words


def _sorted_words(verb: str, options: str) -> _Words:
    words = _Words()
    rest = iter(_split(options))
    for word in rest:
        if word == "--":
            words.later.append(word)
            break
        if not word.startswith("-") or word == "-":
            words.plain.append(word)
        else:
            _take_option(verb, word, rest, words)
    return words


def _split(options: str) -> list[str]:
    try:
        return shlex.split(options)
    except ValueError:
        raise OpenQuote from None


def _take_option(verb: str, word: str, rest: Iterator[str], words: _Words) -> None:
    spelt, name, value = _option(word)
    if name not in _OPTIONS[verb] | _LATER_OPTIONS[verb]:
        raise _unknown(verb, spelt)
    if name in _VALUED and value is None:
        value = next(rest, "")
    if name in _LATER_OPTIONS[verb]:
        words.later.append(spelt)
    elif name == "dir":
        words.dirs.append(_directory(spelt, value or ""))
    elif name == "workspace":
        words.workspaces.append(_workspace(spelt, value or ""))
    elif value is not None:
        raise ValueNotWanted(spelt)
    else:
        words.flags.add(name)


def _option(word: str) -> tuple[str, str, str | None]:
    """Split `--dir=x`, `-dir=x`, `-d=x`, `-dx` into spelling, name and value.

    A long name wins over a short one with its value glued on: `-destroy`, as Terraform
    spells it, is never the directory `estroy`.
    """
    spelt, equals, value = word.partition("=")
    name = spelt[2:] if spelt.startswith("--") else spelt[1:]
    if word.startswith("--") or name in _LONG:
        return spelt, name, value if equals else None
    short, glued = word[:2], word[2:].removeprefix("=")
    if short not in _SHORT:
        return spelt, name, None
    return short, _SHORT[short], glued if word[2:] else None


_LONG = set[str]().union(*_OPTIONS.values(), *_LATER_OPTIONS.values())


def _unknown(verb: str, spelt: str) -> UnknownOption:
    known = sorted(f"--{name}" for name in _OPTIONS[verb])
    near = difflib.get_close_matches(spelt, known, n=1)
    if near and near[0] != spelt:
        return MisspeltOption(verb, _echo(spelt), near[0])
    return UnknownOption(verb, _echo(spelt))


# --- values ------------------------------------------------------------------------------


def _directory(option: str, value: str) -> str:
    """The directory in its shortest spelling, or RefusedValue."""
    _check(option, value)
    if value.startswith("/"):
        raise RefusedValue(option, _echo(value), "it is an absolute path")
    if ".." in value.split("/"):
        raise RefusedValue(option, _echo(value), "it holds `..`")
    short = posixpath.normpath(value)
    _check(option, short)
    return short


def _workspace(option: str, value: str) -> str:
    _check(option, value)
    if not _WORKSPACE.fullmatch(value) or ".." in value:
        raise RefusedValue(option, _echo(value), "it is no workspace name")
    return value


def _check(option: str, value: str) -> None:
    if not value:
        raise MissingValue(option)
    if value.startswith("-"):
        raise RefusedValue(option, _echo(value), "it looks like an option")
    if not value.isprintable():
        raise RefusedValue(option, _echo(value), "it holds characters that cannot be seen")


def _echo(typed: str) -> str:
    """What was typed, short and with nothing that any renderer would act on."""
    plain = "".join(char if char.isalnum() or char in "-_./=* " else "?" for char in typed[:40])
    return plain + "..." * (len(typed) > 40)


# --- and back ----------------------------------------------------------------------------


def spell(command: Command) -> str:
    """The command as a person would type it; `parse` reads back the same.

    Raises ValueError for NotUnderstood and Conversation, which nobody can ask for.
    """
    match command:
        case PlanCommand(select, everything):
            words = ["plan", *_select(select), *["--all"] * everything]
        case ApplyCommand(select, plan_id, accept_changes):
            chosen = [plan_id] if plan_id else []
            words = ["apply", *chosen, *_select(select)]
            words += ["--accept-changes"] * accept_changes
        case UnlockCommand(select):
            words = ["unlock", *_select(select)]
        case CancelCommand(select):
            words = ["cancel", *_select(select)]
        case HelpCommand():
            words = ["help"]
        case _:
            raise ValueError("this is nothing that can be typed")
    return shlex.join([_NAME, *words])


def _select(select: Selector) -> list[str]:
    dirs = [word for name in select.dirs for word in ("-d", name)]
    return dirs + [word for name in select.workspaces for word in ("-w", name)]
