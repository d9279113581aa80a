"""The bare git directories behind the demo forge's repositories.

Every question and every merge is answered by git itself. Git runs with an environment
of its own, so that the configuration of whoever starts the demo (hooks, signing,
default branch) changes nothing. Needs git 2.38 or newer (`merge-tree --write-tree`).
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prbot.errors.demo import DemoGitFailed

ABSENT = "0" * 40
"""The object id git uses for `no such ref`."""

_CONFIGURATION = """\
[http]
\treceivepack = true
[uploadpack]
\t# GitHub serves any commit by its id.
\tallowAnySHA1InWant = true
\tallowFilter = true
[receive]
\t# Only the forge moves these.
\thideRefs = refs/pull
\thideRefs = refs/merge-requests
[gc]
\tauto = 0
"""

_LOG_FORMAT = "%x00".join(("%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B"))

_SETTLED = re.compile(r"-.*|\^?[0-9a-f]{40}(\.\.[0-9a-f]{40})?", re.DOTALL)
"""Options, and commits by their ids: what stands there never means anything else."""


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    date: str = ""


@dataclass(frozen=True)
class CommitInfo:
    """One commit; dates are ISO 8601 with the committer's offset."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True)
class ChangedFile:
    """One file of a diff. `status` is GitHub's word; `patch` starts at the first hunk
    and is None for binary files and pure renames."""

    path: str
    previous: str | None
    status: str
    blob: str
    additions: int
    deletions: int
    patch: str | None


def environment(**extra: str) -> dict[str, str]:
    """The complete environment of a git process."""
    git = shutil.which("git") or "git"
    return {
        "PATH": os.pathsep.join((str(Path(git).parent), os.defpath)),
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_COMMITTER_NAME": "Demo Forge",
        "GIT_COMMITTER_EMAIL": "noreply@forge.invalid",
        "GIT_AUTHOR_NAME": "Demo Forge",
        "GIT_AUTHOR_EMAIL": "noreply@forge.invalid",
        "LC_ALL": "C.UTF-8",
        **extra,
    }


