"""How careful one should be, and why; the table stood here before the code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.model import ProjectKey
from prbot.plans.plan import parse
from prbot.plans.risk import MOST_REASONS, Level, environment_of, is_production
from prbot.plans.statefulness import (
    _ACCESS,
    _DATA,
    _REPEATABLE,
    Statefulness,
    statefulness,
)
from prbot.plans.summary import summarise

Build = Callable[..., Any]
Read = Callable[[str], bytes]

DELETE, REPLACE, GENTLY = ("delete",), ("delete", "create"), ("create", "delete")
UPDATE, CREATE, FORGET = ("update",), ("create",), ("forget",)
DATA, ACCESS, PLAIN, WHO_KNOWS = "aws_db_instance", "aws_lb", "terraform_data", "acme_thing"


@pytest.mark.parametrize(
    ("kind", "actions", "level", "in_production"),
    [
        (DATA, DELETE, "high", "high"),
        (DATA, REPLACE, "high", "high"),
        (DATA, GENTLY, "high", "high"),
        (DATA, UPDATE, "low", "medium"),
        (DATA, FORGET, "low", "low"),
        (DATA, CREATE, "low", "low"),
        (ACCESS, DELETE, "medium", "high"),
        (ACCESS, REPLACE, "medium", "high"),
        (ACCESS, GENTLY, "low", "medium"),
        (ACCESS, UPDATE, "medium", "medium"),
        (ACCESS, CREATE, "low", "low"),
        (PLAIN, DELETE, "low", "low"),
        (PLAIN, REPLACE, "low", "low"),
        (PLAIN, UPDATE, "low", "low"),
        (WHO_KNOWS, DELETE, "medium", "high"),
        (WHO_KNOWS, REPLACE, "medium", "high"),
        (WHO_KNOWS, GENTLY, "medium", "high"),
        (WHO_KNOWS, UPDATE, "low", "low"),
        (WHO_KNOWS, CREATE, "low", "low"),
    ],
)
def test_one_change(
    kind: str,
    actions: tuple[str, ...],
    level: str,
    in_production: str,
    document: Build,
    resource: Build,
) -> None:
    """It judges action, type and environment together, and always says why."""
    plan = parse(document(resource("x.a", actions, {}, {}, outside={"type": kind})))
    for environment, expected in (("staging", level), ("eu-prod", in_production), (None, level)):
        summary = summarise(plan, environment)
        assert summary.risk.level.value == expected
        assert summary.changes[0].risk.level.value == expected
        assert summary.risk.reasons
        assert "`x.a`" in summary.changes[0].risk.reasons[0]


@pytest.mark.parametrize(
    ("number", "level", "reasons"),
    [
        ("00", "low", ("no resource is changed",)),
        ("01", "low", ("no resource is changed",)),
        (
            "02",
            "medium",
            ("reverts `delay_seconds` of `aws_sqs_queue.q`, which was changed by hand",),
        ),
        (
            "03",
            "medium",
            ("`delay_seconds` of `aws_sqs_queue.q` was changed by hand and in the code",),
        ),
        ("04", "low", ("no resource is changed",)),
        ("06", "low", ("no resource is changed",)),
        ("07", "medium", ("`aws_ssm_parameter.p` was deleted outside of the code",)),
        (
            "08",
            "high",
            ("replaces `aws_sqs_queue.q`, which holds data (forced by `name`)",),
        ),
        (
            "09",
            "high",
            ("deletes `aws_sqs_queue.q`, which holds data (no longer in the configuration)",),
        ),
        ("10", "low", ("no resource is changed",)),
        ("11", "medium", ("1 check did not pass",)),
    ],
)
def test_recorded_plans(number: str, level: str, reasons: tuple[str, ...], recorded: Read) -> None:
    """It judges the recorded plans as a person would."""
    risk = summarise(parse(recorded(number))).risk
    assert (risk.level.value, risk.reasons) == (level, reasons)


def test_many_at_once(document: Build, resource: Build) -> None:
    """It takes ten deletions at once for a high risk, and bounds its reasons."""

    def gone(kind: str, number: int) -> Any:
        return [
            resource(f"x.a[{n}]", ("delete",), {}, outside={"type": kind}) for n in range(number)
        ]

    assert summarise(parse(document(*gone(PLAIN, 100)))).risk.level is Level.LOW
    assert summarise(parse(document(*gone(WHO_KNOWS, 9)))).risk.level is Level.MEDIUM
    risk = summarise(parse(document(*gone(WHO_KNOWS, 1_000)))).risk
    assert (risk.level, risk.reasons) == (
        Level.HIGH,
        ("deletes or replaces 1,000 resources at once",),
    )
    many = summarise(parse(document(*gone(DATA, 1_000)))).risk.reasons
    assert len(many) == MOST_REASONS + 1
    assert many[-1] == "and 991 more reasons"


def test_no_secret_in_a_reason(document: Build, resource: Build) -> None:
    """It hides an instance key that holds a sensitive value."""
    secret = resource("x.s", ("update",), {"p": "hunter22"}, {}, before_sensitive={"p": True})
    gone = resource('x.a["hunter22"]', ("delete",), {}, outside={"type": DATA})
    assert "hunter22" not in repr(summarise(parse(document(secret, gone))))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("prod", True),
        ("production", True),
        ("eu-PROD-2", True),
        ("live", True),
        ("prd_eu", True),
        ("staging", False),
        ("preprod", False),
        ("pre-prod", False),
        ("non-prod", False),
        ("products", False),
        ("delivery", False),
        ("", False),
        (None, False),
    ],
)
def test_production(name: str | None, expected: bool) -> None:
    """It knows production by the environment's name."""
    assert is_production(name) is expected


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("aws_s3_bucket", Statefulness.DATA),
        ("aws_s3_bucket_policy", Statefulness.ACCESS),
        ("aws_iam_role", Statefulness.ACCESS),
        ("aws_fsx_lustre_file_system", Statefulness.DATA),
        ("terraform_data", Statefulness.REPEATABLE),
        ("google_project_iam_member", Statefulness.ACCESS),
        ("azurerm_cosmosdb_account", Statefulness.DATA),
        ("acme_thing", Statefulness.UNKNOWN),
        ("", Statefulness.UNKNOWN),
    ],
)
def test_statefulness(type_: str, kind: Statefulness) -> None:
    """It finds a type by its name, then by its family."""
    assert statefulness(type_) is kind


