"""`prbot serve` and `prbot worker`: the service, with its web server or without, from start
to the last drained job."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from prbot.app.compose import Secrets, composed
from prbot.config.server import ServerConfig, load_server
from prbot.config.stages import recipe_of
from prbot.engine.service import Service
from prbot.engine.world import World
from prbot.errors.forge import ForgeUnavailable
from prbot.errors.server import CannotListen, CannotRead, ServiceBroken, WorkersNeedPostgres
from prbot.ports.store import Store
from prbot.telemetry import Redactor, set_up_logs
from prbot.web import hooks, metrics, server

log = structlog.get_logger()


def serve(config: Path) -> int:
    """Serve until SIGTERM or ctrl-C; then drain. Returns the exit code."""
    environ = dict(os.environ)
    redactor = Redactor()
    set_up_logs(redactor, as_json=not sys.stderr.isatty())
    asyncio.run(_serve(read_server(config, environ), environ, redactor))
    return 0


def read_server(path: Path, environ: Mapping[str, str]) -> ServerConfig:
    """The operator's file. Raises CannotRead, BadWorkflow, and what `load_server` raises."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRead(str(path), getattr(error, "strerror", None) or str(error)) from None
    config = load_server(text, str(path), environ)
    check_workflows(config)
    return config


def work(config: Path) -> int:
    """Work beside other processes until SIGTERM or ctrl-C; then drain. The exit code.

    Raises WorkersNeedPostgres.
    """
    environ = dict(os.environ)
    redactor = Redactor()
    set_up_logs(redactor, as_json=not sys.stderr.isatty())
    server_config = read_server(config, environ)
    if server_config.alone:
        raise WorkersNeedPostgres
    asyncio.run(_work(server_config, environ, redactor))
    return 0


def check_workflows(config: ServerConfig) -> None:
    """Raises BadWorkflow."""
    for name, workflow in config.workflows.items():
        recipe_of(name, workflow)


async def _serve(config: ServerConfig, environ: Mapping[str, str], redactor: Redactor) -> None:
    stop = _stop_signal()
    async with running(config, environ, redactor) as prbot:
        log.info("serving", action="serve", address=prbot.url)
        await _until(stop, prbot.service)


async def _work(config: ServerConfig, environ: Mapping[str, str], redactor: Redactor) -> None:
    stop = _stop_signal()
    async with composed(config, environ, redactor) as world, in_service(world, config) as service:
        log.info("working", action="work", worker=world.worker)
        await _until(stop, service)


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _until(stop: asyncio.Event, service: Service) -> None:
    """Return when somebody wants to stop. Raises what ended the service, or ServiceBroken."""
    stopped = asyncio.create_task(stop.wait())
    died = asyncio.create_task(service.wait())
    ended, _ = await asyncio.wait({stopped, died}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    died.cancel()
    if died in ended:
        died.result()
        raise ServiceBroken
    log.info("draining", action="stop")


async def probe(world: World) -> None:
    """Ask everything once whether it works, so that a wrong setting ends the start.

    Raises what the ports raise; a forge that does not answer now may answer later.
    """
    log.info("tools found", action="start", tools=await world.tools.probe())
    for name, forge in world.forges.items():
        log.info("git found", action="start", git=await forge.workspaces.probe())
        try:
            log.info("forge found", action="start", forge=await forge.reader.probe())
        except ForgeUnavailable as error:
            log.warning("forge does not answer", action="start", forge=name, error=str(error))


@dataclass(frozen=True)
class Running:
    """A service that takes webhooks. `url` is where it listens, without a slash; `store`
    holds what it knows."""

    service: Service
    url: str
    store: Store


@asynccontextmanager
async def running(
    config: ServerConfig, environ: Mapping[str, str], redactor: Redactor
) -> AsyncIterator[Running]:
    """A service for the length of the block; it is drained at the end."""
    async with composed(config, environ, redactor) as world, in_service(world, config) as service:
        door = hooks.Door(
            store=world.store,
            clock=world.clock,
            secrets=tuple(Secrets(environ, redactor).of_hooks(config, "github")),
            gitlab_secrets=tuple(Secrets(environ, redactor).of_hooks(config, "gitlab")),
            max_payload=config.limits.max_payload,
            delivered=service.deliver,
        )
        host, port = config.address
        gauges = gauges_of(config, world, Secrets(environ, redactor))
        app = server.application(door, lambda: service.ready, gauges)
        try:
            runner, port = await server.listen(app, host, port)
        except OSError as error:
            raise CannotListen(config.listen, error.strerror or str(error)) from None
        try:
            yield Running(service, f"http://{host}:{port}", world.store)
        finally:
            await service.drain(config.limits.grace)
            await runner.cleanup()


def gauges_of(config: ServerConfig, world: World, secret: Secrets) -> metrics.Gauges | None:
    """None where no token is named. Raises MissingSetting."""
    if config.metrics_token is None:
        return None
    token = secret(config.metrics_token)
    return metrics.Gauges(world.store, world.clock, token, world.redactor.redact)


@asynccontextmanager
async def in_service(world: World, config: ServerConfig) -> AsyncIterator[Service]:
    """A service that works for the length of the block, and is drained at the end."""
    await probe(world)
    service = Service(world)
    try:
        await service.start()
        yield service
    finally:
        await service.drain(config.limits.grace)
