"""The operator's file: what this installation serves, and the bounds it sets.

`prbot.server.yaml` beside the service, with `PRBOT_…` variables over it, by the
conventions of pydantic-settings: `PRBOT_LISTEN=0.0.0.0:4141`,
`PRBOT_LIMITS__GRACE=60`, lists and mappings as JSON
(`PRBOT_REPOSITORIES='["acme/*"]'`). Variables whose name is no setting are left alone,
so that secrets may be called `PRBOT_…` too.

Safety is here: the repository's file (`config/repo.py`) is bounded by this one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from prbot.config.check import Section, check, spell
from prbot.config.document import Document, Place, parse
from prbot.config.drift import DriftBounds
from prbot.config.environment import overrides
from prbot.config.environments import OverrideEntry
from prbot.config.globs import check_pattern, check_plain_pattern, listed
from prbot.config.per_repository import RepositoryRule, check_rules
from prbot.config.references import Reference, is_reference, variable
from prbot.config.server_forges import AppCredentials as AppCredentials
from prbot.config.server_forges import ForgeConfig as ForgeConfig
from prbot.config.server_tools import ToolConfig, Tools
from prbot.config.workflows import Workflows
from prbot.errors import PrbotError
from prbot.errors.configuration import LiteralSecret, TwiceTheSame
from prbot.errors.server import (
    BadSetting,
    MissingWebhookSecret,
    NobodyWorks,
    UnknownArtifacts,
    UnknownDatabase,
)

Pattern = Annotated[str, AfterValidator(check_pattern)]
PlainPattern = Annotated[str, AfterValidator(check_plain_pattern)]


class Mode(StrEnum):
    """How far the server goes; COMMENT plans and comments, and refuses every apply."""

    COMMENT = "comment"
    APPLY = "apply"


class ApplyOnMerge(StrEnum):
    """What happens to planned projects when their pull request is merged."""

    IF_UNCHANGED = "if-unchanged"
    ALWAYS = "always"
    NEVER = "never"


def _listen(text: str) -> str:
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]/]+):(\d{1,5})", text)
    if not match or int(match[2]) > 65535:
        raise ValueError("it is not host:port")
    return text


def _database(text: str) -> str:
    if text == "sqlite" or is_reference(text):
        return text
    if not text.startswith("postgresql://"):
        raise ValueError(UnknownDatabase())
    if urlsplit(text).password is not None:
        raise ValueError(LiteralSecret())
    return text


def _artifacts(text: str) -> str:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*/?", text):
        raise ValueError(UnknownArtifacts())
    return text


class Limits(Section):
    parallel_jobs: int = Field(
        default=4,
        ge=0,
        le=256,
        description="tools running at once in this process; 0 leaves them to `prbot worker`.",
    )
    job_timeout: float = Field(
        default=3600, gt=0, description="seconds after which a tool is stopped."
    )
    grace: float = Field(
        default=30, ge=0, description="seconds an interrupted tool has before it is killed."
    )
    plan_age: float = Field(
        default=604_800,
        ge=1,
        le=315_360_000,
        description="seconds after which a plan that was not applied expires.",
    )
    total_jobs: int | None = Field(
        default=None, ge=1, description="tools running at once in all processes; any number."
    )
    per_repository: int | None = Field(
        default=None, ge=1, description="tools running at once for one repository; any number."
    )
    summary_every: float = Field(
        default=10,
        ge=0,
        description="seconds between two edits of the summary while projects are planned.",
    )
    lease: float = Field(
        default=30,
        ge=1,
        description="seconds after which others take over from a process that is silent.",
    )
    max_payload: int = Field(
        default=25 * 1024 * 1024, ge=1024, description="the largest webhook body, in bytes."
    )


class Reconcile(Section):
    every: float = Field(
        default=300, gt=0, description="seconds between two looks at what webhooks did not tell."
    )
    max_event_age: float = Field(
        default=7200,
        gt=0,
        description="seconds after which a merge is no longer applied by itself.",
    )


MOST_PROJECT_CHECKS = 100
"""Each costs two requests, and GitHub takes 500 that write in an hour."""


class StatusNames(Section):
    plan: str = Field(
        default="prbot/plan", min_length=1, max_length=100, description="the plan status's name."
    )
    apply: str = Field(
        default="prbot/apply", min_length=1, max_length=100, description="the apply status's name."
    )
    per_project: int = Field(
        default=10,
        ge=0,
        le=MOST_PROJECT_CHECKS,
        description="most projects that have a check each, with a GitHub App; 0: none has.",
    )

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.plan == self.apply or self.apply.startswith(f"{self.plan}: "):
            raise ValueError(TwiceTheSame("the names of the two statuses"))
        return self


class ServerConfig(Section):
    listen: Annotated[str, AfterValidator(_listen)] = Field(
        default="127.0.0.1:4141", description="host and port of the web server, as `host:port`."
    )
    state_dir: Path = Field(
        default=Path(".prbot"), description="directory of everything prbot keeps."
    )
    database: Annotated[str, AfterValidator(_database)] = Field(
        default="sqlite",
        description="`sqlite`: a file in `state_dir`; `postgresql://USER@HOST/NAME`, or"
        " `env://NAME` or `file:///path` where such an address with its password is.",
    )
    artifacts: Annotated[str, AfterValidator(_artifacts)] | None = Field(
        default=None, description="`s3://BUCKET/PREFIX`; left out: `artifacts/` in `state_dir`."
    )
    installation_key: Reference | None = Field(
        default=None,
        description="where the key of all machines is; left out: a file in `state_dir`.",
    )
    installation_key_lost: Annotated[str, Field(pattern=r"^k-[0-9a-f]{16}$")] | None = Field(
        default=None, description="the fingerprint of a lost key, whose place this one takes."
    )
    repositories: tuple[Pattern, ...] = Field(
        min_length=1,
        description="the repositories to serve, such as `acme/*`; `!acme/old` excludes.",
    )
    branches: tuple[Pattern, ...] = Field(
        default=(), description="base branches to serve; left out: the default branch."
    )
    mode: Mode = Field(
        default=Mode.APPLY, description="`comment` (never applies) or `apply` (the default)."
    )
    aliases: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$")], ...] = Field(
        default=(),
        description="further first words of commands, such as `atlantis`; with `mode: apply` only.",
    )
    bare_commands: bool = Field(
        default=True, description="whether `plan` and `apply` alone are commands too."
    )
    apply_on_merge_allowed: frozenset[ApplyOnMerge] = Field(
        default=frozenset({ApplyOnMerge.IF_UNCHANGED, ApplyOnMerge.NEVER}),
        description="what repositories may choose; `always` only when it stands here.",
    )
    forges: tuple[ForgeConfig, ...] = Field(
        min_length=1, description="the forges: name, kind, token or app, webhook_secret."
    )
    terraform: ToolConfig = Field(default=ToolConfig(), description="the tool and what it sees.")
    tools: Tools = Field(default=Tools(), description="which versions of which tools there are.")
    limits: Limits = Field(default=Limits(), description="how much at once, and how long.")
    reconcile: Reconcile = Field(
        default=Reconcile(), description="how often the forge itself is asked what there is."
    )
    statuses: StatusNames = Field(
        default=StatusNames(), description="the commit statuses: names and `per_project`."
    )
    workflows: Workflows = Field(default={}, description="custom workflows by name.")
    per_repository: tuple[RepositoryRule, ...] = Field(
        default=(), description="which workflows and hooks repositories have: `match`, …"
    )
    drift: DriftBounds = Field(
        default=DriftBounds(), description="nightly checks: `enabled`, and how many at once."
    )
    metrics_token: Reference | None = Field(
        default=None,
        description="where the token is with which `/metrics` is read; left out: it is not there.",
    )
    override: OverrideEntry = Field(
        default=OverrideEntry(), description="who may pass over what, with `--override REASON`."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.alone and self.limits.parallel_jobs == 0:
            raise ValueError(NobodyWorks())
        if len({forge.name for forge in self.forges}) < len(self.forges):
            raise ValueError(TwiceTheSame("the names of forges"))
        check_rules(self.per_repository, self.workflows)
        return self

    def serves(self, repo: str) -> bool:
        """Whether `owner/name` is in the list; forges ignore the case of names."""
        return listed(self.repositories, repo, fold_case=True)

    def serves_branch(self, branch: str, default_branch: str) -> bool:
        """Whether pull requests into `branch` are served."""
        if not self.branches:
            return branch == default_branch
        return listed(self.branches, branch)

    @property
    def heard_as(self) -> tuple[str, ...]:
        """The aliases that count: a server that never applies may stand beside the bot whose
        name they are, and two must not answer one command."""
        return self.aliases if self.may_apply else ()

    @property
    def may_apply(self) -> bool:
        return self.mode is Mode.APPLY

    @property
    def address(self) -> tuple[str, int]:
        """Host (without brackets) and port to listen on."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def artifacts_bucket(self) -> tuple[str, str] | None:
        """Bucket and prefix of `artifacts` in S3; None when they stand in `state_dir`."""
        if self.artifacts is None:
            return None
        bucket, _, prefix = self.artifacts.removeprefix("s3://").partition("/")
        return bucket, prefix.rstrip("/")

    @property
    def alone(self) -> bool:
        """One process has the database to itself."""
        return self.database == "sqlite"

    @property
    def database_file(self) -> Path:
        return self.state_dir / "prbot.sqlite3"

    @property
    def secret_variables(self) -> frozenset[str]:
        """Environment variables that hold prbot's own secrets: never for the tool."""
        references = [
            reference
            for forge in self.forges
            for reference in (forge.token, forge.webhook_secret, _private_key(forge))
        ]
        hook = self.drift.webhook
        told = () if hook is None else (hook.url, hook.secret)
        others = (self.installation_key, self.database, self.metrics_token)
        names = map(variable, (*references, *others, *told))
        return frozenset(name for name in names if name)


def _private_key(forge: ForgeConfig) -> str | None:
    return forge.app.private_key if forge.app else None


def load_server(text: str, path: str, environ: Mapping[str, str]) -> ServerConfig:
    """The operator's settings: `text` is the file's content, `path` names it in errors.

    Raises BadConfiguration, BadSetting (a variable) or MissingWebhookSecret. Secrets
    stay references; `config.references.resolve` fetches them.
    """
    document = parse(text, path)
    given = overrides(ServerConfig, environ)
    config = check(ServerConfig, given.over(document.value), _Locator(document, given.names))
    for index, forge in enumerate(config.forges):
        if forge.webhook_secret is None:
            raise MissingWebhookSecret(spell(("forges", index, "webhook_secret")))
    return config


class _Locator:
    """Says whether a problem came from the file or from a variable."""

    def __init__(self, document: Document, names: Mapping[Place, str]) -> None:
        self._document = document
        self._names = names

    def __call__(self, place: Place, problem: PrbotError) -> PrbotError:
        for length in range(len(place), 0, -1):
            if name := self._names.get(place[:length]):
                return BadSetting(name, str(problem), problem.next_step)
        return self._document.problem(place, problem)
