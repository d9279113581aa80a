"""A plan's record, field by field: what is refused, and what is told of it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prbot.model import JobId, PlanId, ProjectKey, PullRef, RepoRef, RunId, Sha
from prbot.plans.freshness import (
    Field,
    Record,
    record_of,
    remedy,
    stale_fields,
    told,
    unequal_fields,
)
from prbot.plans.record import Inputs, StateAt, StoredPlan
from prbot.plans.summary import Counts, PlanSummary

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
KEYED, OTHER = "5ec2e7" * 10, "0bad50" * 10
"""Digests under the installation's key; nobody should ever read one."""

RECORD = Record(
    project=ProjectKey("envs/prod"),
    content=KEYED,
    configuration=KEYED,
    arguments="-var-file=prod.tfvars",
    lock_file="1" * 64,
    tool="terraform 1.11.4",
    workflow=("plan 1 init 0000", "plan 2 plan 0000", "apply 1 apply 0000"),
    variables=(("TF_VAR_token", KEYED), ("region", KEYED), ("token", KEYED)),
    files="f" * 64,
    parts=(("envs/prod/", "a" * 40), ("modules/vpc/", "b" * 40), ("scripts/", "c" * 40)),
    head=Sha("1" * 40),
    base=Sha("2" * 40),
    commit=Sha("3" * 40),
    state=StateAt("lineage-1", 4),
    policy="p" * 64,
    at=NOON,
)

CASES: dict[str, tuple[dict[str, Any], Field, str]] = {
    "content": (
        {"content": OTHER},
        Field.CONTENT,
        "content: the reviewed content -> another content",
    ),
    "configuration": (
        {"configuration": OTHER},
        Field.CONFIGURATION,
        "configuration: the reviewed configuration -> another configuration",
    ),
    "arguments": (
        {"arguments": "-var-file=prod.tfvars -target=x.y"},
        Field.ARGUMENTS,
        "arguments: -var-file=prod.tfvars -> -var-file=prod.tfvars -target=x.y",
    ),
    "arguments that are gone": (
        {"arguments": ""},
        Field.ARGUMENTS,
        "arguments: -var-file=prod.tfvars -> none",
    ),
    "lock file": (
        {"lock_file": "2" * 64},
        Field.LOCK_FILE,
        "lock file: 111111111111 -> 2222222222",
    ),
    "tool": (
        {"tool": "terraform 1.11.5"},
        Field.TOOL,
        "tool version: terraform 1.11.4 -> terraform 1.11.5",
    ),
    "workflow": (
        {"workflow": (*RECORD.workflow, "apply 2 run beef")},
        Field.WORKFLOW,
        "workflow: the reviewed steps -> step 2 of the workflow's `apply` (`run`) is new",
    ),
    "a variable": (
        {"variables": (("TF_VAR_token", KEYED), ("region", OTHER), ("token", KEYED))},
        Field.VARIABLES,
        "variables: `region` as reviewed -> another value of `region`",
    ),
    "a secret from the environment": (
        {"variables": (("TF_VAR_token", OTHER), ("region", KEYED), ("token", KEYED))},
        Field.VARIABLES,
        "variables: `TF_VAR_token` as reviewed -> another value of `TF_VAR_token`",
    ),
    "a variable that is new": (
        {"variables": (*RECORD.variables, ("zone", KEYED))},
        Field.VARIABLES,
        "variables: no `zone` -> `zone` is there",
    ),
    "a variable that is gone": (
        {"variables": RECORD.variables[1:]},
        Field.VARIABLES,
        "variables: `TF_VAR_token` was there -> no `TF_VAR_token`",
    ),
    "a module": (
        {
            "files": "e" * 64,
            "parts": (*RECORD.parts[:1], ("modules/vpc/", "d" * 40), RECORD.parts[2]),
        },
        Field.FILES,
        "files: `modules/vpc/` bbbbbbbbbbbb -> `modules/vpc/` dddddddddddd",
    ),
    "head": ({"head": Sha("9" * 40)}, Field.HEAD, "head commit: 111111111111 -> 999999999999"),
    "base": (
        {"base": Sha("8" * 40), "commit": Sha("7" * 40)},
        Field.BASE,
        "base: 222222222222 -> 888888888888",
    ),
    "what hooks left": (
        {"commit": Sha("7" * 40)},
        Field.BASE,
        "base: 333333333333 -> 777777777777",
    ),
    "lineage": (
        {"state": StateAt("lineage-2", 4)},
        Field.LINEAGE,
        "state lineage: lineage-1 -> lineage-2",
    ),
    "a state that is gone": (
        {"state": StateAt("", 0)},
        Field.LINEAGE,
        "state lineage: lineage-1 -> no state",
    ),
    "serial": ({"state": StateAt("lineage-1", 5)}, Field.SERIAL, "state serial: 4 -> 5"),
    "policies": ({"policy": "q" * 64}, Field.POLICY, "policies: pppppppppppp -> qqqqqqqqqqqq"),
    "age": ({"at": NOON + timedelta(days=8)}, Field.AGE, "age: at most 7 days -> 8 days"),
}
AGAIN = {Field.BASE, Field.SERIAL, Field.AGE}


