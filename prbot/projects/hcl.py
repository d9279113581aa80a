"""One configuration file's bytes to what it says about projects.

The fast scanner reads; where it is in doubt, python-hcl2 decides. A file that neither can
read (broken, or of Terraform 0.11) becomes a problem with its line, and still tells what
its intact blocks say: a project does not vanish because somebody forgot a brace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from prbot.errors import PrbotError
from prbot.errors.projects import CodeNotText, CodeTooLarge, UnreadableCode
from prbot.projects import reference
from prbot.projects.climbing import climbs
from prbot.projects.facts import (
    Backend,
    Cloud,
    FileFacts,
    ModuleCall,
    Origin,
    Problem,
    Read,
    RequiredVersion,
    Settings,
    StateRead,
)
from prbot.projects.json_syntax import read_json
from prbot.projects.scan import line_of, salvage, scan
from prbot.projects.syntax import Block, Call, Doubt, Other, Parsed, Template, Value

MAX_BYTES = 1024 * 1024
MAX_DOUBTED = 64 * 1024
"""Larger files are not given to the slow reader: the scanner's word is final."""
SHOWN = 40
_ORIGINS = {
    "${path.module}": Origin.MODULE,
    "${path.root}": Origin.ROOT,
    "${path.cwd}": Origin.ROOT,
}
_BARE_ORIGINS = {"path.module": Origin.MODULE, "path.root": Origin.ROOT, "path.cwd": Origin.ROOT}


def facts_of(name: str, data: bytes) -> FileFacts:
    """What a file says; only the ending of `name` matters."""
    if len(data) > MAX_BYTES:
        return too_large()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return FileFacts(problem=_problem(line, CodeNotText()))
    parsed, problem = _read_json(text) if name.endswith(".json") else _read(text)
    return replace(_facts(parsed, problem), climbs=climbs(text))