async def git(
    directory: Path,
    *arguments: str,
    stdin: bytes | None = None,
    accept: tuple[int, ...] = (0,),
    extra: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Run git in `directory`; exit code and stdout. Raises DemoGitFailed otherwise."""
    process = await asyncio.create_subprocess_exec(
        "git",
        "-C",
        str(directory),
        *arguments,
        stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**(extra or {})),
    )
    out, err = await process.communicate(stdin)
    code = process.returncode or 0
    if code not in accept:
        raise DemoGitFailed(arguments[0], err.decode(errors="replace").strip())
    return code, out


@dataclass(frozen=True)
class GitDir:
    """One bare repository. `said` is what git answered that it cannot answer otherwise."""

    path: Path
    said: dict[tuple[str, ...], tuple[int, bytes]] = field(
        default_factory=dict, compare=False, repr=False
    )

    async def ask(self, *arguments: str) -> str:
        _, out = await git(self.path, *arguments)
        return out.decode(errors="replace").strip()

    async def init(self, default_branch: str) -> None:
        self.path.mkdir(parents=True)
        await self.ask("init", "--quiet", "--bare", "--initial-branch", default_branch)
        with (self.path / "config").open("a") as config:
            config.write(_CONFIGURATION)

    async def import_branches(self, source: Path) -> None:
        """Take all branches of another repository on this machine."""
        await self.ask("fetch", "--quiet", str(source), "+refs/heads/*:refs/heads/*")

    async def bring(self, source: Path, branch: str) -> None:
        """Take the objects of one branch, without making a branch of it."""
        await self.ask("fetch", "--quiet", str(source), f"refs/heads/{branch}")

    async def branches(self) -> dict[str, str]:
        lines = await self.ask("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads")
        pairs = (line.split(" ", 1) for line in lines.splitlines())
        return {ref.removeprefix("refs/heads/"): sha for sha, ref in pairs}

    async def resolve(self, name: str) -> str | None:
        """The commit a branch, tag or id stands for; None when there is none."""
        wanted = f"{name}^{{commit}}"
        code, out = await git(
            self.path, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted, accept=(0, 1)
        )
        return out.decode().strip() if code == 0 else None

    async def delete_ref(self, ref: str) -> None:
        await self.ask("update-ref", "-d", ref)

    async def set_ref(self, ref: str, new: str, old: str | None = None) -> None:
        await self.ask("update-ref", ref, new, *([old] if old else []))

    async def is_ancestor(self, older: str, newer: str) -> bool:
        words = ("merge-base", "--is-ancestor", older, newer)
        code, _ = await self._once(words, accept=(0, 1, 128))
        return code == 0

    async def _once(self, words: tuple[str, ...], accept: tuple[int, ...]) -> tuple[int, bytes]:
        """What git says of commits named by their ids, it says for ever, once it has them."""
        if words in self.said:
            return self.said[words]
        said = await git(self.path, *words, accept=accept)
        if said[0] in (0, 1) and all(_SETTLED.fullmatch(word) for word in words[1:]):
            self.said[words] = said
        return said

    async def merge_base(self, one: str, other: str) -> str | None:
        code, out = await self._once(("merge-base", one, other), accept=(0, 1))
        return out.decode().strip() if code == 0 else None

    async def commits(self, *revisions: str) -> tuple[CommitInfo, ...]:
        """The commits of `git log REVISIONS`, oldest first."""
        words = ("log", f"--format={_LOG_FORMAT}%x01", "--reverse", *revisions, "--")
        _, out = await self._once(words, accept=(0,))
        entries = out.decode(errors="replace").strip().split("\x01")
        return tuple(_commit(entry) for entry in entries if entry.strip())

    async def commit(self, sha: str) -> CommitInfo:
        return (await self.commits("-1", sha))[0]

    async def files(self, base: str, head: str) -> tuple[ChangedFile, ...]:
        """What a diff of two commits shows, in git's order."""
        _, raw = await git(
            self.path, "diff", "--raw", "--numstat", "-z", "-M", "--no-abbrev", base, head
        )
        _, text = await git(self.path, "diff", "-M", base, head)
        return _changed_files(raw, text.decode(errors="replace"))

    async def merge_tree(self, base: str, head: str) -> str | None:
        """The tree of merging `head` into `base`; None when they conflict."""
        code, out = await git(self.path, "merge-tree", "--write-tree", base, head, accept=(0, 1))
        return out.decode().split("\n", 1)[0].strip() if code == 0 else None

    async def commit_tree(
        self, tree: str, parents: tuple[str, ...], message: str, author: Person
    ) -> str:
        flags = [part for parent in parents for part in ("-p", parent)]
        _, out = await git(
            self.path, "commit-tree", tree, *flags, stdin=message.encode(), extra=_as(author)
        )
        return out.decode().strip()

    async def rebase(self, base: str, head: str, scratch: Path) -> str | None:
        """`head`'s own commits set on top of `base`; None when they conflict.

        Done in a throw-away worktree at `scratch`, because git rebases only there.
        """
        await self.ask("worktree", "add", "--quiet", "--detach", str(scratch), head)
        try:
            code, _ = await git(scratch, "rebase", "--quiet", base, accept=(0, 1))
            _, out = await git(scratch, "rev-parse", "HEAD")
            return out.decode().strip() if code == 0 else None
        finally:
            await self.ask("worktree", "remove", "--force", str(scratch))


def _as(author: Person) -> dict[str, str]:
    date = {"GIT_AUTHOR_DATE": author.date} if author.date else {}
    return {"GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email, **date}


def _commit(entry: str) -> CommitInfo:
    sha, tree, parents, an, ae, ad, cn, ce, cd, message = entry.strip("\n").split("\0", 9)
    author, committer = Person(an, ae, ad), Person(cn, ce, cd)
    return CommitInfo(sha, tree, tuple(parents.split()), author, committer, message.strip())


_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "T": "changed"}


def _changed_files(raw: bytes, text: str) -> tuple[ChangedFile, ...]:
    """Join `--raw --numstat -z` with the patch text; git lists all three alike.

    Raw entries stand first and start with a colon; a rename has two paths after it.
    """
    fields = [field.decode(errors="replace") for field in raw.split(b"\0")[:-1]]
    entries: list[tuple[str, str, str | None, str]] = []
    while fields and fields[0].startswith(":"):
        _, _, old_blob, blob, letter = fields.pop(0).split(" ")
        first = fields.pop(0)
        renamed = letter[0] in "RC"
        path, previous = (fields.pop(0), first) if renamed else (first, None)
        entries.append((letter[0], path, previous, old_blob if letter == "D" else blob))
    counts = _counts(fields)
    patches = _patches(text)
    return tuple(
        ChangedFile(path, previous, _STATUS.get(letter, "changed"), blob, *count, patch)
        for (letter, path, previous, blob), count, patch in zip(
            entries, counts, patches, strict=True
        )
    )


def _counts(fields: list[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while fields:
        added, deleted, path = fields.pop(0).split("\t", 2)
        if not path:
            del fields[:2]
        found.append((_number(added), _number(deleted)))
    return found


def _number(count: str) -> int:
    return 0 if count == "-" else int(count)


def _patches(text: str) -> list[str | None]:
    """One entry for each `diff --git` header: its text from the first hunk on."""
    found: list[str | None] = []
    for part in ("\n" + text).split("\ndiff --git ")[1:]:
        _, hunk, rest = part.partition("\n@@ ")
        found.append("@@ " + rest.rstrip("\n") if hunk else None)
    return found
