"""Plans that Terraform makes here and now, with its built-in provider."""

from __future__ import annotations

import re
from typing import Any

from prbot.plans.canonical import fingerprint
from prbot.plans.differences import differences
from prbot.plans.plan import parse
from prbot.plans.sensitive import sensitive_strings
from prbot.plans.summary import PlanSummary, summarise

KEY = b"installation key"
BEFORE = """
resource "terraform_data" "kept" { input = "same" }
resource "terraform_data" "changed" { input = "old" }
resource "terraform_data" "replaced" { triggers_replace = ["1"] }
resource "terraform_data" "gone" {}
resource "terraform_data" "old_name" {}
resource "terraform_data" "forgotten" {}
resource "terraform_data" "many" { for_each = toset(["a", "b"]) }
"""
AFTER = """
resource "terraform_data" "kept" { input = "same" }
resource "terraform_data" "changed" { input = "new" }
resource "terraform_data" "replaced" { triggers_replace = ["2"] }
resource "terraform_data" "new_name" {}
resource "terraform_data" "new" {}
resource "terraform_data" "many" { for_each = toset(["a", "q\\"|`<b>@me"]) }
moved {
  from = terraform_data.old_name
  to   = terraform_data.new_name
}
removed {
  from = terraform_data.forgotten
  lifecycle { destroy = false }
}
"""
SECRET = """
variable "password" {
  type      = string
  sensitive = true
}
resource "terraform_data" "x" {
  input = { user = "root", password = var.password }
  provisioner "local-exec" { command = "echo %s" }
}
output "login" {
  value     = "root:${var.password}"
  sensitive = true
}
"""


def _plan_line(summary: PlanSummary) -> tuple[int, int, int]:
    """What Terraform's own line would count as add, change and destroy."""
    c = summary.counts
    return c.create + c.replace, c.update, c.delete + c.replace


def _numbers(line: str) -> tuple[int, ...]:
    pattern = r"(\d+) to add, (\d+) to change, (\d+) to destroy"
    found = re.search(pattern, line)
    return tuple(map(int, found.groups())) if found else ()


def test_it_counts_as_terraform_does(terraform: Any) -> None:
    """It gives the numbers of Terraform's own line, and those that line leaves out."""
    first = terraform.plan(BEFORE)
    assert _plan_line(summarise(parse(first.data))) == _numbers(first.line) == (8, 0, 0)
    terraform.apply()
    second = terraform.plan(AFTER)
    summary = summarise(parse(second.data))
    assert _plan_line(summary) == _numbers(second.line) == (3, 1, 3)
    counts = summary.counts
    assert (counts.replace, counts.move, counts.forget) == (1, 1, 1)
    reasons = {change.address: change.reasons for change in summary.changes}
    assert reasons["terraform_data.replaced"] == ("forced by `triggers_replace`",)
    assert reasons["terraform_data.gone"] == ("no longer in the configuration",)
    assert reasons['terraform_data.many["b"]'] == ("its key is no longer in `for_each`",)


def test_it_takes_the_same_plan_twice_for_equal(terraform: Any) -> None:
    """It calls two plans of one configuration equal although their bytes differ."""
    one, two = (terraform.plan(AFTER).data for _ in range(2))
    assert fingerprint(parse(one), KEY) == fingerprint(parse(two), KEY)
    assert differences(parse(one), parse(two)) == ()


def test_it_sees_changes_that_the_text_hides(terraform: Any) -> None:
    """It tells apart plans that differ in a secret or in a provisioner only."""
    plans = [
        parse(terraform.plan(SECRET % command, password=password).data)
        for command, password in (
            ("a", "first-s3cret"),
            ("a", "other-s3cret"),
            ("b", "first-s3cret"),
        )
    ]
    assert len({fingerprint(plan, KEY) for plan in plans}) == 3
    assert differences(plans[0], plans[1]) == (
        "terraform_data.x: input differs",
        "output login differs",
        "variable password has another value",
    )
    assert differences(plans[0], plans[2]) == ("configuration of terraform_data.x changed",)


def test_it_keeps_secrets_that_terraform_tells(terraform: Any) -> None:
    """It hides what loses its mark: `output` of terraform_data is a plain copy of `input`."""
    terraform.plan(SECRET % "a", password="first-s3cret")
    terraform.apply()
    plan = parse(terraform.plan(SECRET % "a", password="other-s3cret").data)
    assert {"first-s3cret", "root:other-s3cret"} <= sensitive_strings(plan)
    told = repr(summarise(plan))
    assert "first-s3cret" not in told
    assert "other-s3cret" not in told
    assert "(sensitive value)" in told


def test_it_has_changes_when_only_outputs_or_moves_do(terraform: Any) -> None:
    """It calls a plan with only an output, and one with only a move, a change."""
    terraform.plan('resource "terraform_data" "a" {}')
    terraform.apply()
    output = 'resource "terraform_data" "a" {}\noutput "o" { value = 1 }'
    only_output = summarise(parse(terraform.plan(output).data))
    assert (only_output.has_changes, only_output.outputs.create) == (True, 1)
    moved = 'resource "terraform_data" "b" {}\nmoved {\n%s\n%s\n}'
    moved %= ("from = terraform_data.a", "to = terraform_data.b")
    only_move = summarise(parse(terraform.plan(moved).data))
    assert (only_move.has_changes, only_move.counts.move, only_move.applyable) == (True, 1, True)
    same = summarise(parse(terraform.plan('resource "terraform_data" "a" {}').data))
    assert same.has_changes is False