def too_large() -> FileFacts:
    """Of a file of more than MAX_BYTES, whoever measured it."""
    return FileFacts(problem=_problem(1, CodeTooLarge(MAX_BYTES // 1024)))


def _problem(line: int, error: PrbotError) -> Problem:
    return Problem(line, str(error))


def _unreadable(line: int, near: str) -> Problem:
    shown = " ".join(near.split()) or "the end of the line"
    return _problem(line, UnreadableCode(shown[:SHOWN]))


def _read_json(text: str) -> tuple[Parsed, Problem | None]:
    try:
        return read_json(text), None
    except Doubt as doubt:
        return Parsed(Block()), _unreadable(line_of(text, doubt.position), doubt.near)


def _read(text: str) -> tuple[Parsed, Problem | None]:
    try:
        return scan(text), None
    except Doubt as doubt:
        found = doubt
    if not found.certain and len(text) <= MAX_DOUBTED:
        with suppress(reference.Unreadable):
            return reference.read(text), None
    return salvage(text), _unreadable(line_of(text, found.position), found.near)


# --- blocks to facts -------------------------------------------------------------------------


def _facts(parsed: Parsed, problem: Problem | None) -> FileFacts:
    body = parsed.body
    terraform = list(body.of("terraform"))
    return FileFacts(
        backend=next((_backend(b) for t in terraform for b in t.of("backend")), None),
        cloud=next((_cloud(b) for t in terraform for b in t.of("cloud")), None),
        providers=_sorted(_label(block) for block in body.of("provider")),
        modules=tuple(_module(block) for block in body.of("module")),
        reads=tuple(sorted(set(_reads(parsed.calls)), key=lambda r: (r.path, r.origin, r.glob))),
        states=tuple(_states(body)),
        needs=_sorted(_needs(body)),
        required=_sorted(_label(v) for v in body.of("variable") if "default" not in v.attributes),
        required_version=tuple(_required_versions(terraform)),
        runs=any(map(_runs, body.blocks)),
        problem=problem,
    )


def _required_versions(terraform: list[Block]) -> Iterator[RequiredVersion]:
    for block in terraform:
        text = _literal(block.attributes.get("required_version"))
        if text is not None:
            yield RequiredVersion(text, block.line)


def _sorted(names: Iterator[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _label(block: Block) -> str:
    return block.labels[0] if block.labels else ""


def _literal(value: Value | None) -> str | None:
    """A text without interpolation, or a number or word such as `true`."""
    if isinstance(value, Template):
        return value.text if value.literal else None
    if isinstance(value, Other) and re.fullmatch(r"\d+|true|false", value.text):
        return value.text
    return None


def _settings(attributes: dict[str, Value]) -> Settings:
    return tuple(sorted((name, _literal(value)) for name, value in attributes.items()))


def _backend(block: Block) -> Backend:
    attributes = dict(block.attributes)
    for inner in block.blocks:  # `workspaces` of the remote backend
        attributes |= {f"{inner.type}.{name}": each for name, each in inner.attributes.items()}
    return Backend(_label(block), _settings(attributes), block.line)


def _cloud(block: Block) -> Cloud:
    workspaces = next(block.of("workspaces"), Block())
    tags = workspaces.attributes.get("tags")
    listed = tags if isinstance(tags, tuple) else ()
    return Cloud(
        hostname=_literal(block.attributes.get("hostname")),
        organization=_literal(block.attributes.get("organization")),
        workspace=_literal(workspaces.attributes.get("name")),
        tags=tuple(tag for tag in map(_literal, listed) if tag is not None),
        line=block.line,
    )


def _module(block: Block) -> ModuleCall:
    return ModuleCall(_label(block), _literal(block.attributes.get("source")), block.line)


def _needs(body: Block) -> Iterator[str]:
    for block in body.blocks:
        if block.type in ("resource", "data", "ephemeral"):
            yield _label(block).partition("_")[0]


def _runs(block: Block) -> bool:
    """In JSON a provisioner stands among the attributes."""
    if block.type == "data":
        return _label(block) == "external"
    return "provisioner" in block.attributes or any(block.of("provisioner"))


def _states(body: Block) -> Iterator[StateRead]:
    for block in body.of("data"):
        if len(block.labels) == 2 and block.labels[0] == "terraform_remote_state":
            backend = _literal(block.attributes.get("backend"))
            if backend is not None:
                yield _state(block, backend)


def _state(block: Block, backend: str) -> StateRead:
    config = block.attributes.get("config", {})
    settings = _paths_too(dict(config)) if isinstance(config, dict) else ()
    workspace = _workspace(block.attributes.get("workspace"))
    return StateRead(block.labels[1], backend, settings, workspace, block.line)


def _paths_too(attributes: dict[str, Value]) -> Settings:
    """As `_settings`; a path may begin with `${path.module}`, which stays."""
    found = dict(_settings(attributes))
    path = attributes.get("path")
    if isinstance(path, Template) and not path.literal:
        origin = next((o for o in _ORIGINS if path.text.startswith(o)), None)
        if origin and "${" not in path.text[len(origin) :]:
            found["path"] = path.text
    return tuple(sorted(found.items()))


def _workspace(value: Value | None) -> str | None:
    if value is None:
        return "default"
    written = value.text if isinstance(value, (Template, Other)) else ""
    if written in ("terraform.workspace", "${terraform.workspace}"):
        return None
    return _literal(value) or ""


# --- files that are read ---------------------------------------------------------------------


def _reads(calls: tuple[Call, ...]) -> Iterator[Read]:
    listed = [found for call in calls if (found := _file_set(call)) is not None]
    yield from (read for _, read in listed)
    directories = {place for place, _ in listed}
    for call in calls:
        if call.name == "fileset" or not call.arguments:
            continue
        value = call.arguments[0]
        # What a `for` over a `fileset` reads is what that lists.
        if not isinstance(value, Template) or _beginning(value) not in directories:
            yield _file(value)


def _file(value: Value) -> Read:
    """A path with an interpolation in it may be any file below its literal beginning; one
    of which nothing is known, any below the module."""
    if not isinstance(value, Template):
        return Read("**", Origin.MODULE, glob=True)
    beginning = _beginning(value)
    if beginning is None:
        origin, path = _origin(value)
        return Read(path, origin)
    origin, directory = beginning
    return Read(f"{directory}/**", origin, glob=True) if directory else _file(_UNKNOWN)


_UNKNOWN = Other("")


def _beginning(value: Template) -> tuple[Origin, str] | None:
    """Of a path with an interpolation in it: the directory that is literal."""
    origin, rest = _origin(value)
    cut = min((at for at in (rest.find("${"), rest.find("%{")) if at >= 0), default=-1)
    return None if value.literal or cut < 0 else (origin, rest[:cut].rpartition("/")[0])


def _origin(value: Template) -> tuple[Origin, str]:
    for written, origin in _ORIGINS.items():
        if not value.literal and value.text.startswith(written):
            return origin, value.text[len(written) :].lstrip("/")
    return Origin.ROOT, value.text


def _file_set(call: Call) -> tuple[tuple[Origin, str], Read] | None:
    """The directory that a `fileset` looks into, and what it may find there."""
    if call.name != "fileset" or len(call.arguments) != 2:
        return None
    where, pattern = call.arguments
    if isinstance(where, Other) and where.text in _BARE_ORIGINS:
        origin, directory = _BARE_ORIGINS[where.text], ""
    elif isinstance(where, Template):
        origin, directory = _origin(where)
    else:
        return None
    if "${" in directory:
        return None
    literal = _literal(pattern) if isinstance(pattern, Template) else None
    whole = f"{directory}/{literal or '**'}".lstrip("/")
    return (origin, directory.rstrip("/")), Read(whole, origin, glob=True)
