"""A state that the backend does not take is not thrown away with the worktree."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from prbot.adapters.terraform import Terraform

HCL = """
terraform {
  backend "http" {
    address   = "http://127.0.0.1:%d/state"
    retry_max = 0
  }
}
resource "terraform_data" "made" {
  input = "precious"
}
"""


class Full(BaseHTTPRequestHandler):
    """A backend that has no state, and takes none."""

    def do_GET(self) -> None:
        self._answer(404)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(507)

    def _answer(self, code: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def full_backend() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Full) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


async def test_backend_that_takes_no_state(tool: Terraform, make_job, full_backend: int) -> None:
    """It keeps the state beside the worktree, for its owner alone, and says where."""
    job = make_job(HCL % full_backend, kept=False)
    await tool.init(job.run)
    await tool.plan(job.run, job.plan_file)
    outcome = await tool.apply(job.run, job.plan_file)
    (kept,) = (tool.scratch.parent / "rescued").iterdir()
    assert not outcome.ok
    assert str(kept) in outcome.diagnostics
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_bytes())["resources"][0]["name"] == "made"
    assert not (job.run.root / "errored.tfstate").exists()
