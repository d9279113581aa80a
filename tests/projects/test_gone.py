"""What becomes of known states: moved, left behind, taken over, or simply still there.

Expectations from the product's page: identity is the state's address; a deleted project whose
state may hold something is told; nobody known on the base is re-homed.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.errors.projects import StateTaken
from prbot.projects.discovery import Discovery, discover
from prbot.projects.gone import Gone, compared
from prbot.projects.hcl import facts_of
from prbot.projects.listing import Listing


def s3(key: str) -> str:
    return f'terraform {{\n  backend "s3" {{\n    bucket = "b"\n    key = "{key}"\n  }}\n}}\n'


BARE = 'terraform {\n  backend "s3" {}\n}\n'
"""A backend whose address the code does not tell."""
LOCAL = 'resource "terraform_data" "x" {}\n'
"""A root module without a backend."""
CLOUD = 'terraform {\n  cloud {\n    organization = "o"\n    workspaces { name = "w" }\n  }\n}\n'


def tree(files: dict[str, str]) -> Discovery:
    facts = {path: facts_of(path, t.encode()) for path, t in files.items() if path.endswith(".tf")}
    return discover(Listing({path: path for path in files}), facts)


def roots(**backends: str) -> dict[str, str]:
    """Directories by name with these files `main.tf`."""
    return {f"{name}/main.tf": text for name, text in backends.items()}


A = roots(a=s3("a"))
ENVS = {**A, "a/env/blue.tfvars": "", "a/env/green.tfvars": ""}

CASES = {
    # name: (the base, the head, moved (new<-old), gone (project[=>where it is now]))
    "nothing changed": (A, A, "", ""),
    "a new project": (A, {**A, **roots(b=s3("b"))}, "", ""),
    "deleted": ({**A, **roots(b=s3("b"))}, A, "", "b"),
    "all deleted": (A, {}, "", "a"),
    "deleted, its address is not in the code": (roots(a=BARE), {}, "", "a"),
    "deleted, without a backend": (roots(a=LOCAL), {}, "", "a"),
    "moved with its state": (A, roots(b=s3("a")), "b<-a", ""),
    "moved below itself": (A, {"a/x/main.tf": s3("a")}, "a/x<-a", ""),
    "moved with another state": (A, roots(b=s3("b")), "", "a"),
    "moved, its address is not in the code": (roots(a=BARE), roots(b=BARE), "", "a"),
    "moved, cloud": (roots(a=CLOUD), roots(b=CLOUD), "b (w)<-a (w)", ""),
    "moved by an absolute local path": (
        roots(a='terraform {\n  backend "local" {\n    path = "/s"\n  }\n}\n'),
        roots(b='terraform {\n  backend "local" {\n    path = "/s"\n  }\n}\n'),
        "b<-a",
        "",
    ),
    "moved, without a backend": (roots(a=LOCAL), roots(b=LOCAL), "", "a"),
    "two at once change places with two new ones": (
        roots(a=s3("a"), b=s3("b")),
        roots(c=s3("b"), d=s3("a")),
        "c<-b d<-a",
        "",
    ),
    "emptied but for its backend": ({**A, "a/x.tf": LOCAL}, A, "", ""),
    "no longer a root, but a module of another": (
        roots(a=s3("a"), b=LOCAL),
        roots(a=s3("a") + 'module "b" {\n  source = "../b"\n}\n', b=LOCAL),
        "",
        "b",
    ),
    "its state is elsewhere now": (A, roots(a=s3("z")), "", "a=>s3 b/z"),
    "its state is nobody knows where now": (A, roots(a=BARE), "", ""),
    "its state is known now": (roots(a=BARE), A, "", ""),
    "its state was the checkout's, and has a home now": (
        roots(a=LOCAL),
        A,
        "",
        "a=>s3 b/a",
    ),
    "a workspace removed": (
        ENVS,
        {path: text for path, text in ENVS.items() if "green" not in path},
        "",
        "a (green)",
    ),
    "workspaces moved with their directory": (
        ENVS,
        {path.replace("a/", "b/", 1): text for path, text in ENVS.items()},
        "b (blue)<-a (blue) b (green)<-a (green)",
        "",
    ),
    "from one state to workspaces": (A, ENVS, "", "a"),
    "moved into the directory of another, which is deleted": (
        {"a/main.tf": CLOUD, "b/main.tf": CLOUD.replace('"w"', '"v"')},
        {"a/main.tf": CLOUD.replace('"w"', '"v"')},
        "a (v)<-b (v)",
        "a (w)",
    ),
    "one of two with the same state": (roots(a=s3("a"), b=s3("a")), A, "", ""),
}


def told(gone: Gone) -> str:
    return f"{gone.project}=>{gone.now_at}" if gone.now_at else str(gone.project)


@pytest.mark.parametrize("name", CASES)
def test_it_is_told(name: str) -> None:
    """It tells which projects moved and which states nobody would manage any more."""
    base, head, moved, gone = CASES[name]
    found = compared(tree(base), tree(head))
    assert " ".join(f"{new}<-{old}" for new, old in sorted(found.moved.items())) == moved
    assert ", ".join(map(told, found.gone)) == gone
    assert found.taken == ()


TAKEN = {
    # name: (the base, the head, who takes whose state)
    "a new project beside its owner, who goes elsewhere": (
        A,
        roots(a=s3("z"), b=s3("a")),
        "b takes a",
    ),
    "a known project takes a deleted one's": (
        roots(a=s3("a"), b=s3("b")),
        roots(b=s3("a")),
        "b takes a",
    ),
    "two known ones change states": (
        roots(a=s3("a"), b=s3("b")),
        roots(a=s3("b"), b=s3("a")),
        "a takes b, b takes a",
    ),
    "a known project, whose own was not in the code, takes another's": (
        roots(a=s3("a"), b=BARE),
        roots(b=s3("a")),
        "b takes a",
    ),
}


@pytest.mark.parametrize("name", TAKEN)
def test_it_refuses_to_take_over(name: str) -> None:
    """It names both projects, with the lines that give them their states."""
    base, head, expected = TAKEN[name]
    found = compared(tree(base), tree(head))
    assert ", ".join(f"{each.project} takes {each.owner}" for each in found.taken) == expected
    for each in found.taken:
        assert each.path.endswith("/main.tf")
        assert each.owner_path.endswith("/main.tf")
        assert each.line == each.owner_line == 2
        assert isinstance(each, StateTaken)


KEYS = st.dictionaries(
    st.sampled_from("abcde"), st.sampled_from([s3("1"), s3("2"), s3("3"), BARE, LOCAL]), max_size=4
)


@given(KEYS, KEYS)
def test_no_known_state_is_forgotten(base: dict[str, str], head: dict[str, str]) -> None:
    """It accounts for each project of the base: still there, moved, taken, shared or gone."""
    before, after = tree(roots(**base)), tree(roots(**head))
    found = compared(before, after)
    gone = {each.project for each in found.gone}
    moved, taken = set(found.moved.values()), {each.owner for each in found.taken}
    still = {project.key for project in after.projects}
    addresses = {home.address for home in after.homes.values() if home.address}
    for key, home in before.homes.items():
        accounted = key in still or key in gone or key in moved or str(key) in taken
        assert accounted or home.address in addresses
    assert not gone & moved


@given(KEYS)
def test_what_is_the_same_is_quiet(files: dict[str, str]) -> None:
    """It has nothing to tell of a change that moves no project."""
    found = compared(tree(roots(**files)), tree(roots(**files)))
    assert (dict(found.moved), found.gone, found.taken) == ({}, (), ())


OVERRIDES = {
    "an overriding file wins": ({"a/main.tf": s3("a"), "a/override.tf": s3("o")}, "o"),
    "whatever its name begins with": ({"a/main.tf": s3("a"), "a/a_override.tf": s3("o")}, "o"),
    "the last of them": (
        {"a/main.tf": s3("a"), "a/a_override.tf": s3("o"), "a/b_override.tf": s3("p")},
        "p",
    ),
    "of others the first": ({"a/main.tf": s3("a"), "a/overrides.tf": LOCAL}, "a"),
}


@pytest.mark.parametrize("name", OVERRIDES)
def test_what_overrides_a_backend_is_the_backend(name: str) -> None:
    """It takes the backend that the tool takes, so that nobody moves a state unseen."""
    files, expected = OVERRIDES[name]
    (home,) = tree(files).homes.values()
    assert home.address == ("s3", "b", expected, "")
