"""What people ask for, once a comment is understood: a command for each verb, as values."""

from __future__ import annotations

from dataclasses import dataclass, field

from prbot.model import PlanId, Selector


@dataclass(frozen=True)
class PlanCommand:
    """`everything`: also when it is more than `projects_per_run`. `extra` is what the tool gets
    besides, each word as `-name=value` or `-name`. `verbose`: everything is told unfolded."""

    select: Selector = field(default_factory=Selector)
    everything: bool = False
    extra: tuple[str, ...] = ()
    destroy: bool = False
    refresh_only: bool = False
    verbose: bool = False


@dataclass(frozen=True)
class ApplyCommand:
    """`plan_id` names one stored plan; `accept_changes` says yes to a held one,
    `accept_orphans` to states that nothing manages any more. `no_merge`: what is set to be
    merged once everything is applied is not. `override` is the reason for passing over what the
    server lets somebody pass over."""

    select: Selector = field(default_factory=Selector)
    plan_id: PlanId | None = None
    accept_changes: bool = False
    accept_orphans: bool = False
    no_merge: bool = False
    override: str = ""


@dataclass(frozen=True)
class ImportCommand:
    """Put an object that exists under an address of the state. `extra` as in `PlanCommand`."""

    address: str
    id: str
    select: Selector = field(default_factory=Selector)
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class StateRmCommand:
    """Take objects out of the state, and leave them where they are."""

    addresses: tuple[str, ...]
    select: Selector = field(default_factory=Selector)
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class VersionCommand:
    """Which versions of what: prbot's, and the tools of projects."""

    select: Selector = field(default_factory=Selector)


@dataclass(frozen=True)
class UnlockCommand:
    select: Selector = field(default_factory=Selector)


@dataclass(frozen=True)
class CancelCommand:
    select: Selector = field(default_factory=Selector)


@dataclass(frozen=True)
class HelpCommand:
    pass


@dataclass(frozen=True)
class NotUnderstood:
    """Meant for prbot, but not a command: `message` is the one reply it gets."""

    message: str


@dataclass(frozen=True)
class Conversation:
    """Not meant for prbot: never answered."""


Command = (
    PlanCommand
    | ApplyCommand
    | ImportCommand
    | StateRmCommand
    | VersionCommand
    | UnlockCommand
    | CancelCommand
    | HelpCommand
    | NotUnderstood
    | Conversation
)
