"""Every kind of plan that Terraform can make with its built-in provider, made by it here.

Whatever the kind, the counts must be those of Terraform's own line.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from prbot.plans.plan import parse
from prbot.plans.renames import renames
from prbot.plans.sensitive import veil
from prbot.plans.summary import CheckCounts, OutputCounts, PlanSummary, summarise

ONE = 'resource "terraform_data" "a" {}\n'
FORGET = """
removed {
  from = terraform_data.a
  lifecycle { destroy = false }
}
"""
IMPORT = """
resource "terraform_data" "a" { input = 5 }
import {
  to = terraform_data.a
  id = "abc"
}
"""
TAINTED = """
resource "terraform_data" "a" {
  provisioner "local-exec" { command = "exit 1" }
}
"""
DEPOSED = """
variable "v" { type = string }
resource "terraform_data" "a" {
  triggers_replace = [var.v]
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "b" {
  triggers_replace = [terraform_data.a.id]
  provisioner "local-exec" { command = "test ${var.v} = 1" }
}
"""
ERRORED = """
resource "terraform_data" "a" { input = 1 }
resource "terraform_data" "b" {
  lifecycle {
    precondition {
      condition     = terraform_data.a.input == 2
      error_message = "never"
    }
  }
}
"""
CHECKS = """
resource "terraform_data" "a" { input = "x" }
%s
"""
CHECK = """
check "%s" {
  assert {
    condition     = %s
    error_message = "no"
  }
}
"""
KEYS = """
resource "terraform_data" "a" {
  for_each = toset([
    "q\\"|`<b>@me #12 http://x.y ](z) $${x} %%{if} 日本\\\\", "n\\nl", "</details>"
  ])
  input    = "```\\n</details>\\n<script>alert(1)</script>"
}
"""
TWO = """
resource "terraform_data" "a" { input = "%s" }
resource "terraform_data" "b" { input = "%s" }
output "o" { value = "%s" }
"""


def line_of(summary: PlanSummary) -> str:
    """The line that Terraform writes for these counts."""
    c = summary.counts
    parts = [f"{c.import_} to import"] if c.import_ else []
    parts += [
        f"{c.create + c.replace} to add",
        f"{c.update} to change",
        f"{c.delete + c.replace} to destroy",
    ]
    return f"Plan: {', '.join(parts)}."


def judged(made: Any) -> PlanSummary:
    """The plan's summary, once its counts are Terraform's own."""
    summary = summarise(parse(made.data))
    line = re.sub(r", \d+ to forget", "", made.line)
    if line:
        assert line == line_of(summary)
    else:
        c = summary.counts
        assert c.create + c.update + c.replace + c.delete == 0
    return summary


def actions(summary: PlanSummary) -> list[tuple[str, str]]:
    return [(change.address, change.action.value) for change in summary.changes]


def test_forget(terraform: Any) -> None:
    """It is a change although nothing is added, changed or destroyed."""
    terraform.plan(ONE)
    terraform.apply()
    summary = judged(terraform.plan(FORGET))
    assert (summary.has_changes, summary.counts.forget) == (True, 1)
    assert summary.risk.level.value == "low"


def test_import(terraform: Any) -> None:
    """It counts an import beside the update that comes with it."""
    summary = judged(terraform.plan(IMPORT))
    assert (summary.counts.import_, summary.counts.update) == (1, 1)
    assert summary.changes[0].import_id == '"abc"'


def test_tainted(terraform: Any) -> None:
    """It replaces what an apply did not finish, and says so."""
    terraform.plan(TAINTED)
    terraform.apply(fails=True)
    summary = judged(terraform.plan(TAINTED))
    assert actions(summary) == [("terraform_data.a", "replace")]
    assert summary.changes[0].reasons == ("tainted: an earlier apply did not finish it",)


def test_deposed(terraform: Any) -> None:
    """It counts the object left behind as a deletion beside the instance that stays."""
    terraform.plan(DEPOSED, v="1")
    terraform.apply()
    first = judged(terraform.plan(DEPOSED, v="2"))
    assert "the new one is created first" in first.changes[0].reasons
    terraform.apply(fails=True)
    summary = judged(terraform.plan(DEPOSED, v="2"))
    assert actions(summary) == [("terraform_data.b", "replace"), ("terraform_data.a", "delete")]
    assert summary.changes[1].deposed
    assert summary.renames == ()


def test_errored(terraform: Any) -> None:
    """It is never applicable, and what was planned until then is counted."""
    summary = judged(terraform.plan(ERRORED, fails=True))
    assert (summary.errored, summary.applyable, summary.complete) == (True, False, False)
    assert summary.counts.create == 1
    assert summary.checks.fail == 1
    assert summary.risk.level.value == "medium"


def test_checks(terraform: Any) -> None:
    """It tells failing, passing and unknown ones apart, and one that cannot be evaluated."""
    some = {
        "fails": 'terraform_data.a.input == "y"',
        "passes": 'terraform_data.a.input == "x"',
        "unknown": 'terraform_data.a.id == "1"',
    }
    text = CHECKS % "".join(CHECK % pair for pair in some.items())
    summary = judged(terraform.plan(text))
    assert summary.checks == CheckCounts(pass_=1, fail=1, unknown=1)
    assert (summary.applyable, summary.errored) == (True, False)
    worse = text + CHECK % ("errs", "tonumber(terraform_data.a.input) == 1")
    broken = judged(terraform.plan(worse, fails=True))
    assert broken.checks == CheckCounts(pass_=1, fail=1, error=1, unknown=1)
    assert broken.applyable is False
    assert [check.name for check in broken.failing_checks] == ["check.errs", "check.fails"]


def test_target(terraform: Any) -> None:
    """It counts what is in the plan, which is not all there is to do."""
    summary = judged(terraform.plan(TWO % (1, 1, 1), "-target=terraform_data.a"))
    assert actions(summary) == [("terraform_data.a", "create")]
    assert summary.complete is False


def test_refresh_only(terraform: Any) -> None:
    """It is a change when only outputs are saved, though the code has more to do."""
    terraform.plan(TWO % (1, 1, 1))
    terraform.apply()
    summary = judged(terraform.plan(TWO % (2, 1, 2), "-refresh-only"))
    assert (summary.has_changes, summary.outputs) == (True, OutputCounts(update=1))
    assert actions(summary) == []


def test_destroy(terraform: Any) -> None:
    """It counts everything as deleted, outputs too."""
    terraform.plan(TWO % (1, 1, 1))
    terraform.apply()
    summary = judged(terraform.plan(TWO % (1, 1, 1), "-destroy"))
    assert (summary.counts.delete, summary.outputs.delete) == (2, 1)


def test_hostile_keys(terraform: Any) -> None:
    """It counts instances whatever their keys are, and finds their renames."""
    first = judged(terraform.plan(KEYS))
    assert first.counts.create == 3
    terraform.apply()
    assert judged(terraform.plan(KEYS)).has_changes is False
    renamed = terraform.plan(KEYS.replace('"a"', '"b"'))
    assert judged(renamed).counts.delete == 3
    blocks = [rename.block for rename in renames(parse(renamed.data), veil(frozenset()))]
    assert blocks == ["moved {\n  from = terraform_data.a\n  to   = terraform_data.b\n}"]


@pytest.mark.parametrize(
    ("old", "new", "block"),
    [
        (
            'resource "terraform_data" "a" { input = "x" }',
            'resource "terraform_data" "b" { input = "x" }',
            "moved {\n  from = terraform_data.a\n  to   = terraform_data.b\n}",
        ),
        (
            'resource "terraform_data" "a" { input = "x" }',
            'resource "terraform_data" "a" {\n  for_each = toset(["q\\"$${x}"])\n  input = "x"\n}',
            'moved {\n  from = terraform_data.a\n  to   = terraform_data.a["q\\"$${x}"]\n}',
        ),
    ],
)
def test_the_block_is_right(old: str, new: str, block: str, terraform: Any) -> None:
    """It gives Terraform just what it needs: with the block nothing is created or deleted."""
    terraform.plan(old)
    terraform.apply()
    lost = summarise(parse(terraform.plan(new).data))
    assert (lost.counts.create, lost.counts.delete) == (1, 1)
    assert [rename.block for rename in lost.renames] == [block]
    kept = judged(terraform.plan(f"{new}\n{block}\n"))
    assert (kept.counts.create, kept.counts.delete, kept.counts.move) == (0, 0, 1)
