"""Which projects a command speaks of; which a change affects is in `test_affected.py`."""

from __future__ import annotations

import pytest

from prbot.config.project_rules import DeclaredProject, ProjectRules
from prbot.errors.projects import NoProjectNamed
from prbot.model import ProjectKey, Selector
from prbot.projects.discovery import Discovery, discover
from prbot.projects.hcl import facts_of
from prbot.projects.listing import Listing
from prbot.projects.select import chosen, matches


def keys(*names: str) -> tuple[ProjectKey, ...]:
    """`dir`, or `dir:workspace`."""
    return tuple(ProjectKey(*name.split(":")) for name in names)


BACKEND = 'terraform {\n  backend "local" {}\n}\n'


def here(*dirs: str, rules: ProjectRules | None = None) -> Discovery:
    """A repository with a root module in each of these directories."""
    files = {f"{directory}/main.tf".removeprefix("./"): BACKEND for directory in dirs}
    facts = {path: facts_of(path, text.encode()) for path, text in files.items()}
    return discover(Listing({path: path for path in files}), facts, rules or ProjectRules())


HERE = here(".", "a", "a/b", "my dir", "größe", "x[1]")

CHANGED = ("a/main.tf", "my dir/x.tf")
CHOSEN = {
    "the affected": (Selector(), keys("a", "my dir")),
    "an affected one": (Selector(("a",)), keys("a")),
    "an unaffected one": (Selector(("a/b",)), keys("a/b")),
    "the root": (Selector((".",)), keys(".")),
    "several": (Selector(("my dir", "a")), keys("a", "my dir")),
    "the same twice": (Selector(("a", "a")), keys("a")),
    "a glob": (Selector(("a/*",)), keys("a/b")),
    "a name that is a glob too": (Selector(("x[1]",)), keys("x[1]")),
    "unicode": (Selector(("gr*",)), keys("größe")),
    "another case": (Selector(("A",)), ()),
    "unknown": (Selector(("z",)), ()),
    "a workspace of the affected": (Selector((), ("blue",)), keys("a:blue", "my dir:blue")),
    "workspaces, each once and in order": (
        Selector(("a",), ("green", "blue", "green")),
        keys("a:blue", "a:green"),
    ),
    "a workspace of an unknown one": (Selector(("z",), ("blue",)), ()),
}

NAMED = here(
    "a",
    "b",
    "c",
    rules=ProjectRules(
        (
            DeclaredProject("a", name="prod-net"),
            DeclaredProject("b", workspace="blue", name="prod-app"),
            DeclaredProject("c", name="team/x", autoplan=False),
        )
    ),
)
BY_NAME = {
    "one": (("prod-net",), keys("a")),
    "one with a workspace": (("prod-app",), keys("b:blue")),
    "several": (("team/x", "prod-net"), keys("a", "c")),
    "twice": (("prod-net", "prod-net"), keys("a")),
    "a glob": (("prod-*",), keys("a", "b:blue")),
    "a glob stays within a part": (("prod-*", "*/x"), keys("a", "b:blue", "c")),
    "a glob and one of it": (("prod-*", "prod-net"), keys("a", "b:blue")),
}
NO_NAME = {
    "misspelt": (("prod-nte",), "no project is named `prod-nte`", "Did you mean `prod-net`?"),
    "a directory": (("a",), "no project is named `a`", "`-d`"),
    "another case": (("PROD-NET",), "`PROD-NET`", "`-d`"),
    "a glob of nothing": (("dev-*",), "`dev-*`", "`-d`"),
    "one of two": (("prod-net", "prod-nte"), "`prod-nte`", "`prod-net`"),
}

