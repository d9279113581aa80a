"""`python -m bench.render`: from the bytes of `show -json` to the text of the comment.

Two generated plans: 10,000 changes, about 40 MB, and one value of 5 MB. For each prbot does
all that lies between the tool's answer and the forge: parse, find and register the secrets,
hash, summarise, redact, and render the comment. Beside it stands `json.loads` of the same
bytes, which anybody needs who wants to look at a plan at all.

Every measurement is a process of its own, which has read the bytes and rendered a small
plan before; rounds alternate. Memory is the highest resident size meanwhile less the size
at the start. Needs /proc (Linux). Exits 0 when everything was measured; nothing is asserted
about times.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import machine, tell
from bench.plans import write_long, write_many
from bench.table import Row, markdown
from bench.vitals import MEGABYTE, peak_from_now, peak_memory
from prbot.comments.render import render
from prbot.engine.planner import read_plan
from prbot.model import JobId, PlanId, ProjectKey, PullRef, RepoRef, RunId, Sha
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.summary import PlanSummary
from prbot.runs.say import PlanReport, ProjectResult
from prbot.telemetry import Redactor

CHANGES, CHARACTERS = 10_000, 5_000_000
TIME_AIM, MEMORY_AIM = "< 3 x", "< 2 x"


@dataclass(frozen=True)
class Cost:
    """Seconds of the processor, and bytes of memory on top of what the process had."""

    seconds: float
    memory: int


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m bench.render")
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--child", nargs=2, metavar=("WHO", "FILE"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.child:
        who, file = given.child
        cost = measured(_WAYS[who], Path(file))
        print(json.dumps([cost.seconds, cost.memory]))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        many, long = Path(name) / "many.json", Path(name) / "long.json"
        write_many(many, CHANGES)
        write_long(long, CHARACTERS)
        rows = [
            *_rows(f"{CHANGES:,} changes", many, given.rounds),
            *_rows("one value of 5 MB", long, given.rounds),
        ]
    print(f"{machine()}\n\n{markdown(rows)}")
    return 0


def _rows(what: str, file: Path, rounds: int) -> list[Row]:
    size = file.stat().st_size / MEGABYTE
    ours: list[Cost] = []
    plain: list[Cost] = []
    bare: list[Cost] = []
    for number in range(rounds):
        tell(f"{what}, {size:.0f} MB: round {number + 1} of {rounds}")
        ours.append(_child("prbot", file))
        plain.append(_child("json", file))
        bare.append(_child("json, no collector", file))
    pairs = list(zip(ours, plain, strict=True))
    return [
        Row(f"{what}: time, prbot / json", [a.seconds / b.seconds for a, b in pairs], "x", 2,
            TIME_AIM),
        Row("…: memory, prbot / json", [a.memory / b.memory for a, b in pairs], "x", 2, MEMORY_AIM),
        Row("…: time of prbot", [a.seconds for a in ours], "s", 3),
        Row("…: time of json.loads", [b.seconds for b in plain], "s", 3),
        Row("…: time of json.loads, no collector", [c.seconds for c in bare], "s", 3),
        Row("…: memory of prbot", [a.memory / MEGABYTE for a in ours], "MB"),
        Row("…: memory of json.loads", [b.memory / MEGABYTE for b in plain], "MB"),
    ]  # fmt: skip


def _child(who: str, file: Path) -> Cost:
    words = [sys.executable, "-m", "bench.render", "--child", who, str(file)]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    return Cost(*json.loads(done.stdout))


# --- in the child -----------------------------------------------------------------------------


def measured(work: Callable[[bytes], object], file: Path) -> Cost:
    with tempfile.TemporaryDirectory() as name:
        small = Path(name) / "small.json"
        write_many(small, 20)
        work(small.read_bytes())
    data = file.read_bytes()
    gc.collect()
    start = peak_from_now()
    begun = time.process_time()
    kept = work(data)
    seconds = time.process_time() - begun
    assert kept
    return Cost(seconds, peak_memory() - start)


def comment(shown: bytes) -> str:
    redactor = Redactor()
    digest, summary = read_plan(shown, redactor, b"key of the installation")
    result = ProjectResult(ProjectKey("live"), plan=_stored(digest, summary))
    report = PlanReport((result,), Sha("1" * 40), Sha("2" * 40), False, True)
    return redactor.redact(render(report, marker="prbot:bench"))


def _stored(digest: str, summary: PlanSummary) -> StoredPlan:
    return StoredPlan(
        id=PlanId("p-1"),
        pull=PullRef(RepoRef("github", "acme/infra"), 1),
        project=ProjectKey("live"),
        run_id=RunId("r-1"),
        job_id=JobId("j-1"),
        head=Sha("1" * 40),
        base=Sha("2" * 40),
        commit=Sha("3" * 40),
        hash=digest,
        inputs=Inputs("0" * 64, "0" * 64, "terraform 1.9.8"),
        summary=summary,
        plan_file="p-1.tfplan",
        plan_file_sha256="0" * 64,
        plan_json="p-1.json",
        state_is_lost=False,
        created_at=datetime(2025, 1, 1, tzinfo=UTC),
    )


def _without_collector(data: bytes) -> object:
    gc.disable()
    return json.loads(data)


_WAYS: dict[str, Callable[[bytes], object]] = {
    "prbot": comment,
    "json": json.loads,
    "json, no collector": _without_collector,
}

if __name__ == "__main__":
    sys.exit(main())
