"""A repository's own files, `prbot.yaml` or `atlantis.yaml`, and what counts of them.

`prbot.yaml` takes the place of `atlantis.yaml` where there are both. What decides on safety
is the default branch's; what a pull request's head may add is in `config/head.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from prbot.config import atlantis
from prbot.config.atlantis import load_atlantis
from prbot.config.head import merged_rules
from prbot.config.project_rules import ProjectRules
from prbot.config.repo import FILE_NAME, RepoConfig, load_repo, load_rules
from prbot.config.server import ApplyOnMerge
from prbot.config.workflows import Workflow
from prbot.errors.configuration import BadConfiguration, NotInUtf8
from prbot.model import Notice

NAMES = (FILE_NAME, atlantis.FILE_NAME)


@dataclass(frozen=True)
class RepoFiles:
    """The files' bytes as a commit has them, None where it has none."""

    prbot: bytes | None = None
    atlantis: bytes | None = None


@dataclass(frozen=True)
class Said:
    """What files say about projects, and what people should know about that."""

    rules: ProjectRules
    notices: tuple[Notice, ...] = ()


@lru_cache(maxsize=64)
def settings_in(files: RepoFiles) -> RepoConfig:
    """The settings of `prbot.yaml`. With `atlantis.yaml` alone nothing is applied on merge,
    as Atlantis applies nothing unasked. Raises BadConfiguration."""
    if files.prbot is not None or files.atlantis is None:
        return load_repo(_text(files.prbot, FILE_NAME))
    config = RepoConfig(version=1)
    defaults = config.defaults.model_copy(update={"apply_on_merge": ApplyOnMerge.NEVER})
    asked = load_atlantis(_text(files.atlantis, atlantis.FILE_NAME) or "").automerge
    return config.model_copy(update={"defaults": defaults, "automerge": asked})


@lru_cache(maxsize=64)
def workflows_in(files: RepoFiles) -> Mapping[str, Workflow]:
    """The repository's own workflows by name. Raises BadConfiguration."""
    if files.prbot is not None or files.atlantis is None:
        return load_repo(_text(files.prbot, FILE_NAME)).workflows
    return load_atlantis(_text(files.atlantis, atlantis.FILE_NAME) or "").workflows


@lru_cache(maxsize=64)
def said_in(files: RepoFiles, branch: str | None = None) -> Said:
    """For pull requests into `branch` (None: into any). Raises BadConfiguration.

    Remembered: a file of a thousand projects takes a second to read.
    """
    if files.prbot is not None or files.atlantis is None:
        return Said(load_rules(_text(files.prbot, FILE_NAME), branch=branch))
    text = _text(files.atlantis, atlantis.FILE_NAME) or ""
    read = load_atlantis(text, branch=branch)
    notices = (
        Notice(atlantis.FILE_NAME, each.line, f"`{each.key}` is not honoured: {each.words}", True)
        for each in read.notices
    )
    return Said(read.rules, tuple(notices))


def counted(default: RepoFiles, head: RepoFiles, branch: str) -> Said:
    """What counts for a pull request into `branch`: the default branch's word, with what the
    head may add, and a notice of what it may not. Raises BadConfiguration."""
    known, asked = said_in(default, branch), said_in(head, branch)
    merged = merged_rules(known.rules, asked.rules)
    refused = tuple(
        Notice(error.path, error.line, f"{error.problem}. {error.next_step}")
        for error in merged.refusals
    )
    return replace(asked, rules=merged.rules, notices=(*refused, *asked.notices))


def _text(data: bytes | None, name: str) -> str | None:
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        told = NotInUtf8()
        line = data[: error.start].count(b"\n") + 1
        raise BadConfiguration(name, line, 1, str(told), told.next_step) from None
