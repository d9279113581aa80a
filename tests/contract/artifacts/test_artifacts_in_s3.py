"""Artifacts in S3: what is wrong there is told in words that lead somewhere."""

from __future__ import annotations

import http.server
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from prbot.adapters.artifacts_s3 import EncryptedObjects
from prbot.errors import PrbotError
from prbot.errors.server import BucketMissing, BucketRefused, BucketUnavailable, PackageMissing
from prbot.ports.store import Artifacts

KEY = b"k" * 32


async def fails(artifacts: Artifacts, error: type[PrbotError], words: str) -> None:
    """Every call ends with this error."""
    for attempt in (artifacts.put("p-1", b""), artifacts.get("p-1"), artifacts.drop(["p-1"])):
        with pytest.raises(error, match=words):
            await attempt


@pytest.mark.usefixtures("aws")
async def test_no_bucket() -> None:
    """It names the bucket that is not there, and the setting."""
    artifacts = EncryptedObjects("nowhere", "", KEY)
    await fails(artifacts, BucketMissing, "bucket nowhere .* does not exist")
    assert "`artifacts`" in BucketMissing("nowhere").next_step


@pytest.mark.usefixtures("bucket")
async def test_no_prefix() -> None:
    """It keeps artifacts at the top of a bucket, too, apart from those with a prefix."""
    top, below = EncryptedObjects("plans", "", KEY), EncryptedObjects("plans", "a/b", KEY)
    await top.put("p-1", b"top")
    await below.put("p-1", b"below")
    assert (await top.get("p-1"), await below.get("p-1")) == (b"top", b"below")
    await top.drop(["p-1"])
    assert (await top.get("p-1"), await below.get("p-1")) == (None, b"below")


@pytest.fixture
def strict(ask_moto: Callable[[str, str, str], None]) -> Iterator[None]:
    """moto looks at credentials: https://docs.getmoto.org/en/latest/docs/iam.html"""
    ask_moto("POST", "/moto-api/reset-auth", "0")
    yield
    ask_moto("POST", "/moto-api/reset-auth", "inf")


@pytest.mark.usefixtures("bucket", "strict")
async def test_access_denied() -> None:
    """It tells what S3 refused, why, and which rights it needs."""
    await fails(EncryptedObjects("plans", "", KEY), BucketRefused, "did not let prbot .* plans: .")
    assert "s3:GetObject" in BucketRefused("plans", "read", "no").next_step


async def test_no_credentials(aws: pytest.MonkeyPatch) -> None:
    """It says so where boto3 finds none."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        aws.delenv(name)
    await fails(EncryptedObjects("plans", "", KEY), BucketRefused, "credentials")


@pytest.mark.parametrize(("name", "value"), [("PROFILE", "nobody"), ("ENDPOINT_URL", "nonsense")])
async def test_settings_that_cannot_be(aws: pytest.MonkeyPatch, name: str, value: str) -> None:
    """It tells what boto3 says about its own settings."""
    aws.setenv(f"AWS_{name}", value)
    await fails(EncryptedObjects("plans", "", KEY), BucketRefused, value)


async def test_unreachable(aws: pytest.MonkeyPatch, unused_tcp_port: int) -> None:
    """It names the endpoint that did not answer."""
    aws.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_tcp_port}")
    await fails(EncryptedObjects("plans", "", KEY), BucketUnavailable, f"{unused_tcp_port}")


class Overloaded(http.server.BaseHTTPRequestHandler):
    """Answers 503 to everything."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = do_DELETE = _answer  # noqa: N815 - the library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name too
        pass


@pytest.fixture
def overloaded() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Overloaded) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_overloaded(aws: pytest.MonkeyPatch, overloaded: str) -> None:
    """It takes a 5xx for trouble that passes, not for a refusal."""
    aws.setenv("AWS_ENDPOINT_URL", overloaded)
    await fails(EncryptedObjects("plans", "", KEY), BucketUnavailable, "503")


async def test_without_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install where the package is missing."""
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    await fails(EncryptedObjects("plans", "", KEY), PackageMissing, "boto3")
    assert "prbot[s3]" in PackageMissing("boto3", "s3").next_step
