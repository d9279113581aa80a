"""Builds the world of ports out of the operator's settings."""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from prbot.adapters.artifacts import EncryptedFiles
from prbot.adapters.artifacts_s3 import EncryptedObjects
from prbot.adapters.github import GitHubForge
from prbot.adapters.github_auth import GitHubApp, GitHubToken
from prbot.adapters.gitlab import GitLabForge
from prbot.adapters.hcl_cache import FactsCache
from prbot.adapters.installation import (
    KEY_FILE,
    decode_key,
    derive,
    fingerprint,
    load_or_create_key,
)
from prbot.adapters.queue_postgres import PostgresQueue
from prbot.adapters.queue_sqlite import SqliteQueue
from prbot.adapters.receiver import HttpReceiver, signing_key
from prbot.adapters.store import SqlStore
from prbot.adapters.terraform import Terraform
from prbot.adapters.terraform_setup import (
    cli_config,
    tool_environment,
    write_whole,
)
from prbot.adapters.tools import LocalTools
from prbot.adapters.workspaces import GitWorkspaces
from prbot.app.offers import offers_of
from prbot.app.places import only_process_of, own_place
from prbot.comments.customs import BY_KIND
from prbot.config.addresses import check_receiver
from prbot.config.drift import DriftBounds
from prbot.config.files import RepoFiles, settings_in, workflows_in
from prbot.config.per_repository import bounds_for, chosen_workflow
from prbot.config.references import is_reference, resolve
from prbot.config.repo import Effective, effective
from prbot.config.server import ForgeConfig, ServerConfig
from prbot.config.stages import Recipe, recipe_of
from prbot.engine.world import Forge, Settings, World
from prbot.errors import PrbotError
from prbot.errors.forge import BadReceiver
from prbot.errors.server import BadDatabase
from prbot.errors.store import KeyOfAnother
from prbot.intake import github, gitlab
from prbot.model import Event, RepoRef
from prbot.ports.clock import Clock
from prbot.ports.deliveries import Delivery
from prbot.ports.queue import Limits, Queue
from prbot.ports.store import Artifacts, Store
from prbot.runs.run import Trouble
from prbot.telemetry import Redactor, credentials_of

HEAD_REFS = {
    "github": "refs/pull/{number}/head",
    "gitlab": "refs/merge-requests/{number}/head",
}
"""Where a forge keeps the head of a pull request, in the base repository."""


