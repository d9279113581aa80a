"""git as prbot runs it: on its own configuration, without prompts, hooks or helpers.

Whatever stands in the machine's or the user's git configuration is ignored. Credentials
travel in the environment of one command only, scoped to one URL (git-config(1),
`GIT_CONFIG_COUNT` and `http.<url>.extraHeader`): never in argv, never on disk, and they
are taken out of every error text. git's transports are limited to http, https and file.

LFS pointers stay pointers: filters stand in global configuration, and there is none.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prbot.adapters import process
from prbot.adapters.process import Completed
from prbot.errors.git import GitFailed, GitMissing, GitTimedOut
from prbot.ports.forge import CloneAccess

OLDEST = (2, 38)
"""The first git whose `merge-tree` writes a tree without a work tree (its release notes)."""
OLDEST_TEXT = ".".join(map(str, OLDEST))
SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.autocrlf": "false",
    "core.symlinks": "true",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "protocol.version": "2",
    "safe.directory": "*",  # mirrors may lie on a volume that belongs to another account
    "gc.auto": "0",  # a background gc would outlive the command, and drop what we still need
    "maintenance.auto": "false",
    "credential.helper": "",
    "merge.renames": "true",
    "merge.conflictStyle": "merge",
}
QUIET = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_ALLOW_PROTOCOL": "http:https:file",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C.UTF-8",
    "LANGUAGE": "",
}

BRIEF = frozenset(
    {
        *("cat-file", "commit-tree", "diff-tree", "for-each-ref", "ls-files", "ls-tree"),
        *("merge-base", "merge-tree", "rev-list", "rev-parse", "status", "version"),
    }
)
"""Of these a plan takes dozens. They ask no server and change no work tree."""


@dataclass(frozen=True)
class Git:
    """`environment` is what may pass through (PATH, proxies, certificates); `home` an
    empty directory; `timeout` the seconds one command may take."""

    environment: Mapping[str, str]
    home: Path
    timeout: float = 900.0

    async def run(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        access: CloneAccess | None = None,
        extra: Mapping[str, str] | None = None,
        feed: bytes = b"",
    ) -> Completed:
        """Run one command, with `feed` on its stdin; the caller judges the exit code.

        Raises GitMissing or GitTimedOut.
        """
        env = {**self.environment, **QUIET, **(extra or {}), **_configuration(access)}
        env |= {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home)}
        try:
            done = await process.run(
                ("git", *words),
                cwd=cwd,
                env=env,
                timeout=self.timeout,
                brief=words[0] in BRIEF,
                grace=5.0,
                feed=feed,
            )
        except FileNotFoundError as error:
            raise GitMissing(OLDEST_TEXT, "none") from error
        if done.timed_out:
            raise GitTimedOut(words[0], str(round(self.timeout)))
        return done

    async def ask(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        extra: Mapping[str, str] | None = None,
    ) -> str:
        """Run one command that must succeed; its output, a last newline stripped.

        Paths that are not UTF-8 come as `surrogateescape` has them. Raises GitFailed.
        """
        done = await self.run(words, cwd=cwd, extra=extra)
        if done.code != 0:
            raise GitFailed(words[0], last_words(done))
        return text(done.stdout)

    async def version(self) -> str:
        """For example `git 2.39.5`. Raises GitMissing, also for one that is too old."""
        said = await self.ask(["version"], cwd=self.home)
        found = re.search(r"(\d+)\.(\d+)[.\d]*", said)
        if found is None or (int(found[1]), int(found[2])) < OLDEST:
            raise GitMissing(OLDEST_TEXT, said)
        return f"git {found[0]}"


def text(output: bytes) -> str:
    return output.decode("utf-8", "surrogateescape").removesuffix("\n")


def last_words(done: Completed, access: CloneAccess | None = None) -> str:
    """The end of what git said about a failure, without credentials."""
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    said = [_printable(line) for line in lines if line.strip()]
    telling = [line for line in said if line.startswith(("fatal:", "error:", "remote:"))]
    words = " ".join((telling or said)[-3:]) or f"git ended with {done.code}"
    return redacted(words, access)[-600:]


def redacted(words: str, access: CloneAccess | None) -> str:
    """Without the header's credentials in any spelling, and without any in a URL."""
    for secret in sorted(_secrets(access), key=len, reverse=True):
        words = words.replace(secret, "***")
    return re.sub(r"(?<=://)[^/@\s]+@", "***@", words)


def _secrets(access: CloneAccess | None) -> set[str]:
    if access is None or not access.header:
        return set()
    value = access.header.partition(":")[2].strip()
    credentials = value.split()[-1] if value else ""
    found = {access.header, value, credentials}
    try:
        plain = base64.b64decode(credentials, validate=True).decode()
        found |= {plain, plain.partition(":")[2]}
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    return {secret for secret in found if len(secret) > 3}


def _printable(line: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in line).strip()


def _configuration(access: CloneAccess | None) -> dict[str, str]:
    settings = dict(SETTINGS)
    if access is not None and access.header:
        settings[f"http.{access.url}.extraHeader"] = access.header
    pairs = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        pairs |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return pairs
