"""A forge made of a bare repository on disk, fetched through file:// URLs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from prbot.adapters.workspaces import GitWorkspaces
from prbot.model import Login, PullRef, PullRequest, RepoRef, Sha
from prbot.ports.forge import CloneAccess

WHO = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.org",
    "GIT_COMMITTER_NAME": "somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.org",
}


class Forge:
    """A person's clone, and the bare repository they push to."""

    def __init__(self, directory: Path) -> None:
        self.origin = directory / "origin.git"
        self.clone = directory / "clone"
        self.environment = {"PATH": os.environ["PATH"], **WHO}
        self.git("init", "--quiet", "--bare", str(self.origin), cwd=directory)
        self.git("init", "--quiet", "--initial-branch=main", str(self.clone), cwd=directory)

    def git(self, *words: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=cwd or self.clone,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    @property
    def access(self) -> CloneAccess:
        return CloneAccess(self.origin.as_uri())

    def commit(self, files: dict[str, str | bytes | None], message: str = "change") -> Sha:
        """Write (or, for None, remove) files and commit them."""
        for name, content in files.items():
            path = self.clone / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return Sha(self.git("rev-parse", "HEAD"))

    def push(self, source: str = "main", target: str = "refs/heads/main") -> None:
        self.git("push", "--quiet", "--force", str(self.origin), f"{source}:{target}")

    def pull(self, number: int = 7, branch: str = "feature", **more: object) -> PullRequest:
        """Offer the clone's HEAD as a pull request into main, as the forge's refs have it."""
        self.push("HEAD", f"refs/pull/{number}/head")
        fields = {
            "ref": PullRef(RepoRef("test", "acme/infra"), number),
            "title": "t",
            "author": Login("ada"),
            "head_sha": Sha(self.git("rev-parse", "HEAD")),
            "head_branch": branch,
            "head_repo": "acme/infra",
            "base_branch": "main",
            "base_sha": Sha(self.git("rev-parse", "main")),
            "default_branch": "main",
        }
        return PullRequest(**{**fields, **more})


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    """Its main branch holds `a.tf`; the clone stands on a branch `feature`."""
    made = Forge(tmp_path)
    made.commit({"a.tf": "one\n"})
    made.push()
    made.git("checkout", "--quiet", "-b", "feature")
    return made


@pytest.fixture
def make_workspaces(tmp_path: Path) -> Callable[[], GitWorkspaces]:
    """Each call is a server started anew on the same directory."""
    return lambda: GitWorkspaces(tmp_path / "git", {"PATH": os.environ["PATH"]})


@pytest.fixture
def workspaces(make_workspaces: Callable[[], GitWorkspaces]) -> GitWorkspaces:
    return make_workspaces()
