"""The local disk and S3, each with a look at what is really stored there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from moto_aws import CREDENTIALS

from prbot.adapters.artifacts import EncryptedFiles
from prbot.adapters.artifacts_s3 import EncryptedObjects
from prbot.ports.store import Artifacts

BUCKET, PREFIX = "plans", "prbot/production"


class Shelf(Protocol):
    """Where artifacts lie, and what lies there as bytes."""

    def artifacts(self, key: bytes) -> Artifacts: ...
    def names(self) -> list[str]: ...
    def read(self, name: str) -> bytes: ...
    def write(self, name: str, stored: bytes) -> None: ...


@dataclass(frozen=True)
class Directory:
    path: Path

    def artifacts(self, key: bytes) -> Artifacts:
        return EncryptedFiles(self.path, key)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.path.glob("*"))

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def write(self, name: str, stored: bytes) -> None:
        (self.path / name).write_bytes(stored)


@dataclass(frozen=True)
class Bucket:
    client: Any

    def artifacts(self, key: bytes) -> Artifacts:
        return EncryptedObjects(BUCKET, PREFIX, key)

    def names(self) -> list[str]:
        listing = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return sorted(each["Key"].removeprefix(f"{PREFIX}/") for each in listing)

    def read(self, name: str) -> bytes:
        found: bytes = self.client.get_object(**_at(name))["Body"].read()
        return found

    def write(self, name: str, stored: bytes) -> None:
        self.client.put_object(**_at(name), Body=stored)


def _at(name: str) -> dict[str, str]:
    return {"Bucket": BUCKET, "Key": f"{PREFIX}/{name}"}


@pytest.fixture
def aws(moto_server: str, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """This process's surroundings, as boto3 reads them, lead to moto and nowhere else."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return monkeypatch


@pytest.fixture
def bucket(aws: pytest.MonkeyPatch) -> Bucket:
    import boto3

    client = boto3.session.Session().client("s3")
    client.create_bucket(Bucket=BUCKET)
    return Bucket(client)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "artifacts"


@pytest.fixture(params=["files", "s3"])
def shelf(request: pytest.FixtureRequest, directory: Path) -> Shelf:
    if request.param == "files":
        return Directory(directory)
    found: Bucket = request.getfixturevalue("bucket")
    return found


@pytest.fixture
def artifacts(shelf: Shelf) -> Artifacts:
    return shelf.artifacts(b"k" * 32)
