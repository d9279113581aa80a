"""The yardstick: the commands a person would type for the same plan, one after another.

The words are those prbot uses (`prbot/adapters/mirrors.py`, `workspaces.py` and
`terraform.py`), without what prbot asks besides: which files changed, which projects
there are, whether a commit is known. Mirror, plugin cache and data directories are the
yardstick's own, and as warm as prbot's. Nothing is written to a database, encrypted,
read or explained: that is what the difference pays for.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "hand"), ("EMAIL", "hand@localhost"))
}


@dataclass
class Laps:
    """Seconds of each step of one round, by name, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    def lap(self, name: str, work: Callable[[], T]) -> T:
        begun = time.perf_counter()
        done = work()
        self.seconds[name] = time.perf_counter() - begun
        return done


@dataclass(frozen=True)
class Hand:
    """`directory` is the yardstick's own; `environment` is what the tool sees, complete
    but for the names set here; `cli_config` is the file that prbot's tool is given too."""

    directory: Path
    environment: Mapping[str, str]
    cli_config: Path

    # --- Terraform ------------------------------------------------------------------------

    def surroundings(self, name: str) -> dict[str, str]:
        """The environment of one round's Terraform, its directories made."""
        job = self.directory / "jobs" / name
        places = {"TF_DATA_DIR": job / "terraform", "HOME": job / "home", "TMPDIR": job / "tmp"}
        places["TF_PLUGIN_CACHE_DIR"] = self.directory / "plugins"
        for place in places.values():
            place.mkdir(parents=True, exist_ok=True)
        fixed = {
            "TF_CLI_CONFIG_FILE": str(self.cli_config),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        return {**self.environment, **fixed, **{key: str(place) for key, place in places.items()}}

    def apply(self, root: Path) -> None:
        """Bring about what stands in `root`, and leave its lock file there."""
        env = self.surroundings(f"apply-{root.parent.name}")
        _run(["terraform", "init", "-input=false"], root, env)
        _run(["terraform", "apply", "-input=false", "-auto-approve"], root, env)

    # --- one round ------------------------------------------------------------------------

    def make_mirror(self, mirror: Path) -> None:
        mirror.parent.mkdir(parents=True, exist_ok=True)
        words = ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(mirror)]
        _run(words, mirror.parent, self._git(""))

    def plan(self, name: str, mirror: Path, url: str, header: str, number: int, root: str) -> Laps:
        """Plan pull request `number` of the repository at `url` as it is now."""
        laps = Laps()
        tree = self.directory / "trees" / name
        laps.lap("git", lambda: self._lay_out(mirror, url, header, number, tree))
        env = self.surroundings(name)
        place, plan = tree / root, self.directory / "jobs" / name / "plan.tfplan"
        laps.lap(
            "init", lambda: _run(["terraform", "init", "-input=false", "-no-color"], place, env)
        )
        words = ["plan", "-json", "-input=false", "-detailed-exitcode", f"-out={plan}"]
        laps.lap("plan", lambda: _run(["terraform", *words], place, env, good=(2,)))
        laps.lap("show", lambda: _run(["terraform", "show", "-json", str(plan)], place, env))
        return laps

    def _lay_out(self, mirror: Path, url: str, header: str, number: int, tree: Path) -> None:
        def git(*words: str) -> str:
            return _run(["git", *words], mirror, self._git(header))

        refs = ["+refs/heads/main:refs/hand/base", f"+refs/pull/{number}/head:refs/hand/head"]
        git("fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head", url, *refs)
        merged = git("merge-tree", "--write-tree", "refs/hand/base", "refs/hand/head").strip()
        parents = ["-p", "refs/hand/base", "-p", "refs/hand/head"]
        commit = git("commit-tree", merged, *parents, "-m", "Merge").strip()
        tree.parent.mkdir(parents=True, exist_ok=True)
        git("worktree", "add", "--quiet", "--detach", str(tree), commit)

    def _git(self, header: str) -> dict[str, str]:
        """git as plain as prbot's: no configuration but the credentials."""
        quiet = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
        settings = {"gc.auto": "0", "maintenance.auto": "false"}
        settings |= {"http.extraHeader": header} if header else {}
        given = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings.items()):
            given |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return {**self.environment, **quiet, **WHO, **given, "HOME": str(self.directory)}


def _run(words: list[str], cwd: Path, env: Mapping[str, str], good: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(
        words, cwd=cwd, env=dict(env), capture_output=True, text=True, check=False
    )
    if done.returncode not in good:
        raise RuntimeError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