class SystemClock:
    """Meets `Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@asynccontextmanager
async def composed(
    config: ServerConfig, environ: Mapping[str, str], redactor: Redactor
) -> AsyncIterator[World]:
    """The world of one process, closed at the end of the block.

    Raises AlreadyRunning, ToolMissing, MissingSetting, StoreUnavailable, and what the state
    directory's files raise when they cannot be used.
    """
    state = config.state_dir.absolute()
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with AsyncExitStack() as stack:
        if config.alone:
            stack.enter_context(only_process_of(state))
        clock, secret = SystemClock(), Secrets(environ, redactor)
        key = installation_key(config, state, secret)
        jobs = await own_place(state / "jobs", config.limits.grace, stack)
        store, queue = await opened(config, secret, clock, stack)
        await check_key(store, key, config.installation_key_lost)
        register_credentials(redactor, _tool_environment(config, environ))
        git = tool_environment(environ, (), config.secret_variables)
        yield World(
            settings=settings_of(config, jobs, key, environ),
            forges={f.name: forge_of(f, state, secret, git, stack) for f in config.forges},
            store=store,
            queue=queue,
            tools=tools_of(config, state, environ, clock),
            artifacts=artifacts_of(config, state, key),
            redactor=redactor,
            clock=clock,
            new_id=new_id,
            worker=f"{platform.node()}/{os.getpid()}/{secrets.token_hex(4)}",
            alone=config.alone,
            facts=FactsCache(state / "facts"),
            receiver=receiver_of(config.drift, secret, clock),
        )


async def opened(
    config: ServerConfig, secret: Secrets, clock: Clock, stack: AsyncExitStack
) -> tuple[Store, Queue]:
    """Store and queue in one database, brought up to date, closed with the stack."""
    limits = Limits(config.limits.per_repository, config.limits.total_jobs)
    url = database_url(config, secret)
    store = SqlStore(url, clock)
    stack.push_async_callback(store.close)
    await store.migrate()
    queue: Queue
    if config.alone:
        queue = SqliteQueue(store, clock, limits=limits)
    else:
        queue = PostgresQueue(url, clock, limits=limits, lease=config.limits.lease)
        await queue.migrate()
    stack.push_async_callback(queue.close)
    await queue.open()
    return store, queue


def database_url(config: ServerConfig, secret: Secrets) -> str:
    """Raises BadDatabase when a reference does not lead to an address of PostgreSQL."""
    if config.alone:
        return f"sqlite+aiosqlite:///{config.database_file.absolute()}"
    if not is_reference(config.database):
        return config.database
    url = secret(config.database)
    if not url.startswith("postgresql://"):
        raise BadDatabase(config.database)
    secret.register(urlsplit(url).password or url)
    return url


def new_id(kind: str) -> str:
    """Short enough to type: `p-3e91c0a2`. The database refuses the rare twin."""
    return f"{kind}-{secrets.token_hex(4)}"


class Secrets:
    """Resolves references, and registers what it resolved before anybody can print it."""

    def __init__(self, environ: Mapping[str, str], redactor: Redactor) -> None:
        self._environ = environ
        self.register = redactor.register

    def __call__(self, reference: str) -> str:
        secret = resolve(reference, self._environ, lambda path: Path(path).read_text())
        self.register(secret)
        return secret

    def of_hooks(self, config: ServerConfig, kind: str) -> Iterator[tuple[str, bytes]]:
        """(forge's name, secret) of each forge of this kind."""
        for forge in config.forges:
            if forge.kind == kind and forge.webhook_secret is not None:
                yield forge.name, self(forge.webhook_secret).encode()


def register_credentials(redactor: Redactor, environment: Mapping[str, str]) -> None:
    """What this environment itself holds as secrets."""
    for credential in credentials_of(environment):
        redactor.register(credential)


def installation_key(config: ServerConfig, state: Path, secret: Secrets) -> bytes:
    """The operator's, or the one in the state directory, made at the first start."""
    if config.installation_key is None:
        return load_or_create_key(state / KEY_FILE)
    return decode_key(secret(config.installation_key), config.installation_key)


async def check_key(store: Store, key: bytes, lost: str | None) -> None:
    """Raises KeyOfAnother: with two keys on one database nobody could read all plans."""
    mine = fingerprint(key)
    theirs = await store.installation(mine, lost)
    if theirs != mine:
        raise KeyOfAnother(await store.probe(), theirs, mine)


def forge_of(
    config: ForgeConfig,
    state: Path,
    secret: Secrets,
    environment: Mapping[str, str],
    stack: AsyncExitStack,
) -> Forge:
    """Everything that speaks to one forge, closed with the stack; git sees `environment`."""
    adapter = _adapter(config, secret)
    stack.push_async_callback(adapter.close)
    workspaces = GitWorkspaces(
        state / "git" / config.name, environment, head_ref=HEAD_REFS[config.kind]
    )

    def digest(delivery: Delivery) -> Event:
        if config.kind == "gitlab":
            return gitlab.event_of(delivery.forge, delivery.body)
        return github.event_of(delivery.forge, delivery.event, delivery.body, delivery.received_at)

    shows_reports, customs = config.app is not None, BY_KIND[config.kind]
    return Forge(
        adapter, adapter, workspaces, workspaces, workspaces, digest, shows_reports, customs
    )


def _adapter(config: ForgeConfig, secret: Secrets) -> GitHubForge | GitLabForge:
    places = (config.api_url, config.clone_base)
    if config.kind == "gitlab":
        return GitLabForge(
            config.name,
            secret(config.token or ""),
            *places,
            timeout=config.timeout,
            register=secret.register,
        )
    auth = _auth(config, secret)
    return GitHubForge(config.name, auth, *places, timeout=config.timeout, register=secret.register)


def _auth(config: ForgeConfig, secret: Secrets) -> GitHubToken | GitHubApp:
    if config.app is not None:
        return GitHubApp(config.app.id, secret(config.app.private_key))
    return GitHubToken(secret(config.token or ""))


def tools_of(
    config: ServerConfig, state: Path, environ: Mapping[str, str], clock: Clock
) -> LocalTools:
    """What is installed and what may be downloaded. Raises ToolMissing when that is nothing,
    and KeyNotReadable."""
    cli = state / "terraform.tfrc"
    write_whole(cli, cli_config(config.terraform.provider_mirror))
    environment = _tool_environment(config, environ)

    def made(tool: str, command: tuple[str, ...]) -> Terraform:
        return Terraform(
            command=command,
            cli_config=cli,
            scratch=state / "scratch",
            environment=environment,
            plugin_cache=state / "plugins" if config.terraform.plugin_cache else None,
            grace=config.limits.grace,
            name=tool,
        )

    offers = offers_of(config.tools, config.terraform.path, environ.get("PATH", ""))
    return LocalTools(offers, state / "tools", made, clock)


def receiver_of(drift: DriftBounds, secret: Secrets, clock: Clock) -> HttpReceiver | None:
    """None: nobody is told. Raises MissingSetting, BadReceiver and BadSigningSecret."""
    hook = drift.webhook
    if hook is None:
        return None
    url = secret(hook.url) if is_reference(hook.url) else hook.url
    try:
        check_receiver(url)
    except ValueError:
        raise BadReceiver from None
    return HttpReceiver(url, signing_key(secret(hook.secret)), hook.timeout, clock)


def artifacts_of(config: ServerConfig, state: Path, key: bytes) -> Artifacts:
    sealing = derive(key, "artifacts")
    if config.artifacts_bucket is None:
        return EncryptedFiles(state / "artifacts", sealing)
    return EncryptedObjects(*config.artifacts_bucket, sealing)


def _tool_environment(config: ServerConfig, environ: Mapping[str, str]) -> Mapping[str, str]:
    return tool_environment(environ, config.terraform.environment, config.secret_variables)


def settings_of(
    config: ServerConfig, jobs: Path, key: bytes, environ: Mapping[str, str]
) -> Settings:
    return Settings(
        serves=lambda repo: _serves(config, repo),
        serves_branch=config.serves_branch,
        rules_of=lambda repo, files: rules_of(repo, files, config),
        bounds_of=lambda repo: bounds_for(config.per_repository, repo.path),
        recipe_of=lambda repo, name, files: recipe_for(repo, name, files, config),
        aliases=config.heard_as,
        bare_commands=config.bare_commands,
        plan_check=config.statuses.plan,
        apply_check=config.statuses.apply,
        parallel_jobs=config.limits.parallel_jobs,
        job_timeout=config.limits.job_timeout,
        jobs_dir=jobs,
        tool_environment=_tool_environment(config, environ),
        allow_tool_switch=config.tools.allow_switch,
        hash_key=derive(key, "plan hash"),
        installation=derive(key, "marker").hex()[:12],
        reconcile_every=timedelta(seconds=config.reconcile.every),
        max_event_age=timedelta(seconds=config.reconcile.max_event_age),
        plan_age=timedelta(seconds=config.limits.plan_age),
        lease=timedelta(seconds=config.limits.lease),
        summary_every=timedelta(seconds=config.limits.summary_every),
        drift=config.drift,
    )


def _serves(config: ServerConfig, repo: RepoRef) -> bool:
    return config.serves(repo.path)


def recipe_for(repo: RepoRef, name: str | None, files: RepoFiles, config: ServerConfig) -> Recipe:
    """The steps of the workflow of that name (None: the repository's usual one)."""
    bounds = bounds_for(config.per_repository, repo.path)
    own = {} if name is None else workflows_in(files)
    return recipe_of(name or bounds.workflow, chosen_workflow(name, bounds, config.workflows, own))


def rules_of(repo: RepoRef, files: RepoFiles, config: ServerConfig) -> Effective | Trouble:
    """The repository's files within the server's bounds, or why they cannot be used."""
    try:
        return effective(settings_in(files), config, repo.path)
    except PrbotError as error:
        return Trouble(str(error), error.next_step)