@pytest.mark.parametrize(("change", "field", "said"), CASES.values(), ids=CASES)
def test_it_sees_one_field(change: dict[str, Any], field: Field, said: str) -> None:
    """It names the field that alone is not as it was, with the old and the new value."""
    (found,) = stale_fields(RECORD, replace(RECORD, **change), WEEK)
    assert found.field is field
    assert str(found).startswith(said)
    assert found.again is (field in AGAIN)


@pytest.mark.parametrize(("change", "field", "said"), CASES.values(), ids=CASES)
def test_it_names_what_helps_and_no_secret(change: dict[str, Any], field: Field, said: str) -> None:
    """It says which command helps, and shows no digest of a value."""
    found = stale_fields(RECORD, replace(RECORD, **change), WEEK)
    assert "`prbot plan -d envs/prod`" in remedy(found)
    assert "5ec2e7" not in told(found) + remedy(found)
    assert "0bad50" not in told(found) + remedy(found)


def test_every_field_of_the_record_has_a_case() -> None:
    """It compares all that is recorded, but for the project itself."""
    changed = {name for change, _, _ in CASES.values() for name in change}
    assert changed == {each.name for each in fields(Record)} - {"project"}
    assert {field for _, field, _ in CASES.values()} == set(Field)


def test_a_fresh_plan() -> None:
    """It finds nothing where nothing changed, a day later as well."""
    assert stale_fields(RECORD, replace(RECORD, at=NOON + timedelta(days=1)), WEEK) == ()


@pytest.mark.parametrize("name", ["lock_file", "files", "state"])
def test_what_cannot_be_known(name: str) -> None:
    """It does not call different what nobody can look at, now or when the plan was made."""
    unknown = replace(RECORD, **{name: None})
    assert stale_fields(RECORD, unknown, WEEK) == stale_fields(unknown, RECORD, WEEK) == ()


def test_a_state_that_came_into_being() -> None:
    """It is the same state, written for the first time: planning again tells what follows."""
    before = replace(RECORD, state=StateAt("", 0))
    (found,) = stale_fields(before, RECORD, WEEK)
    assert (found.field, found.again) == (Field.SERIAL, True)


def test_several_at_once() -> None:
    """It tells all of them in one order, and each way out once."""
    now = replace(RECORD, arguments="", tool="terraform 1.12.0", state=StateAt("lineage-1", 9))
    found = stale_fields(RECORD, now, WEEK)
    assert [each.field for each in found] == [Field.ARGUMENTS, Field.TOOL, Field.SERIAL]
    assert told(found).count(" -> ") == 3
    assert remedy(found).count("read the new plan") == 1


def test_many_files() -> None:
    """It names a few of them, and counts the others."""
    parts = tuple((f"f{n}", "e" * 40) for n in range(9))
    (found,) = stale_fields(RECORD, replace(RECORD, files="e" * 64, parts=parts), WEEK)
    assert found.new.endswith("and 7 more")
    assert found.new.count("`") == 10


def test_hostile_names() -> None:
    """It keeps names on one line."""
    odd = (("a\nb", KEYED), *RECORD.variables)
    (found,) = stale_fields(RECORD, replace(RECORD, variables=odd), WEEK)
    assert "\n" not in str(found)


def test_the_workspace_is_named() -> None:
    """It says `-w` where the project is not in the default workspace, quoted for a shell."""
    blue = replace(RECORD, project=ProjectKey("my app", "blue"))
    found = stale_fields(blue, replace(blue, tool="terraform 1.12.0"), WEEK)
    assert "`prbot plan -d 'my app' -w blue`" in remedy(found)


EQUAL = {"head", "base", "what hooks left", "serial", "age", "content"}


@pytest.mark.parametrize("name", CASES)
def test_equal_plans(name: str) -> None:
    """It lets a plan made again differ in base, serial and time, and in nothing else; what
    it changes is compared by itself."""
    change, field, _ = CASES[name]
    found = unequal_fields(RECORD, replace(RECORD, **change))
    assert [each.field for each in found] == ([] if name in EQUAL else [field])


def stored(**inputs: Any) -> StoredPlan:
    return StoredPlan(
        id=PlanId("p-000001"),
        pull=PullRef(RepoRef("gh", "acme/infra"), 7),
        project=ProjectKey("app"),
        run_id=RunId("r"),
        job_id=JobId("j"),
        head=Sha("1" * 40),
        base=Sha("2" * 40),
        commit=Sha("3" * 40),
        hash=KEYED,
        inputs=Inputs("f", "l", "terraform 1.11.4", **inputs),
        summary=PlanSummary(Counts()),
        plan_file="f",
        plan_file_sha256="0",
        plan_json="j",
        state_is_lost=False,
        created_at=NOON,
    )


def test_a_plan_of_an_older_prbot_has_no_record() -> None:
    """It is not trusted: what was not recorded then cannot be compared now."""
    assert record_of(stored()) is None
    assert record_of(stored(configuration=KEYED)) is not None
