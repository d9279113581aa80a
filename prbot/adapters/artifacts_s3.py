"""Plan files and their JSON in S3, sealed as on the local disk (`sealing`).

For several machines: what one of them planned, another applies. Region, credentials and
endpoint are found as boto3 finds them (AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL, the
machine's role, …), so that any store that speaks S3 will do:
https://boto3.amazonaws.com/v1/documentation/api/latest/guide/configuration.html

boto3 tries again by itself, as its own settings say; here an error is final. It is imported
when the first artifact is stored or asked for, and works in threads.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from prbot.adapters.sealing import Seal, checked
from prbot.errors import PrbotError
from prbot.errors.server import BucketMissing, BucketRefused, BucketUnavailable, PackageMissing

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

CONNECT_SECONDS, READ_SECONDS = 5, 60
CONNECTIONS = 16
UNAVAILABLE = ("RequestTimeout", "SlowDown", "ServiceUnavailable", "InternalError")
"""Codes of errors that pass:
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""


class EncryptedObjects:
    """Meets `Artifacts`; names are as in `sealing`, objects lie at `prefix`/NAME.

    Every method raises BucketMissing, BucketRefused, BucketUnavailable, or PackageMissing
    where there is no boto3.
    """

    def __init__(self, bucket: str, prefix: str, key: bytes) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._seal = Seal(key)
        self._starting = threading.Lock()
        self._client: Any = None

    async def put(self, name: str, data: bytes) -> None:
        """Store, durably, in place of whatever had this name."""
        await asyncio.to_thread(self._write, checked(name), data)

    async def get(self, name: str) -> bytes | None:
        """The data, or None when there is none. Raises WrongInstallationKey too."""
        return await asyncio.to_thread(self._read, checked(name))

    async def drop(self, names: Sequence[str]) -> None:
        """Remove those that are there."""
        await asyncio.to_thread(self._remove, [checked(name) for name in names])

    def _write(self, name: str, data: bytes) -> None:
        with self._asking("write") as client:
            client.put_object(**self._at(name), Body=self._seal.close(name, data))

    def _read(self, name: str) -> bytes | None:
        with self._asking("read") as client:
            try:
                stored: bytes = client.get_object(**self._at(name))["Body"].read()
            except client.exceptions.NoSuchKey:
                return None
        return self._seal.open(name, stored)

    def _remove(self, names: Sequence[str]) -> None:
        # One by one: a batch needs a checksum that not every other maker's S3 takes.
        for name in names:
            with self._asking("delete") as client:
                client.delete_object(**self._at(name))

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    @contextmanager
    def _asking(self, what: str) -> Iterator[Any]:
        try:
            from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
            from botocore.exceptions import ConnectionError as NoConnection
        except ImportError:
            raise PackageMissing("boto3", "s3") from None
        try:
            yield self._opened()
        except ClientError as error:
            raise self._meant(what, error) from error
        except (HTTPClientError, NoConnection) as error:
            raise BucketUnavailable(self._bucket, str(error)) from error
        except (BotoCoreError, ValueError) as error:  # boto3's own settings are at fault
            raise BucketRefused(self._bucket, what, str(error)) from error

    def _opened(self) -> Any:
        """The client, which threads may share; a session they may not."""
        with self._starting:
            if self._client is None:
                self._client = _connect()
            return self._client

    def _meant(self, what: str, error: ClientError) -> PrbotError:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code == "NoSuchBucket":
            return BucketMissing(self._bucket)
        if code in UNAVAILABLE or status >= 500:
            return BucketUnavailable(self._bucket, str(error))
        return BucketRefused(self._bucket, what, str(error))


def _connect() -> Any:
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        # The seal notices any change; other makers' S3 does not know every checksum.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client("s3", config=config)
