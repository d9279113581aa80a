"""Tools of this machine: what is installed, what was downloaded, what can be."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
from pathlib import Path

import pytest
from aiohttp import web
from release_mirror import STRANGER, Drip, program, signed, tarred, zipped

from prbot.adapters import releases as releases_module
from prbot.adapters.release_sites import this_platform
from prbot.adapters.releases import Patience
from prbot.adapters.tools import FAILED, LISTED
from prbot.config.versions import constraint
from prbot.errors import PrbotError
from prbot.errors.tools import (
    DownloadFailed,
    DownloadRefused,
    KeyNotReadable,
    ToolNotOffered,
    ToolVersionMissing,
    ToolVersionRefused,
)
from prbot.projects.tool_choice import Demand, Wanted

ARCHIVE = f"/terraform/1.9.8/terraform_1.9.8_{this_platform()}.zip"
SUMS = "/terraform/1.9.8/terraform_1.9.8_SHA256SUMS"


def want(*texts: str, tool: str = "terraform") -> Wanted:
    return Wanted(tool, tuple(Demand(constraint(text), "main.tf, line 1") for text in texts))


async def version_of(tools, *texts: str, tool: str = "terraform") -> str:
    found: str = await (await tools.of(want(*texts, tool=tool))).version()
    return found


# --- what is taken -------------------------------------------------------------------------------


async def test_installed_first(shop) -> None:
    """It takes what is installed if that will do, and asks nobody."""
    tools = shop.tools(installed=shop.install("1.9.7"))
    assert await version_of(tools) == "terraform 1.9.7"
    assert await version_of(tools, "~> 1.9.0") == "terraform 1.9.7"
    assert not shop.mirror.asked


async def test_installed_prerelease(shop) -> None:
    """It takes an installed pre-release by its order: somebody put it there."""
    tools = shop.tools(installed=shop.install("1.12.0-dev"))
    assert await version_of(tools, ">= 1.9") == "terraform 1.12.0-dev"


async def test_installed_says_no_version(shop) -> None:
    """It takes a program that does not tell its version only where any will do."""
    odd = shop.place / "terraform"
    odd.write_text("#!/bin/sh\necho '{}'\n")
    odd.chmod(0o755)
    tools = shop.tools(installed=odd, download=False)
    assert await version_of(tools) == "terraform unknown"
    with pytest.raises(ToolVersionMissing):
        await tools.of(want("~> 1.9.0"))


async def test_downloads_the_newest_that_fits(shop) -> None:
    """It downloads the newest release that meets the constraint, and no pre-release."""
    shop.mirror.terraform("1.8.5", "1.9.7", "1.9.8", "1.10.0-rc1", "1.10.0")
    tools = shop.tools(installed=shop.install("1.8.5"))
    assert await version_of(tools, "~> 1.9.0") == "terraform 1.9.8"
    assert await version_of(tools, "1.10.0-rc1") == "terraform 1.10.0-rc1"
    assert shop.kept == [
        "terraform",
        *("terraform/1.10.0-rc1", "terraform/1.10.0-rc1/terraform"),
        *("terraform/1.9.8", "terraform/1.9.8/terraform"),
    ]


async def test_keeps_what_it_has(shop) -> None:
    """It goes on with what was downloaded before while that will do, also another process."""
    shop.mirror.terraform("1.9.7")
    await version_of(shop.tools(), "~> 1.9.0")
    shop.mirror.terraform("1.9.7", "1.9.8")
    asked = shop.mirror.asked.total()
    assert await version_of(shop.tools(), "~> 1.9.0") == "terraform 1.9.7"
    assert shop.mirror.asked.total() == asked
    assert await version_of(shop.tools(), "1.9.8") == "terraform 1.9.8"


async def test_exact_asks_for_no_list(shop) -> None:
    """It asks for no list where one version is named."""
    shop.mirror.terraform("1.9.8")
    assert await version_of(shop.tools(), "1.9.8", ">= 1.5") == "terraform 1.9.8"
    assert shop.mirror.asked["/terraform/index.json"] == 0


async def test_tofu(shop) -> None:
    """It downloads OpenTofu from a mirror that is laid out as tofudl's."""
    shop.mirror.tofu("1.9.0", "1.10.0")
    assert await version_of(shop.tools("tofu"), "~> 1.9.0", tool="tofu") == "tofu 1.9.0"
    assert shop.kept == ["tofu", "tofu/1.9.0", "tofu/1.9.0/tofu"]


