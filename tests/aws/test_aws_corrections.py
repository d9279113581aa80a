"""Drift of real AWS resources, from boto3's change to boto3's answer: told, and put right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from houses import House
from nights import CHECKS, Calendar
from town import LEAN, REPOSITORY, Town

from prbot.config.per_repository import Allowed, RepositoryRule
from prbot.demo.state import Issue
from prbot.model import ProjectKey
from prbot.plans.sensitive import SENSITIVE

LOGS = ProjectKey("logs")
MORNING = datetime.now(UTC).replace(hour=6, minute=0)
FREE = "version: 1\ndefaults: {apply_requirements: {approved: false}}\n"
RULES = f"""{FREE}drift:
  issues: true
  rules:
  - {{attribute: value, action: auto}}
"""
CONSENT = RepositoryRule(match=("acme/*",), allow=frozenset({Allowed.DRIFT_AUTO}))


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


class Logs:
    """A bucket and a parameter that prbot applied, and what others make of them."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._ssm, self._s3 = client("ssm"), client("s3")

    def set_value(self, value: str) -> None:
        self._ssm.put_parameter(Name="/logs", Value=value, Type="String", Overwrite=True)

    @property
    def value(self) -> str:
        found = self._ssm.get_parameter(Name="/logs", WithDecryption=True)
        return str(found["Parameter"]["Value"])

    def set_owner(self, owner: str) -> None:
        tags = {"TagSet": [{"Key": "Owner", "Value": owner}]}
        self._s3.put_bucket_tagging(Bucket="logs", Tagging=tags)

    def drop_tags(self) -> None:
        self._s3.delete_bucket_tagging(Bucket="logs")

    @property
    def tags(self) -> list[Any]:
        try:
            return list(self._s3.get_bucket_tagging(Bucket="logs")["TagSet"])
        except self._s3.exceptions.ClientError:
            return []


@pytest.fixture
def logs(aws_client: Callable[[str], Any]) -> Logs:
    return Logs(aws_client)


@pytest.fixture
async def house(
    town: Town,
    calendar: type[Calendar],
    aws_provider_mirror: Path,
    aws_environment: dict[str, str],
    aws_root_module: Callable[..., str],
) -> House:
    """Applied by a pull request, looked at once, no issue."""
    town.environ |= aws_environment
    tool = town.config.terraform.model_copy(
        update={"provider_mirror": aws_provider_mirror, "environment": (*LEAN, "AWS_*")}
    )
    state = town.state_file("logs")
    state.parent.mkdir()
    hcl = aws_root_module(state, bucket="logs", parameter="/logs", value="loud")
    calendar.go_to(datetime.now(UTC))  # a merge must not look old
    clone = await town.build({"prbot.yaml": RULES})
    await town.start(terraform=tool, drift=CHECKS, per_repository=(CONSENT,))
    await clone.push("logs", "Add logs", {"logs/main.tf": hcl})
    pull = await town.forge.open_pull(REPOSITORY, head="logs", title="Logs", author="alice")
    await town.hears(pull, "2 to create")
    await town.forge.merge(pull, "bob", method="squash")
    await town.hears(pull, "Applied on merge")
    calendar.go_to(MORNING + timedelta(days=1))
    made = House(town, calendar, LOGS)
    await made.checked()
    assert made.issues == []
    return made


def said(issue: Issue) -> list[str]:
    return [one.body for one in issue.comments]


@pytest.mark.only_forge("github", "what AWS holds is the same whoever asked")
async def test_by_somebodys_word(house: House, logs: Logs) -> None:
    """It tells each change once, refuses who may not put it back, and does it for who may: it is
    applied, proven and closed; when it drifts again, the same issue is opened."""
    logs.set_owner("carol")
    await house.night()
    (issue,) = house.issues
    assert issue.title == "Drift in acme/infra, logs"
    assert "carol" in issue.body
    await house.night()
    assert said(issue) == []

    logs.set_value("silent")
    await house.night()
    (told,) = said(issue)
    assert "**added**: `forge:acme/infra logs: aws_ssm_parameter.setting, value`" in told
    assert (
        f"| `aws_ssm_parameter.setting` | `value` | `{SENSITIVE}` | `{SENSITIVE}` |" in issue.body
    )
    assert "silent" not in issue.body
    assert "not corrected by itself" in issue.body
    assert logs.value == "silent"

    assert "it needs write access" in await house.answered(issue, "carol", "prbot revert")
    assert "it is planned now" in await house.answered(issue, "alice", "prbot revert")
    await house.corrected()
    assert (logs.value, logs.tags) == ("loud", [])
    assert "Put right: `logs`" in said(issue)[-2]
    assert "a plan made afterwards finds nothing to change" in said(issue)[-1]
    assert not issue.open

    logs.set_owner("carol")
    await house.night()
    assert (house.issues, issue.open) == ([issue], True)


@pytest.mark.only_forge("github", "what AWS holds is the same whoever asked")
async def test_by_rule(house: House, logs: Logs) -> None:
    """It corrects nothing while a rule says `auto` for one attribute and `alert` for another that
    drifted; with `auto` alone it does, and proves it; the third time within a day it tells
    people instead, and why."""
    logs.set_owner("carol")
    logs.set_value("silent")
    await house.look()
    (issue,) = house.issues
    assert logs.value == "silent"
    assert "**rules**: the rules want `alert`" in issue.body

    logs.drop_tags()
    await house.look()
    assert logs.value == "loud"
    assert "By rule, plan" in said(issue)[-2]
    assert not issue.open

    logs.set_value("silent")
    await house.look()
    assert (logs.value, issue.open) == ("loud", False)

    logs.set_value("silent")
    await house.look()
    assert (house.issues, issue.open, logs.value) == ([issue], True, "silent")
    assert "it was corrected twice within a day" in issue.body
