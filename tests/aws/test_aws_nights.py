"""Nights over real AWS resources: what boto3 changed is found, and looking writes nothing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nights import CHECKS, Calendar, Nights
from town import LEAN, REPOSITORY, Town

from prbot.drift.causes import Upgrade
from prbot.drift.verdict import ProjectVerdict
from prbot.model import ProjectKey
from prbot.plans.sensitive import SENSITIVE

KEY, TABLE, BUCKET = "logs.tfstate", "locks", "states"
MORNING = datetime.now(UTC).replace(hour=6, minute=0)
HELD = {"LockID": {"S": f"{BUCKET}/{KEY}"}, "Info": {"S": '{"Who": "somebody else"}'}}


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


def on_s3(hcl: str, endpoint: str) -> str:
    """The root module with its state in S3, behind a table of locks."""
    backend = f"""\
  backend "s3" {{
    bucket                      = "{BUCKET}"
    key                         = "{KEY}"
    region                      = "us-east-1"
    dynamodb_table              = "{TABLE}"
    use_path_style              = true
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_requesting_account_id  = true
    skip_s3_checksum            = true
    endpoints                   = {{ s3 = "{endpoint}", dynamodb = "{endpoint}" }}
  }}
"""
    return re.sub(r'  backend "local" \{.*?\n  \}\n', backend, hcl, flags=re.DOTALL)


def make_backend(client: Callable[[str], Any]) -> None:
    client("s3").create_bucket(Bucket=BUCKET)
    client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def stored(client: Callable[[str], Any]) -> tuple[bytes, Any, list[Any]]:
    """The state's bytes and its age, and all that stands in the table of locks."""
    state = client("s3").get_object(Bucket=BUCKET, Key=KEY)
    rows = client("dynamodb").scan(TableName=TABLE)["Items"]
    return state["Body"].read(), state["LastModified"], sorted(rows, key=str)


PROVIDER = "registry.terraform.io/hashicorp/aws"
PINNED = 'version = "3.39.0"'


def mirrored(mirror: Path, program: Path, version: str) -> None:
    """The provider's program, in a mirror under this version."""
    place = mirror / PROVIDER / version / program.name
    shutil.copytree(program, place, copy_function=os.link)


async def applied(town: Town, hcl: str) -> None:
    """By a pull request, on merge."""
    clone = await town.build({"README.md": "Infrastructure.\n"})
    await clone.push("logs", "Add logs", {"logs/main.tf": hcl})
    pull = await town.forge.open_pull(REPOSITORY, head="logs", title="Logs", author="alice")
    await town.hears(pull, "2 to create")
    await town.forge.merge(pull, "bob", method="squash")
    await town.hears(pull, "Applied on merge")


@pytest.mark.only_forge("github", "what AWS holds is the same whoever asked")
async def test_what_was_changed_by_hand(
    town: Town,
    tmp_path: Path,
    calendar: type[Calendar],
    aws_provider_mirror: Path,
    aws_environment: dict[str, str],
    aws_root_module: Callable[..., str],
    aws_client: Callable[[str], Any],
    moto_server: str,
) -> None:
    """It finds what prbot applied in sync, then each attribute that boto3 changed, a secret one
    hidden; somebody's lock is no hindrance, and neither it nor the state is touched. What began
    with another version of the provider is known to have done so."""
    make_backend(aws_client)
    town.environ |= aws_environment
    (program,) = (aws_provider_mirror / PROVIDER / "3.39.0").iterdir()
    mirror = tmp_path / "mirror"
    mirrored(mirror, program, "3.39.0")
    tool = town.config.terraform.model_copy(
        update={"provider_mirror": mirror, "environment": (*LEAN, "AWS_*")}
    )
    hcl = aws_root_module(town.state_file("logs"), bucket="night", parameter="/night", value="loud")
    assert PINNED in hcl
    hcl = hcl.replace(PINNED, 'version = ">= 3.39.0"')
    calendar.go_to(datetime.now(UTC))  # a merge must not look old
    await town.start(terraform=tool, drift=CHECKS)
    await applied(town, on_s3(hcl, moto_server))
    calendar.go_to(MORNING + timedelta(days=1))
    nights = Nights(town, calendar, ProjectKey("logs"))
    before = stored(aws_client)
    first = await nights.checked()
    assert (first.trouble, first.verdict, first.found) == (None, ProjectVerdict.IN_SYNC, ())
    assert (first.providers, first.cause) == (((PROVIDER, "3.39.0"),), None)

    aws_client("ssm").put_parameter(Name="/night", Value="silent", Type="String", Overwrite=True)
    tags = {"TagSet": [{"Key": "Owner", "Value": "carol"}]}
    aws_client("s3").put_bucket_tagging(Bucket="night", Tagging=tags)
    aws_client("dynamodb").put_item(TableName=TABLE, Item=HELD)
    mirrored(mirror, program, "3.39.1")
    found = await nights.next()
    assert (found.trouble, found.verdict) == (None, ProjectVerdict.DRIFTED)
    rows = {(each.address, each.attribute): each for each in found.found}
    value = rows["aws_ssm_parameter.setting", "value"]
    assert (value.live, value.wanted) == (SENSITIVE, SENSITIVE)
    assert "carol" in rows["aws_s3_bucket.logs", "tags"].live
    assert "silent" not in repr(found)
    assert found.cause == Upgrade(PROVIDER, "3.39.1", "3.39.0")
    after = stored(aws_client)
    assert after[:2] == before[:2]
    assert after[2] == sorted([*before[2], HELD], key=str)
