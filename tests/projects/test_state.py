"""Where a project's state is: one place however it is written, two places never one."""

import pytest

from prbot.model import ProjectKey
from prbot.projects.facts import Backend
from prbot.projects.state import Address, address

S3 = {"bucket": "b", "key": "prod/x"}
AZURE = {"storage_account_name": "a", "container_name": "c"}


def at(type_: str, workspace: str = "default", **settings: str) -> Address | None:
    backend = Backend(type_, tuple(sorted(settings.items())))
    return address(backend, None, ProjectKey("p", workspace))


SAME = [
    (at("s3", "blue", **S3), at("s3", **S3 | {"key": "env:/blue/prod/x"})),
    (at("s3", **S3), at("s3", **S3, workspace_key_prefix="other")),
    (at("s3", "blue", **S3, workspace_key_prefix="w/"), at("s3", **S3 | {"key": "w/blue/prod/x"})),
    (at("s3", **S3), at("s3", **S3, endpoint="https://s3.eu-west-1.amazonaws.com")),
    (at("s3", **S3), at("s3", **S3, endpoint="s3.amazonaws.com")),
    (at("gcs", bucket="b", prefix="prod"), at("gcs", bucket="b", prefix="prod/")),
    (at("gcs", bucket="b", prefix="prod"), at("gcs", bucket="b", prefix="/x/../prod")),
    (at("gcs", "d", bucket="b", prefix="p"), at("gcs", "d", bucket="b", prefix="./p//")),
    (at("azurerm", "blue", key="k", **AZURE), at("azurerm", key="kenv:blue", **AZURE)),
    (at("local", path="/s/prod.tfstate"), at("local", path="//s/x/..//prod.tfstate")),
    (
        at("local", "blue", workspace_dir="/s/"),
        at("local", path="/s/blue/terraform.tfstate"),
    ),
]
OTHERS = [
    (at("s3", **S3), at("s3", "blue", **S3)),
    (at("s3", **S3), at("s3", **S3, endpoint="https://minio.acme.example")),
    (at("s3", **S3), at("s3", **S3, endpoint="https://s3.amazonaws.com.acme.example")),
    (at("s3", **S3), at("s3", **S3 | {"key": "prod//x"})),
    (at("gcs", bucket="b", prefix="prod"), at("gcs", bucket="b", prefix="prod/default")),
    (at("azurerm", key="k", **AZURE), at("azurerm", "blue", key="k", **AZURE)),
    (at("local", path="/s/a.tfstate"), at("local", path="s/a.tfstate")),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same(one: Address | None, other: Address | None) -> None:
    """It knows a place by another spelling, so that nobody takes over a state by one."""
    assert one is not None
    assert one == other


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_others(one: Address | None, other: Address | None) -> None:
    """It takes no two places for one."""
    assert None not in (one, other)
    assert one != other
