"""The web server: webhooks in, health out. Nothing else is public; metrics want a token."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from prbot.web import hooks, metrics
from prbot.web.letterbox import Letterbox


def application(
    door: hooks.Door, ready: Callable[[], bool], gauges: metrics.Gauges | None = None
) -> web.Application:
    """`ready` says whether the service takes work: started and not draining."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(_: web.Request) -> web.Response:
        if ready():
            return web.json_response({"status": "ready"})
        return web.json_response({"status": "not ready"}, status=503)

    letterbox = Letterbox(door.store, door.delivered)

    async def empty(_: web.Application) -> None:
        await letterbox.close()

    app = web.Application()
    app.add_routes(hooks.routes(door, letterbox))
    app.add_routes(metrics.routes(gauges))
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz)])
    app.on_cleanup.append(empty)
    return app


async def listen(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Start serving; returns the runner and the port (a free one when 0 was asked)."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    return runner, int(runner.addresses[0][1])
