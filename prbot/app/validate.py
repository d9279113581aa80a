"""Checks configuration files as the service would read them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from prbot.app.migrate import text_of
from prbot.config import atlantis, repo
from prbot.config.document import ATLANTIS, Document, parse
from prbot.config.server import load_server
from prbot.config.stages import recipe_of
from prbot.config.workflows import Workflow
from prbot.errors import PrbotError
from prbot.errors.configuration import BadConfiguration
from prbot.errors.verbs import NoText
from prbot.errors.workflows import BadWorkflow


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or that is not honoured; `line` and `column` from 1."""

    path: str
    line: int | None
    column: int | None
    message: str
    hint: str | None


@dataclass(frozen=True)
class Validation:
    """What was looked at, what is wrong in it, and what prbot does not honour."""

    checked: tuple[str, ...]
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]


def validate(path: Path, server: Path | None) -> Validation:
    """Check a repository's files (`path`: its directory, or a file), and the operator's.

    Raises NoText when a file that was named cannot be read.
    """
    files = _files(path)
    findings: list[Finding] = []
    notes: list[Finding] = []
    for file in files:
        text = text_of(file)
        if file.name == repo.FILE_NAME:
            findings += _tried(str(file), partial(_repo, text, file))
        else:
            findings += _tried(str(file), partial(_noted, text, file, notes))
    if server is not None:
        text = text_of(server)
        findings += _tried(str(server), partial(_server, text, server))
        files = (*files, server)
    return Validation(tuple(map(str, files)), tuple(findings), tuple(notes))


def _files(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise NoText(str(path), "there is no such file or directory")
    names = (repo.FILE_NAME, atlantis.FILE_NAME)
    return tuple(path / name for name in names if (path / name).is_file())


def _repo(text: str, file: Path) -> None:
    repo.load_rules(text, str(file))
    _carried_out(repo.load_repo(text, str(file)).workflows, parse(text, str(file)))


def _server(text: str, file: Path) -> None:
    config = load_server(text, str(file), os.environ)
    _carried_out(config.workflows, parse(text, str(file)))


def _carried_out(workflows: Mapping[str, Workflow], document: Document) -> None:
    """Raises BadConfiguration at the first workflow that a run would refuse."""
    for name, workflow in workflows.items():
        try:
            recipe_of(name, workflow)
        except BadWorkflow as error:
            raise document.problem(("workflows", name), error) from None


def _noted(text: str, file: Path, notes: list[Finding]) -> None:
    read = atlantis.load_atlantis(text, str(file))
    _carried_out(read.workflows, parse(text, str(file), ATLANTIS))
    for notice in read.notices:
        message = f"`{notice.key}` is not honoured"
        notes.append(Finding(str(file), notice.line, None, message, notice.words))


def _tried(path: str, check: Callable[[], None]) -> list[Finding]:
    try:
        check()
    except BadConfiguration as error:
        place = (error.path, error.line, error.column)
        return [Finding(*place, error.problem, error.next_step or None)]
    except PrbotError as error:
        return [Finding(path, None, None, str(error).rstrip("."), error.next_step or None)]
    return []