async def test_bound(shop) -> None:
    """It takes nothing that the operator does not allow, installed or not."""
    shop.mirror.terraform("1.8.5", "1.9.8", "1.11.0")
    tools = shop.tools(installed=shop.install("1.11.0"), bound=constraint("< 1.9"))
    assert await version_of(tools) == "terraform 1.8.5"
    with pytest.raises(ToolVersionRefused, match=r"none of `< 1\.9` that fits"):
        await tools.of(want("1.9.8"))
    with pytest.raises(ToolVersionRefused):
        await tools.of(want(">= 1.9"))
    with pytest.raises(ToolNotOffered, match="tofu"):
        await tools.of(want(tool="tofu"))
    assert shop.mirror.downloads == 1


async def test_nothing_is_downloaded(shop) -> None:
    """It says what is wanted and what there is, where the operator lets nothing be downloaded."""
    tools = shop.tools(installed=shop.install("1.8.5"), download=False)
    with pytest.raises(ToolVersionMissing, match=r"`~> 1\.9\.0` in main\.tf, line 1.*1\.8\.5"):
        await tools.of(want("~> 1.9.0"))


async def test_probe(shop) -> None:
    """It says what is installed."""
    path = shop.install("1.9.7")
    assert await shop.tools(installed=path).probe() == f"terraform 1.9.7 ({path})"
    assert await shop.tools().probe() == "terraform (downloaded when wanted)"


# --- the list ------------------------------------------------------------------------------------


async def test_list_is_kept(shop) -> None:
    """It asks for the list once an hour, whichever process asks."""
    shop.mirror.terraform("1.9.8")
    for _ in range(2):
        await shop.tools().of(want("~> 1.9.0"))
        with pytest.raises(ToolVersionRefused):
            await shop.tools().of(want("~> 1.12.0"))
    assert shop.mirror.asked["/terraform/index.json"] == 1
    shop.mirror.terraform("1.9.8", "1.12.1")
    shop.clock.pass_by(LISTED)
    assert await version_of(shop.tools(), "~> 1.12.0") == "terraform 1.12.1"


async def test_old_list(shop) -> None:
    """It goes on with an old list while there is no new one."""
    shop.mirror.terraform("1.9.8", "1.10.0")
    await shop.tools().of(want("~> 1.9.0"))
    shop.clock.pass_by(LISTED)
    del shop.mirror.files["/terraform/index.json"]
    assert await version_of(shop.tools(), "~> 1.10.0") == "terraform 1.10.0"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"versions": []}', '{"versions": {"1": 2}}'])
async def test_bad_list(shop, text: str) -> None:
    """It says so when what is there is no list, or lists nothing for this machine."""
    shop.mirror.files["/terraform/index.json"] = text.encode()
    with pytest.raises((DownloadFailed, ToolVersionRefused)):
        await shop.tools().of(want("~> 1.9.0"))


async def test_damaged_list_file(shop) -> None:
    """It makes a damaged file anew."""
    shop.mirror.terraform("1.9.8")
    file = shop.place / "tools" / "terraform" / "versions.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"source": 1')
    assert await version_of(shop.tools(), "~> 1.9.0") == "terraform 1.9.8"


# --- what is not let in --------------------------------------------------------------------------


