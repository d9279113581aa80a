"""What prbot keeps of a plan: enough to judge, show and apply it later.

The plan file and its JSON are artifacts (encrypted, outside the database); this record
binds them to the commit they were made from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from prbot.model import JobId, PlanId, ProjectKey, PullRef, RunId, Sha
from prbot.plans.arguments import DESTROY, partial, special
from prbot.plans.lock_file import Versions
from prbot.plans.summary import PlanSummary


@dataclass(frozen=True)
class Inputs:
    """What the plan was made from, mostly as digests; equal plans have equal inputs.

    `files` covers all that the project reads, `lock_file` the dependency lock file as init
    left it, both hex SHA-256; `tool` is name and version, `arguments` what was added on the
    command line, in one spelling. `workflow` are the steps by which it was made and is to be
    applied, as in `config.stages.Recipe.lines`. `generated` is the commit with what hooks
    left, empty where they left nothing; two plans may be equal though it differs elsewhere.
    For a project that the head deleted it is the commit of the base that was planned instead.
    `asked` are the arguments that somebody asked for in the comment, each as `-name=value` or
    `-name`; they are among `arguments` too.

    `configuration` is a keyed digest of the plan's configuration section; it is empty in
    records of older versions, which knew less. `variables` are keyed digests by name, of what
    came from the environment under `TF_VAR_…`. `parts` are what `files` is made of: a path,
    a directory (with a slash) or a fetched module, and the digest of what is there. `policy`
    is a digest of the policies that judged the plan, empty where none did.
    """

    files: str
    lock_file: str
    tool: str
    arguments: str = ""
    workflow: tuple[str, ...] = ()
    generated: str = ""
    asked: tuple[str, ...] = ()
    configuration: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    parts: tuple[tuple[str, str], ...] = ()
    policy: str = ""


@dataclass(frozen=True)
class Applied:
    """The code that is known to run: the commit, and what was read there."""

    commit: Sha
    inputs: Inputs
    at: datetime


@dataclass(frozen=True)
class StateAt:
    """One snapshot of a state. Before the first one the lineage is empty, the serial 0."""

    lineage: str
    serial: int


def log_name(plan: str) -> str:
    return f"{plan}.log"


@dataclass(frozen=True)
class StoredPlan:
    """One saved plan of one project.

    `commit` is what was laid out (the merge result, or the merge commit), `head` the
    reviewed head commit. `hash` is the canonical hash (keyed, hex). `plan_file` and
    `plan_json` are artifact names, `plan_file_sha256` the plaintext's digest, checked
    before an apply. `state_is_lost` tells that the state would live inside the
    throw-away checkout, so that the plan must never be applied. `state` is the snapshot it
    was made on, None where the plan file does not tell. Since `expired_at` it is too old to be
    applied as it is; equal to a plan that is made again it may still be. `providers` are those
    that made it.
    """

    id: PlanId
    pull: PullRef
    project: ProjectKey
    run_id: RunId
    job_id: JobId
    head: Sha
    base: Sha
    commit: Sha
    hash: str
    inputs: Inputs
    summary: PlanSummary
    plan_file: str
    plan_file_sha256: str
    plan_json: str
    state_is_lost: bool
    created_at: datetime
    applied_at: datetime | None = None
    state: StateAt | None = None
    expired_at: datetime | None = None
    providers: Versions = ()

    @property
    def log(self) -> str:
        """The artifact with what the tool said, fit to be shown."""
        return log_name(self.id)

    @property
    def laid(self) -> Sha:
        """As `Checkout.laid`."""
        return Sha(self.inputs.generated) if self.inputs.generated else self.commit

    @property
    def special(self) -> bool:
        """Made with arguments, so that no merge applies it."""
        return special(self.inputs.asked)

    @property
    def partial(self) -> bool:
        """Made with arguments that leave something undone, once it is applied."""
        return partial(self.inputs.asked)

    @property
    def destroys(self) -> bool:
        """Somebody asked that all of the project be destroyed."""
        return DESTROY in self.inputs.asked and not self.partial
