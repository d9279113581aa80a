"""Downloads releases of Terraform and OpenTofu, and lets nothing in that was not released.

The list of checksums must be signed by a key we have (unless the operator said that
checksums alone will do), the archive must have its checksum. Proxies, certificates and
credentials of a mirror are found as everywhere: `HTTPS_PROXY`, `NO_PROXY`,
`SSL_CERT_FILE`, `.netrc`.

Not promised: resuming a download, and trying again. What was read in vain is thrown away.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from prbot.adapters.release_sites import Site
from prbot.adapters.signatures import is_signed, keys_in
from prbot.adapters.tool_archive import NotInArchive, take_out
from prbot.config.versions import Version
from prbot.errors.tools import DownloadFailed, DownloadRefused

LIST_BYTES = 64 * 1024 * 1024
SUMS_BYTES = 1024 * 1024
ARCHIVE_BYTES = 1024 * 1024 * 1024
_PIECE = 256 * 1024


@dataclass(frozen=True)
class Patience:
    """In seconds: to connect, without a byte, and for one file."""

    connect: float = 20.0
    silent: float = 60.0
    file: float = 900.0


@dataclass(frozen=True)
class Releases:
    """One tool's releases. `signed`: whether a signature is asked for."""

    site: Site
    signed: bool = True
    patience: Patience = Patience()

    async def versions(self) -> tuple[Version, ...]:
        """All that run on this machine, oldest first. Raises DownloadFailed."""
        async with self._session() as session:
            answer = await self._small(session, self.site.listing, LIST_BYTES)
        try:
            return await asyncio.to_thread(self.site.versions, answer)
        except ValueError as error:
            raise DownloadFailed(self.site.listing, str(error)) from None

    async def fetch(self, wanted: Version, directory: Path) -> None:
        """Put the program, named as the tool, into a directory that is there and empty.

        Raises DownloadFailed, DownloadRefused, KeyNotReadable, and OSError when it cannot be
        written.
        """
        archive = directory / self.site.archive(wanted)
        async with self._session() as session:
            expected = await self._checksum(session, wanted)
            found = await self._large(session, self._address(wanted, archive.name), archive)
        if found != expected:
            raise DownloadRefused(archive.name, "its SHA-256 is not the one that was released")
        try:
            program = directory / self.site.tool
            await asyncio.to_thread(take_out, archive, self.site.tool, program)
        except NotInArchive as error:
            raise DownloadRefused(archive.name, str(error)) from None
        archive.unlink()

    async def _checksum(self, session: ClientSession, wanted: Version) -> str:
        """What the archive's must be, from the list that is signed."""
        name = self.site.sums(wanted)
        sums = await self._small(session, self._address(wanted, name), SUMS_BYTES)
        if self.signed:
            keys = keys_in(self.site.key)
            signature = self.site.signature(wanted)
            given = await self._small(session, self._address(wanted, signature), SUMS_BYTES)
            if not is_signed(sums, given, keys):
                raise DownloadRefused(name, f"it is not signed by a key in {self.site.key.name}")
        return _checksum_in(sums, self.site.archive(wanted), name)

    def _address(self, wanted: Version, file: str) -> str:
        return self.site.address(wanted, file)

    # --- the wire --------------------------------------------------------------------------

    def _session(self) -> ClientSession:
        timeout = ClientTimeout(
            total=self.patience.file,
            sock_connect=self.patience.connect,
            sock_read=self.patience.silent,
        )
        # bytes as they are: an archive is not to be unpacked because of a header
        headers = {"User-Agent": "prbot", "Accept-Encoding": "identity"}
        return ClientSession(
            timeout=timeout, trust_env=True, headers=headers, auto_decompress=False
        )

    async def _small(self, session: ClientSession, address: str, limit: int) -> bytes:
        async with _answer(session, address) as response:
            return b"".join([piece async for piece in _pieces(response, limit)])

    async def _large(self, session: ClientSession, address: str, target: Path) -> str:
        """Write it, and return its SHA-256."""
        digest = hashlib.sha256()
        async with _answer(session, address) as response:
            with target.open("xb") as file:
                async for piece in _pieces(response, ARCHIVE_BYTES):
                    digest.update(piece)
                    file.write(piece)
        return digest.hexdigest()


@asynccontextmanager
async def _answer(session: ClientSession, address: str) -> AsyncIterator[ClientResponse]:
    """Raises DownloadFailed for all that goes wrong on the wire while the block reads."""
    try:
        async with session.get(address) as response:
            hops = [each.url.scheme for each in (*response.history, response)]
            if urlsplit(address).scheme == "https" and set(hops) != {"https"}:
                raise DownloadFailed(address, "it leads to an unencrypted address")
            if response.status != 200:
                raise DownloadFailed(address, f"the answer was {response.status}")
            yield response
    except TimeoutError:
        raise DownloadFailed(address, "it took too long") from None
    except (ClientError, ValueError) as error:
        raise DownloadFailed(address, str(error) or type(error).__name__) from None


async def _pieces(response: ClientResponse, limit: int) -> AsyncIterator[bytes]:
    read = 0
    async for piece in response.content.iter_chunked(_PIECE):
        read += len(piece)
        if read > limit:
            raise DownloadFailed(str(response.url), f"it has more than {limit} bytes")
        yield piece


def _checksum_in(sums: bytes, archive: str, name: str) -> str:
    """Of the lines `SHA256  FILE`, the one of this archive. Raises DownloadRefused."""
    lines = (line.split() for line in sums.decode("utf-8", "replace").splitlines())
    found = {words[0].lower() for words in lines if len(words) == 2 and words[1] == archive}
    if len(found) != 1:
        raise DownloadRefused(name, f"it does not tell the checksum of {archive}")
    return found.pop()
