"""The repository's file: the part this version honours, within the server's bounds."""

import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from prbot.app.serve import read_server
from prbot.config.environments import Approvals, Environments, Needs
from prbot.config.repo import Bounded, Effective, effective, load_repo
from prbot.config.server import ApplyOnMerge, load_server
from prbot.errors import PrbotError
from prbot.errors.configuration import BadConfiguration

SERVER = """\
repositories: [acme/*]
forges: [{name: g, kind: github, token: env://T, webhook_secret: env://W}]
"""

IF_UNCHANGED, ALWAYS, NEVER = ApplyOnMerge.IF_UNCHANGED, ApplyOnMerge.ALWAYS, ApplyOnMerge.NEVER
KEY = "defaults.apply_on_merge"


def effective_of(text: str | None, server: str = "") -> Effective:
    return effective(load_repo(text), load_server(SERVER + server, "s", {}), "acme/infra")


def test_absent() -> None:
    """It needs no file: one approval, apply on merge if unchanged, no drafts."""
    assert effective_of(None) == Effective(
        may_apply=True,
        apply_on_merge=IF_UNCHANGED,
        plan_drafts=False,
        project_checks=10,
    )


def test_everything() -> None:
    """It honours every key it documents."""
    text = """\
version: 1
defaults:
  apply_on_merge: never
  apply_requirements: {approved: {count: 2}}
plan_drafts: true
discovery: {ignore: ["examples/**", sandbox]}
"""
    assert effective_of(text) == Effective(
        may_apply=True,
        apply_on_merge=NEVER,
        environments=Environments(Needs(approvals=(Approvals(2),))),
        plan_drafts=True,
        project_checks=10,
    )


@pytest.mark.parametrize(
    ("asked", "server", "given"),
    [
        ("if-unchanged", "", IF_UNCHANGED),
        ("never", "", NEVER),
        ("always", "", IF_UNCHANGED),
        ("always", "apply_on_merge_allowed: [always]", ALWAYS),
        ("if-unchanged", "apply_on_merge_allowed: [always]", NEVER),
        ("never", "apply_on_merge_allowed: [always]", NEVER),
        ("always", "apply_on_merge_allowed: [never]", NEVER),
        ("if-unchanged", "apply_on_merge_allowed: []", NEVER),
        ("always", "mode: comment", NEVER),
        ("if-unchanged", "mode: comment", NEVER),
    ],
)
def test_bounds(asked: str, server: str, given: ApplyOnMerge) -> None:
    """It gives a repository what the server allows, never more, and says where it gave less."""
    found = effective_of(f"version: 1\ndefaults: {{apply_on_merge: {asked}}}", server)
    assert found.apply_on_merge is given
    assert found.bounded == (() if asked == given else (Bounded(KEY, asked, given),))


def test_comment_mode() -> None:
    """It may not apply at all on a server that only comments."""
    assert not effective_of(None, "mode: comment").may_apply


REMOVE = "Remove it: prbot refuses the file rather than ignore a setting that somebody relies on."
BAD = {
    "": "1: `version` is missing. `version`: the file format's version; write `version: 1`.",
    "# nothing": (
        "1: `version` is missing. `version`: the file format's version; write `version: 1`."
    ),
    "version: 2": (
        "1: the value of `version` cannot be used: it should be 1. "
        "`version`: the file format's version; write `version: 1`."
    ),
    "version: 1\nplan_draft: true": "2: unknown key `plan_draft`. Did you mean `plan_drafts`?",
    "version: 1\nzzz: true": (
        "2: unknown key `zzz`. Known here: automerge, defaults, discovery, drift, environments,"
        " limits, plan_drafts, projects, version, workflows."
    ),
    "version: 1\ndefaults: {apply_on_merge: sometimes}": (
        f"2: the value of `{KEY}` cannot be used: it should be 'if-unchanged', 'always' or "
        f"'never'. `{KEY}`: `if-unchanged` (the default), `never`, or `always` if the server "
        "allows it."
    ),
    "version: 1\ndefaults:\n  apply_requirements:\n    approved:\n      count: -1": (
        "5: the value of `defaults.apply_requirements.approved.count` cannot be used: it should "
        "be greater than or equal to 0. `defaults.apply_requirements.approved.count`: how many "
        "people other than the author must approve."
    ),
    "version: 1\nplan_drafts: maybe": (
        "2: the value of `plan_drafts` cannot be used: it should be a valid boolean, unable to "
        "interpret input. `plan_drafts`: whether drafts are planned."
    ),
    "version: 1\ndiscovery: {ignore: examples/**}": (
        "2: the value of `discovery.ignore` cannot be used: it is not a list. "
        "`discovery.ignore`: globs of directories that are no projects, such as `examples/**`."
    ),
    "version: 1\ndiscovery:\n  ignore: [a, ../b]": (
        "3: this is not a usable pattern: it leads outside. `*` matches within one part of a "
        "path, `**` across parts, a leading `!` excludes."
    ),
}


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str) -> None:
    """It refuses a bad file with its place, the problem and the next step."""
    with pytest.raises(BadConfiguration) as caught:
        load_repo(text)
    said = re.sub(r", column \d+", "", f"{caught.value} {caught.value.next_step}")
    assert said == f"prbot.yaml, line {BAD[text]}"


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("version: 1\nsecrets: {}", "secrets", 2),
        ("version: 1\ndefaults:\n  locks: on_plan", "defaults.locks", 3),
        ("version: 1\nlimits: {job_timeout: 1}", "limits.job_timeout", 2),
    ],
)
def test_not_honoured_yet(text: str, key: str, line: int) -> None:
    """It refuses prbot's own keys that this version does not honour, and names them."""
    with pytest.raises(BadConfiguration) as caught:
        load_repo(text)
    assert re.sub(r", column \d+", "", str(caught.value)) == (
        f"prbot.yaml, line {line}: `{key}` is not honoured by this version of prbot."
    )
    assert caught.value.next_step == REMOVE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("workflows: {w: {plan: {steps: [init, plan]}}}", None),
        ("per_repository: [{match: ['acme/*'], own_workflows: true}]", None),
        ("workflows: {w: {policy: {steps: [policy]}}}", "`w` cannot be used: .*`policy`"),
        ("workflows: {w: {apply: {steps: []}}}", "`w` cannot be used"),
        ("workflows: {w: {plan: {steps: [apply]}}}", "`w` cannot be used"),
        (
            "per_repository: [{match: ['*/*'], pre_hooks: [{run: x}], post_hooks: [{run: y}]}]",
            None,
        ),
    ],
)
def test_operators_not_carried_out_yet(text: str, words: str | None, tmp_path: Path) -> None:
    """It does not begin to serve with settings that it would ignore or could not carry out."""
    path = tmp_path / "prbot.server.yaml"
    path.write_text(
        "repositories: [acme/*]\nforges:\n  - {name: gh, kind: github, token: env://T,"
        f" webhook_secret: env://W}}\n{text}\n"
    )
    with pytest.raises(PrbotError, match=words) if words else nullcontext():
        read_server(path, {})
