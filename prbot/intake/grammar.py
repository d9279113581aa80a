"""What can be asked in a comment: every command, its options, and what Terraform may get.

The table alone, so that it can be read beside the docs; `comment` reads by it. Not
promised: that this version carries a command out, which `commands` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from prbot.model import Selector

NAME = "prbot"
"""The first word that is always understood."""

Flag = bool | str | tuple[str, ...]


@dataclass(frozen=True)
class Typed:
    """A command as it was typed, in its plain spelling.

    `verb` as the docs write it (`state rm`); `flags` by long names without dashes, in
    their order. `extra` is what the tool gets as arguments of its own: what stood behind
    `--`, then the addresses of `import` and `state rm`, as in Atlantis.
    """

    verb: str
    select: Selector = field(default_factory=Selector)
    extra: tuple[str, ...] = ()
    flags: tuple[tuple[str, Flag], ...] = ()


class Words(Enum):
    """What stands after a verb without dashes."""

    NONE = auto()
    PLAN_ID = auto()
    """At most one plan id."""
    ADDRESS_AND_ID = auto()
    ADDRESSES = auto()
    REASON_UNTIL_DATE = auto()
    DURATION = auto()


SELECTORS = frozenset({"dir", "workspace", "project"})
SHORT = {"-d": "dir", "-w": "workspace", "-p": "project"}

_VARIABLES = ("var", "var-file", "parallelism")
_PLAN = ("target", "replace", *_VARIABLES, "refresh", "compact-warnings")


@dataclass(frozen=True)
class Verb:
    """`switches` take no value, `valued` one, `listed` one and may be repeated."""

    switches: tuple[str, ...] = ()
    valued: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    words: Words = Words.NONE
    selects: bool = True

    @property
    def options(self) -> frozenset[str]:
        own = frozenset((*self.switches, *self.valued, *self.listed))
        return own | SELECTORS if self.selects else own


VERBS: Mapping[str, Verb] = {
    "help": Verb(),
    "version": Verb(),
    "plan": Verb(switches=("all", "destroy", "refresh-only", "verbose"), extra=_PLAN),
    "apply": Verb(
        switches=("no-merge", "accept-changes", "accept-orphans"),
        valued=("override",),
        words=Words.PLAN_ID,
    ),
    "cancel": Verb(),
    "unlock": Verb(),
    "approve-policies": Verb(switches=("clear",), listed=("policy",)),
    "import": Verb(words=Words.ADDRESS_AND_ID, extra=_VARIABLES),
    "state rm": Verb(words=Words.ADDRESSES, extra=("dry-run",)),
    "rollback": Verb(),
    "accept": Verb(words=Words.REASON_UNTIL_DATE, selects=False),
    "adopt": Verb(selects=False),
    "revert": Verb(selects=False),
    "snooze": Verb(words=Words.DURATION, selects=False),
    "recheck": Verb(selects=False),
}
ON_ISSUES = ("accept", "adopt", "revert", "snooze", "recheck")
"""What is said to an issue about drift, and nowhere else."""
FIRST_WORDS = {verb.partition(" ")[0]: verb for verb in VERBS} | {
    "approve_policies": "approve-policies"
}
"""What people type first, and the verb it begins."""

EXTRA_SWITCHES = frozenset({"refresh", "compact-warnings", "dry-run"})
"""Of Terraform's own options those whose value only ever follows a `=`."""

_TERRAFORM = {"detailed-exitcode", "plugin-dir", "provider"}
LONG = frozenset(
    {name for verb in VERBS.values() for name in (*verb.options, *verb.extra)} | _TERRAFORM
)
"""Names that are never a short option with its value glued on: `-destroy` is not `-d estroy`."""
