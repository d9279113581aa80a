"""What a pull request's own configuration may say beside the default branch's."""

from dataclasses import replace

import pytest

from prbot.config.head import merged_rules
from prbot.config.project_rules import DeclaredProject, DiscoveryMode, ProjectRules
from prbot.config.repo import load_rules

Told = list[str]


def rules(projects: str, rest: str = "") -> ProjectRules:
    return load_rules(f"version: 1\n{rest}\nprojects: [{projects}]\n")


def short(entry: DeclaredProject) -> str:
    name = f" {entry.name}" if entry.name else ""
    return f"{entry.dir}:{entry.workspace}{name}" + (" +" if entry.added else "")


A, B = "{dir: a}", "{dir: b, name: bee}"
TABLE: list[tuple[str, str, list[str], Told]] = [
    # default, head, what counts (`+` was added by the head), what is told
    ("", "", [], []),
    ("", A, ["a:default +"], []),
    (A, A, ["a:default"], []),
    (f"{A}, {B}", f"{B}, {A}", ["a:default", "b:default bee"], []),
    (A, f"{A}, {B}", ["a:default", "b:default bee +"], []),
    (A, "{dir: a}, {dir: a, workspace: x}", ["a:default", "a:x +"], []),
    (A, "", ["a:default"], ["`a` cannot be removed"]),
    (f"{A}, {B}", A, ["a:default", "b:default bee"], ["`bee` cannot be removed"]),
    (B, "{dir: b, name: bumble}", ["b:default bee"], ["`bee` cannot be renamed"]),
    (B, "{dir: b}", ["b:default bee"], ["`bee` cannot be renamed"]),
    (A, "{dir: a, name: x}", ["a:default"], ["`a` cannot be renamed"]),
    (B, "{dir: c, name: bee}", ["b:default bee"], ["`bee` cannot be moved"]),
    (B, "{dir: b, name: bee, workspace: x}", ["b:default bee"], ["`bee` cannot be moved"]),
    # the old name on another directory, while the directory has a new name: both are known
    (
        B,
        "{dir: c, name: bee}, {dir: b, name: new}",
        ["b:default bee"],
        ["`bee` cannot be moved", "`bee` cannot be renamed"],
    ),
    # a second project in one directory and workspace is an addition, whatever comes of it
    (B, f"{B}, {{dir: b, name: two}}", ["b:default bee", "b:default two +"], []),
    # globs
    ("{dir: 'e/*'}", "{dir: 'e/*'}", ["e/*:default"], []),
    ("{dir: 'e/*'}", "{dir: e/x}", ["e/*:default"], ["`e/*` cannot be renamed"]),
    (
        "{dir: 'e/*'}",
        "{dir: 'e/*'}, {dir: e/x}",
        ["e/*:default"],
        ["`e/*` cannot be renamed"],
    ),
    (
        "{dir: 'e/*'}",
        "{dir: 'e/*'}, {dir: e/x, workspace: w}",
        ["e/*:default", "e/x:w +"],
        [],
    ),
    ("{dir: e/x}", "{dir: e/x}, {dir: 'e/*'}", ["e/x:default", "e/*:default +"], []),
]


@pytest.mark.parametrize(("default", "head", "counts", "told"), TABLE)
def test_projects(default: str, head: str, counts: list[str], told: Told) -> None:
    """It adds what the head adds, and keeps what the default branch knows."""
    merged = merged_rules(rules(default), rules(head))
    assert [short(entry) for entry in merged.rules.declared] == counts
    assert len(merged.refusals) == len(told)
    for refusal, words in zip(merged.refusals, told, strict=True):
        assert words in str(refusal)


