"""A real Terraform provider that creates slowly, and counts every create on its own side.

Each create appends one line, `NAME PID`, to the provider's ledger, half-way through its
pause: what stands there was created, whatever Terraform or prbot know of it. `pid` is the
provider's own, so that a second apply shows even where it creates other things.

`install` lays it out as a filesystem mirror; Terraform starts this file as the plugin.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tf import types
from tf.iface import (
    CreateContext,
    DataSource,
    DeleteContext,
    Provider,
    ReadContext,
    Resource,
    UpdateContext,
)
from tf.runner import run_provider
from tf.schema import Attribute, Schema
from tf.utils import Diagnostics

SOURCE = "chaos.invalid/bench/slow"
VERSION = "1.0.0"
State = dict[str, Any]


class Thing(Resource):
    """Something that takes its time to be created. `pause` is in milliseconds."""

    def __init__(self, provider: Slow) -> None:
        self._provider = provider

    @classmethod
    def get_name(cls) -> str:
        return "thing"

    @classmethod
    def get_schema(cls) -> Schema:
        return Schema(
            attributes=[
                Attribute("id", types.String(), computed=True),
                Attribute("name", types.String(), required=True, requires_replace=True),
                Attribute("pause", types.Number(), required=True, requires_replace=True),
            ]
        )

    def create(self, ctx: CreateContext, planned: State) -> State:
        half = float(planned["pause"]) / 2000
        # Slow on purpose: a kill must hit it before, and after, the thing exists.
        time.sleep(half)
        self._provider.write(planned["name"])
        time.sleep(half)
        return {**planned, "id": planned["name"]}

    def read(self, ctx: ReadContext, current: State) -> State:
        return current

    def update(self, ctx: UpdateContext, current: State, planned: State) -> State:
        return planned

    def delete(self, ctx: DeleteContext, current: State) -> None:
        return None


class Slow(Provider):
    """Knows one thing, and where its ledger is."""

    ledger: str = ""

    def get_model_prefix(self) -> str:
        return "slow_"

    def get_provider_schema(self, diags: Diagnostics) -> Schema:
        return Schema(attributes=[Attribute("ledger", types.String(), required=True)])

    def full_name(self) -> str:
        return SOURCE

    def validate_config(self, diags: Diagnostics, config: State) -> None:
        return None

    def configure_provider(self, diags: Diagnostics, config: State) -> None:
        self.ledger = config["ledger"]

    def get_data_sources(self) -> list[type[DataSource]]:
        return []

    def get_resources(self) -> list[type[Resource]]:
        return [Thing]

    def write(self, name: str) -> None:
        """One write, appended: lines of several providers do not mix."""
        line = os.open(self.ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(line, f"{name} {os.getpid()}\n".encode())
        os.close(line)


def install(mirror: Path) -> None:
    """Lay the provider out in `mirror`, unpacked, for this machine's Terraform."""
    answer = subprocess.run(["terraform", "version", "-json"], capture_output=True, check=True)
    platform = json.loads(answer.stdout)["platform"]
    program = mirror / SOURCE / VERSION / platform / f"terraform-provider-slow_v{VERSION}"
    program.parent.mkdir(parents=True)
    # The framework keeps its certificate below HOME; one for all saves making each anew.
    home, this = mirror.with_name("home"), Path(__file__).absolute()
    program.write_text(f"#!/bin/sh\nHOME={home} exec {sys.executable} -I {this}\n")
    program.chmod(0o755)


def module(state: Path, ledger: Path, things: int, pause: int) -> dict[str, str]:
    """The files of a root module: what is there before, and one with `things` in a row."""
    chain = [_thing(number, pause) for number in range(things)]
    return {"main.tf": MAIN.format(state=state, ledger=ledger), "things.tf": "\n".join(chain)}


def _thing(number: int, pause: int) -> str:
    after = f"  depends_on = [slow_thing.t{number - 1}]\n" if number else ""
    return (
        f'resource "slow_thing" "t{number}" {{\n'
        f'  name = "t{number}"\n  pause = {pause}\n{after}}}\n'
    )


MAIN = f"""\
terraform {{{{
  backend "local" {{{{
    path = "{{state}}"
  }}}}
  required_providers {{{{
    slow = {{{{
      source  = "{SOURCE}"
      version = "{VERSION}"
    }}}}
  }}}}
}}}}

provider "slow" {{{{
  ledger = "{{ledger}}"
}}}}
"""


if __name__ == "__main__":
    run_provider(Slow(), [])
