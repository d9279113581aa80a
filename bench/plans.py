"""Generated plans for `bench.render`, in the shape and the proportions of a real `show -json`.

Each resource has a dozen attributes: texts, numbers, a fraction, tags, blocks within lists,
a policy that is JSON in a string, and here and there a secret. As with Terraform the values
stand there four times over: before and after, and in both states.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = Any

_ACTIONS = (["create"], ["update"], ["update"], ["delete", "create"], ["delete"])
_TYPES = ("aws_instance", "aws_db_instance", "aws_iam_role", "aws_security_group", "null_resource")
_PROVIDER = "registry.terraform.io/hashicorp/aws"
_INSTANCES = 20
"""Instances that share one block of the configuration, by `for_each`."""


def write_many(path: Path, count: int) -> None:
    """`count` changes, of each kind some, and a hundredth as much drift."""
    changes = [_change(number) for number in range(count)]
    _write(path, changes, [_drift(number) for number in range(1, count, 100)])


def write_long(path: Path, characters: int) -> None:
    """One change of one value of several lines, and as many characters."""
    line = "    - path: /etc/unit-{}.conf, owner: root\n"
    text = "".join(line.format(number) for number in range(characters // 40))[:characters]
    change = _change(1)
    change["change"]["before"]["user_data"] = text
    change["change"]["after"]["user_data"] = text.replace("unit-777.", "unit-778.", 1)
    _write(path, [change], [])


def _write(path: Path, changes: list[Json], drift: list[Json]) -> None:
    document = {
        "format_version": "1.2",
        "terraform_version": "1.9.8",
        "variables": {"region": {"value": "eu-west-1"}, "password": {"value": "s3cret-of-all"}},
        "planned_values": {"root_module": {"resources": list(_state(changes, "after"))}},
        "resource_drift": drift,
        "resource_changes": changes,
        "output_changes": {"names": _output()},
        "prior_state": {
            "format_version": "1.0",
            "values": {"root_module": {"resources": list(_state(changes, "before"))}},
        },
        "configuration": _configuration(len(changes)),
        "timestamp": "2025-01-01T00:00:00Z",
        "applyable": True,
        "complete": True,
        "errored": False,
    }
    with path.open("w") as file:
        json.dump(document, file, separators=(",", ":"))


def _change(number: int) -> Json:
    actions, mark = _ACTIONS[number % 5], {"password": True} if number % 10 == 3 else {}
    new = actions == ["create"]
    unknown = {"id": True, "arn": True} if "create" in actions else {}
    after = {k: v for k, v in _values(number, "new").items() if k not in unknown}
    return {
        **_place(number),
        "change": {
            "actions": actions,
            "before": None if new else _values(number, "old"),
            "after": None if actions == ["delete"] else after,
            "after_unknown": {**unknown, "tags": {}, "rule": [{}, {}]},
            "before_sensitive": False if new else {**mark, "tags": {}, "rule": [{}, {}]},
            "after_sensitive": {**mark, "tags": {}, "rule": [{}, {}]},
            **({"replace_paths": [["zone"]]} if len(actions) == 2 else {}),
        },
    }


def _drift(number: int) -> Json:
    before, after = _values(number, "applied"), _values(number, "old")
    return {**_place(number), "change": {"actions": ["update"], "before": before, "after": after}}


def _place(number: int) -> Json:
    block, kind = number // _INSTANCES, _TYPES[number // _INSTANCES % len(_TYPES)]
    return {
        "address": f'{kind}.group_{block}["member-{number}"]',
        "mode": "managed",
        "type": kind,
        "name": f"group_{block}",
        "index": f"member-{number}",
        "provider_name": _PROVIDER,
    }


def _values(number: int, age: str) -> Json:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": f"r{number}"}]}
    return {
        "id": f"i-{number:017x}",
        "arn": f"arn:aws:ec2:eu-west-1:123456789012:instance/i-{number:017x}",
        "name": f"member-{number}",
        "zone": "eu-west-1a" if age == "old" else "eu-west-1b",
        "size": number % 64,
        "share": number % 7 + 0.25,
        "enabled": True,
        "monitoring": None,
        "password": f"s3cret-{number:08d}" if number % 10 == 3 else None,
        "description": f"Member {number} of a group of machines that answer questions.",
        "policy": json.dumps(policy),
        "start": f"#!/bin/sh\nset -eu\nexport MEMBER={number}\n" + "exec /opt/serve --quiet\n" * 9,
        "tags": {"team": f"team-{number % 40}", "release": age, "cost": f"cc-{number % 900}"},
        "rule": [
            {"from_port": port, "to_port": port, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]}
            for port in (80, 443)
        ],
        "subnets": [f"subnet-{number % 30:08x}", f"subnet-{number % 31:08x}"],
    }


def _state(changes: list[Json], side: str) -> Iterator[Json]:
    for each in changes:
        change = each["change"]
        if change[side] is not None:
            marks = change[f"{side}_sensitive"]
            yield {
                **{name: value for name, value in each.items() if name != "change"},
                "schema_version": 1,
                "values": change[side],
                "sensitive_values": marks,
            }


def _output() -> Json:
    names = [f"member-{number}" for number in range(20)]
    return {"actions": ["update"], "before": names[1:], "after": names, "after_unknown": False}


def _configuration(count: int) -> Json:
    blocks = (_place(number) for number in range(0, count, _INSTANCES))
    resources = [{**_block(block), "schema_version": 1} for block in blocks]
    variables = {"region": {"default": "eu-west-1"}, "password": {"sensitive": True}}
    provider = {"name": "aws", "full_name": _PROVIDER, "version_constraint": "~> 5.0"}
    return {
        "provider_config": {"aws": provider},
        "root_module": {"resources": resources, "variables": variables},
    }


def _block(place: Json) -> Json:
    reference = {"references": ["each.value.name", "each.value"]}
    return {
        "address": f"{place['type']}.{place['name']}",
        "mode": "managed",
        "type": place["type"],
        "name": place["name"],
        "provider_config_key": "aws",
        "expressions": {
            "name": reference,
            "zone": {"constant_value": "eu-west-1b"},
            "enabled": {"constant_value": True},
            "tags": {"references": ["var.region", "local.tags"]},
            "rule": [{"from_port": {"constant_value": 80}, "protocol": {"constant_value": "tcp"}}],
        },
        "for_each_expression": {"references": ["local.members"]},
    }
