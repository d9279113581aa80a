"""Reads what Terraform writes: its JSON stream, its text, and the files init leaves.

Facts of the wire: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
for the stream; `modules/modules.json` and `terraform.tfstate` in TF_DATA_DIR are
Terraform's own notes, read leniently because nobody promised their form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from prbot.adapters.process import Completed

TEXT_LIMIT = 64 * 1024
"""Most characters of the tool's words that are kept for people."""
STALE = frozenset({"Saved plan is stale", "Saved plan does not match the given state"})
"""Summaries of the refusals that come before anything is changed (seen with 1.11)."""


def events(stream: bytes) -> tuple[str, ...]:
    """The stream's lines that are JSON objects, as they were written."""
    lines = stream.decode("utf-8", "replace").splitlines()
    return tuple(line for line in lines if line.startswith("{") and _object(line) is not None)


def is_stale(lines: Iterable[str]) -> bool:
    """True when the tool refused a saved plan before it changed anything."""
    parsed = list(_objects(lines))
    started = any(event.get("type") == "apply_start" for event in parsed)
    summaries = {_diagnostic(event).get("summary") for event in parsed}
    return not started and not summaries.isdisjoint(STALE)


def diagnostics(lines: Iterable[str]) -> str:
    """The diagnostics for people, errors before warnings, each only once."""
    found = [event for event in map(_diagnostic, _objects(lines)) if event]
    found.sort(key=lambda diagnostic: diagnostic.get("severity") != "error")
    texts = dict.fromkeys(_sentence(diagnostic) for diagnostic in found)
    return _beginning("\n\n".join(texts))


Place = tuple[str, int, int, bool, str, str]
"""File as the tool names it, first and last line, whether it is an error, summary, detail."""
MOST_PLACES = 200


def places(lines: Iterable[str]) -> tuple[Place, ...]:
    """Where in the code the diagnostics of a stream are, errors first, each once."""
    found = dict.fromkeys(filter(None, map(_code_place, map(_diagnostic, _objects(lines)))))
    return tuple(sorted(found, key=lambda place: not place[3])[:MOST_PLACES])


def _code_place(diagnostic: Mapping[str, Any]) -> Place | None:
    where = _mapping(diagnostic, "range")
    first, last = (_mapping(where, end).get("line") for end in ("start", "end"))
    file = where.get("filename")
    if not isinstance(file, str) or not isinstance(first, int) or first < 1:
        return None
    until = last if isinstance(last, int) and last >= first else first
    fatal = diagnostic.get("severity") == "error"
    words = (str(diagnostic.get(key) or "") for key in ("summary", "detail"))
    summary, detail = (word[:TEXT_LIMIT] for word in words)
    return file, first, until, fatal, summary, detail


_TEXT_PLACE = re.compile(
    r"^(Error|Warning): ([^\n]+)\n+  on ([^\n]+) line ([1-9]\d{0,6})(?:, in [^\n]*)?:$",
    re.MULTILINE,
)


def places_in_text(text: str) -> tuple[Place, ...]:
    """The same from what `init` says to people, as `plain` leaves it; without the details."""
    found = (
        (file, int(line), int(line), kind == "Error", summary[:TEXT_LIMIT], "")
        for kind, summary, file, line in _TEXT_PLACE.findall(text)
    )
    return tuple(sorted(dict.fromkeys(found), key=lambda place: not place[3])[:MOST_PLACES])


def messages(lines: Iterable[str]) -> str:
    """What the stream says in words, line by line."""
    spoken = (event.get("@message") for event in _objects(lines))
    return _end("\n".join(said for said in spoken if isinstance(said, str)))


def _sentence(diagnostic: Mapping[str, Any]) -> str:
    severity = "Error" if diagnostic.get("severity") == "error" else "Warning"
    parts = [f"{severity}: {diagnostic.get('summary', '')}", *_place(diagnostic)]
    if detail := diagnostic.get("detail"):
        parts.append(str(detail))
    return "\n\n".join(parts)


