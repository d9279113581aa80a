"""Plans for the tests: recorded ones, ones made here by Terraform, ones built by hand."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prbot.app.explain_plan import print_comment

RECORDED = Path(__file__).parent.parent / "fixtures" / "plans"
KINDS = Path(__file__).parent.parent / "comments" / "golden" / "kinds"
ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DEPOSED = re.compile(rb'(?<="deposed":")[0-9a-f]{8}(?=")')
VERSION = re.compile(rb'(?<="terraform_version":")[^"]+')


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], bytes]:
    """Read the recorded plan whose file name begins with these digits."""

    def read(number: str) -> bytes:
        return next(RECORDED.glob(f"{number}_*.json")).read_bytes()

    return read


@dataclass(frozen=True)
class Made:
    """A plan made by Terraform: its JSON, and its `Plan:` line (empty without changes)."""

    data: bytes
    line: str


@dataclass(frozen=True)
class Workbench:
    """A root module in a directory of its own, planned and applied by real Terraform."""

    root: Path
    environment: Mapping[str, str]

    def plan(self, text: str, *options: str, fails: bool = False, **variables: str) -> Made:
        """`fails`: planning ends with an error, and leaves a plan all the same."""
        (self.root / "main.tf").write_text(text, encoding="utf-8")
        self._run("init", "-input=false")
        given = [f"-var={name}={value}" for name, value in variables.items()]
        output = self._run("plan", "-input=false", "-out=plan", *options, *given, fails=fails)
        lines = [line for line in output.splitlines() if line.startswith("Plan:")]
        return Made(self._run("show", "-json", "plan").encode(), "".join(lines))

    def apply(self, *, fails: bool = False) -> None:
        self._run("apply", "-input=false", "plan", fails=fails)

    def pull(self) -> bytes:
        """The state, as `state pull` prints it."""
        return self._run("state", "pull").encode()

    def _run(self, verb: str, *arguments: str, fails: bool = False) -> str:
        colour = [] if verb in ("show", "state") else ["-no-color"]
        done = subprocess.run(
            ["terraform", verb, *colour, *arguments],
            cwd=self.root,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == int(fails), done.stderr
        return done.stdout


@pytest.fixture
def terraform(tmp_path: Path) -> Workbench:
    """A workbench; the machine's own Terraform settings do not reach it."""
    if shutil.which("terraform") is None:
        pytest.skip("no Terraform on PATH")
    settings = tmp_path / "terraform.rc"
    settings.write_text("", encoding="utf-8")
    root = tmp_path / "root"
    root.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TF_CLI_CONFIG_FILE": str(settings),
        "CHECKPOINT_DISABLE": "1",
    }
    return Workbench(root, environment)


Told = Callable[[Made, str], tuple[str, str]]


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    """A plan's whole comment, and the golden file of this name."""

    def told(made: Made, name: str) -> tuple[str, str]:
        file = tmp_path / "plan.json"
        file.write_bytes(steady(made.data))
        capsys.readouterr()
        assert print_comment(file, None) == 0
        return capsys.readouterr().out, (KINDS / f"{name}.md").read_text(encoding="utf-8")

    return told


def steady(data: bytes) -> bytes:
    """With ids that are the same each time: numbered as they come."""
    ids = list(dict.fromkeys(ID.findall(data)))
    data = ID.sub(lambda m: b"%08x-0000-4000-8000-000000000000" % ids.index(m[0]), data)
    return VERSION.sub(b"1.11.4", DEPOSED.sub(b"0badcafe", data))


@pytest.fixture(scope="session")
def document() -> Callable[..., bytes]:
    """Build plan JSON by hand from resource changes and whatever else is given."""

    def build(*resources: dict[str, Any], **rest: Any) -> bytes:
        plan = {"format_version": "1.2", "resource_changes": list(resources), **rest}
        return json.dumps(plan).encode()

    return build


@pytest.fixture(scope="session")
def resource() -> Callable[..., dict[str, Any]]:
    """Build one resource change."""

    def build(
        address: str = "x.a",
        actions: tuple[str, ...] = ("update",),
        before: Any = None,
        after: Any = None,
        outside: Mapping[str, Any] | None = None,
        **change: Any,
    ) -> dict[str, Any]:
        return {
            "address": address,
            "mode": "managed",
            "type": "x",
            "name": "a",
            "provider_name": "p",
            **(outside or {}),
            "change": {"actions": list(actions), "before": before, "after": after, **change},
        }

    return build
