"""What a pull request's head adds takes nothing's place."""

import pytest

from prbot.config.head import merged_rules
from prbot.config.project_rules import ProjectRules
from prbot.config.repo import load_rules
from prbot.projects.affected import affected
from prbot.projects.discovery import Discovery, discover
from prbot.projects.hcl import facts_of
from prbot.projects.listing import Listing

ROOT = b'terraform {\n  backend "s3" {}\n}\n'
PATHS = ("a/main.tf", "e/x/main.tf", "e/y/main.tf")


def rules(projects: str, mode: str = "auto") -> ProjectRules:
    text = f"version: 1\ndiscovery: {{mode: {mode}}}\nprojects: [{projects}]"
    return load_rules(text)


def found(default: ProjectRules, head: ProjectRules) -> Discovery:
    facts = {path: facts_of(path, ROOT) for path in PATHS}
    listing = Listing({path: f"id-{path}" for path in PATHS}, {})
    return discover(listing, facts, merged_rules(default, head).rules)


def keys(discovery: Discovery) -> str:
    found = sorted((p.key.dir, p.key.workspace, p.name or "") for p in discovery.projects)
    return " ".join(":".join(filter(None, key)) for key in found)


CASES = [
    # default branch's projects, its mode, the head's, what there is then
    ("", "auto", "", "a:default e/x:default e/y:default"),
    # another workspace in a directory that was found: both
    ("", "auto", "{dir: a, workspace: w}", "a:default a:w e/x:default e/y:default"),
    # a name for what was found
    ("", "auto", "{dir: a, name: n}", "a:default:n e/x:default e/y:default"),
    # what the default branch declares still hides what would be found there
    (
        "{dir: a, workspace: v}",
        "auto",
        "{dir: a, workspace: w}",
        "a:v a:w e/x:default e/y:default",
    ),
    (
        "{dir: a, workspace: v}",
        "auto",
        "{dir: a, workspace: v}, {dir: a, workspace: w}",
        "a:v a:w e/x:default e/y:default",
    ),
    # nothing is found where only declared projects count
    ("{dir: a}", "disabled", "{dir: a}, {dir: e/x, workspace: w}", "a:default e/x:w"),
    # a glob of the default branch keeps what it had, whatever is declared more nearly
    (
        "{dir: 'e/*'}",
        "disabled",
        "{dir: 'e/*'}, {dir: e/x, workspace: w}",
        "e/x:default e/x:w e/y:default",
    ),
    # a glob that was added leaves alone what is declared
    (
        "{dir: e/x, name: n}",
        "disabled",
        "{dir: e/x, name: n}, {dir: 'e/*'}",
        "e/x:default:n e/y:default",
    ),
]


@pytest.mark.parametrize(("default", "mode", "head", "wanted"), CASES)
def test_added(default: str, mode: str, head: str, wanted: str) -> None:
    """It stands beside what was there."""
    assert keys(found(rules(default, mode), rules(head, mode))) == wanted


@pytest.mark.parametrize(
    "keys", ["when_modified: []", "autoplan: false", "workflow: mine", "name: n"]
)
def test_hides_nothing(keys: str) -> None:
    """It cannot take a change of a project that is found anyway out of sight."""
    discovery = found(rules(""), rules(f"{{dir: a, {keys}}}"))
    (project,) = affected(discovery, ["a/main.tf"])
    assert project.key.dir == "a"
    assert project.autoplan
    assert project.workflow is None
