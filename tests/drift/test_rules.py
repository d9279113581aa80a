"""Which rule decides on what drifted, and what becomes of the project as a whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from prbot.config.drift import DriftSettings, Reaction
from prbot.drift.rules import (
    Beyond,
    Decided,
    Drift,
    alike,
    beyond,
    covers,
    decide,
    drifts,
    of_project,
)
from prbot.plans.plan import Change, parse
from prbot.plans.threeway import Verdict

PLANS = Path(__file__).parents[1] / "fixtures" / "plans"
TODAY = date(2026, 3, 4)
QUEUE = Drift("aws_sqs_queue.q", "aws_sqs_queue", "delay_seconds", Verdict.REVERTS)
IN_MODULE = Drift('module.net["a"].aws_vpc.v[0]', "aws_vpc", "tags", Verdict.CONFLICT)
GONE = Drift("aws_ssm_parameter.p", "aws_ssm_parameter", None, Verdict.GONE)


def settings(*rules: dict[str, object], **more: object) -> DriftSettings:
    return DriftSettings.model_validate({"rules": rules, **more})


ANY = {"action": "auto"}
WHY = {"action": "ignore", "reason": "scaled by hand"}

MATCHES: dict[str, tuple[dict[str, object], Drift, str | None, bool]] = {
    "everything": ({}, QUEUE, None, True),
    "everything, of what is gone": ({}, GONE, None, True),
    "its type": ({"type": "aws_sqs_queue"}, QUEUE, None, True),
    "types by a pattern": ({"type": "aws_*"}, QUEUE, None, True),
    "another type": ({"type": "aws_sqs"}, QUEUE, None, False),
    "one of several types": ({"type": ["aws_vpc", "aws_sqs_queue"]}, QUEUE, None, True),
    "its address": ({"address": "aws_sqs_queue.q"}, QUEUE, None, True),
    "another address": ({"address": "aws_sqs_queue.r"}, QUEUE, None, False),
    "a part of its address": ({"address": "aws_sqs_queue"}, QUEUE, None, True),
    "its module": ({"address": "module.net"}, IN_MODULE, None, True),
    "its module's instance": ({"address": 'module.net["a"]'}, IN_MODULE, None, True),
    "another instance of the module": ({"address": 'module.net["b"]'}, IN_MODULE, None, False),
    "all instances of the resource": (
        {"address": 'module.net["a"].aws_vpc.v'},
        IN_MODULE,
        None,
        True,
    ),
    "the resource in any instance": ({"address": "module.net[*].aws_vpc.v"}, IN_MODULE, None, True),
    "another module that begins so": ({"address": "module.ne"}, IN_MODULE, None, False),
    "its attribute": ({"attribute": "delay_seconds"}, QUEUE, None, True),
    "attributes by a pattern": ({"attribute": "delay_*"}, QUEUE, None, True),
    "another attribute": ({"attribute": "delay"}, QUEUE, None, False),
    "any attribute, of what is gone": ({"attribute": "*"}, GONE, None, False),
    "its environment": ({"environment": "prod"}, QUEUE, "prod", True),
    "another environment": ({"environment": "prod"}, QUEUE, "dev", False),
    "no environment": ({"environment": "*"}, QUEUE, None, False),
    "all of it": (
        {"type": "aws_*", "address": "*.q", "attribute": "*", "environment": "p*"},
        QUEUE,
        "prod",
        True,
    ),
    "all but one": (
        {"type": "aws_*", "address": "*.q", "attribute": "x", "environment": "p*"},
        QUEUE,
        "prod",
        False,
    ),
}


@pytest.mark.parametrize(
    ("rule", "drift", "environment", "matches"), MATCHES.values(), ids=MATCHES.keys()
)
def test_what_a_rule_matches(
    rule: dict[str, object], drift: Drift, environment: str | None, matches: bool
) -> None:
    """It asks for each key that stands there, and for nothing else."""
    decided = decide(settings(rule | ANY), drift, environment, TODAY)
    expected = (Reaction.AUTO, 0) if matches else (Reaction.ALERT, None)
    assert (decided.action, decided.rule) == expected


def test_the_first_rule_decides() -> None:
    """It asks no further, however much better a later one fits."""
    rules = settings({"type": "aws_vpc"} | ANY, {"type": "aws_*"} | WHY, {} | ANY)
    decided = decide(rules, QUEUE, None, TODAY)
    assert (decided.action, decided.rule) == (Reaction.IGNORE, 1)


def test_where_no_rule_matches() -> None:
    """It alerts, or does what `default` says."""
    assert decide(settings(), QUEUE, None, TODAY).action is Reaction.ALERT
    assert decide(settings(default="open_pr"), QUEUE, None, TODAY).action is Reaction.OPEN_PR


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (date(2026, 3, 5), Decided(QUEUE, Reaction.IGNORE, 0)),
        (date(2026, 3, 4), Decided(QUEUE, Reaction.IGNORE, 0)),
        (date(2026, 3, 3), Decided(QUEUE, Reaction.AUTO, 1, (0,))),
    ],
    ids=["before its date", "on its date", "after it"],
)
def test_until(until: date, expected: Decided) -> None:
    """It holds up to its date, that day included; then the next rule decides, and it is told
    that this one lapsed."""
    assert decide(settings(WHY | {"until": until}, ANY), QUEUE, None, TODAY) == expected


@pytest.mark.parametrize("verdict", [Verdict.ADOPTS, Verdict.IGNORED])
def test_nothing_to_correct(verdict: Verdict) -> None:
    """It asks no rule about what the plan leaves as it is."""
    rest = Drift(QUEUE.address, QUEUE.type, "delay_seconds", verdict)
    assert decide(settings(ANY), rest, None, TODAY) == Decided(rest, Reaction.IGNORE)


def one(action: str, verdict: Verdict = Verdict.REVERTS, rule: int | None = 0) -> Decided:
    return Decided(Drift("a.b", "a", "c", verdict), Reaction(action), rule)


LEFT = one("ignore", Verdict.IGNORED, None)
MORE, LOSES = Beyond(more=True), Beyond(loses=True)
PROJECTS: dict[str, tuple[tuple[Decided, ...], Beyond, str | None]] = {
    "nothing drifted": ((), Beyond(), None),
    "nothing drifted, and code was not applied": ((), MORE, None),
    "only what the plan leaves": ((LEFT,), Beyond(), "ignore"),
    "all ignored by a rule": ((one("ignore"), LEFT), Beyond(), "ignore"),
    "alert": ((one("alert"),), Beyond(), "alert"),
    "all may be corrected": ((one("auto"), one("auto")), Beyond(), "auto"),
    "and what the plan leaves": ((one("auto"), LEFT), Beyond(), "auto"),
    "one of two only alerts": ((one("auto"), one("alert")), Beyond(), "alert"),
    "one of two by a pull request": ((one("auto"), one("open_pr")), Beyond(), "open_pr"),
    "one of three only alerts": (
        (one("auto"), one("open_pr"), one("alert")),
        Beyond(),
        "alert",
    ),
    "one is ignored, which the plan would change": (
        (one("auto"), one("ignore")),
        Beyond(),
        "alert",
    ),
    "a pull request would change what is ignored": (
        (one("open_pr"), one("ignore")),
        Beyond(),
        "alert",
    ),
    "auto, and code was not applied": ((one("auto"),), MORE, "alert"),
    "auto, and something would be lost": ((one("auto"),), LOSES, "alert"),
    "a pull request, and code was not applied": ((one("open_pr"),), MORE, "open_pr"),
    "what is gone": ((one("auto", Verdict.GONE),), Beyond(), "auto"),
}


@pytest.mark.parametrize(("decided", "beyond", "expected"), PROJECTS.values(), ids=PROJECTS.keys())
def test_a_project(decided: tuple[Decided, ...], beyond: Beyond, expected: str | None) -> None:
    """It does the weakest of what its attributes want, and corrects by itself only what every
    one of them allows."""
    assert of_project(decided, beyond) == expected


BEYOND = {
    "00_clean_after_apply": Beyond(),
    "02_managed_attr_drift": Beyond(),
    "03_drift_and_change_same_attr_conflict": MORE,
    "04_code_adopts_drift": Beyond(),
    "05_drift_one_attr_change_other_attr": MORE,
    "06_ignored_attr_drift": Beyond(),
    "07_deleted_out_of_band": Beyond(),
    "08_replace_force_new": Beyond(more=True, loses=True),
    "09_rename_without_moved": Beyond(more=True, loses=True),
    "11_failing_check_block": Beyond(),
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_no_drift_explains(name: str) -> None:
    """It sees in a recorded plan what the code would change, and what would be lost."""
    assert beyond(parse((PLANS / f"{name}.json").read_bytes())) == BEYOND[name]


ASIDE: dict[str, dict[str, Any]] = {
    "an action": {"action_invocations": [{"address": "action.aws_lambda_invoke.a"}]},
    "what is put off": {"deferred_changes": [{"reason": "provider_config_unknown"}]},
    "a move": {"previous_address": "aws_sqs_queue.old"},
    "an import": {"importing": {"id": "q"}},
}


@pytest.mark.parametrize("name", ASIDE)
def test_what_changes_no_attribute(name: str) -> None:
    """It sees what a plan would do beside the attributes: people are not shown it as drift."""
    plan, more = parse((PLANS / "02_managed_attr_drift.json").read_bytes()), ASIDE[name]
    (resource,) = [one for one in plan.resource_changes if one.address == QUEUE.address]
    if "importing" in more:
        resource = replace(resource, change=replace(resource.change, **more))
    elif "previous_address" in more:
        resource = replace(resource, **more)
    else:
        plan = replace(plan, **more)
    assert beyond(replace(plan, resource_changes=(resource,))).more


NEW = Change(("create",), after="x")
OTHER = Change(("update",), before="x", after="y")
LATER = Change(("update",), before="x", after_unknown=True)
OUTPUTS = {
    "nothing": ("02_managed_attr_drift", Change(("no-op",), before="x", after="x"), False),
    "a new one": ("02_managed_attr_drift", NEW, True),
    "a new one that is known later": (
        "07_deleted_out_of_band",
        Change(("create",), after_unknown=True),
        True,
    ),
    "one that goes": ("02_managed_attr_drift", Change(("delete",), before="x"), True),
    "another value": ("02_managed_attr_drift", OTHER, True),
    "what is made again": ("07_deleted_out_of_band", LATER, False),
    "known later, and nothing drifted": ("00_clean_after_apply", LATER, True),
}


@pytest.mark.parametrize(("name", "output", "more"), OUTPUTS.values(), ids=OUTPUTS.keys())
def test_an_output(name: str, output: Change, more: bool) -> None:
    """It is more than the drift where only the code can have changed it."""
    plan = parse((PLANS / f"{name}.json").read_bytes())
    assert beyond(replace(plan, output_changes={"o": output})).more is more


def test_drift_has_its_type() -> None:
    """It takes the type from the plan, not from the address's words."""
    (drift,) = drifts(parse((PLANS / "02_managed_attr_drift.json").read_bytes()))
    assert drift == QUEUE


WILDCARDS = [
    ("", "", True),
    ("*", "", True),
    ("a", "", False),
    ("", "a", False),
    ("a*c", "abbbc", True),
    ("a*c", "abbbcd", False),
    ("*a*b", "xaxxb", True),
    ("a?c", "abc", True),
    ("a?c", "ac", False),
    ("[ab]", "a", False),
    ("[ab]", "[ab]", True),
    ("a.c", "abc", False),
    ("**", "anything.at/all", True),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), WILDCARDS)
def test_wildcards(pattern: str, text: str, expected: bool) -> None:
    """It knows two signs; brackets, which addresses are full of, mean themselves."""
    assert alike(pattern, text) is expected


def test_odd_patterns_end() -> None:
    """It answers at once where a backtracking engine would not."""
    assert not alike("*a" * 20, "a" * 5_000 + "b")
    assert not covers("*a" * 20 + "b", "a." * 500)
