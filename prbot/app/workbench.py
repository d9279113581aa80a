"""Where verbs plan on a person's own machine: their tools, their environment, and a directory
that is thrown away.

Commits are laid out there as the service lays them out, and planned without taking the state
lock. Nothing is applied, nothing is kept.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from prbot.adapters.hcl_cache import FactsCache
from prbot.adapters.local_repository import BASE, NUMBER
from prbot.adapters.terraform import Terraform
from prbot.adapters.terraform_setup import cli_config
from prbot.adapters.tools import LocalTools
from prbot.adapters.workspaces import GitWorkspaces
from prbot.app.compose import SystemClock, new_id
from prbot.app.offers import offers_of
from prbot.config.server_tools import Tools
from prbot.engine.planner import Planner, job_directory
from prbot.engine.state_versions import StateVersions
from prbot.engine.toolbox import Toolbox
from prbot.engine.ways import Way
from prbot.engine.world import MadePlan
from prbot.errors import PrbotError
from prbot.errors.plans import OwnStepsOnly
from prbot.model import (
    Checkout,
    JobId,
    Login,
    PlanId,
    ProjectKey,
    PullRef,
    PullRequest,
    RepoRef,
    RunId,
    Sha,
)
from prbot.runs.run import Job, JobKind, Placed, Trouble
from prbot.telemetry import Redactor

PARALLEL = 4
TIMEOUT = 3600.0
CREDENTIAL_FILES = {
    "AWS_CONFIG_FILE": ".aws/config",
    "AWS_SHARED_CREDENTIALS_FILE": ".aws/credentials",
    "GOOGLE_APPLICATION_CREDENTIALS": ".config/gcloud/application_default_credentials.json",
    "AZURE_CONFIG_DIR": ".azure",
    "KUBE_CONFIG_PATH": ".kube/config",
}
"""Where providers look below HOME, which the tool does not see: named to them instead."""


@dataclass(frozen=True)
class Workbench:
    """`place` is thrown away; `environ` is the person's."""

    place: Path
    environ: Mapping[str, str]
    redactor: Redactor

    async def plan(
        self, planner: Planner, pull: PullRef, checkout: Checkout, place: Placed
    ) -> MadePlan:
        """Without a lock. Raises OwnStepsOnly, and what `Planner.plan` raises."""
        tell(f"planning {place.project}")
        if place.workflow is not None:
            raise OwnStepsOnly(place.workflow)
        job = Job(JobId(new_id("j")), RunId("local"), place.project, JobKind.PLAN)
        worktree, plan_id = Path(checkout.path), PlanId(new_id("p"))
        with job_directory(self.place / "jobs", job) as data_dir:
            return await planner.plan(
                pull, job, Way(place), plan_id, checkout, worktree, data_dir, lock=False
            )

    def planner(self, workspaces: GitWorkspaces) -> Planner:
        return Planner(
            toolbox=self.toolbox(workspaces),
            tree=workspaces,
            redactor=self.redactor,
            clock=SystemClock(),
            hash_key=os.urandom(32),
            environment=self.tool_environment(),
            timeout=TIMEOUT,
            state_versions=StateVersions(),
        )

    def trouble(self, error: PrbotError) -> Trouble:
        redact = self.redactor.redact
        output = redact(getattr(error, "output", ""))
        return Trouble(redact(str(error)), redact(error.next_step), output)

    def toolbox(self, workspaces: GitWorkspaces) -> Toolbox:
        facts = FactsCache(self.place / "facts")
        return Toolbox(self._tools(), workspaces, facts, allow_switch=True)

    def _tools(self) -> LocalTools:
        """What is downloaded is kept where the person's other caches are."""
        cli = self._cli_config()

        def made(tool: str, command: tuple[str, ...]) -> Terraform:
            return Terraform(
                command=command,
                cli_config=cli,
                scratch=self.place / "scratch",
                environment=self.environ,
                plugin_cache=self.place / "plugins",
                name=tool,
            )

        home = Path(self.environ.get("HOME", self.place))
        caches = Path(self.environ.get("XDG_CACHE_HOME") or home / ".cache")
        offers = offers_of(Tools(), None, self.environ.get("PATH", ""))
        return LocalTools(offers, caches / "prbot" / "tools", made, SystemClock())

    def _cli_config(self) -> Path:
        """The person's own, for it names their mirrors and their registries' credentials."""
        home = Path(self.environ.get("HOME", self.place))
        named = self.environ.get("TF_CLI_CONFIG_FILE") or home / ".terraformrc"
        if (own := Path(named)).is_file():
            return own.absolute()
        cli = self.place / "terraform.tfrc"
        cli.write_text(cli_config(None))
        return cli

    def tool_environment(self) -> dict[str, str]:
        """The person's own environment: it is their machine and their credentials."""
        home = Path(self.environ.get("HOME", "/"))
        named = {
            name: str(home / path)
            for name, path in CREDENTIAL_FILES.items()
            if (home / path).exists()
        }
        return named | dict(self.environ)


def pull_of(name: str, base: Sha, head: Sha) -> PullRequest:
    ref = PullRef(RepoRef("local", f"local/{name}"), NUMBER)
    return PullRequest(
        ref=ref,
        title="",
        author=Login("you"),
        head_sha=head,
        head_branch="head",
        head_repo=ref.repo.path,
        base_branch=BASE,
        base_sha=base,
        default_branch=BASE,
    )


def bring_local_state(root: Path, worktree: Path, projects: Iterable[ProjectKey]) -> None:
    """Copy state files that lie beside the code, so that the plan is not all creations."""
    for project in projects:
        state, target = root / project.dir / "terraform.tfstate", worktree / project.dir
        if state.is_file() and not (target / state.name).exists():
            shutil.copy(state, target)


def tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
