"""Where a resource's literals stand (modules, files, users), and what a plan asks for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from prbot.drift.adopt import SENSITIVE, Adopted, Code, Wish, adopt, wishes
from prbot.plans.plan import Change, Plan, ResourceChange, parse

PLANS = Path(__file__).parents[1] / "fixtures" / "plans"
RESOURCE = 'resource "x_thing" "r" {\n  a = 1\n}\n'
CALL = 'module "net" {\n  source = "../modules/net"\n}\n'
WISH = Wish("x_thing.r", "a", 1, 2)
INNER = Wish("module.net.x_thing.r", "a", 1, 2)
DEEP = Wish("module.net.module.sub.x_thing.r", "a", 1, 2)


def adopted(files: dict[str, str], *asked: Wish, **users: list[str]) -> Adopted:
    code = {path: text.encode() for path, text in files.items()}
    known = {path.replace("_", "/"): names for path, names in users.items()}
    return adopt(Code(code, "live", known), asked)


FOUND: dict[str, tuple[dict[str, str], Wish, str]] = {
    "in one of several files": (
        {"live/a.tf": "# nothing", "live/b.tf": RESOURCE, "other/b.tf": RESOURCE},
        WISH,
        "live/b.tf",
    ),
    "in a module": (
        {"live/main.tf": CALL, "modules/net/a.tf": RESOURCE},
        INNER,
        "modules/net/a.tf",
    ),
    "in a module of a module": (
        {
            "live/main.tf": CALL,
            "modules/net/a.tf": 'module "sub" {\n  source = "./sub"\n}\n',
            "modules/net/sub/a.tf": RESOURCE,
        },
        DEEP,
        "modules/net/sub/a.tf",
    ),
    "in a file for OpenTofu": ({"live/main.tofu": RESOURCE}, WISH, "live/main.tofu"),
    "with a byte order mark": ({"live/main.tf": "\ufeff" + RESOURCE}, WISH, "live/main.tf"),
    "with the line ends of Windows": (
        {"live/main.tf": RESOURCE.replace("\n", "\r\n")},
        WISH,
        "live/main.tf",
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_finds_the_block(case: str) -> None:
    """It changes the one literal, in the one file, and every other byte stays."""
    files, wish, path = FOUND[case]
    found = adopted(files, wish)
    assert {p: text.decode() for p, text in found.files.items()} == {
        path: files[path].replace("a = 1", "a = 2")
    }
    assert (found.done, found.following, found.refused) == ((wish,), (), ())


REFUSED: dict[str, tuple[dict[str, str], Wish, str]] = {
    "nowhere": ({"live/main.tf": "# nothing"}, WISH, ": no `resource` block of `x_thing.r`"),
    "in JSON": (
        {"live/main.tf.json": '{"resource": {"x_thing": {"r": {"a": 1}}}}'},
        WISH,
        ": no `resource` block of `x_thing.r`",
    ),
    "overridden": (
        {"live/main.tf": RESOURCE, "live/override.tf": RESOURCE},
        WISH,
        "live/override.tf:1: `x_thing.r` is declared more than once",
    ),
    "in a broken file": (
        {"live/main.tf": RESOURCE + 'resource "x" {\n  a = = 1\n}\n'},
        WISH,
        "live/main.tf:5: the file cannot be read",
    ),
    "an instance by number": (
        {"live/main.tf": RESOURCE},
        Wish("x_thing.r[0]", "a", 1, 2),
        "live/main.tf:1: one block makes several objects",
    ),
    "an instance of a module": (
        {
            "live/main.tf": CALL.replace("{\n", '{\n  for_each = toset(["a"])\n'),
            "modules/net/a.tf": RESOURCE,
        },
        Wish('module.net["a"].x_thing.r', "a", 1, 2),
        "live/main.tf:2: one block makes several objects (`for_each`)",
    ),
    "a module called twice": (
        {
            "live/main.tf": CALL + CALL.replace('"net"', '"net2"'),
            "modules/net/a.tf": RESOURCE,
        },
        INNER,
        "live/main.tf:1: the module `modules/net` is called more than once",
    ),
    "a module from a registry": (
        {"live/main.tf": 'module "net" {\n  source = "acme/net/aws"\n}\n'},
        INNER,
        "live/main.tf:1: the module's code is not in this repository",
    ),
    "no address": ({"live/main.tf": RESOURCE}, Wish("x_thing", "a", 1, 2), ": its address cannot"),
    "an object that is gone": (
        {"live/main.tf": RESOURCE},
        Wish("x_thing.r", None, unfit="the object is gone"),
        "live/main.tf:1: the object is gone",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    """It says where and why, and what to do by hand; no file changes."""
    files, wish, expected = REFUSED[case]
    found = adopted(files, wish)
    (refusal,) = found.refused
    assert f"{refusal.where}: {refusal.why}".startswith(expected)
    assert refusal.by_hand
    assert (found.files, found.done) == ({}, ())


def test_other_users() -> None:
    """It does not change what other projects use, and names them."""
    files = {"live/main.tf": CALL, "modules/net/a.tf": RESOURCE}
    (refusal,) = adopted(files, INNER, modules_net=["prod"]).refused
    assert refusal.why == "`modules/net` is used by other projects, too: `prod`"
    same_directory = {"live/main.tf": RESOURCE}
    (refusal,) = adopt(
        Code({p: t.encode() for p, t in same_directory.items()}, "live", {"live": ["live (blue)"]}),
        [WISH],
    ).refused
    assert refusal.why == "`live` is used by other projects, too: `live (blue)`"


def test_several_at_once() -> None:
    """It changes what it can, says of the rest why not, and lets what is not in the code follow."""
    text = 'resource "x_thing" "r" {\n  a    = 1\n  b    = var.b\n  tags = { T = "x" }\n}\n'
    found = adopted(
        {"live/main.tf": text},
        WISH,
        Wish("x_thing.r", "b", 1, 2),
        Wish("x_thing.r", "tags", {"T": "x"}, {"T": "y"}),
        Wish("x_thing.r", "tags_all", {"T": "x"}, {"T": "y"}),
        Wish("x_thing.other", "a", 1, 2),
    )
    expected = text.replace("= 1", "= 2").replace('"x" }', '"y" }')
    assert found.files["live/main.tf"].decode() == expected
    assert [wish.attribute for wish in found.done] == ["a", "tags"]
    assert [wish.attribute for wish in found.following] == ["tags_all"]
    assert [(one.address, one.attribute) for one in found.refused] == [
        ("x_thing.r", "b"),
        ("x_thing.other", "a"),
    ]


# --- what a plan asks ------------------------------------------------------------------------


def plan(before: dict, live: dict, wanted: dict, **marks: object) -> Plan:
    drifted = Change(("update",), before, live, **marks)
    change = Change(("update",), live, wanted, **marks)
    parts = ("x_thing.r", "managed", "x_thing")
    return Plan(
        "1.2",
        resource_changes=(ResourceChange(*parts, change),),
        resource_drift=(ResourceChange(*parts, drifted),),
    )


ASKED: dict[str, tuple[Plan, tuple[Wish, ...]]] = {
    "what was changed": (plan({"a": 1}, {"a": 2}, {"a": 1}), (WISH,)),
    "nothing that the code says by now": (plan({"a": 1}, {"a": 2}, {"a": 2}), ()),
    "nothing that the code wants otherwise": (
        plan({"a": 1}, {"a": 2}, {"a": 3}),
        (Wish("x_thing.r", "a", unfit="the code wants a value that was never applied"),),
    ),
    "no value that is marked": (
        plan({"a": "1"}, {"a": "2"}, {"a": "1"}, after_sensitive={"a": True}),
        (Wish("x_thing.r", "a", unfit=SENSITIVE),),
    ),
    "no value that is marked within": (
        plan(
            {"a": {"b": "1"}},
            {"a": {"b": "2"}},
            {"a": {"b": "1"}},
            before_sensitive={"a": {"b": True}},
        ),
        (Wish("x_thing.r", "a", unfit=SENSITIVE),),
    ),
    "no value of a resource marked whole": (
        plan({"a": "1"}, {"a": "2"}, {"a": "1"}, before_sensitive=True),
        (Wish("x_thing.r", "a", unfit=SENSITIVE),),
    ),
    "no copy of a value that is marked": (
        plan(
            {"a": "1", "s": "old-hidden-value"},
            {"a": "x old-hidden-value", "s": "old-hidden-value"},
            {"a": "1", "s": "old-hidden-value"},
            after_sensitive={"s": True},
        ),
        (Wish("x_thing.r", "a", unfit=SENSITIVE),),
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_asks(case: str) -> None:
    """It wants what the plan would take back, never what is sensitive."""
    asking, expected = ASKED[case]
    assert wishes(asking) == expected


@pytest.mark.parametrize(
    "name", ["00_clean_after_apply", "04_code_adopts_drift", "06_ignored_attr_drift"]
)
def test_real_plans_that_ask_for_nothing(name: str) -> None:
    """It finds nothing to write where nothing would be taken back."""
    assert wishes(parse((PLANS / f"{name}.json").read_bytes())) == ()


def test_real_plan_of_drift() -> None:
    """It finds the attributes that a real plan takes back, with both values."""
    found = wishes(parse((PLANS / "02_managed_attr_drift.json").read_bytes()))
    assert found
    assert all(wish.unfit == "" and wish.wanted != wish.live for wish in found)


# --- the language's own judge ------------------------------------------------------------------

FORMATTED = """# one
resource "x_thing" "r" {
  a           = 1
  description = "x"
  tags = {
    Name = "n"
    Team = "t"
  }
  ports = [
    "1",
    "2",
  ]

  rule {
    from = 1
    to   = 2
  }
}
"""
LIVE = {
    "a": 12,
    "description": 'y ${z} "q"\n',
    "tags": {"Name": "n", "Team": "u", "Env": "e", "CostCenter": "c"},
    "ports": ["1", "3", "4"],
    "rule": [{"from": 1, "to": 22, "note": "far"}],
    "kind": "k",
    "more": {"a": {"b": [1, 2]}, "long_name": "x", "c": True},
}
WANTED = {
    "a": 1,
    "description": "x",
    "tags": {"Name": "n", "Team": "t"},
    "ports": ["1", "2"],
    "rule": [{"from": 1, "to": 2, "note": None}],
    "kind": None,
    "more": None,
}


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_stays_formatted(tmp_path: Path) -> None:
    """It leaves a formatted file as `terraform fmt` would have it."""
    asked = [Wish("x_thing.r", name, WANTED[name], live) for name, live in LIVE.items()]
    found = adopted({"live/main.tf": FORMATTED}, *asked)
    assert found.refused == ()
    (tmp_path / "main.tf").write_bytes(found.files["live/main.tf"])
    done = subprocess.run(
        ["terraform", "fmt", "-diff", "-list=false"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")
