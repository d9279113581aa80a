"""Which directories are projects, which are affected, and which a command means."""

from __future__ import annotations

import pytest

from prbot.model import ProjectKey, Selector
from prbot.projects.select import affected, chosen, matches, projects_of, touches_modules


def keys(*names: str) -> tuple[ProjectKey, ...]:
    """`dir`, or `dir:workspace`."""
    return tuple(ProjectKey(*name.split(":")) for name in names)


FOUND = {
    "nothing": ([], ()),
    "root module": (["main.tf"], keys(".")),
    "root and nested": (["main.tf", "network/main.tf"], keys(".", "network")),
    "several files, one project": (["a/main.tf", "a/x.tf", "a/y.tf"], keys("a")),
    "deeply nested": (["a/b/c/d/main.tf"], keys("a/b/c/d")),
    "in order": (["c/x.tf", "a/x.tf", "b/x.tf"], keys("a", "b", "c")),
    "JSON": (["a/main.tf.json"], keys("a")),
    "OpenTofu": (["a/main.tofu", "b/main.tofu.json"], keys("a", "b")),
    "blanks": (["my environments/the first/main.tf"], keys("my environments/the first")),
    "unicode": (["umgebungen/größe/main.tf", "環境/main.tf"], keys("umgebungen/größe", "環境")),
    "glob characters": (["a[1]/main.tf", "b*/main.tf"], keys("a[1]", "b*")),
    "a line break": (["a\nb/main.tf"], keys("a\nb")),
    "README only": (["a/README.md"], ()),
    "variables only": (["a/prod.tfvars", "a/prod.auto.tfvars.json"], ()),
    "lock file only": (["a/.terraform.lock.hcl"], ()),
    "tests only": (["a/main.tftest.hcl"], ()),
    "a directory that looks like a file": (["a.tf/README.md"], ()),
    "the ending alone in another word": (["a/notes.tfx", "a/main.tf.bak", "a/maintf"], ()),
    "files the tool ignores": (["a/.main.tf", "b/.tf", "c/main.tf~", "d/#main.tf#"], ()),
    "modules at the root": (["modules/network/main.tf", "modules/main.tf"], ()),
    "modules below": (["live/modules/network/aws/main.tf", "live/main.tf"], keys("live")),
    "modules as a part of a name": (
        ["my-modules/main.tf", "modules2/main.tf"],
        keys("modules2", "my-modules"),
    ),
    "downloaded modules": (["a/main.tf", "a/.terraform/modules/vpc/main.tf"], keys("a")),
    "the tool's own directory": (["a/main.tf", "a/.terraform/x/main.tf"], keys("a")),
}

IGNORED = {
    "exactly": (("a",), keys("b/c", "examples/x/y")),
    "everything below": (("examples/**",), keys("a", "b/c")),
    "one level does not reach below": (("examples/*",), keys("a", "b/c", "examples/x/y")),
    "anywhere": (("**/y",), keys("a", "b/c")),
    "several": (("a", "b/*"), keys("examples/x/y")),
    "another case": (("A", "Examples/**"), keys("a", "b/c", "examples/x/y")),
    "everything": (("**",), ()),
}

HERE = keys(".", "a", "a/b", "my dir", "größe", "x[1]")
AFFECTED = {
    "nothing": ([], ()),
    "its file": (["a/main.tf"], keys("a")),
    "the root's file": (["main.tf"], keys(".")),
    "only the directory itself": (["a/b/main.tf"], keys("a/b")),
    "several": (["a/x.tf", "a/b/x.tf.json", "y.tofu"], keys(".", "a", "a/b")),
    "variables": (["a/prod.tfvars"], keys("a")),
    "variables as JSON": (["a/x.auto.tfvars.json"], keys("a")),
    "lock file": (["a/.terraform.lock.hcl"], keys("a")),
    "another lock file": (["a/my.terraform.lock.hcl"], ()),
    "README": (["a/README.md", "README.md"], ()),
    "binary": (["a/logo.png"], ()),
    "blanks and unicode": (["my dir/x.tf", "größe/x.tf"], keys("my dir", "größe")),
    "glob characters": (["x[1]/x.tf"], keys("x[1]")),
    "what they would match": (["x1/x.tf"], ()),
    "a deleted directory": (["gone/main.tf"], ()),
    "a module": (["modules/vpc/main.tf"], ()),
    "a file deleted where others stay": (["a/deleted.tf"], keys("a")),
    "moved from one to another": (["a/x.tf", "a/b/x.tf"], keys("a", "a/b")),
    "a file the tool ignores": (["a/.main.tf"], ()),
}

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
}


@pytest.mark.parametrize(("paths", "expected"), FOUND.values(), ids=FOUND)
def test_projects(paths: list[str], expected: tuple[ProjectKey, ...]) -> None:
    """It takes each directory the tool would load as a project, modules aside."""
    assert projects_of(paths) == expected
    assert projects_of(reversed(paths)) == expected


@pytest.mark.parametrize(("ignore", "expected"), IGNORED.values(), ids=IGNORED)
def test_ignored(ignore: tuple[str, ...], expected: tuple[ProjectKey, ...]) -> None:
    """It leaves out the directories that the default branch ignores."""
    paths = ["a/main.tf", "b/c/main.tf", "examples/x/y/main.tf"]
    assert projects_of(paths, ignore) == expected


def test_ignored_names_may_hold_glob_characters() -> None:
    """It takes an ignored name literally too."""
    assert projects_of(["a[1]/main.tf", "b/main.tf"], ("a[1]",)) == keys("b")


@pytest.mark.parametrize(("changed", "expected"), AFFECTED.values(), ids=AFFECTED)
def test_affected(changed: list[str], expected: tuple[ProjectKey, ...]) -> None:
    """It takes the projects of which a file changed that the tool reads."""
    assert affected(HERE, changed) == expected


@pytest.mark.parametrize(("select", "expected"), CHOSEN.values(), ids=CHOSEN)
def test_chosen(select: Selector, expected: tuple[ProjectKey, ...]) -> None:
    """It plans what a command names, else what is affected."""
    assert chosen(HERE, CHANGED, select) == expected


@pytest.mark.parametrize(("project", "select", "expected"), MATCHES.values(), ids=MATCHES)
def test_matches(project: str, select: Selector, expected: bool) -> None:
    """It tells whether a command speaks of a project."""
    assert matches(keys(project)[0], select) is expected


MODULES = {
    "a module's code": (["modules/net/main.tf"], True),
    "a module inside a project": (["app/modules/net/main.tf.json"], True),
    "a module's README": (["modules/net/README.md"], False),
    "a project's code": (["app/main.tf"], False),
    "a file called modules": (["modules"], False),
    "nothing": ([], False),
}


@pytest.mark.parametrize(("changed", "expected"), MODULES.values(), ids=MODULES)
def test_touches_modules(changed: list[str], expected: bool) -> None:
    """It tells that a module's code changed, whose projects nobody follows yet."""
    assert touches_modules(changed) is expected
