"""The variables that steps and hooks are given: Atlantis's, under their names, and prbot's.

Names and meanings: https://www.runatlantis.io/docs/custom-workflows.html and
https://www.runatlantis.io/docs/pre-workflow-hooks.html. Their values are other people's
words (a branch may be called almost anything): a command must quote them.

Not given: ATLANTIS_PR_APPROVED and ATLANTIS_PR_MERGEABLE. Whether something may be applied
is decided before a step runs, never by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from prbot.errors.plans import UnusableValue
from prbot.errors.workflows import ReservedVariable, UnknownVariable
from prbot.model import Login, ProjectKey, PullRequest

RESERVED = (
    "TF_CLI_*", "TF_WORKSPACE", "TF_DATA_DIR", "TF_LOG*", "TF_REATTACH_PROVIDERS",
    "TF_PLUGIN_CACHE_DIR", "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE",
    "HOME", "TMPDIR", "LD_*", "DYLD_*", "BASH_ENV", "PRBOT_*",
)  # fmt: skip
"""What steps may not set: it would change what prbot's own steps do, where the tool writes,
or what else is loaded into each program. PATH they may set."""


@dataclass(frozen=True)
class Subject:
    """What a job or a hook is about. `actor` is who asked, or whose event it was; `arguments`
    are the extra arguments of the comment."""

    pull: PullRequest
    actor: Login
    command: str
    arguments: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True)
class Files:
    """Absolute paths: the project's directory, and where plan, JSON and findings are."""

    directory: str
    plan: str
    shown: str
    findings: str


def job_variables(subject: Subject, project: ProjectKey, tool: str, files: Files) -> dict[str, str]:
    """For the steps of one project; `tool` as in `Tool.version`: `terraform 1.11.4`."""
    distribution, _, version = tool.partition(" ")
    return _of_pull(subject) | {
        "ATLANTIS_TERRAFORM_DISTRIBUTION": distribution,
        "ATLANTIS_TERRAFORM_VERSION": version,
        "DIR": files.directory,
        "PLANFILE": files.plan,
        "SHOWFILE": files.shown,
        "POLICYCHECKFILE": files.findings,
        "REPO_REL_DIR": project.dir,
        "WORKSPACE": project.workspace,
        "PRBOT_COMMAND": subject.command,
    }


def hook_variables(subject: Subject, directory: str, status_file: str) -> dict[str, str]:
    """For a hook; `directory` is the repository's root."""
    return _of_pull(subject) | {
        "DIR": directory,
        "COMMAND_NAME": subject.command,
        "OUTPUT_STATUS_FILE": status_file,
        "PRBOT_COMMAND": subject.command,
    }


def _of_pull(subject: Subject) -> dict[str, str]:
    pull = subject.pull
    base_owner, _, base_name = pull.ref.repo.path.rpartition("/")
    head_owner, _, head_name = (pull.head_repo or "").rpartition("/")
    return {
        "BASE_BRANCH_NAME": pull.base_branch,
        "BASE_REPO_NAME": base_name,
        "BASE_REPO_OWNER": base_owner,
        "COMMENT_ARGS": comment_args(subject.arguments),
        "HEAD_BRANCH_NAME": pull.head_branch,
        "HEAD_COMMIT": pull.head_sha,
        "HEAD_REPO_NAME": head_name,
        "HEAD_REPO_OWNER": head_owner,
        "PROJECT_NAME": subject.name or "",
        "PULL_AUTHOR": pull.author,
        "PULL_NUM": str(pull.ref.number),
        "PULL_URL": pull.url,
        "USER_NAME": subject.actor,
    }


def comment_args(arguments: tuple[str, ...]) -> str:
    """As Atlantis: joined by commas, with a backslash before each character."""
    return ",".join("".join(f"\\{character}" for character in word) for word in arguments)


LONGEST = 100_000
"""Bytes of a value; no program is started with one of more than 128 KiB (execve(2))."""


def usable(name: str, value: str, given: Mapping[str, str]) -> str:
    """The value itself. Raises ReservedVariable or UnusableValue."""
    check_settable(name, given)
    if "\0" in value or len(value.encode("utf-8", "surrogateescape")) > LONGEST:
        raise UnusableValue(name)
    return value


def check_settable(name: str, given: Mapping[str, str]) -> None:
    """Raises ReservedVariable for what a step may not set; `given` are the job's own."""
    if any(fnmatchcase(name, glob) for glob in RESERVED) or (name in given and name != "PATH"):
        raise ReservedVariable(name)


_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


def expanded(argument: str, known: Mapping[str, str]) -> str:
    """A word of `extra_args` with `$NAME` and `${NAME}` replaced, never split or globbed.

    Raises UnknownVariable, where Atlantis would put nothing in its place.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in known:
            raise UnknownVariable(name)
        return known[name]

    return _REFERENCE.sub(value, argument)
