"""One line of the journal: who did what, in which pull request, and when."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime

from prbot.model import Login, PlanId, PullRef, Sha
from prbot.runs.run import Ask

EXPIRED = "plan expired"
"""The action of a line whose subject is the plan; its absence means: gone for another reason."""
FROZEN = "freeze declared"
"""The subject is the freeze."""
LIFTED = "freeze lifted"


@dataclass(frozen=True)
class JournalEntry:
    """Append-only. `subject` is a run, job, plan or freeze id; `actor` is None for prbot itself.

    `pull` is None where no pull request is spoken of. `commit` is the pull request's head (after
    a merge: the merge commit), `plan_id` the plan that was made or applied, `approvals` who had
    approved it when the apply was decided. Older lines have none of these.
    """

    at: datetime
    pull: PullRef | None
    actor: Login | None
    subject: str
    action: str
    detail: str = ""
    commit: Sha | None = None
    plan_id: PlanId | None = None
    approvals: tuple[Login, ...] = ()


@dataclass(frozen=True)
class JournalQuery:
    """Which lines; None is all of them.

    `repo` is `owner/name`, its case ignored as is that of `actor`; `forge` an entry's name.
    `action` is how a line's action begins. `since` is included, `until` is not. `plan` is also
    looked for as the subject.
    """

    forge: str | None = None
    repo: str | None = None
    number: int | None = None
    actor: Login | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    plan: PlanId | None = None


@dataclass(frozen=True)
class JournalLine:
    """An entry with its number, which only grows."""

    number: int
    entry: JournalEntry


@dataclass(frozen=True)
class JournalPage:
    """Lines that were found, and the number behind which to go on; None: that is all there is.

    A page may be empty and still not be the last: long journals are looked through in parts.
    """

    lines: tuple[JournalLine, ...]
    after: int | None


def asked(ask: Ask) -> str:
    """What a run was asked to do, for its first line: `apply: comment (p-3e91c0 -d app)`."""
    select = ask.select
    named = (("-d", select.dirs), ("-w", select.workspaces), ("-p", select.projects))
    flags = {
        "--all": ask.everything,
        "--no-merge": ask.no_merge,
        "--accept-changes": ask.accept_changes,
        "--accept-orphans": ask.accept_orphans,
    }
    words = (
        *((ask.plan_id,) if ask.plan_id else ()),
        *(word for option, names in named for name in names for word in (option, name)),
        *(flag for flag, given in flags.items() if given),
        *(("--override", ask.override) if ask.override else ()),
        *ask.arguments,
    )
    options = f" ({shlex.join(words)})" if words else ""
    return f"{ask.kind}: {ask.reason}{options}{', heard late' if ask.late else ''}"
