"""What prbot says of code that it reads to find projects."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class UnreadableCode(PrbotError):
    """not valid syntax near `{near}`; what else the file says still counts"""

    near: str
    hint = "Terraform 0.12 and newer must be able to read it: terraform validate."


@dataclass(eq=False)
class CodeNotText(PrbotError):
    """the file is not UTF-8 text and was not read"""

    hint = "Terraform's files are UTF-8."


@dataclass(eq=False)
class CodeTooLarge(PrbotError):
    """the file is larger than {limit} KiB and was not read"""

    limit: int
    hint = "Cut it into several."


@dataclass(eq=False)
class ReadingTookTooLong(PrbotError):
    """reading the file took too long, or could not be finished"""

    hint = "Simplify it, or leave it out of the repository."


@dataclass(eq=False)
class SourceLeadsNowhere(PrbotError):
    """the module source `{source}` leads to no directory with code"""

    source: str
    hint = "Correct the path; it is relative to the file's directory."


@dataclass(eq=False)
class SourceNotLiteral(PrbotError):
    """the source of module `{name}` is missing or must be evaluated, and is not followed"""

    name: str
    hint = "Write the path as a plain text, so that changes in the module are noticed."


@dataclass(eq=False)
class WorkspacesByTags(PrbotError):
    """which workspaces the `cloud` block's tags mean is known to the service alone; only `default` is planned"""

    hint = "Name the workspaces under `projects` in prbot.yaml."


@dataclass(eq=False)
class DirectoryIsGone(PrbotError):
    """the directory `{directory}` holds no files, so this project is left out"""

    directory: str
    hint = "Remove the entry, or correct its `dir`."


@dataclass(eq=False)
class NothingMatches(PrbotError):
    """no directory with code matches `{pattern}`"""

    pattern: str
    hint = "Remove the entry, or correct its `dir`."


@dataclass(eq=False)
class ProjectDeclaredTwice(PrbotError):
    """the project `{project}` is declared twice, first in line {first}"""

    project: str
    first: int
    hint = "Give one of them another workspace, or remove it."


@dataclass(eq=False)
class NameTakenTwice(PrbotError):
    """the name `{name}` is taken by the project of line {first}"""

    name: str
    first: int
    hint = "Names are unique in a repository."


@dataclass(eq=False)
class NoProjectNamed(PrbotError):
    """no project is named `{name}`"""

    name: str
    guess: str
    hint = "{guess}"


@dataclass(eq=False)
class UnknownDependency(PrbotError):
    """`depends_on` names `{name}`, which is no project"""

    name: str
    guess: str
    hint = "{guess}"


@dataclass(eq=False)
class CircularDependencies(PrbotError):
    """projects wait for one another in a circle: {circle}"""

    circle: str
    hint = "Remove one of these from `depends_on`."


@dataclass(eq=False)
class TooManyStateReads(PrbotError):
    """States are read more than {most} times in all; nothing is ordered by that."""

    most: int
    hint = "Write `depends_on` where an order is needed."


@dataclass(eq=False)
class StatesReadEachOther(PrbotError):
    """`{reader}` reads the state of `{writer}`, which waits for it in turn; neither order is kept for this"""

    reader: str
    writer: str
    hint = "Order them by `depends_on` in prbot.yaml."


@dataclass(eq=False)
class ProjectsShareState(PrbotError):
    """{projects} have the same state, {address} ({path}, line {line})."""

    path: str
    line: int
    projects: str
    address: str
    hint = "Each project needs a state of its own: change one of their backends."


@dataclass(eq=False)
class BaseUnreadable(PrbotError):
    """Whether this change deletes or moves projects cannot be told, because the projects of
    its base cannot be: {problem}."""

    problem: str
    hint = "Merge what mends the base first if this change deletes or moves projects."


@dataclass(eq=False)
class StateTaken(PrbotError):
    """`{project}` would take over the state {address}, by {path}, line {line}; it is known as
    that of `{owner}`, by {owner_path}, line {owner_line}."""

    path: str
    line: int
    project: str
    address: str
    owner: str
    owner_path: str
    owner_line: int
    hint = (
        "Give `{project}` a state of its own. A project moves with its state when its old"
        " directory goes in the same pull request."
    )
