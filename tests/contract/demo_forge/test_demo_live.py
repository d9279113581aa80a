"""The demo forge's page in a real browser: news appear, half-written words stay."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from prbot.demo.forge import DemoForge
from prbot.demo.state import Pull

if TYPE_CHECKING:
    from tests.conftest import Need

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)


class Tab:
    """One page, driven through the browser's debugging protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)

    async def open(self, url: str) -> None:
        """Go there; returns when the page has loaded."""
        await self._call("Page.enable")
        await self._call("Page.navigate", url=url)
        async for message in self._socket:
            if message.json().get("method") == "Page.loadEventFired":
                return

    async def evaluate(self, script: str) -> Any:
        """The script's value, once its promise (if it is one) has settled."""
        answer = await self._call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        return answer["result"].get("value")

    async def _call(self, method: str, **params: object) -> dict[str, Any]:
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async for message in self._socket:
            if message.json().get("id") == number:
                return dict(message.json()["result"])
        raise AssertionError("the browser has gone")


@pytest.fixture
async def tab(
    need: Need, session: aiohttp.ClientSession, tmp_path: Path, forge: DemoForge, pull: Pull
) -> AsyncIterator[Tab]:
    """A browser that shows the pull request and has its script running."""
    need("chromium")
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(found for name in names if (found := shutil.which(name)))
    process = await asyncio.create_subprocess_exec(
        browser,
        *FLAGS,
        f"--user-data-dir={tmp_path / 'browser'}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        address = await asyncio.wait_for(_address(process), 30)
        async with session.ws_connect(await _page(session, address), max_msg_size=0) as socket:
            tab = Tab(socket)
            await asyncio.wait_for(tab.open(forge.page_url(pull)), 30)
            yield tab
    finally:
        process.terminate()
        await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        if b"DevTools listening on ws://" in line:
            return line.decode().split("ws://")[1].split("/")[0]
    raise AssertionError("the browser did not start")


async def _page(session: aiohttp.ClientSession, address: str) -> str:
    async with session.get(f"http://{address}/json/list") as answer:
        pages = [page for page in await answer.json() if page["type"] == "page"]
    return str(pages[0]["webSocketDebuggerUrl"])


UNTIL = """new Promise(done => {
  const look = () => (%s) && done(true);
  const all = { subtree: true, childList: true, characterData: true, attributes: true };
  new MutationObserver(look).observe(document.documentElement, all);
  look();
})"""
LISTENING = UNTIL % "document.documentElement.dataset.live === 'on'"
SHOWN = UNTIL % "document.body.innerText.includes('{}')"


async def test_news_appear_and_half_written_words_stay(
    tab: Tab, forge: DemoForge, pull: Pull
) -> None:
    """It shows a new comment without a reload, and leaves the form and open folds alone."""
    fold = await forge.comment(pull, "bob", "<details><summary>fold</summary>inside</details>")
    await asyncio.wait_for(tab.evaluate(LISTENING), 20)
    await asyncio.wait_for(tab.evaluate(SHOWN.replace("{}", "fold")), 20)
    await tab.evaluate("document.querySelector('textarea').value = 'half a wo'")
    await tab.evaluate(f"document.querySelector('#comment-{fold.id} details').open = true")
    await forge.comment(pull, "bob", "some news")
    await forge.edit_comment(fold, "bob", "<details><summary>fold</summary>other insides</details>")
    assert await asyncio.wait_for(tab.evaluate(SHOWN.replace("{}", "some news")), 20)
    assert await asyncio.wait_for(tab.evaluate(SHOWN.replace("{}", "other insides")), 20)
    assert await tab.evaluate("document.querySelector('textarea').value") == "half a wo"
    assert await tab.evaluate(f"document.querySelector('#comment-{fold.id} details').open")
