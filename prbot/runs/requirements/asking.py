"""Who may command at all, and when a comment was found too late."""

from __future__ import annotations

from datetime import timedelta

from prbot.model import Permission
from prbot.runs.run import Ask, Run
from prbot.runs.say import Reason, Reasons


def may_command(ask: Ask, permission: Permission) -> Reasons:
    """Commands that change something need write access."""
    if permission.can_write:
        return ()
    return (
        Reason(
            "permission",
            f"{ask.actor} has {permission.value} access; `{ask.kind.value}` needs write access",
            "somebody with write access can repeat the command",
        ),
    )


TOO_OLD = timedelta(minutes=30)
"""How late an `apply` may be found: people go on, and no longer expect it."""


def may_apply_now(run: Run, permission: Permission) -> Reasons:
    """Write access, and the comment was not found too late."""
    reasons = may_command(run.ask, permission)
    said_at = run.ask.commented_at
    if said_at is None or run.created_at - said_at <= TOO_OLD:
        return reasons
    too_old = f"the comment of {said_at:%Y-%m-%d %H:%M} UTC is too old"
    return (*reasons, Reason("age", too_old, "say it again"))
