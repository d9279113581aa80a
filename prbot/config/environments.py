"""Environments: what an apply needs where, who may do what, and when.

`defaults` of `prbot.yaml` say it for every project, an entry of `environments` for those it
matches, key by key; the operator's `minimum` stands beside both, so that a repository can
ask for more and never for less. All of it is read from the default branch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from prbot.config.check import Section
from prbot.config.globs import check_pattern, listed
from prbot.config.windows import Window, window_of
from prbot.errors.configuration import BadPerson, BadTeam, BadWindow

_T = TypeVar("_T")
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_USER = re.compile(rf"@?({_NAME}(?:\[bot\])?)")
_TEAM = re.compile(rf"@?({_NAME}(?:/{_NAME})+)")


def _user(text: str) -> str:
    match = _USER.fullmatch(text)
    if match is None:
        raise ValueError(BadPerson())
    return match[1]


def _team(text: str) -> str:
    match = _TEAM.fullmatch(text)
    if match is None:
        raise ValueError(BadTeam())
    return f"@{match[1]}"


def _who(text: str) -> str:
    return _team(text) if "/" in text else _user(text)


def _window(text: str) -> str:
    try:
        return window_of(text).text
    except BadWindow as error:
        raise ValueError(error) from None


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _approved(value: object) -> object:
    """`false` is short for none, `true` for the usual one."""
    if isinstance(value, bool):
        return {} if value else {"count": 0}
    return value


User = Annotated[str, AfterValidator(_user)]
Team = Annotated[str, AfterValidator(_team)]
Who = Annotated[str, AfterValidator(_who)]
"""`alice`, or a team `@acme/sre`."""
ApplyWindow = Annotated[str, AfterValidator(_window)]
Pattern = Annotated[str, AfterValidator(check_pattern)]
Globs = Annotated[tuple[str, ...], Field(min_length=1)]


class Approved(Section):
    count: int = Field(
        default=1, ge=0, le=100, description="how many people other than the author must approve."
    )
    teams: tuple[Team, ...] = Field(
        default=(), description="teams such as `@acme/sre`; then only approvals of theirs count."
    )
    users: tuple[User, ...] = Field(
        default=(), description="people whose approvals count too, beside the teams'."
    )
    codeowners: bool = Field(
        default=False, description="whether an owner of each changed file must have approved."
    )


ApprovedOrNot = Annotated[
    Approved, BeforeValidator(_approved, json_schema_input_type=Approved | bool)
]


class ApplyRequirements(Section):
    approved: ApprovedOrNot | None = Field(
        default=None, description="the approvals an apply needs, 1 by default; `false`: none."
    )
    mergeable: bool | None = Field(
        default=None, description="whether the forge would merge it, prbot's own checks aside."
    )
    up_to_date: bool | None = Field(
        default=None,
        alias="up-to-date",
        description="whether the files it reads may not have moved in the base since its plan.",
    )
    policies: bool | None = Field(default=None, description="whether policies must pass.")


class Permissions(Section):
    """Left out or empty: whoever can write."""

    plan: tuple[Who, ...] | None = Field(default=None, description="who may plan.")
    apply: tuple[Who, ...] | None = Field(default=None, description="who may apply.")
    unlock: tuple[Who, ...] | None = Field(default=None, description="who may unlock.")
    cancel: tuple[Who, ...] | None = Field(default=None, description="who may cancel.")
    import_: tuple[Who, ...] | None = Field(
        default=None, alias="import", description="who may import."
    )
    state_rm: tuple[Who, ...] | None = Field(
        default=None, description="who may take objects out of the state."
    )


PERMITTED = ("plan", "apply", "unlock", "cancel", "import_", "state_rm")


class Wishes(Section):
    """What can be said of every project, and of those of an environment."""

    apply_requirements: ApplyRequirements = Field(
        default=ApplyRequirements(), description="what an apply by comment needs."
    )
    permissions: Permissions = Field(
        default=Permissions(), description="who may do what: people, and teams as `@acme/sre`."
    )
    apply_windows: tuple[ApplyWindow, ...] | None = Field(
        default=None, description="when applies may start: `Mon-Thu 09:00-16:00 Europe/Berlin`."
    )
    apply_waits: bool | None = Field(
        default=None,
        description="whether an apply waits for what others can bring about, and then goes on.",
    )
    extra_arguments: bool | None = Field(
        default=None, description="whether a `plan` may have arguments behind `--`."
    )


class EnvironmentEntry(Wishes):
    match: Annotated[
        tuple[Pattern, ...],
        BeforeValidator(_listed, json_schema_input_type=Globs | str),
    ] = Field(
        min_length=1, description="globs of directories, such as `envs/prod/**`; one or many."
    )
    workspaces: tuple[Pattern, ...] = Field(
        default=(), description="globs of Terraform workspaces; left out: any of them."
    )

    def covers(self, directory: str, workspace: str) -> bool:
        in_workspace = not self.workspaces or listed(self.workspaces, workspace)
        return in_workspace and listed(self._patterns, directory)

    @property
    def _patterns(self) -> tuple[str, ...]:
        """`envs/prod/**` is also the project `envs/prod` itself: it would be odd, and less
        safe, if the top of an environment were outside."""
        tops = (glob.removesuffix("/**") for glob in self.match if glob.endswith("/**"))
        return (*self.match, *tops)


class Minimum(Section):
    """What a repository cannot go below."""

    apply_requirements: ApplyRequirements = Field(
        default=ApplyRequirements(), description="as in `prbot.yaml`; asked for beside its own."
    )
    permissions: Permissions = Field(
        default=Permissions(), description="as in `prbot.yaml`; whoever asks must be in both."
    )


class Skip(StrEnum):
    """What an override can pass over."""

    APPROVED = "approved"
    WINDOWS = "windows"
    POLICIES = "policies"


class OverrideEntry(Section):
    teams: tuple[Team, ...] = Field(default=(), description="teams whose members may override.")
    users: tuple[User, ...] = Field(default=(), description="people who may override.")
    skips: frozenset[Skip] = Field(
        default=frozenset(), description="what it passes over: `approved`, `windows`, `policies`."
    )


# --- what holds --------------------------------------------------------------------------


@dataclass(frozen=True)
class Approvals:
    """So many approvals; with `teams` or `users` only theirs count. `codeowners`: also one
    by an owner of each changed file."""

    count: int = 1
    teams: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    codeowners: bool = False


@dataclass(frozen=True)
class Needs:
    """What holds for the projects of one environment, `name` (None: of none).

    Each of `approvals` must be met. `allowed` has, by command, lists of people and teams;
    whoever asks must be in each of them. `waits`: an apply waits for what others can do.
    """

    name: str | None = None
    approvals: tuple[Approvals, ...] = (Approvals(),)
    mergeable: bool = True
    up_to_date: bool = True
    policies: bool = True
    allowed: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    waits: bool = False
    extra_arguments: bool = True

    @property
    def teams(self) -> frozenset[str]:
        """Every team it names."""
        lists = (who for lists in self.allowed.values() for who in lists)
        named = [name for who in lists for name in who if "/" in name]
        return frozenset([*named, *(team for each in self.approvals for team in each.teams)])


@dataclass(frozen=True)
class Override:
    """Who may pass over what with `--override REASON`."""

    teams: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    skips: frozenset[Skip] = frozenset()


@dataclass(frozen=True)
class Environments:
    """`entries` in the file's order, each with what holds there; `others`: everywhere else."""

    others: Needs = Needs()
    entries: tuple[tuple[EnvironmentEntry, Needs], ...] = ()

    def of(self, directory: str, workspace: str = "default") -> Needs:
        """Of the first environment that matches."""
        found = (needs for entry, needs in self.entries if entry.covers(directory, workspace))
        return next(found, self.others)

    @property
    def all(self) -> tuple[Needs, ...]:
        return (self.others, *(needs for _, needs in self.entries))


