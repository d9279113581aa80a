"""A person at work on a clone: edits files and pushes over HTTP, as people do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from prbot.demo.forge import DemoForge
from prbot.demo.git import git


@dataclass(frozen=True)
class Clone:
    """`login`'s clone of one repository in `directory`."""

    directory: Path
    login: str

    @classmethod
    async def of(cls, forge: DemoForge, full_name: str, login: str, directory: Path) -> Clone:
        """Clone over HTTP with a token of that person's own, into a new directory."""
        token = forge.create_token(login)
        parts = urlsplit(forge.clone_url(full_name))
        url = parts._replace(netloc=f"{login}:{token}@{parts.netloc}").geturl()
        await git(directory.parent, "clone", "--quiet", url, directory.name)
        return cls(directory, login)

    async def push(self, branch: str, message: str, files: dict[str, str | None]) -> str:
        """Commit `files` (path -> text, None removes) on the remote's branch, or on a new
        one from the default branch, and push; returns the commit."""
        await git(self.directory, "fetch", "--quiet", "origin")
        known, _ = await git(
            self.directory, "rev-parse", "--verify", "-q", f"origin/{branch}", accept=(0, 1, 128)
        )
        start = f"origin/{branch}" if known == 0 else "origin/HEAD"
        await git(self.directory, "checkout", "--quiet", "-B", branch, start)
        for name, text in files.items():
            self._put(self.directory / name, text)
        await git(self.directory, "add", "--all")
        who = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", self.login), ("EMAIL", f"{self.login}@example.com"))
        }
        await git(self.directory, "commit", "--quiet", "-m", message, extra=who)
        await git(self.directory, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        _, sha = await git(self.directory, "rev-parse", "HEAD")
        return sha.decode().strip()

    def _put(self, path: Path, text: str | None) -> None:
        if text is None:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
