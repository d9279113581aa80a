"""Every kind of plan that Terraform can make with its built-in provider, made by it here.

Whatever the kind, the counts must be those of Terraform's own line, and the comment is,
letter by letter, the golden one (tests/comments/golden/kinds).
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
MOVED = """
resource "terraform_data" "b" {}
moved {
  from = terraform_data.a
  to   = terraform_data.b
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


def same(comments: tuple[str, str]) -> None:
    """The comment as it is, and as it should be."""
    made, golden = comments
    assert made == golden


def actions(summary: PlanSummary) -> list[tuple[str, str]]:
    return [(change.address, change.action.value) for change in summary.changes]


def test_forget(terraform: Any, told: Any) -> None:
    """It is a change although nothing is added, changed or destroyed."""
    terraform.plan(ONE)
    terraform.apply()
    made = terraform.plan(FORGET)
    summary = judged(made)
    same(told(made, "forget"))
    assert (summary.has_changes, summary.counts.forget) == (True, 1)
    assert summary.risk.level.value == "low"


def test_import(terraform: Any, told: Any) -> None:
    """It counts an import beside the update that comes with it."""
    made = terraform.plan(IMPORT)
    summary = judged(made)
    same(told(made, "import"))
    assert (summary.counts.import_, summary.counts.update) == (1, 1)
    assert summary.changes[0].import_id == '"abc"'


def test_tainted(terraform: Any, told: Any) -> None:
    """It replaces what an apply did not finish, and says so."""
    terraform.plan(TAINTED)
    terraform.apply(fails=True)
    made = terraform.plan(TAINTED)
    summary = judged(made)
    same(told(made, "tainted"))
    assert actions(summary) == [("terraform_data.a", "replace")]
    assert summary.changes[0].reasons == ("tainted: an earlier apply did not finish it",)


def test_deposed(terraform: Any, told: Any) -> None:
    """It counts the object left behind as a deletion beside the instance that stays."""
    terraform.plan(DEPOSED, v="1")
    terraform.apply()
    replaced = terraform.plan(DEPOSED, v="2")
    first = judged(replaced)
    same(told(replaced, "create_before_destroy"))
    assert "the new one is created first" in first.changes[0].reasons
    terraform.apply(fails=True)
    made = terraform.plan(DEPOSED, v="2")
    summary = judged(made)
    same(told(made, "deposed"))
    assert actions(summary) == [("terraform_data.b", "replace"), ("terraform_data.a", "delete")]
    assert summary.changes[1].deposed
    assert summary.renames == ()


def test_errored(terraform: Any, told: Any) -> None:
    """It is never applicable, and what was planned until then is counted."""
    made = terraform.plan(ERRORED, fails=True)
    summary = judged(made)
    same(told(made, "errored"))
    assert (summary.errored, summary.applyable, summary.complete) == (True, False, False)
    assert summary.counts.create == 1
    assert summary.checks.fail == 1
    assert summary.risk.level.value == "medium"


def test_checks(terraform: Any, told: Any) -> None:
    """It tells failing, passing and unknown ones apart, and one that cannot be evaluated."""
    some = {
        "fails": 'terraform_data.a.input == "y"',
        "passes": 'terraform_data.a.input == "x"',
        "unknown": 'terraform_data.a.id == "1"',
    }
    text = CHECKS % "".join(CHECK % pair for pair in some.items())
    made = terraform.plan(text)
    summary = judged(made)
    same(told(made, "checks"))
    assert summary.checks == CheckCounts(pass_=1, fail=1, unknown=1)
    assert (summary.applyable, summary.errored) == (True, False)
    worse = text + CHECK % ("errs", "tonumber(terraform_data.a.input) == 1")
    made = terraform.plan(worse, fails=True)
    broken = judged(made)
    same(told(made, "checks_broken"))
    assert broken.checks == CheckCounts(pass_=1, fail=1, error=1, unknown=1)
    assert broken.applyable is False
    assert [check.name for check in broken.failing_checks] == ["check.errs", "check.fails"]


def test_target(terraform: Any, told: Any) -> None:
    """It counts what is in the plan, which is not all there is to do."""
    made = terraform.plan(TWO % (1, 1, 1), "-target=terraform_data.a")
    summary = judged(made)
    same(told(made, "target"))
    assert actions(summary) == [("terraform_data.a", "create")]
    assert summary.complete is False


def test_refresh_only(terraform: Any, told: Any) -> None:
    """It is a change when only outputs are saved, though the code has more to do."""
    terraform.plan(TWO % (1, 1, 1))
    terraform.apply()
    made = terraform.plan(TWO % (2, 1, 2), "-refresh-only")
    summary = judged(made)
    same(told(made, "refresh_only"))
    assert (summary.has_changes, summary.outputs) == (True, OutputCounts(update=1))
    assert actions(summary) == []


def test_destroy(terraform: Any, told: Any) -> None:
    """It counts everything as deleted, outputs too."""
    terraform.plan(TWO % (1, 1, 1))
    terraform.apply()
    made = terraform.plan(TWO % (1, 1, 1), "-destroy")
    summary = judged(made)
    same(told(made, "destroy"))
    assert (summary.counts.delete, summary.outputs.delete) == (2, 1)


def test_hostile_keys(terraform: Any, told: Any) -> None:
    """It counts instances whatever their keys are, and finds their renames."""
    made = terraform.plan(KEYS)
    first = judged(made)
    same(told(made, "hostile_keys"))
    assert first.counts.create == 3
    terraform.apply()
    assert judged(terraform.plan(KEYS)).has_changes is False
    renamed = terraform.plan(KEYS.replace('"a"', '"b"'))
    assert judged(renamed).counts.delete == 3
    same(told(renamed, "hostile_keys_renamed"))
    blocks = [rename.block for rename in renames(parse(renamed.data), veil(frozenset()))]
    assert blocks == ["moved {\n  from = terraform_data.a\n  to   = terraform_data.b\n}"]


def test_moved_and_outputs(terraform: Any, told: Any) -> None:
    """It is a change when only an address or an output is another one, and says which."""
    terraform.plan(ONE)
    terraform.apply()
    moved = terraform.plan(MOVED)
    assert judged(moved).counts.move == 1
    same(told(moved, "moved"))
    output = terraform.plan(f'{ONE}output "o" {{ value = {{ a = "x", b = [1, 2] }} }}')
    assert judged(output).outputs.create == 1
    same(told(output, "outputs_only"))


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
