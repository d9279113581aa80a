"""Comments become commands: what is read is what this version carries out, or a hint.

Nothing here is passed to a shell: words are split as a shell would, and stay words.
"""

from __future__ import annotations

from collections.abc import Mapping

from prbot.errors.commands import NotInThisVersion, OnIssuesAlone
from prbot.intake.commanded import (
    ApplyCommand,
    CancelCommand,
    Command,
    Conversation,
    HelpCommand,
    ImportCommand,
    NotUnderstood,
    PlanCommand,
    StateRmCommand,
    UnlockCommand,
    VersionCommand,
)
from prbot.intake.comment import Wrong, read
from prbot.intake.grammar import ON_ISSUES, SELECTORS, Typed
from prbot.intake.values import plainly
from prbot.intake.written import apart, written
from prbot.model import Login, PlanId

_CARRIED_OUT: Mapping[str, frozenset[str]] = {
    "help": SELECTORS,
    "plan": SELECTORS | {"all", "destroy", "refresh-only", "verbose", ""},
    "apply": SELECTORS | {"plan", "accept-changes", "accept-orphans", "no-merge", "override"},
    "import": SELECTORS | {""},
    "state rm": SELECTORS | {""},
    "version": SELECTORS,
    "unlock": SELECTORS,
    "cancel": SELECTORS,
}
"""By verb what else of it, the empty word for EXTRA; the rest of the grammar is named plainly as
not built yet."""


def parse(body: str, bot: Login, aliases: tuple[str, ...] = (), bare: bool = True) -> Command:
    """Read a comment. `bot` is prbot's own login, `aliases` are further first words.

    Never raises: what was meant for prbot and is wrong becomes NotUnderstood, with the
    one reply it gets; everything else that is no command becomes Conversation.
    """
    found = read(body, bot, aliases, bare)
    match found:
        case Conversation():
            return found
        case Wrong():
            return NotUnderstood(found.message)
    later = not_carried_out(found)
    return _command(found) if later is None else NotUnderstood(later)


def not_carried_out(typed: Typed) -> str | None:
    """What a command is answered that this version knows and does not carry out."""
    known = _CARRIED_OUT.get(typed.verb)
    if typed.verb in ON_ISSUES:
        return OnIssuesAlone(typed.verb).reply
    if known is None:
        return NotInThisVersion(typed.verb).reply
    for option in _options(typed):
        if option.removeprefix("--") not in known:
            return NotInThisVersion(option).reply
    return None


def _options(typed: Typed) -> list[str]:
    given = {"dir": typed.select.dirs, "workspace": typed.select.workspaces}
    given |= {"project": typed.select.projects}
    names = [name for name, values in given.items() if values]
    names += [name for name, _ in typed.flags]
    return [f"--{name}" for name in names] + ["--"] * bool(typed.extra)


def _command(typed: Typed) -> Command:
    flags = dict(typed.flags)
    match typed.verb:
        case "plan":
            modes = ("destroy" in flags, "refresh-only" in flags, "verbose" in flags)
            return PlanCommand(typed.select, "all" in flags, plainly(typed.extra), *modes)
        case "apply":
            plan = flags.get("plan")
            plan_id = PlanId(plan) if isinstance(plan, str) else None
            names = ("accept-changes", "accept-orphans", "no-merge")
            override = str(flags.get("override", ""))
            accepted, left, unmerged = (name in flags for name in names)
            return ApplyCommand(typed.select, plan_id, accepted, left, unmerged, override)
        case "import":
            extra, (address, object_id) = apart(typed)
            return ImportCommand(address, object_id, typed.select, plainly(extra))
        case "state rm":
            extra, addresses = apart(typed)
            return StateRmCommand(addresses, typed.select, plainly(extra))
        case "version":
            return VersionCommand(typed.select)
        case "unlock":
            return UnlockCommand(typed.select)
        case "cancel":
            return CancelCommand(typed.select)
        case _:
            return HelpCommand()


# --- and back ----------------------------------------------------------------------------


def spell(command: Command) -> str:
    """The command as a person would type it; `parse` reads back the same.

    Raises ValueError for NotUnderstood and Conversation, which nobody can ask for.
    """
    match command:
        case PlanCommand(select, everything, extra, destroy, refresh_only, verbose):
            switches = _switches(
                all=everything, destroy=destroy, refresh_only=refresh_only, verbose=verbose
            )
            return written(Typed("plan", select, extra, switches))
        case ApplyCommand(select, plan_id, accept_changes, accept_orphans, no_merge, override):
            named = (("plan", plan_id),) if plan_id else ()
            changes = _switches(
                accept_changes=accept_changes, accept_orphans=accept_orphans, no_merge=no_merge
            )
            passed = (("override", override),) if override else ()
            return written(Typed("apply", select, flags=(*changes, *passed, *named)))
        case ImportCommand(address, object_id, select, extra):
            return written(Typed("import", select, (*extra, address, object_id)))
        case StateRmCommand(addresses, select, extra):
            return written(Typed("state rm", select, (*extra, *addresses)))
        case VersionCommand(select):
            return written(Typed("version", select))
        case UnlockCommand(select):
            return written(Typed("unlock", select))
        case CancelCommand(select):
            return written(Typed("cancel", select))
        case HelpCommand():
            return written(Typed("help"))
        case _:
            raise ValueError("this is nothing that can be typed")


def _switches(**given: bool) -> tuple[tuple[str, bool], ...]:
    return tuple((name.replace("_", "-"), True) for name, is_set in given.items() if is_set)