MATCHES = {
    "nothing said": ("a", Selector(), True),
    "its directory": ("a", Selector(("a",)), True),
    "another directory": ("a", Selector(("b",)), False),
    "one of several": ("a", Selector(("b", "a")), True),
    "below is another": ("a/b", Selector(("a",)), False),
    "a glob of directories": ("a/b", Selector(("a/**",)), True),
    "its workspace": ("a:blue", Selector((), ("blue",)), True),
    "the default workspace is not meant": ("a", Selector((), ("blue",)), False),
    "default by name": ("a", Selector((), ("default",)), True),
    "a glob of workspaces": ("a:blue", Selector((), ("b*",)), True),
    "right directory, wrong workspace": ("a:blue", Selector(("a",), ("green",)), False),
    "any workspace of the directory": ("a:blue", Selector(("a",)), True),
    "its name": ("a", Selector(projects=("name-of-a",)), True),
    "one of several names": ("a", Selector(projects=("x", "name-of-a")), True),
    "a glob of names": ("a", Selector(projects=("name-*",)), True),
    "another name": ("a", Selector(projects=("name-of-b",)), False),
    "its directory is no name": ("a", Selector(projects=("a",)), False),
    "nothing is called so that has no name": (".", Selector(projects=("*",)), False),
}


@pytest.mark.parametrize(("select", "expected"), CHOSEN.values(), ids=CHOSEN)
def test_chosen(select: Selector, expected: tuple[ProjectKey, ...]) -> None:
    """It plans what a command names, else what is affected."""
    assert tuple(project.key for project in chosen(HERE, CHANGED, select)) == expected


@pytest.mark.parametrize(("project", "select", "expected"), MATCHES.values(), ids=MATCHES)
def test_matches(project: str, select: Selector, expected: bool) -> None:
    """It tells whether a command speaks of a project."""
    name = None if project == "." else f"name-of-{project}"
    assert matches(keys(project)[0], select, name) is expected


@pytest.mark.parametrize(("names", "expected"), BY_NAME.values(), ids=BY_NAME)
def test_by_name(names: tuple[str, ...], expected: tuple[ProjectKey, ...]) -> None:
    """It plans what is named, affected or not."""
    found = chosen(NAMED, ["a/main.tf"], Selector(projects=names), asked=True)
    assert tuple(sorted(project.key for project in found)) == expected


@pytest.mark.parametrize(("names", "sentence", "hint"), NO_NAME.values(), ids=NO_NAME)
def test_no_such_name(names: tuple[str, ...], sentence: str, hint: str) -> None:
    """It refuses the whole of a command of which a name means nothing."""
    with pytest.raises(NoProjectNamed) as caught:
        chosen(NAMED, ["a/main.tf"], Selector(projects=names), asked=True)
    assert sentence in str(caught.value)
    assert hint in caught.value.next_step


def test_what_a_change_does_not_plan_by_itself() -> None:
    """It is planned when somebody asks, with or without naming it."""
    rules = ProjectRules((DeclaredProject("a", autoplan=False, name="quiet"),))
    discovery = here("a", "b", rules=rules)
    changed = ["a/main.tf", "b/main.tf"]

    def dirs(select: Selector, asked: bool) -> list[str]:
        return [project.key.dir for project in chosen(discovery, changed, select, asked)]

    assert dirs(Selector(), asked=False) == ["b"]
    assert dirs(Selector(), asked=True) == ["a", "b"]
    assert dirs(Selector(("a",)), asked=True) == ["a"]


def test_a_workspace_nobody_declared() -> None:
    """It has no name, and otherwise what is declared of its directory; a declared one has
    its own."""
    blue = DeclaredProject("a", workspace="blue", name="a-blue", var_files=("blue.tfvars",))
    rules = ProjectRules((DeclaredProject("a", name="a", var_files=("x.tfvars",)), blue))
    discovery = here("a", rules=rules)
    found = chosen(discovery, ["a/main.tf"], Selector((), ("blue", "green")), asked=True)
    assert [(p.key.workspace, p.name, p.var_files) for p in found] == [
        ("blue", "a-blue", ("blue.tfvars",)),
        ("green", None, ("x.tfvars",)),
    ]
