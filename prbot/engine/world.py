"""The ports and settings the engine works with, gathered in one value by `app`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from prbot.comments.customs import GITHUB, Customs
from prbot.config.drift import DriftBounds
from prbot.config.files import RepoFiles
from prbot.config.per_repository import RepositoryBounds
from prbot.config.repo import Effective
from prbot.config.stages import Recipe
from prbot.model import Event, RepoRef
from prbot.plans.record import StoredPlan
from prbot.ports.clock import Clock
from prbot.ports.deliveries import Delivery
from prbot.ports.forge import ForgeReader, ForgeWriter, Receiver
from prbot.ports.queue import Queue
from prbot.ports.store import Artifacts, Store
from prbot.ports.tool import Tools
from prbot.ports.tree import Facts, Generated, Tree, Workspaces
from prbot.runs.run import Trouble
from prbot.telemetry import Redactor

NO_DRIFT = DriftBounds()


@dataclass(frozen=True)
class Forge:
    """One entry of the server's `forges:` with everything that speaks to it.

    `digest` turns a delivery into an event, sans I/O. `shows_reports`: a status may tell
    more than its line. `customs` are what people there read.
    """

    reader: ForgeReader
    writer: ForgeWriter
    workspaces: Workspaces
    tree: Tree
    generated: Generated
    digest: Callable[[Delivery], Event]
    shows_reports: bool = False
    customs: Customs = GITHUB


@dataclass(frozen=True)
class Settings:
    """What the operator decided, as far as the engine needs it.

    `rules_of` reads the repository's own files within the server's bounds, `recipe_of` the
    workflow of that name in them or in the server's (it raises UnknownWorkflow,
    WorkflowNotAllowed and BadWorkflow). Bare times are in seconds. Merges older than
    `max_event_age` are history, plans older than `plan_age` are made again.
    `bounds_of` are the operator's words about one repository.
    `jobs_dir` is this process's own, beside those of the other processes of the machine.
    What is in hand is lost `lease` after the process was last heard of. `drift` says how many
    projects are looked at by night.
    """

    serves: Callable[[RepoRef], bool]
    serves_branch: Callable[[str, str], bool]
    rules_of: Callable[[RepoRef, RepoFiles], Effective | Trouble]
    bounds_of: Callable[[RepoRef], RepositoryBounds]
    recipe_of: Callable[[RepoRef, str | None, RepoFiles], Recipe]
    aliases: tuple[str, ...]
    bare_commands: bool
    plan_check: str
    apply_check: str
    parallel_jobs: int
    job_timeout: float
    jobs_dir: Path
    tool_environment: Mapping[str, str]
    allow_tool_switch: bool
    hash_key: bytes
    installation: str
    reconcile_every: timedelta
    max_event_age: timedelta
    plan_age: timedelta
    lease: timedelta
    summary_every: timedelta
    drift: DriftBounds = NO_DRIFT


@dataclass(frozen=True)
class World:
    """Everything outside, reached through ports. `worker` names this process, among all
    that ever work on the store; `alone` tells that no other process works on it now. `receiver`
    is who else is told of drift, None: nobody."""

    settings: Settings
    forges: Mapping[str, Forge]
    store: Store
    queue: Queue
    tools: Tools
    artifacts: Artifacts
    redactor: Redactor
    clock: Clock
    new_id: Callable[[str], str]
    worker: str
    alone: bool
    facts: Facts
    receiver: Receiver | None = None

    def forge_of(self, repo: RepoRef) -> Forge:
        return self.forges[repo.forge]


@dataclass(frozen=True)
class MadePlan:
    """A plan just made, before anything of it is kept. `file` and `json` are the bytes, `log`
    is what the tool said, redacted."""

    record: StoredPlan
    file: bytes
    json: bytes
    log: str
