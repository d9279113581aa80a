"""Laws of any plan: it survives a round trip, and its hash sees what matters and nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from prbot.plans.canonical import fingerprint
from prbot.plans.differences import differences
from prbot.plans.plan import parse
from prbot.plans.summary import PlanSummary, summarise
from prbot.plans.threeway import drift

KEY = b"installation key"
SUMMARY = TypeAdapter(PlanSummary)

TEXT = st.text(max_size=6) | st.sampled_from(
    ["`", "```", "</details>", "@me", "${x}", "日本", "\0"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0]) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner),
    max_leaves=4,
)
MARKS = st.recursive(
    st.booleans(),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=3,
)
OBJECTS = st.none() | st.dictionaries(st.sampled_from(["a", "b"]), VALUES)
ACTIONS = st.sampled_from(
    [
        ["create"],
        ["update"],
        ["delete"],
        ["delete", "create"],
        ["create", "delete"],
        ["create", "forget"],
        ["forget"],
        ["no-op"],
    ]
)
CHANGES = st.fixed_dictionaries(
    {"actions": ACTIONS},
    optional={
        "before": OBJECTS,
        "after": OBJECTS,
        "after_unknown": MARKS,
        "before_sensitive": MARKS,
        "after_sensitive": MARKS,
        "replace_paths": st.lists(st.lists(st.sampled_from(["a", "b", 0]), max_size=2), max_size=2),
        "importing": st.fixed_dictionaries({"id": TEXT}),
    },
)
ADDRESSES = st.builds(
    "{}{}.{}{}".format,
    st.sampled_from(["", "module.m.", 'module.m["k"].']),
    st.sampled_from(["x", "aws_db_instance"]),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["", "[0]", '["`|@me"]', '["$${x}"]', '["${x}"]']),
)
RESOURCES = st.fixed_dictionaries(
    {
        "address": ADDRESSES,
        "mode": st.sampled_from(["managed", "managed", "data"]),
        "type": st.sampled_from(["x", "aws_db_instance"]),
        "change": CHANGES,
    },
    optional={
        "previous_address": ADDRESSES,
        "deposed": st.just("abcd1234"),
        "action_reason": st.sampled_from(["replace_because_tainted", "some_new_reason"]),
    },
)


def _key(resource: dict[str, Any]) -> tuple[str, str]:
    return resource["address"], resource.get("deposed", "")


PLANS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"format_version": st.sampled_from(["0.1", "1.2", "1.99"])},
    optional={
        "terraform_version": TEXT,
        "resource_changes": st.lists(RESOURCES, max_size=4, unique_by=_key),
        "resource_drift": st.lists(RESOURCES, max_size=2),
        "output_changes": st.dictionaries(st.sampled_from(["o", "p"]), CHANGES),
        "variables": st.dictionaries(st.just("v"), st.fixed_dictionaries({"value": VALUES})),
        "checks": st.lists(
            st.fixed_dictionaries(
                {
                    "address": st.fixed_dictionaries({"to_display": TEXT}),
                    "status": st.sampled_from(["pass", "fail", "error", "unknown"]),
                },
                optional={
                    "instances": st.lists(
                        st.fixed_dictionaries(
                            {"status": st.just("fail")},
                            optional={
                                "problems": st.lists(
                                    st.fixed_dictionaries({"message": TEXT}), max_size=1
                                )
                            },
                        ),
                        max_size=1,
                    )
                },
            ),
            max_size=2,
        ),
        "errored": st.booleans(),
        "applyable": st.booleans(),
        "complete": st.booleans(),
    },
)


def data(plan: dict[str, Any]) -> bytes:
    return json.dumps(plan).encode()


@given(PLANS)
def test_the_model_round_trips(document: dict[str, Any]) -> None:
    """It reads what it holds, written out again, as the same plan."""
    plan = parse(data(document))
    written = json.dumps(asdict(plan), default=float).encode()
    assert parse(written) == plan
    assert fingerprint(parse(written), KEY) == fingerprint(plan, KEY)


@given(PLANS, st.sampled_from([None, "prod"]))
def test_the_summary_round_trips(document: dict[str, Any], environment: str | None) -> None:
    """It is stored and read back as it was, and holds nothing that cannot be stored."""
    summary = summarise(parse(data(document)), environment)
    assert SUMMARY.validate_json(SUMMARY.dump_json(summary)) == summary
    assert "\\u0000" not in SUMMARY.dump_json(summary).decode()
    assert summary.risk.reasons
    assert not (summary.errored and summary.applyable)


@given(PLANS)
def test_counts_add_up(document: dict[str, Any]) -> None:
    """It counts each managed instance once."""
    c = summarise(parse(data(document))).counts
    managed = sum(r["mode"] == "managed" for r in document.get("resource_changes", []))
    assert c.create + c.update + c.replace + c.delete + c.forget + c.no_op == managed


@given(PLANS, st.data())
def test_noise_does_not_matter(document: dict[str, Any], draw: st.DataObject) -> None:
    """It hashes the same in another order, at another time, with more that is left alone."""
    idle = {
        "address": "x.idle",
        "mode": "managed",
        "type": "x",
        "change": {"actions": ["no-op"], "before": {"a": 1}, "after": {"a": 1}},
    }
    resources = [*document.get("resource_changes", []), idle]
    noisy = {
        **{name: document[name] for name in draw.draw(st.permutations(list(document)))},
        "timestamp": draw.draw(st.sampled_from(["2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"])),
        "resource_changes": draw.draw(st.permutations(resources)),
        "resource_drift": [idle],
        "prior_state": {"values": {"root_module": {}}},
        "checks": [],
    }
    one, two = parse(data(document)), parse(data(noisy))
    assert fingerprint(one, KEY) == fingerprint(two, KEY)
    assert differences(one, two) == ()


@given(PLANS, st.text(min_size=1), st.text(min_size=1), st.sampled_from(["a", "key", "nested"]))
def test_a_secret_alone_matters(document: dict[str, Any], old: str, new: str, name: str) -> None:
    """It hashes another plan when only a sensitive value differs, and tells neither value."""
    assume(old != new)

    def holding(secret: str) -> bytes:
        value = {"in": [secret]} if name == "nested" else secret
        holder = {
            "address": "x.secret",
            "mode": "managed",
            "type": "x",
            "change": {
                "actions": ["update"],
                "before": {},
                "after": {name: value},
                "after_sensitive": {name: True},
            },
        }
        return data(
            {**document, "resource_changes": [*document.get("resource_changes", []), holder]}
        )

    one, two = parse(holding(old)), parse(holding(new))
    assert fingerprint(one, KEY) != fingerprint(two, KEY)
    assert differences(one, two) == (f"x.secret: {name} differs",)


@given(PLANS)
def test_drift_has_no_change(document: dict[str, Any]) -> None:
    """It judges each drifted attribute once, and never calls drift the code's own change."""
    plan = parse(data({**document, "resource_drift": document.get("resource_drift", [])[:1]}))
    found = [(judged.address, judged.attribute) for judged in drift(plan)]
    assert len(set(found)) == len(found)
    assert "change" not in {judged.verdict.value for judged in drift(plan)}
