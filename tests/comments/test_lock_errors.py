"""Errors of the lock file, made by Terraform here: a mirror on the disk, no network."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from prbot.comments.known_errors import Advice, advice

NAME = "example.com/acme/thing"
ROOT = """
terraform {
  required_providers {
    thing = {
      source  = "example.com/acme/thing"
      version = "%s"
    }
  }
}
provider "thing" {}
"""


@dataclass(frozen=True)
class Mirrored:
    """A root module whose one provider lies in a mirror; it is unpacked, never started."""

    place: Path
    machine: str

    @property
    def root(self) -> Path:
        return self.place / "root"

    def asks_for(self, versions: str) -> None:
        (self.root / "main.tf").write_text(ROOT % versions, encoding="utf-8")

    def publish(self, content: str) -> None:
        package = self.place / "mirror" / NAME / "1.0.0" / self.machine
        package.mkdir(parents=True, exist_ok=True)
        program = package / "terraform-provider-thing_v1.0.0"
        program.write_text(content, encoding="utf-8")
        program.chmod(0o755)

    def forget(self, name: str) -> None:
        """Remove a file or a directory of the root module."""
        path = self.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    def run(self, *words: str, fails: bool = True) -> str:
        done = subprocess.run(
            ["terraform", *words, "-no-color", "-input=false"],
            cwd=self.root,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.place),
                "TF_CLI_CONFIG_FILE": str(self.place / "terraform.rc"),
                "CHECKPOINT_DISABLE": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == int(fails), done.stderr
        return done.stderr


@pytest.fixture
def mirrored(tmp_path: Path) -> Mirrored:
    """Initialised, and locked to what lay in the mirror then."""
    if shutil.which("terraform") is None:
        pytest.skip("no Terraform on PATH")
    mirror = f'filesystem_mirror {{ path = "{tmp_path / "mirror"}" }}'
    settings = f"provider_installation {{\n  {mirror}\n}}\n"
    (tmp_path / "terraform.rc").write_text(settings, encoding="utf-8")
    (tmp_path / "root").mkdir()
    told = subprocess.run(["terraform", "version"], capture_output=True, text=True, check=True)
    machine = next(line[3:] for line in told.stdout.splitlines() if line.startswith("on "))
    made = Mirrored(tmp_path, machine)
    made.asks_for("1.0.0")
    made.publish("one")
    made.run("init", fails=False)
    return made


def _advice(output: str) -> Advice:
    found = advice(output)
    assert found is not None, output
    return found


def test_another_package(mirrored: Mirrored) -> None:
    """It knows a package that is not the locked one, as init and as plan say it."""
    mirrored.publish("two")
    planned = _advice(mirrored.run("plan"))
    mirrored.forget(".terraform")
    assert _advice(mirrored.run("init")) == planned
    assert "`terraform providers lock -platform=linux_amd64`" in planned.helps


def test_no_version_selected(mirrored: Mirrored) -> None:
    """It knows a provider that the lock file does not have, and one it may not gain."""
    mirrored.forget(".terraform.lock.hcl")
    planned = _advice(mirrored.run("plan"))
    assert _advice(mirrored.run("init", "-lockfile=readonly")) == planned
    assert planned.knows == "The lock file does not fit what the configuration asks for."


def test_another_version(mirrored: Mirrored) -> None:
    """It names the version that is locked when the configuration asks for a newer one."""
    mirrored.asks_for("> 1.0.0")
    found = _advice(mirrored.run("init"))
    assert f"`{NAME}` at `1.0.0`" in found.knows
    assert "`terraform init -upgrade`" in found.helps
