"""A pull request on real AWS resources, from its comment to boto3's answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from town import LEAN, REPOSITORY, Town


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


async def start(town: Town, mirror: Path, environment: dict[str, str]) -> None:
    """prbot with the provider's mirror and the credentials in its environment."""
    town.environ |= environment
    tool = town.config.terraform.model_copy(
        update={"provider_mirror": mirror, "environment": (*LEAN, "AWS_*")}
    )
    await town.start(terraform=tool)


@pytest.mark.only_forge("github", "what AWS holds is the same whoever asked")
async def test_bucket_and_parameter_applied_on_merge(
    town: Town,
    aws_provider_mirror: Path,
    aws_environment: dict[str, str],
    aws_root_module: Callable[..., str],
    aws_client: Callable[[str], Any],
) -> None:
    """It plans both in a comment, applies them on merge, and both are there."""
    state = town.state_file("logs")
    state.parent.mkdir()
    clone = await town.build({"README.md": "Infrastructure.\n"})
    await start(town, aws_provider_mirror, aws_environment)
    hcl = aws_root_module(state, bucket="story-logs", parameter="/story/mode", value="loud")
    await clone.push("logs", "Add logs", {"logs/main.tf": hcl})
    pull = await town.forge.open_pull(REPOSITORY, head="logs", title="Logs", author="alice")
    body = await town.hears(pull, "aws_s3_bucket.logs", "aws_ssm_parameter.setting")
    assert "2 to create" in body
    assert "loud" not in body  # the provider marks a parameter's value as sensitive
    assert aws_client("s3").list_buckets()["Buckets"] == []
    await town.forge.merge(pull, "bob", method="squash")
    await town.hears(pull, "Applied on merge")
    assert [b["Name"] for b in aws_client("s3").list_buckets()["Buckets"]] == ["story-logs"]
    found = aws_client("ssm").get_parameter(Name="/story/mode", WithDecryption=True)
    assert found["Parameter"]["Value"] == "loud"
    await town.status(pull, "prbot/apply", "success")
