"""`drift:` of `prbot.yaml`: what it may say, and how a slip is told."""

from __future__ import annotations

from datetime import date

import pytest

from prbot.config.drift import DriftRule, DriftSettings, GroupBy, Proposal, Reaction
from prbot.config.repo import load_repo
from prbot.errors.configuration import BadConfiguration

ALL = """\
version: 1
drift:
  rules:
    - {type: "aws_*", attribute: [tags, tags_all], action: ignore, reason: x, until: 2026-06-30}
    - {address: 'module.net["a"]', environment: prod, action: alert}
    - {attribute: desired_count, action: open_pr, proposal: adopt}
    - {action: auto}
  default: open_pr
  window: Mon-Fri 22:00-06:00 Europe/Berlin
  issues: on
  baseline: off
  group_by: environment
  issues_repo: acme/ops
  max_issues: 5
"""


def test_absent() -> None:
    """It alerts to everything, after a baseline, with an issue for each project."""
    settings = load_repo("version: 1").drift
    assert settings == DriftSettings()
    assert (settings.default, settings.rules) == (Reaction.ALERT, ())
    assert (settings.issues, settings.baseline, settings.group_by) == (False, True, "project")


def test_everything() -> None:
    """It honours every key, one pattern or many, and dates as YAML has them."""
    assert load_repo(ALL).drift == DriftSettings(
        rules=(
            DriftRule(
                type=("aws_*",),
                attribute=("tags", "tags_all"),
                action=Reaction.IGNORE,
                reason="x",
                until=date(2026, 6, 30),
            ),
            DriftRule(address=('module.net["a"]',), environment=("prod",), action=Reaction.ALERT),
            DriftRule(
                attribute=("desired_count",), action=Reaction.OPEN_PR, proposal=Proposal.ADOPT
            ),
            DriftRule(action=Reaction.AUTO),
        ),
        default=Reaction.OPEN_PR,
        window="Mon-Fri 22:00-06:00 Europe/Berlin",
        issues=True,
        baseline=False,
        group_by=GroupBy.ENVIRONMENT,
        issues_repo="acme/ops",
        max_issues=5,
    )


BAD = {
    "action: ignore": "what ignores drift needs a `reason`",
    'action: ignore, reason: " "': "what ignores drift needs a `reason`",
    "action: auto, proposal: revert": "`proposal` goes with `action: open_pr`",
    "action: auto, attribute: tags.Name": "an attribute is named by itself",
    "action: auto, attribute: 'tags[0]'": "an attribute is named by itself",
    "action: auto, address: ''": "not a usable pattern",
    "action: auto, type: []": "drift.rules[0].type",
    f"action: auto, address: '{'*' * 21}'": "more than 20 asterisks",
    "action: fix": "drift.rules[0].action",
    "type: aws_vpc": "drift.rules[0].action",
    "action: auto, adress: x": "address",
    "action: auto, until: someday": "drift.rules[0].until",
    "action: open_pr, proposal: both": "drift.rules[0].proposal",
}


@pytest.mark.parametrize("rule", BAD)
def test_bad_rules(rule: str) -> None:
    """It refuses the file with the line of the rule, and says what is wrong with it."""
    with pytest.raises(BadConfiguration) as caught:
        load_repo(f"version: 1\ndrift:\n  rules:\n    - {{{rule}}}\n")
    assert str(caught.value).startswith("prbot.yaml, line 4")
    assert BAD[rule] in f"{caught.value} {caught.value.next_step}"


@pytest.mark.parametrize(
    "key",
    [
        "issues: maybe",
        "max_issues: 0",
        "issues_repo: ../x",
        "group_by: team",
        "rule: []",
        "window: at night",
    ],
)
def test_bad_keys(key: str) -> None:
    """It refuses what is none of its keys or values."""
    with pytest.raises(BadConfiguration, match="line 3"):
        load_repo(f"version: 1\ndrift:\n  {key}\n")