def test_the_table() -> None:
    """It names every type once, in one class, and in no family of another class."""
    names = [*_DATA.split(), *_ACCESS.split(), *_REPEATABLE.split()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]+\*?", name) for name in names)
    families = [name[:-1] for name in names if name.endswith("*")]
    assert [f for f in families for g in families if f != g and f.startswith(g)] == []


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        (ProjectKey("environments/production/network"), "production"),
        (ProjectKey("prod-eu"), "prod-eu"),
        (ProjectKey("live/prod/live"), "live"),
        (ProjectKey("app", "prod"), "prod"),
        (ProjectKey("live/app", "staging"), "staging"),
        (ProjectKey("environments/staging"), None),
        (ProjectKey("products/nonprod"), None),
        (ProjectKey("."), None),
    ],
)
def test_environment_of(project: ProjectKey, expected: str | None) -> None:
    """It goes by the workspace, else by a directory that says production."""
    assert environment_of(project) == expected


ACTIONS = st.sampled_from([DELETE, REPLACE, GENTLY, UPDATE, CREATE, FORGET, ("no-op",)])
KINDS = st.sampled_from([DATA, ACCESS, PLAIN, WHO_KNOWS])


@given(st.lists(st.tuples(ACTIONS, KINDS), max_size=12), st.sampled_from([None, "prod"]))
def test_laws(changes: list[tuple[tuple[str, ...], str]], environment: str | None) -> None:
    """It is never lower than any of its parts, never without a reason, never past its bound."""
    entries = [
        {"address": f"x.a[{n}]", "mode": "managed", "type": kind, "change": {"actions": actions}}
        for n, (actions, kind) in enumerate(changes)
    ]
    data = {"format_version": "1.2", "resource_changes": entries}
    summary = summarise(parse(json.dumps(data).encode()), environment)
    order = list(Level)
    worst = max((order.index(c.risk.level) for c in summary.changes), default=0)
    assert order.index(summary.risk.level) >= worst
    assert 1 <= len(summary.risk.reasons) <= MOST_REASONS + 1
