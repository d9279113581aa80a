"""`python -m bench.bare`: a web server that only reads the body. What prbot's door is held to.

Prints its address, and serves until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web


async def _receive(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=202)


async def _serve() -> None:
    app = web.Application(client_max_size=1 << 25)
    app.add_routes([web.post("/hooks/github", _receive)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
