"""Environments of `prbot.yaml`: what holds where, and what the operator sees to."""

from __future__ import annotations

import pytest

from prbot.config.environments import Approvals, Needs, Override, Skip
from prbot.config.repo import Effective, effective, load_repo
from prbot.config.server import load_server
from prbot.config.windows import window_of
from prbot.errors.configuration import BadConfiguration

SERVER = """\
repositories: ["acme/*"]
forges: [{name: github, kind: github, token: "env://T", webhook_secret: "env://S"}]
"""
FILE = """\
version: 1
defaults:
  apply_requirements: {approved: {count: 1}, mergeable: false}
  permissions: {apply: [ann], unlock: ["@acme/sre"]}
  apply_windows: ["Mon-Fri 08:00-18:00"]
environments:
  sandbox:
    match: [envs/sandbox/**, "!envs/sandbox/shared/**"]
    apply_requirements: {approved: false}
  prod:
    match: envs/**
    apply_requirements: {approved: {count: 2, teams: [acme/sre], codeowners: true}}
    permissions: {apply: ["@acme/sre", "@bob"], import: []}
    apply_windows: ["Mon-Thu 09:00-16:00 Europe/Berlin"]
    apply_waits: true
  blue: {match: "**", workspaces: ["blue*"], apply_windows: []}
"""
MINIMUM = """\
per_repository:
  - match: [acme/infra]
    minimum:
      apply_requirements: {approved: {count: 2}, mergeable: true}
      permissions: {apply: ["@acme/ops"]}
"""


def rules(text: str = FILE, server: str = "", repo: str = "acme/infra") -> Effective:
    return effective(load_repo(text), load_server(SERVER + server, "s", {}), repo)


OFFICE = (window_of("Mon-Fri 08:00-18:00"),)
SRE = (("@acme/sre",),)
PLACES = {
    ("other", "default"): Needs(
        approvals=(Approvals(1),),
        mergeable=False,
        allowed={"apply": (("ann",),), "unlock": SRE},
        windows=OFFICE,
    ),
    ("envs/sandbox/x", "default"): Needs(
        "sandbox",
        approvals=(),
        mergeable=False,
        allowed={"apply": (("ann",),), "unlock": SRE},
        windows=OFFICE,
    ),
    ("envs/prod", "default"): Needs(
        "prod",
        approvals=(Approvals(2, ("@acme/sre",), codeowners=True),),
        mergeable=False,
        allowed={"apply": (("@acme/sre", "bob"),), "unlock": SRE},
        windows=(window_of("Mon-Thu 09:00-16:00 Europe/Berlin"),),
        waits=True,
    ),
    ("other", "blue-1"): Needs(
        "blue",
        approvals=(Approvals(1),),
        mergeable=False,
        allowed={"apply": (("ann",),), "unlock": SRE},
        windows=(),
    ),
}


@pytest.mark.parametrize(("place", "needs"), PLACES.items(), ids=[" ".join(p) for p in PLACES])
def test_key_by_key(place: tuple[str, str], needs: Needs) -> None:
    """It takes an environment's keys in the place of the defaults', one by one."""
    assert rules().environments.of(*place) == needs


NAMES = [
    ("envs/prod/network", "prod"),
    ("envs/prod", "prod"),
    ("envs", "prod"),
    ("envs/sandbox", "sandbox"),
    ("envs/sandbox/shared", "prod"),
    ("envs/sandbox/shared/vpc", "prod"),
    ("environments/prod", None),
    (".", None),
]


@pytest.mark.parametrize(("directory", "name"), NAMES)
def test_first_that_matches(directory: str, name: str | None) -> None:
    """It takes the first environment whose globs match, and `a/**` is also `a` itself."""
    assert rules().environments.of(directory).name == name


def test_nothing_said() -> None:
    """It asks for one approval, mergeable, up-to-date and policies, of whoever can write."""
    assert rules("version: 1").environments.of("a") == Needs(
        None, (Approvals(1),), mergeable=True, up_to_date=True, policies=True, allowed={}
    )


def test_minimum() -> None:
    """It never gives less than the operator asks for, of that repository."""
    bounded = rules(server=MINIMUM).environments
    sandbox, prod = bounded.of("envs/sandbox"), bounded.of("envs/prod")
    assert sandbox.approvals == (Approvals(2),)
    assert prod.approvals == (Approvals(2, ("@acme/sre",), codeowners=True), Approvals(2))
    assert sandbox.mergeable
    assert sandbox.allowed["apply"] == (("ann",), ("@acme/ops",))
    assert rules(server=MINIMUM, repo="acme/other") == rules(repo="acme/other")


def test_a_minimum_does_not_weaken() -> None:
    """It leaves a repository that asks for more as it is."""
    text = "version: 1\ndefaults: {apply_requirements: {approved: {count: 3}}}"
    assert rules(text, MINIMUM).environments.of("a").approvals == (Approvals(3),)


def test_override() -> None:
    """It is the operator alone who says who may pass over what."""
    assert rules().override == Override()
    said = 'override: {teams: ["@acme/oncall"], users: ["@eve"], skips: [approved, windows]}'
    skips = frozenset({Skip.APPROVED, Skip.WINDOWS})
    assert rules(server=said).override == Override(("@acme/oncall",), ("eve",), skips)
    with pytest.raises(BadConfiguration):
        load_repo(f"version: 1\n{said}")


BAD = [
    ("prod: {match: a, apply_window: []}", 3, "`apply_window`. Did you mean `apply_windows`?"),
    ("prod: {matches: a}", 3, "`matches`. Did you mean `match`?"),
    ("prod: {}", 3, "`environments.prod.match` is missing"),
    ("prod: {match: []}", 3, "`environments.prod.match` cannot be used: it is empty"),
    ("prod: {match: ../a}", 3, "it leads outside"),
    ("prod: {match: a, permissions: {aply: []}}", 3, "`aply`. Did you mean `apply`?"),
    ("prod: {match: a, permissions: {apply: [a b]}}", 3, "cannot be an account's name"),
    ("prod: {match: a, permissions: {apply: ['@acme/']}}", 3, "cannot be a team's name"),
    ("prod:\n    match: a\n    apply_windows: [always]", 5, "`always` is no apply window"),
    (
        "prod: {match: a, apply_requirements: {uptodate: true}}",
        3,
        "`uptodate`. Did you mean `up-to-date`?",
    ),
    (
        "prod: {match: a, apply_requirements: {approved: {teams: [sre]}}}",
        3,
        "cannot be a team's name. Write it with its organisation",
    ),
    (
        "prod: {match: a, apply_requirements: {approved: {cound: 1}}}",
        3,
        "`cound`. Did you mean `count`?",
    ),
    ("prod: {match: a, drift: {}}", 3, "unknown key `drift`"),
]


@pytest.mark.parametrize(("entry", "line", "words"), BAD)
def test_bad(entry: str, line: int, words: str) -> None:
    """It refuses what is wrong with file, line, key and what was probably meant."""
    with pytest.raises(BadConfiguration) as caught:
        load_repo(f"version: 1\nenvironments:\n  {entry}")
    said = f"{caught.value} {caught.value.next_step}"
    assert said.startswith(f"prbot.yaml, line {line}, ")
    assert words in said
