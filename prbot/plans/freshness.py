"""Is a plan still what it was when people read it? Its record, held against what is now.

The record binds a plan's content to everything that could make the same command do
something else: code, arguments, lock file, tool, variables, files that are read, the commit
and the state. `stale_fields` compares field by field, and says of each that differs what it
was, what it is, and what helps. Where only the base, the state's serial or the time went on
(`again`), planning again shows whether anything else follows from it.

No value of a variable stands here, and none of its digests is told to anybody. What is not
promised: that a field which cannot be known at the moment (None) is as it was.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from prbot.config.stages import recipe_differences
from prbot.model import ProjectKey, Sha
from prbot.plans.record import StateAt, StoredPlan
from prbot.plans.text import single_line

SHOWN = 12
"""Characters of a digest or a commit that are told."""
MOST_PARTS = 5
"""Most files or variables that are named."""


class Field(StrEnum):
    CONTENT = "content"
    CONFIGURATION = "configuration"
    ARGUMENTS = "arguments"
    LOCK_FILE = "lock file"
    TOOL = "tool version"
    WORKFLOW = "workflow"
    VARIABLES = "variables"
    FILES = "files"
    HEAD = "head commit"
    LINEAGE = "state lineage"
    POLICY = "policies"
    BASE = "base"
    SERIAL = "state serial"
    AGE = "age"


AGAIN = frozenset({Field.BASE, Field.SERIAL, Field.AGE})
"""What may go on without a person, once a plan made again is equal."""


@dataclass(frozen=True)
class Record:
    """All that is bound to a plan. Digests as in `Inputs`; `content` is the canonical hash.

    None stands for what cannot be known now, and is not compared. `at` is when it was so.
    """

    project: ProjectKey
    content: str
    configuration: str
    arguments: str
    lock_file: str | None
    tool: str
    workflow: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    files: str | None
    parts: tuple[tuple[str, str], ...]
    head: Sha
    base: Sha
    commit: Sha
    state: StateAt | None
    policy: str
    at: datetime


@dataclass(frozen=True)
class Difference:
    """`old` and `new` are words for people, without secrets. `remedy` is what helps."""

    field: Field
    old: str
    new: str
    remedy: str

    @property
    def again(self) -> bool:
        return self.field in AGAIN

    def __str__(self) -> str:
        return f"{self.field}: {self.old} -> {self.new}"


def record_of(plan: StoredPlan) -> Record | None:
    """None of a plan that an older prbot made: it knew less, and must be made again."""
    inputs = plan.inputs
    if not inputs.configuration:
        return None
    return Record(
        project=plan.project,
        content=plan.hash,
        configuration=inputs.configuration,
        arguments=inputs.arguments,
        lock_file=inputs.lock_file,
        tool=inputs.tool,
        workflow=inputs.workflow,
        variables=inputs.variables,
        files=inputs.files,
        parts=inputs.parts,
        head=plan.head,
        base=plan.base,
        commit=plan.laid,
        state=plan.state,
        policy=inputs.policy,
        at=plan.created_at,
    )


def stale_fields(record: Record, now_found: Record, age: timedelta) -> tuple[Difference, ...]:
    """What is not as it was, in the order of `Field`; empty when the plan is fresh. `age` is
    the longest a plan may wait."""
    found = _compared(record, now_found)
    too_old = now_found.at - record.at
    if too_old > age:
        found[Field.AGE] = (f"at most {_days(age)}", _days(too_old))
    again = _plan_command(record.project)
    return tuple(
        Difference(field, *found[field], _REMEDIES.get(field, _READ_AGAIN).format(plan=again))
        for field in Field
        if field in found
    )


def unequal_fields(reviewed: Record, fresh: Record) -> tuple[Difference, ...]:
    """What makes a plan that was made again another one, whatever it changes: the head and
    what may go on do not count, and the content is compared elsewhere."""
    found = stale_fields(reviewed, fresh, timedelta.max)
    apart = (Field.HEAD, Field.CONTENT)
    return tuple(each for each in found if not each.again and each.field not in apart)


def told(differences: Iterable[Difference]) -> str:
    return "; ".join(map(str, differences))


def remedy(differences: Iterable[Difference]) -> str:
    """What helps against all of them: each thing once."""
    return " ".join(dict.fromkeys(each.remedy for each in differences))


# --- field by field -----------------------------------------------------------------------------

_READ_AGAIN = "Comment {plan}, read the new plan, and apply that one."
_REMEDIES = {
    Field.CONTENT: "Comment {plan}, and find out who can write where prbot keeps its plans.",
    Field.HEAD: "Wait for the plan of the new commit, or comment {plan}; then apply that one.",
    Field.LINEAGE: "Another state stands where this plan's was: find out who put it there"
    " (`terraform state pull` shows it), then comment {plan}.",
    Field.TOOL: "Comment {plan}; a plan file does not carry across tool versions.",
}


def _plan_command(project: ProjectKey) -> str:
    workspace = "" if project.workspace == "default" else f" -w {shlex.quote(project.workspace)}"
    return f"`prbot plan -d {shlex.quote(project.dir)}{workspace}`"


def _compared(old: Record, new: Record) -> dict[Field, tuple[str, str]]:
    found: dict[Field, tuple[str, str]] = {}
    for field, a, b in _values(old, new):
        if a != b:
            found[field] = (single_line(a, 200) or "none", single_line(b, 200) or "none")
    if old.content != new.content:
        found[Field.CONTENT] = "the reviewed content", "another content"
    if old.configuration != new.configuration:
        found[Field.CONFIGURATION] = "the reviewed configuration", "another configuration"
    if steps := recipe_differences(old.workflow, new.workflow):
        found[Field.WORKFLOW] = "the reviewed steps", "; ".join(steps)
    if old.variables != new.variables:
        found[Field.VARIABLES] = _named(old.variables, new.variables, "value", secret=True)
    if old.files is not None and new.files is not None and old.files != new.files:
        found[Field.FILES] = _named(old.parts, new.parts, "content", secret=False)
    return found | _states(old.state, new.state)


def _values(old: Record, new: Record) -> Iterator[tuple[Field, str, str]]:
    """Fields whose values people may read."""
    yield Field.ARGUMENTS, old.arguments, new.arguments
    yield Field.TOOL, old.tool, new.tool
    yield Field.HEAD, old.head[:SHOWN], new.head[:SHOWN]
    yield Field.POLICY, old.policy[:SHOWN], new.policy[:SHOWN]
    if (old.base, old.commit) != (new.base, new.commit) and old.head == new.head:
        yield Field.BASE, *_commits(old, new)
    if old.lock_file is not None and new.lock_file is not None:
        yield Field.LOCK_FILE, old.lock_file[:SHOWN], new.lock_file[:SHOWN]


def _commits(old: Record, new: Record) -> tuple[str, str]:
    """The base, or where that is the same what hooks left on it."""
    if old.base != new.base:
        return old.base[:SHOWN], new.base[:SHOWN]
    return old.commit[:SHOWN], new.commit[:SHOWN]


def _states(old: StateAt | None, new: StateAt | None) -> dict[Field, tuple[str, str]]:
    """A state that came into being since is the same one, written: its serial moved."""
    if old is None or new is None:
        return {}
    if old.lineage and old.lineage != new.lineage:
        return {Field.LINEAGE: (old.lineage, new.lineage or "no state")}
    if old.serial != new.serial or old.lineage != new.lineage:
        return {Field.SERIAL: (str(old.serial), str(new.serial))}
    return {}


def _named(
    old: Iterable[tuple[str, str]], new: Iterable[tuple[str, str]], noun: str, *, secret: bool
) -> tuple[str, str]:
    """What each that differs was and is; of secrets only that they differ."""
    a, b = dict(old), dict(new)
    names = sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))
    pairs = [_pair(name, a.get(name), b.get(name), noun, secret) for name in names[:MOST_PARTS]]
    more = len(names) - MOST_PARTS
    rest = f" and {more} more" if more > 0 else ""
    before, now = (", ".join(pair[side] for pair in pairs) + rest for side in (0, 1))
    return before, now


def _pair(name: str, was: str | None, now: str | None, noun: str, secret: bool) -> tuple[str, str]:
    label = f"`{single_line(name, 120)}`"
    if was is None:
        return f"no {label}", f"{label} is there"
    if now is None:
        return f"{label} was there", f"no {label}"
    if secret:
        return f"{label} as reviewed", f"another {noun} of {label}"
    return f"{label} {was[:SHOWN]}", f"{label} {now[:SHOWN]}"


def _days(span: timedelta) -> str:
    if span.days >= 2:
        return f"{span.days} days"
    hours = round(span.total_seconds() / 3600)
    return f"{hours} hours" if hours >= 2 else f"{round(span.total_seconds())} seconds"