GOOD = zipped({"terraform": program("terraform", "1.9.8")})
BAD = {
    "another archive": ({"archive": GOOD, "hashed": b"other"}, "SHA-256"),
    "a stranger's signature": ({"signature": signed(b"x", STRANGER)}, "not signed"),
    "signature of other data": ({"signature": signed(b"x")}, "not signed"),
    "no signature in the file": ({"signature": b"nothing"}, "not signed"),
    "an empty list": ({"sums": b""}, "does not tell"),
    "two checksums": ({"sums": b"".join(
        b"%s  terraform_1.9.8_%s.zip\n" % (sign * 64, this_platform().encode())
        for sign in (b"0", b"1"))}, "does not tell"),
    "no program": ({"archive": zipped({"README": b"a"})}, "no file terraform"),
    "a program elsewhere": ({"archive": zipped({"../terraform": b"a"})}, "no file terraform"),
    "a program below": ({"archive": zipped({"bin/terraform": b"a"})}, "no file terraform"),
    "no archive": ({"archive": b"PK no zip"}, "damaged"),
    "half an archive": ({"archive": GOOD[: len(GOOD) // 2]}, "damaged"),
    "the other tool's archive": ({"archive": tarred({"terraform": b"a"})}, "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
async def test_refused(shop, case: str) -> None:
    """It lets nothing in that was not released, and keeps nothing of it."""
    changed, words = BAD[case]
    shop.mirror.terraform("1.9.8", **changed)
    with pytest.raises(DownloadRefused, match=words):
        await shop.tools().of(want("1.9.8"))
    assert shop.kept == ["terraform"]
    assert not (shop.place / "terraform").exists()


async def test_names_in_the_archive_decide_nothing(shop) -> None:
    """It writes the program alone, whatever else the archive holds."""
    files = {"../../evil": b"a", "/evil": b"a", "terraform": program("terraform", "1.9.8")}
    shop.mirror.terraform("1.9.8", archive=zipped(files))
    assert await version_of(shop.tools(), "1.9.8") == "terraform 1.9.8"
    assert shop.kept == ["terraform", "terraform/1.9.8", "terraform/1.9.8/terraform"]
    assert list(shop.place.rglob("evil")) == []


async def test_checksum_alone(shop) -> None:
    """It asks for no signature where the operator said so, and still for the checksum."""
    shop.mirror.terraform("1.9.8", signature=b"nothing")
    assert await version_of(shop.tools(signed=False), "1.9.8") == "terraform 1.9.8"
    shop.mirror.terraform("1.9.7", archive=GOOD, hashed=b"other")
    with pytest.raises(DownloadRefused, match="SHA-256"):
        await shop.tools(signed=False).of(want("1.9.7"))


async def test_own_key_is_not_asked(shop) -> None:
    """It takes a mirror's files only by the tool's own key while no other is named."""
    shop.mirror.terraform("1.9.8")
    with pytest.raises(DownloadRefused, match=r"hashicorp\.asc"):
        await shop.tools(key=None).of(want("1.9.8"))
    (shop.place / "bad.asc").write_text("no key")
    with pytest.raises(KeyNotReadable, match=r"bad\.asc"):
        await shop.tools(key=shop.place / "bad.asc").of(want("1.9.8"))


# --- the wire ------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", [ARCHIVE, SUMS, f"{SUMS}.sig"])
async def test_not_there(shop, gone: str) -> None:
    """It names the file that is not there."""
    shop.mirror.terraform("1.9.8")
    del shop.mirror.files[gone]
    with pytest.raises(DownloadFailed, match=f"{gone} could not be downloaded: .*404"):
        await shop.tools().of(want("1.9.8"))
    assert shop.kept == ["terraform"]


async def test_cut_short(shop) -> None:
    """It notices a connection that ends before the file does."""

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = len(GOOD)
        await response.prepare(request)
        await response.write(GOOD[:100])
        assert request.transport is not None
        request.transport.abort()
        return response

    shop.mirror.terraform("1.9.8")
    shop.mirror.files[ARCHIVE] = cut
    with pytest.raises(DownloadFailed):
        await shop.tools().of(want("1.9.8"))
    assert shop.kept == ["terraform"]


async def test_silence(shop) -> None:
    """It waits only so long for a server that says nothing more."""
    shop.mirror.terraform("1.9.8")
    drip = Drip(GOOD)
    shop.mirror.files[ARCHIVE] = drip
    tools = shop.tools(patience=Patience(connect=5.0, silent=0.2, file=30.0))
    with pytest.raises(DownloadFailed, match="took too long"):
        await tools.of(want("1.9.8"))
    drip.let_go.set()
    assert shop.kept == ["terraform"]


async def test_nobody_there(shop, unused_tcp_port: int) -> None:
    """It says that nobody answers."""
    shop.mirror.url = f"http://127.0.0.1:{unused_tcp_port}"
    with pytest.raises(DownloadFailed, match=str(unused_tcp_port)):
        await shop.tools().of(want("1.9.8"))


async def test_too_large(shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops reading what is larger than any release."""
    monkeypatch.setattr(releases_module, "ARCHIVE_BYTES", 100)
    shop.mirror.terraform("1.9.8")
    with pytest.raises(DownloadFailed, match="more than 100 bytes"):
        await shop.tools().of(want("1.9.8"))
    assert shop.kept == ["terraform"]


async def test_no_room(shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that there is no room, and keeps nothing of the half."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(releases_module, "take_out", full)
    shop.mirror.terraform("1.9.8")
    with pytest.raises(DownloadFailed, match="No space left"):
        await shop.tools().of(want("1.9.8"))
    assert shop.kept == ["terraform"]


async def test_redirected(shop) -> None:
    """It follows a mirror that sends it on."""

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/store/1")

    shop.mirror.terraform("1.9.8")
    shop.mirror.files["/store/1"] = shop.mirror.files[ARCHIVE]
    shop.mirror.files[ARCHIVE] = elsewhere
    assert await version_of(shop.tools(), "1.9.8") == "terraform 1.9.8"


async def test_by_a_proxy(shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes through the proxy that the environment names."""
    shop.mirror.terraform("1.9.8")
    proxy, shop.mirror.url = shop.mirror.url, "http://releases.example"
    tools = shop.tools()
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert await version_of(tools, "1.9.8") == "terraform 1.9.8"


async def test_what_failed_is_not_tried_at_once(shop) -> None:
    """It does not let forty plans wait for the same failure one after another."""
    shop.mirror.terraform("1.9.8")
    archive = shop.mirror.files.pop(ARCHIVE)
    tools = shop.tools()
    asking = [tools.of(want("1.9.8")) for _ in range(5)]
    ends = await asyncio.gather(*asking, return_exceptions=True)
    assert {type(end) for end in ends} == {DownloadFailed}
    assert shop.mirror.downloads == 1
    shop.mirror.files[ARCHIVE] = archive
    shop.clock.pass_by(FAILED)
    assert await version_of(tools, "1.9.8") == "terraform 1.9.8"


# --- several at once, and sudden ends ------------------------------------------------------------


COLLEAGUE = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from prbot.adapters.release_sites import site_of
from prbot.adapters.releases import Releases
from prbot.adapters.terraform import Terraform
from prbot.adapters.tools import LocalTools, Offer
from prbot.projects.tool_choice import exactly

class Clock:
    def now(self):
        return datetime.now(UTC)

async def main(url, key, place):
    releases = Releases(site_of("terraform", url, Path(key)))
    make = lambda tool, command: Terraform(
        command, Path(place) / "rc", Path(place) / "scratch", {"PATH": "/usr/bin:/bin"}
    )
    offers = {"terraform": Offer("terraform", releases=releases)}
    tools = LocalTools(offers, Path(place) / "tools", make, Clock())
    tool = await tools.of(exactly("terraform 1.9.8"))
    print(await tool.version())

asyncio.run(main(*sys.argv[1:]))
"""


async def colleague(shop) -> asyncio.subprocess.Process:
    words = ["-c", COLLEAGUE, shop.mirror.url, str(shop.key), str(shop.place)]
    (shop.place / "rc").touch()
    return await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )


async def test_many_at_once(shop) -> None:
    """It downloads a release once, however many want it at the same time."""
    shop.mirror.terraform("1.9.8")
    tools = shop.tools()
    found = await asyncio.gather(*(version_of(tools, "~> 1.9.0") for _ in range(20)))
    assert set(found) == {"terraform 1.9.8"}
    assert shop.mirror.downloads == 1


async def test_two_processes(shop) -> None:
    """It downloads a release once, also when two processes want it at the same time."""
    shop.mirror.terraform("1.9.8")
    drip = Drip(shop.mirror.files[ARCHIVE])
    shop.mirror.files[ARCHIVE] = drip
    both = [await colleague(shop) for _ in range(2)]
    async with asyncio.timeout(60):
        await drip.began.wait()
        drip.let_go.set()
        said = [(await each.communicate())[0] for each in both]
    assert [words.splitlines()[-1] for words in said] == [b"terraform 1.9.8"] * 2
    assert shop.mirror.downloads == 1


async def test_killed_half_way(shop) -> None:
    """It leaves no half tool when it is killed, and the next one begins anew."""
    shop.mirror.terraform("1.9.8")
    archive = shop.mirror.files[ARCHIVE]
    drip = Drip(archive)
    shop.mirror.files[ARCHIVE] = drip
    process = await colleague(shop)
    async with asyncio.timeout(60):
        await drip.began.wait()
        process.send_signal(signal.SIGKILL)
        await process.communicate()
    drip.let_go.set()
    assert "terraform/1.9.8" not in shop.kept
    shop.mirror.files[ARCHIVE] = archive
    assert await version_of(shop.tools(), "1.9.8") == "terraform 1.9.8"
    assert shop.kept == ["terraform", "terraform/1.9.8", "terraform/1.9.8/terraform"]


async def test_cancelled(shop) -> None:
    """It leaves nothing when the plan that wanted it is stopped."""
    shop.mirror.terraform("1.9.8")
    drip = Drip(shop.mirror.files[ARCHIVE])
    shop.mirror.files[ARCHIVE] = drip
    task = asyncio.create_task(shop.tools().of(want("1.9.8")))
    async with asyncio.timeout(60):
        await drip.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    drip.let_go.set()
    assert shop.kept == ["terraform"]


async def test_program_was_taken_away(shop) -> None:
    """It downloads again what somebody removed by hand."""
    shop.mirror.terraform("1.9.8")
    await version_of(shop.tools(), "1.9.8")
    program = Path(shop.place / "tools" / "terraform" / "1.9.8" / "terraform")
    program.unlink()
    assert await version_of(shop.tools(), "1.9.8") == "terraform 1.9.8"


def test_errors_have_a_next_step() -> None:
    """It says of each refusal what to do."""
    told: list[PrbotError] = [
        ToolVersionRefused("tofu", "`1.9`", "< 1.9"),
        DownloadRefused("a.zip", "it is damaged"),
    ]
    assert all(error.next_step for error in told)
    assert "tools.tofu.versions" in told[0].next_step
