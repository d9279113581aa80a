"""Which snapshot of the state it is, from a plan file and from the state."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from prbot.plans.record import StateAt
from prbot.plans.snapshot import of_plan_file, of_state

STATE: dict[str, Any] = {
    "version": 4,
    "terraform_version": "1.11.4",
    "serial": 4,
    "lineage": "76dde5e9",
    "outputs": {"serial": {"value": '"serial": 9'}},
    "resources": [],
}
OTHER_ORDER = {name: STATE[name] for name in reversed(STATE)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (json.dumps(STATE), StateAt("76dde5e9", 4)),
        (json.dumps(STATE, indent=2), StateAt("76dde5e9", 4)),
        (json.dumps(OTHER_ORDER), StateAt("76dde5e9", 4)),
        (json.dumps({**STATE, "pad": "x" * 100_000}), StateAt("76dde5e9", 4)),
        ("", StateAt("", 0)),
        ("\n", StateAt("", 0)),
        ("[]", None),
        ("{}", None),
        ("not JSON", None),
        (json.dumps({**STATE, "serial": "4"}), None),
    ],
)
def test_it_reads_a_state(text: str, found: StateAt | None) -> None:
    """It takes lineage and serial from where they stand, and nothing from anywhere else."""
    assert of_state(text.encode()) == found


def archive(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files.items():
            made.writestr(name, text)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("file", "found"),
    [
        (archive(tfplan="x", tfstate=json.dumps(STATE)), StateAt("76dde5e9", 4)),
        (archive(tfplan="x", tfstate=json.dumps(OTHER_ORDER)), StateAt("76dde5e9", 4)),
        (archive(tfplan="x"), None),
        (archive(tfplan="x", tfstate="broken"), None),
        (b"encrypted", None),
        (b"", None),
        (archive(tfstate=json.dumps(STATE))[:40], None),
    ],
    # an archive holds the time it was made: as a name it would differ between processes
    ids=["state", "other order", "no state", "broken state", "sealed", "empty", "cut"],
)
def test_it_reads_a_plan_file(file: bytes, found: StateAt | None) -> None:
    """It knows nothing of a file that does not tell, and says so instead of failing."""
    assert of_plan_file(file) == found


def test_it_reads_what_terraform_writes(terraform: Any) -> None:
    """It finds the same in the plan file as in the state, before the first apply and after."""
    backend = f'terraform {{\n  backend "local" {{ path = "{terraform.root}/s.tfstate" }}\n}}\n'
    found: list[StateAt | None] = []

    for value in ("one", "two"):
        terraform.plan(f'{backend}resource "terraform_data" "x" {{\n  input = "{value}"\n}}\n')
        at = of_plan_file((terraform.root / "plan").read_bytes())
        assert at == of_state(terraform.pull())
        found.append(at)
        terraform.apply()
    assert found[0] == StateAt("", 0)
    assert found[1] is not None
    assert found[1].lineage
    assert found[1].serial > 0
