"""`prbot explain comment` and `prbot explain event`: what is heard in a text or a webhook."""

from __future__ import annotations

import json
import sys

from prbot.intake.commands import not_carried_out
from prbot.intake.comment import Reading, Wrong, read
from prbot.intake.grammar import Typed
from prbot.intake.written import written
from prbot.model import Login, Selector


def explain_comment(text: str, bot: str, aliases: tuple[str, ...], as_json: bool) -> int:
    """Print how a comment is read; always 0."""
    found = read(text, Login(bot), aliases)
    sys.stdout.write(f"{json.dumps(_document(found), indent=2) if as_json else _told(found)}\n")
    later = not_carried_out(found) if isinstance(found, Typed) else None
    if later is not None:
        sys.stderr.write(f"{later}\n")
    return 0


def _document(found: Reading) -> dict[str, object]:
    typed = found if isinstance(found, Typed) else None
    select = typed.select if typed else Selector()
    return {
        "kind": _kind(found),
        "command": typed.verb if typed else None,
        "dirs": list(select.dirs),
        "workspaces": list(select.workspaces),
        "projects": list(select.projects),
        "extra": list(typed.extra) if typed else [],
        "flags": dict(typed.flags) if typed else {},
        "message": found.message if isinstance(found, Wrong) else None,
    }


def _kind(found: Reading) -> str:
    match found:
        case Typed():
            return "help" if found.verb == "help" else "command"
        case Wrong():
            return "hint" if found.hint else "error"
        case _:
            return "ignored"


def _told(found: Reading) -> str:
    match found:
        case Typed():
            return f"{_kind(found)}: {written(found)}"
        case Wrong():
            return f"{_kind(found)}: {found.message}"
        case _:
            return "ignored: conversation"
