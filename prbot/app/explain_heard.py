"""`prbot explain comment` and `prbot explain event`: what is heard in a text or a webhook."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prbot.errors.webhooks import NoPayload, NotAPayload
from prbot.intake import github_explained, gitlab_explained
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


# --- webhooks ----------------------------------------------------------------------------


def explain_event(forge: str, name: str | None, path: Path, as_json: bool) -> int:
    """Print what a webhook's body says; `forge` is `github` or `gitlab`, `-` is stdin.

    Raises PrbotError when the body cannot be read, or lacks what its event promises.
    """
    payload = _payload(path)
    forges = {"github": github_explained.explain, "gitlab": gitlab_explained.explain}
    document = asdict(forges[forge](payload, name))
    told = json.dumps(document, indent=2) if as_json else _in_words(document)
    sys.stdout.write(f"{told}\n")
    return 0


def _payload(path: Path) -> dict[str, Any]:
    shown = "stdin" if str(path) == "-" else str(path)
    try:
        data = sys.stdin.buffer.read() if shown == "stdin" else path.read_bytes()
        payload = json.loads(data)
    except json.JSONDecodeError as error:
        raise NotAPayload(shown, error.lineno, error.colno, error.msg) from None
    except OSError as error:
        raise NoPayload(shown, error.strerror or type(error).__name__) from None
    except UnicodeDecodeError:
        raise NoPayload(shown, "it is not UTF-8 text") from None
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        raise NoPayload(shown, "it is too deeply nested, or holds a number too long") from None
    if not isinstance(payload, dict):
        raise NoPayload(shown, "it is not a JSON object")
    return payload


def _in_words(document: dict[str, Any]) -> str:
    rest = {key: value for key, value in document.items() if value is not None}
    first = f"{rest.pop('kind')}: {_shown(rest.pop('reason', 'nothing to do'))}"
    return "\n".join([first, *(f"    {key}: {_shown(rest[key])}" for key in rest)])


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "".join(char if char.isprintable() else "?" for char in str(value))
