"""What prbot says of configuration files: where it stands, what is wrong and what to write."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class BadConfiguration(PrbotError):
    """{path}, line {line}, column {column}: {problem}."""

    path: str
    line: int
    column: int
    problem: str
    remedy: str
    hint = "{remedy}"


@dataclass(eq=False)
class NotInUtf8(PrbotError):
    """the file is not UTF-8 text"""

    hint = "Save it as UTF-8."


# What can be wrong at one place of a configuration file: each becomes the `problem` and
# the `remedy` of a BadConfiguration or a BadSetting, which add the place.


@dataclass(eq=False)
class NotYaml(PrbotError):
    """this is not YAML ({problem})"""

    problem: str
    hint = "Check indentation, quotes and brackets around this line."


@dataclass(eq=False)
class NotJson(PrbotError):
    """its text is not JSON"""

    hint = 'Write lists and mappings as JSON, for example `["acme/*"]`.'


@dataclass(eq=False)
class TooComplex(PrbotError):
    """the file is too large or too deeply nested"""

    hint = "Keep it under 1 MiB, 100,000 values and 40 levels."


@dataclass(eq=False)
class NotAWord(PrbotError):
    """the key {key} is not a word"""

    key: str
    hint = "Put it in quotes: YAML reads `on`, `yes` and numbers as something else."


@dataclass(eq=False)
class MergeKey(PrbotError):
    """merge keys (`<<`) are not supported"""

    hint = "Write the keys out, or use a plain alias."


@dataclass(eq=False)
class DuplicateKey(PrbotError):
    """the key `{key}` stands here a second time"""

    key: str
    first: int
    hint = "Keep one of them; the first stands in line {first}."


@dataclass(eq=False)
class UnknownKey(PrbotError):
    """unknown key `{key}`"""

    key: str
    known: str
    hint = "Known here: {known}."


@dataclass(eq=False)
class MisspeltKey(PrbotError):
    """unknown key `{key}`"""

    key: str
    guess: str
    hint = "Did you mean `{guess}`?"


@dataclass(eq=False)
class NotHonoured(PrbotError):
    """`{key}` is not honoured by this version of prbot"""

    key: str
    hint = "Remove it: prbot refuses the file rather than ignore a setting that somebody relies on."


@dataclass(eq=False)
class MissingKey(PrbotError):
    """`{key}` is missing"""

    key: str
    what: str
    hint = "{what}"


@dataclass(eq=False)
class WrongValue(PrbotError):
    """the value of `{key}` cannot be used: {expectation}"""

    key: str
    expectation: str
    what: str
    hint = "{what}"


@dataclass(eq=False)
class LiteralSecret(PrbotError):
    """a secret stands here in clear"""

    hint = "Put it into an environment variable or a file, write `env://NAME` or `file:///path`, and replace the secret, since this file has shown it."


@dataclass(eq=False)
class TwiceTheSame(PrbotError):
    """{what} must differ"""

    what: str
    hint = "Rename one of them."


@dataclass(eq=False)
class BadPattern(PrbotError):
    """this is not a usable pattern: {problem}"""

    problem: str
    hint = "`*` matches within one part of a path, `**` across parts, a leading `!` excludes."


@dataclass(eq=False)
class BadAttribute(PrbotError):
    """an attribute is named by itself, without what stands in it"""

    hint = "Drift is told by attribute: write `tags`, not `tags.Name`; `*` and `?` may stand in it."


@dataclass(eq=False)
class ReasonMissing(PrbotError):
    """what ignores drift needs a `reason`"""

    hint = "Say in a few words why nobody needs to hear of it; `until: 2026-06-30` makes it end."


@dataclass(eq=False)
class ProposalAlone(PrbotError):
    """`proposal` goes with `action: open_pr`"""

    hint = "Write `action: open_pr` beside it, or leave `proposal` out."


@dataclass(eq=False)
class BadExpression(PrbotError):
    """this regular expression cannot be used: {problem}"""

    problem: str
    hint = "Write a simpler one: prbot takes those whose matching cannot run away."


@dataclass(eq=False)
class BadWindow(PrbotError):
    """`{text}` is no apply window: {problem}"""

    text: str
    problem: str
    hint = "Write it as `Mon-Thu 09:00-16:00 Europe/Berlin`."


@dataclass(eq=False)
class BadPerson(PrbotError):
    """this cannot be an account's name"""

    hint = "Write `alice` for a person and `@acme/sre` for a team."


@dataclass(eq=False)
class BadTeam(PrbotError):
    """this cannot be a team's name"""

    hint = "Write it with its organisation, such as `@acme/sre`."


@dataclass(eq=False)
class BadDirectory(PrbotError):
    """this path does not stay inside the repository, or is none"""

    hint = "Write it relative and with `/`, such as `environments/prod`; `.` is the root."


@dataclass(eq=False)
class BadWorkspace(PrbotError):
    """this cannot be a workspace's name"""

    hint = "It has no blanks, slashes, `..` or `$`, and does not begin with `-` or `~`."


@dataclass(eq=False)
class BadName(PrbotError):
    """this cannot be a project's name"""

    hint = "Names consist of letters, digits and `. _ ~ / -`; a glob of directories has none."


@dataclass(eq=False)
class BadConstraint(PrbotError):
    """this is neither a version nor a constraint"""

    hint = 'Write it as Terraform does, such as "1.9.8" or ">= 1.9, < 2".'


@dataclass(eq=False)
class TwoOfOneName(PrbotError):
    """two projects are named `{name}`"""

    name: str
    first: int
    hint = "Rename one of them; the first stands in line {first}."


@dataclass(eq=False)
class HeadChanges(PrbotError):
    """the project `{project}` cannot be {how} by a pull request: the default branch knows it"""

    project: str
    how: str
    hint = "It stays what it is until this pull request is merged."


@dataclass(eq=False)
class HeadHides(PrbotError):
    """`{key}` of the project `{project}` is read from the default branch"""

    key: str
    project: str
    hint = "What stands here counts once this pull request is merged."


@dataclass(eq=False)
class HeadDiscovers(PrbotError):
    """`{key}` is read from the default branch"""

    key: str
    hint = "What stands here counts once this pull request is merged."


@dataclass(eq=False)
class NeedsAName(PrbotError):
    """a second project of the directory `{directory}` and this workspace needs a name"""

    directory: str
    hint = "Give it a `name`, so that people can tell the two apart."