def _place(diagnostic: Mapping[str, Any]) -> Iterator[str]:
    where = _mapping(diagnostic, "range")
    if not where:
        if address := diagnostic.get("address"):
            yield f"  with {address}"
        return
    line = _mapping(where, "start").get("line")
    snippet = _mapping(diagnostic, "snippet")
    context = f", in {snippet['context']}" if snippet.get("context") else ""
    lines = [f"  on {where.get('filename')} line {line}{context}:"]
    lines += [f"  {line}: {code}" for code in str(snippet.get("code", "")).splitlines()[:1]]
    lines += [f"    {v.get('traversal')} {v.get('statement')}" for v in snippet.get("values") or ()]
    yield "\n".join(lines)


def _diagnostic(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(event, "diagnostic")


def _objects(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    return (parsed for line in lines if (parsed := _object(line)) is not None)


def _object(line: str) -> Mapping[str, Any] | None:
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _mapping(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


_FRAME = re.compile(r"^[╷╵│├][ ─]?", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def plain(text: bytes) -> str:
    """Terraform's human text without colours and the frame around its errors."""
    bare = _COLOUR.sub("", text.decode("utf-8", "replace"))
    bare = _FRAME.sub("", bare)
    lines = (line.rstrip() for line in bare.splitlines())
    return _end(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip())


def _beginning(text: str) -> str:
    """Cut between lines: these words are not redacted yet, and half of a secret is not found."""
    return text if len(text) <= TEXT_LIMIT else text[:TEXT_LIMIT].rpartition("\n")[0]


def _end(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else text[-TEXT_LIMIT:].partition("\n")[2]


def version_line(name: str, answer: bytes) -> str:
    """`terraform 1.11.4`, from `version -json`; OpenTofu's version has the same key."""
    parsed = _object(answer.decode("utf-8", "replace")) or {}
    return f"{name} {parsed.get('terraform_version', 'unknown')}"


# --- what init leaves in TF_DATA_DIR ------------------------------------------------------------


def module_dirs(root: Path, tf_data: Path) -> tuple[Path, ...]:
    """The directories of all called modules, absolute, sorted, the root's own left out."""
    manifest = _file(tf_data / "modules" / "modules.json")
    called = [module for module in manifest.get("Modules") or () if module.get("Key")]
    return tuple(sorted({(root / module["Dir"]).resolve() for module in called}))


def state_is_lost(root: Path, tf_data: Path, workspace: str) -> bool:
    """True when the state would be written into the worktree, and so thrown away with it.

    No backend, and a local one with a relative path (relative to the root module), write
    there; so does an absolute path that leads into the worktree or the data directory.
    """
    backend = _mapping(_file(tf_data / "terraform.tfstate"), "backend")
    if backend.get("type") not in (None, "local", "inmem"):
        return False
    config = _mapping(backend, "config")
    place = config.get("path" if workspace == "default" else "workspace_dir")
    if backend.get("type") == "inmem" or not place:
        return True
    state = (root / place).resolve()
    return any(state.is_relative_to(gone) for gone in (_worktree(root), tf_data.parent.resolve()))


def _worktree(root: Path) -> Path:
    resolved = root.resolve()
    around = (path for path in (resolved, *resolved.parents) if (path / ".git").exists())
    return next(around, resolved)


def _file(path: Path) -> Mapping[str, Any]:
    try:
        return _object(path.read_text()) or {}
    except (OSError, UnicodeDecodeError):
        return {}


def words_of(answer: Completed) -> str:
    """What the tool said about its failure: diagnostics, else its errors, else anything.

    A signal comes first: of a tool that was cut off, the words explain nothing.
    """
    lines = events(answer.stdout)
    said = diagnostics(lines) or plain(answer.stderr) or messages(lines) or plain(answer.stdout)
    if answer.code < 0:
        return f"It was ended by signal {-answer.code}.\n\n{said}".strip()
    return said


def flaws_of(answer: Completed) -> tuple[Place, ...]:
    """`init` speaks plain text; everything else that knows of code speaks JSON."""
    lines = events(answer.stdout)
    return places(lines) if lines else places_in_text(plain(answer.stderr))