FIELDS = [
    # default's keys, head's keys, what counts, what is told
    ("", "depends_on: [b]", {"depends_on": ("b",)}, None),
    ("depends_on: [b]", "", {"depends_on": ()}, None),
    ("", "order: 3", {"order": 3}, None),
    ("", "var_files: [x.tfvars]", {"var_files": ("x.tfvars",)}, None),
    ("version: '1.8'", "version: '1.9'", {"version": "1.9"}, None),
    ("", "tool: tofu", {"tool": "tofu"}, None),
    ("workflow: safe", "workflow: mine", {"workflow": "safe"}, "workflow"),
    ("workflow: safe", "", {"workflow": "safe"}, "workflow"),
    ("", "workflow: mine", {"workflow": None}, "workflow"),
    ("", "autoplan: false", {"autoplan": True}, "autoplan"),
    ("autoplan: false", "", {"autoplan": True}, None),
    ("when_modified: [a]", "when_modified: [a]", {"when_modified": ("a",)}, None),
    ("when_modified: [a]", "when_modified: [a, b]", {"when_modified": ("a", "b")}, None),
    ("when_modified: [a, '!b']", "when_modified: [c]", {"when_modified": ("a", "!b", "c")}, None),
    ("when_modified: [a]", "when_modified: [a, '!b']", {"when_modified": ("a",)}, "when_modified"),
    ("when_modified: [a]", "when_modified: []", {"when_modified": ("a",)}, None),
    ("", "when_modified: [a]", {"when_modified": None}, "when_modified"),
    ("when_modified: [a]", "", {"when_modified": ("a",)}, "when_modified"),
]


@pytest.mark.parametrize(("default", "head", "counts", "told"), FIELDS)
def test_fields(default: str, head: str, counts: dict[str, object], told: str | None) -> None:
    """It takes from the head what the plan shows, and never what would hide a change."""
    both = [
        rules(f"{{dir: a, {keys}}}" if keys else "{dir: a}").declared for keys in (default, head)
    ]
    merged = merged_rules(ProjectRules(both[0]), ProjectRules(both[1], source="prbot.yaml"))
    (entry,) = merged.rules.declared
    assert entry == replace(both[1][0], **counts)
    assert [told in str(refusal) for refusal in merged.refusals] == ([True] if told else [])


@pytest.mark.parametrize(
    ("default", "head", "told"),
    [
        ("discovery: {mode: auto}", "discovery: {mode: disabled}", ["discovery.mode"]),
        ("discovery: {mode: disabled}", "discovery: {mode: auto}", ["discovery.mode"]),
        ("", "discovery: {ignore: [prod]}", ["discovery.ignore"]),
        ("discovery: {ignore: [prod]}", "", ["discovery.ignore"]),
        ("", "discovery: {order_by_state: false}", ["discovery.order_by_state"]),
        ("discovery: {ignore: [prod]}", "discovery: {ignore: [prod]}", []),
    ],
)
def test_discovery(default: str, head: str, told: list[str]) -> None:
    """It finds projects by the default branch's rules until others are merged."""
    old, new = rules("", default), rules("", head)
    merged = merged_rules(old, new)
    found = merged.rules
    assert (found.mode, found.ignore, found.order_by_state) == (
        *(old.mode, old.ignore, old.order_by_state),
    )
    assert [key in str(refusal) for key, refusal in zip(told, merged.refusals, strict=True)] == [
        True for _ in told
    ]


def test_places() -> None:
    """It says in which file and line it stands, and when it will count."""
    old = rules("{dir: a, name: x}, {dir: b, name: y}")
    new = load_rules("version: 1\nprojects:\n  - {dir: c, name: x}\n")
    said = [f"{r} {r.next_step}" for r in merged_rules(old, new).refusals]
    assert said == [
        "prbot.yaml, line 3, column 1: the project `x` cannot be moved by a pull request: the"
        " default branch knows it. It stays what it is until this pull request is merged.",
        "prbot.yaml, line 1, column 1: the project `y` cannot be removed by a pull request: the"
        " default branch knows it. It stays what it is until this pull request is merged.",
    ]


def test_first_file() -> None:
    """It keeps finding projects where the head brings the first file of the repository."""
    new = rules("{dir: a, workspace: x}", "discovery: {mode: disabled}")
    merged = merged_rules(ProjectRules(), new)
    assert merged.rules.mode is DiscoveryMode.AUTO
    assert [short(entry) for entry in merged.rules.declared] == ["a:x +"]
    assert merged.rules.source == "prbot.yaml"


def test_very_many() -> None:
    """It compares thousands of projects with thousands of others before anybody gives up."""
    old = ProjectRules(tuple(DeclaredProject(f"live/a{n}", line=n) for n in range(1500)))
    new = ProjectRules(tuple(DeclaredProject(f"live/b{n}", line=n) for n in range(2000)))
    merged = merged_rules(old, new)
    assert len(merged.rules.declared) == 3500
    assert len(merged.refusals) == 1500
