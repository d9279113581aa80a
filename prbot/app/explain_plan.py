"""`prbot explain plan`: what the bot would make of one plan's JSON, offline.

The hash is keyed with a constant that everybody knows, for there is no installation here:
it says whether two plans are equal, and is not the hash that the service stores.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prbot.comments.budget import GITHUB_LIMIT
from prbot.comments.render import render
from prbot.comments.words import count_words
from prbot.errors.plans import NoPlanJson
from prbot.model import JobId, PlanId, ProjectKey, PullRef, RepoRef, RunId, Sha
from prbot.plans.canonical import fingerprint
from prbot.plans.plan import Plan, parse
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.summary import (
    Drifted,
    PlanSummary,
    drift_of,
    sensitive_strings,
    summarise,
)
from prbot.plans.text import single_line
from prbot.runs.say import PlanReport, ProjectResult
from prbot.telemetry import Redactor

HASH_KEY = b"prbot explain plan"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class Explained:
    """One plan, judged, with no secret left in it; `drift` is complete."""

    summary: PlanSummary
    drift: tuple[Drifted, ...]
    hash: str
    tool: str


def explained(file: Path) -> Explained:
    """Read and judge; `-` is standard input. Raises NoPlanJson and BadPlan."""
    return judged(read_plan(file))


def read_plan(file: Path) -> Plan:
    """With all its secrets. Raises as `explained`."""
    return parse(_read(file))


def judged(plan: Plan) -> Explained:
    """Raises BadPlan for endless nesting."""
    redactor = Redactor()
    for secret in sensitive_strings(plan):
        redactor.register(secret)
    return Explained(
        summary=redactor.redact_values(summarise(plan)),
        drift=redactor.redact_values(drift_of(plan)),
        hash=fingerprint(plan, HASH_KEY),
        tool=f"version {single_line(plan.terraform_version, 40)}",
    )


def _read(file: Path) -> bytes:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise NoPlanJson(str(file), error.strerror or "it is not readable") from None
    if data.startswith(_ZIP):
        raise NoPlanJson(str(file), "it is a saved plan, not its JSON")
    return data


# --- what is printed -------------------------------------------------------------------------


def print_json(file: Path) -> int:
    sys.stdout.write(json.dumps(_document(explained(file)), indent=2) + "\n")
    return 0


def print_text(file: Path) -> int:
    sys.stdout.write("\n".join(_told(explained(file))) + "\n")
    return 0


def print_comment(file: Path, limit: int | None) -> int:
    """The Markdown, with its last line end at most `limit` characters."""
    report = _report(explained(file))
    sys.stdout.write(render(report, marker="prbot:explain", limit=limit or GITHUB_LIMIT))
    return 0


def _document(plan: Explained) -> dict[str, object]:
    summary = plan.summary
    return {
        "counts": _numbers(summary.counts),
        "outputs": _numbers(summary.outputs),
        "checks": _numbers(summary.checks),
        "drift": [
            {"address": one.address, "attribute": one.attribute, "verdict": one.verdict.value}
            for one in plan.drift
        ],
        "risk": {"level": summary.risk.level.value, "reasons": list(summary.risk.reasons)},
        "hash": plan.hash,
        "applyable": summary.applyable,
        "errored": summary.errored,
        "complete": summary.complete,
    }


def _numbers(counts: Any) -> dict[str, int]:
    """`import_` and `pass_` are words of Python."""
    return {field.name.rstrip("_"): getattr(counts, field.name) for field in fields(counts)}


def _told(plan: Explained) -> Iterator[str]:
    summary = plan.summary
    yield ", ".join(count_words(summary.counts, summary.outputs)) or "no changes"
    if summary.errored:
        yield "errored: planning broke off, and this cannot be applied"
    elif summary.has_changes and not summary.applyable:
        yield "not applyable"
    if not summary.complete:
        yield "not complete: another plan is needed after this one"
    yield f"risk: {summary.risk.level.value}"
    yield from (f"    {reason}" for reason in summary.risk.reasons)
    for one in plan.drift:
        what = "gone" if one.attribute is None else f"{one.attribute}: {one.verdict.value}"
        yield f"drift: {one.address}, {what}"
    for rename in summary.renames:
        yield "looks like a rename; this block would keep the object:"
        yield from (f"    {line}" for line in rename.block.split("\n"))


def _report(plan: Explained) -> PlanReport:
    result = ProjectResult(ProjectKey("."), plan=_stored(plan))
    return PlanReport((result,), Sha(""), Sha(""), apply_on_merge=False, may_apply=True)


def _stored(plan: Explained) -> StoredPlan:
    """A record around it, for the comment; what no comment shows stays empty."""
    none = Sha("")
    return StoredPlan(
        id=PlanId(f"p-{plan.hash[:6]}"),
        pull=PullRef(RepoRef("local", "local"), 0),
        project=ProjectKey("."),
        run_id=RunId("local"),
        job_id=JobId("local"),
        head=none,
        base=none,
        commit=none,
        hash=plan.hash,
        inputs=Inputs("", "", plan.tool),
        summary=plan.summary,
        plan_file="",
        plan_file_sha256="",
        plan_json="",
        state_is_lost=False,
        created_at=datetime.fromtimestamp(0, UTC),
    )