def environments_of(
    defaults: Wishes, entries: Mapping[str, EnvironmentEntry], minimum: Minimum
) -> Environments:
    """A repository's wishes, none of them below the minimum."""
    return Environments(
        _needs(None, (defaults,), minimum),
        tuple((entry, _needs(name, (entry, defaults), minimum)) for name, entry in entries.items()),
    )


def _needs(name: str | None, wishes: Sequence[Wishes], minimum: Minimum) -> Needs:
    """Of several wishes the first that says something about a key counts for it."""
    asked = [each.apply_requirements for each in wishes]
    least = minimum.apply_requirements
    windows = _first(each.apply_windows for each in wishes) or ()
    permissions = [each.permissions for each in wishes]
    return Needs(
        name=name,
        approvals=_approvals(_first(each.approved for each in asked), least.approved),
        mergeable=_needed([each.mergeable for each in asked], least.mergeable),
        up_to_date=_needed([each.up_to_date for each in asked], least.up_to_date),
        policies=_needed([each.policies for each in asked], least.policies),
        allowed=_allowed(permissions, minimum.permissions),
        windows=tuple(map(window_of, windows)),
        waits=bool(_first(each.apply_waits for each in wishes)),
        extra_arguments=_first(each.extra_arguments for each in wishes) is not False,
    )


def _first(values: Iterable[_T | None]) -> _T | None:
    return next((value for value in values if value is not None), None)


def _needed(asked: Sequence[bool | None], least: bool | None) -> bool:
    return _first(asked) is not False or least is True


def _approvals(asked: Approved | None, least: Approved | None) -> tuple[Approvals, ...]:
    mine, theirs = asked or Approved(), least or Approved(count=0)
    named = (mine.teams, mine.users, theirs.teams, theirs.users)
    both = [mine, theirs] if any(named) else [_greater(mine, theirs)]
    return tuple(_of(each) for each in both if each.count or each.codeowners)


def _greater(one: Approved, other: Approved) -> Approved:
    """Both at once, where anybody's approval counts."""
    count, owners = max(one.count, other.count), one.codeowners or other.codeowners
    return Approved(count=count, codeowners=owners)


def _of(asked: Approved) -> Approvals:
    return Approvals(asked.count, asked.teams, asked.users, asked.codeowners)


def _allowed(
    asked: Sequence[Permissions], least: Permissions
) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    found = {}
    for command in PERMITTED:
        mine = _first(getattr(each, command) for each in asked)
        lists = tuple(
            who for who in (mine, getattr(least, command)) if isinstance(who, tuple) and who
        )
        if lists:
            found[command.rstrip("_").replace("_", " ")] = lists
    return found


EVERYWHERE_ALIKE = Environments()
"""Where nobody said anything: one approval, and the rest of the usual."""
NOBODY = Override()
NO_MINIMUM = Minimum()
