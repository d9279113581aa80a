"""What prbot says of commands in comments."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class BadCommand(PrbotError):
    """The command cannot be carried out as it stands."""

    hint = "Comment `prbot help` for what can be asked."

    @property
    def reply(self) -> str:
        """The sentence and the next step, as one line."""
        return f"{self} {self.next_step}".strip()


@dataclass(eq=False)
class MoreThanOneLine(BadCommand):
    """Nothing was done: a command must be the only line of its comment."""

    hint = "Put the command alone on one line of a comment of its own."


@dataclass(eq=False)
class UnknownVerb(BadCommand):
    """`{typed}` is no command."""

    typed: str
    nearest: str
    hint = "Did you mean `prbot {nearest}`?"


@dataclass(eq=False)
class NotInThisVersion(BadCommand):
    """This version of prbot does not know `{what}`; nothing was done."""

    what: str


@dataclass(eq=False)
class OnIssuesAlone(BadCommand):
    """`{verb}` is said in a comment on an issue about drift; nothing was done here."""

    verb: str


@dataclass(eq=False)
class NotOnIssues(BadCommand):
    """`{verb}` is said in a pull request. An issue about drift knows `accept`, `adopt`, `revert`, `snooze`, `recheck` and `unlock`, without options; nothing was done."""

    verb: str


@dataclass(eq=False)
class UnknownOption(BadCommand):
    """`{verb}` has no option `{option}`; nothing was done."""

    verb: str
    option: str


@dataclass(eq=False)
class MisspeltOption(UnknownOption):
    """`{verb}` has no option `{option}`; nothing was done."""

    nearest: str
    hint = "Did you mean `{nearest}`?"


@dataclass(eq=False)
class MissingValue(BadCommand):
    """The option `{option}` needs a value."""

    option: str
    hint = "For example: `prbot plan -d environments/production`."


@dataclass(eq=False)
class ValueNotWanted(BadCommand):
    """The option `{option}` takes no value."""

    option: str


@dataclass(eq=False)
class UnexpectedWord(BadCommand):
    """`{verb}` does not understand `{word}`; nothing was done."""

    verb: str
    word: str


@dataclass(eq=False)
class RefusedValue(BadCommand):
    """The value `{value}` of `{option}` is refused: {why}."""

    option: str
    value: str
    why: str
    hint = "Name a directory of the repository, relative to its root, or a Terraform workspace."


@dataclass(eq=False)
class PlanIdAndSelector(BadCommand):
    """A plan id names one plan already, so `-d`, `-w` and `-p` do not go with it."""

    hint = "Leave out the one or the other."


@dataclass(eq=False)
class NotTogether(BadCommand):
    """{one} and {other} do not go together; nothing was done."""

    one: str
    other: str
    hint = "Leave out the one or the other."


@dataclass(eq=False)
class GivenTwice(BadCommand):
    """The option `{option}` stands there twice; nothing was done."""

    option: str
    hint = "Keep one of them."


@dataclass(eq=False)
class MissingWords(BadCommand):
    """`{verb}` needs {what}; nothing was done."""

    verb: str
    what: str
    example: str
    hint = "For example: `prbot {example}`."


@dataclass(eq=False)
class BehindTheDashes(UnknownOption):
    """`{option}` is an option of Terraform's and stands behind `--`; nothing was done."""

    hint = "For example: `prbot {verb} -- {option}=VALUE`."


@dataclass(eq=False)
class RefusedExtra(BadCommand):
    """`{argument}` may not be handed to Terraform; nothing was done."""

    argument: str
    allowed: str
    hint = "Behind `--` are allowed: {allowed}."


@dataclass(eq=False)
class NoExtra(BadCommand):
    """`{verb}` takes nothing behind `--`; nothing was done."""

    verb: str


@dataclass(eq=False)
class CommandTooLong(BadCommand):
    """The command is too long: {characters} characters and {words} words are the most."""

    characters: int
    words: int
    hint = "Name directories by a glob, such as `-d 'environments/**'`."


@dataclass(eq=False)
class OpenQuote(BadCommand):
    """The command has a quote or a backslash that nothing closes."""

    hint = "Write names with blanks as `-d 'my directory'`."
