"""Which projects a repository has, what they use, and which of them a change affects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from prbot.config.project_rules import DeclaredProject, DiscoveryMode, ProjectRules
from prbot.errors.configuration import BadConfiguration
from prbot.projects.affected import affected
from prbot.projects.discovery import Discovery, discover
from prbot.projects.facts import Backend, FileFacts, ModuleCall, StateRead
from prbot.projects.hcl import facts_of
from prbot.projects.listing import Listing, is_code
from prbot.projects.project import Project

NO_RULES = ProjectRules()
NOTHING = "locals { a = 1 }"
RESOURCE = 'resource "terraform_data" "a" {}\n'
PROVIDER = 'provider "aws" { region = "eu-west-1" }\n'


def backend(key: str) -> str:
    return f'terraform {{\n  backend "s3" {{\n    bucket = "b"\n    key = "{key}"\n  }}\n}}\n'


def call(*sources: str) -> str:
    return "".join(f'module "m{i}" {{\n  source = "{s}"\n}}\n' for i, s in enumerate(sources))


def reads_state(key: str, name: str = "other") -> str:
    return (
        f'data "terraform_remote_state" "{name}" {{\n  backend = "s3"\n'
        f'  config = {{ bucket = "b", key = "{key}" }}\n}}\n'
    )


@dataclass(frozen=True)
class Case:
    """`projects` are `dir` or `dir:workspace`; `affected` maps changed paths (blanks between
    them) to the projects they affect; `warnings` are `path:line: words in the message`."""

    files: Mapping[str, str]
    projects: str = ""
    modules: Mapping[str, str] | None = None
    affected: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    rules: ProjectRules = NO_RULES
    tool: str | None = None


def declared(*projects: DeclaredProject, mode: DiscoveryMode = DiscoveryMode.AUTO) -> ProjectRules:
    return ProjectRules(declared=projects, mode=mode, source="prbot.yaml")


ONE = {"a/main.tf": backend("a")}
TWO = {**ONE, "b/main.tf": backend("b")}
SHARED = {
    "live/a/main.tf": backend("a") + call("../../modules/net"),
    "live/b/main.tf": backend("b") + call("../../modules/app"),
    "modules/app/main.tf": call("../net") + RESOURCE,
    "modules/net/main.tf": RESOURCE,
}

CASES = {
    "a script of a project with a workflow": Case(
        {**ONE, "b/main.tf": backend("b"), "a/bin/plan.sh": "", "b/bin/plan.sh": "", "a/x.md": ""},
        "a b",
        affected={"a/bin/plan.sh": "a", "b/bin/plan.sh": "", "a/x.md": "", "c/plan.sh": ""},
        rules=declared(DeclaredProject("a", workflow="own", line=3)),
    ),
    "patterns of a project with a workflow": Case(
        {**ONE, "a/bin/plan.sh": "", "shared/x.sh": ""},
        "a",
        affected={"a/bin/plan.sh": "", "shared/x.sh": "a"},
        rules=declared(
            DeclaredProject("a", workflow="own", when_modified=("../shared/*.sh",), line=3)
        ),
    ),
    # --- what is a project
    "nothing": Case({"README.md": "hello"}),
    "a backend": Case(ONE, "a"),
    "at the root": Case({"main.tf": backend("x")}, "."),
    "root and nested": Case({"main.tf": backend("x"), "a/main.tf": backend("a")}, ". a"),
    "an empty backend": Case({"a/main.tf": 'terraform {\n  backend "s3" {}\n}'}, "a"),
    "a cloud block": Case(
        {
            "a/m.tf": 'terraform {\n  cloud {\n    organization = "o"\n    workspaces {\n'
            '      name = "prod"\n    }\n  }\n}'
        },
        "a:prod",
    ),
    "cloud workspaces by tags": Case(
        {"a/m.tf": 'terraform {\n  cloud {\n    workspaces { tags = ["x"] }\n  }\n}'},
        "a",
        warnings=("a/m.tf:2: tags",),
    ),
    "provider configuration": Case({"a/main.tf": PROVIDER}, "a"),
    "provider configuration, called": Case(
        {"a/main.tf": backend("a") + call("../m"), "m/main.tf": PROVIDER}, "a", {"m": "a"}
    ),
    "a backend, and called": Case(
        {"a/main.tf": backend("a") + call("../b"), "b/main.tf": backend("b")},
        "a b",
        {"b": "a"},
    ),
    "provider requirements are no configuration": Case(
        {
            "lib/main.tf": "terraform {\n  required_providers {\n    aws = {}\n  }\n}\n"
            'resource "aws_s3_bucket" "b" {}'
        },
        "",
        {"lib": ""},
    ),
    "built-in resources alone, as they stand": Case({"a/main.tf": RESOURCE}, "a"),
    "and through a module": Case(
        {"a/main.tf": call("../modules/m"), "modules/m/main.tf": RESOURCE}, "a", {"modules/m": "a"}
    ),
    "but not where a value is missing": Case(
        {"lib/main.tf": RESOURCE + 'variable "x" {}'}, "", {"lib": ""}
    ),
    "unless variables are given": Case(
        {"a/main.tf": RESOURCE + 'variable "x" {}', "a/terraform.tfvars": "x = 1"}, "a"
    ),
    "nor below modules": Case({"modules/m/main.tf": RESOURCE}, "", {"modules/m": ""}),
    "nor outputs alone": Case({"a/main.tf": 'output "x" { value = 1 }'}, "", {"a": ""}),
    "a backend below modules": Case({"modules/a/main.tf": backend("a")}, "modules/a"),
    "JSON": Case(
        {"a/main.tf.json": '{"terraform": {"backend": {"s3": {"bucket": "b", "key": "a"}}}}'}, "a"
    ),
    "JSON calls modules": Case(
        {
            "a/main.tf.json": '{"provider": {"aws": {}}, "module": {"m": {"source": "../m"}}}',
            "m/main.tf.json": '{"resource": {"terraform_data": {"x": {}}}}',
        },
        "a",
        {"m": "a"},
        {"m/main.tf.json": "a"},
    ),
    "OpenTofu": Case({"a/main.tofu": backend("a")}, "a", {}, {"a/main.tofu": "a"}),
    "OpenTofu's file wins": Case(
        {
            "a/main.tf": backend("a") + call("../m"),
            "a/main.tofu": backend("a") + call("../n"),
            "m/x.tf": NOTHING,
            "n/x.tf": NOTHING,
        },
        "a",
        {"m": "", "n": "a"},
        {"n/x.tf": "a", "m/x.tf": "", "a/main.tf": ""},
    ),
    "unless the tool is Terraform": Case(
        {
            "a/main.tf": backend("a") + call("../m"),
            "a/main.tofu": backend("a") + call("../n"),
            "m/x.tf": NOTHING,
            "n/x.tf": NOTHING,
        },
        "a",
        {"m": "a", "n": ""},
        {"m/x.tf": "a", "n/x.tf": "", "a/main.tofu": ""},
        tool="terraform",
    ),
    "downloaded modules are none": Case(
        {**ONE, "a/.terraform/modules/x/main.tf": backend("z")}, "a", {}
    ),
    "hidden and backup files": Case(
        {"a/.main.tf": backend("a"), "b/main.tf~": backend("b"), "c/#main.tf#": backend("c")}, ""
    ),
    "tests are no code": Case({"a/x.tftest.hcl": 'run "x" {}'}, ""),
    "the backend in a second file": Case({"a/a.tf": RESOURCE, "a/b.tf": backend("a")}, "a"),
    "unicode and glob characters": Case({"größe/env[1]*/main.tf": backend("a")}, "größe/env[1]*"),
    # --- own files
    "own code": Case(TWO, "a b", {}, {"a/main.tf": "a", "a/new.tf": "a", "b/gone.tf.json": "b"}),
    "other files": Case(ONE, "a", {}, {"a/README.md": "", "README.md": "", "a/x/y.txt": ""}),
    "the lock file": Case(TWO, "a b", {}, {"a/.terraform.lock.hcl": "a"}),
    "version files": Case(
        TWO, "a b", {}, {"a/.terraform-version": "a", "b/.opentofu-version": "b"}
    ),
    "tfvars": Case(TWO, "a b", {}, {"a/x.tfvars": "a", "b/y.auto.tfvars.json": "b"}),
    "tfvars below": Case(TWO, "a b", {}, {"a/vars/prod.tfvars": "a"}),
    "tfvars of the nested project": Case(
        {"main.tf": backend("x"), "a/main.tf": backend("a")},
        ". a",
        {},
        {"a/x.tfvars": "a", "x.tfvars": ".", "vars/x.tfvars": "."},
    ),
    "several changes, each project once": Case(
        TWO, "a b", {}, {"a/main.tf a/x.tfvars": "a", "b/main.tf a/main.tf": "a b"}
    ),
    # --- modules
    "through modules": Case(
        SHARED,
        "live/a live/b",
        {"modules/net": "live/a live/b", "modules/app": "live/b"},
        {
            "modules/net/main.tf": "live/a live/b",
            "modules/app/main.tf": "live/b",
            "modules/app/new.tf": "live/b",
            "modules/app/README.md": "",
            "live/a/main.tf": "live/a",
        },
    ),
    "tfvars of a module are not read": Case(
        SHARED, "live/a live/b", None, {"modules/net/terraform.tfvars": ""}
    ),
    "the lock file of a module is not read": Case(
        SHARED, "live/a live/b", None, {"modules/net/.terraform.lock.hcl": ""}
    ),
    "a module outside `modules`": Case(
        {"a/main.tf": backend("a") + call("./sub"), "a/sub/x.tf": RESOURCE},
        "a",
        {"a/sub": "a"},
        {"a/sub/x.tf": "a"},
    ),
    "a module above": Case(
        {"main.tf": PROVIDER, "examples/one/main.tf": PROVIDER + call("../..")},
        "examples/one",
        {".": "examples/one"},
        {"main.tf": "examples/one"},
    ),
    "registry, git and absolute sources": Case(
        {
            "a/main.tf": backend("a")
            + call("hashicorp/consul/aws", "git::https://x/y.git//m", "/m"),
            "m/main.tf": RESOURCE + 'variable "x" {}',
        },
        "a",
        {"m": ""},
    ),
    "a source with a detour": Case(
        {"a/main.tf": backend("a") + call("../x/../m//"), "m/main.tf": NOTHING}, "a", {"m": "a"}
    ),
    "modules in a circle": Case(
        {"a/main.tf": backend("a") + call("../m"), "m/x.tf": call("../n"), "n/x.tf": call("../m")},
        "a",
        {"m": "a", "n": "a"},
        {"n/x.tf": "a"},
    ),
    "a module that calls itself": Case(
        {
            "a/main.tf": backend("a") + call("./"),
        },
        "a",
        {"a": "a"},
        {"a/main.tf": "a"},
    ),
    "a module that is missing": Case(
        {"a/main.tf": backend("a") + call("../gone")},
        "a",
        {},
        {"gone/main.tf": "a"},
        ("a/main.tf:7: ../gone",),
    ),
    "a source that leads out": Case(
        {"a/main.tf": backend("a") + call("../../out")}, "a", {}, {}, ("a/main.tf:7: ../../out",)
    ),
    "a source that must be evaluated": Case(
        {"a/main.tf": backend("a") + 'module "m" {\n  source = "../${var.m}"\n}'},
        "a",
        {},
        {},
        ("a/main.tf:7: source",),
    ),
    "a called directory of another project": Case(
        {"a/main.tf": backend("a"), "b/main.tf": backend("b") + call("../a")},
        "a b",
        {"a": "b"},
        {"a/main.tf": "a b", "b/main.tf": "b"},
    ),
    # --- symbolic links
    "a linked file": Case(
        {**TWO, "shared/providers.tf": PROVIDER},
        "a b shared",
        {},
        {"shared/providers.tf": "a b shared", "a/providers.tf": "a"},
        links={"a/providers.tf": "../shared/providers.tf", "b/p.tf": "../shared/providers.tf"},
    ),
    "a link that makes the project": Case(
        {"shared/backend.tf": backend("x"), "a/main.tf": NOTHING},
        "a shared",
        None,
        {"shared/backend.tf": "a shared"},
        links={"a/backend.tf": "../shared/backend.tf"},
    ),
    "a module through a linked directory": Case(
        {"a/main.tf": backend("a") + call("./modules/m"), "modules/m/x.tf": NOTHING},
        "a",
        {"modules/m": "a"},
        {"modules/m/x.tf": "a", "a/modules": "a"},
        links={"a/modules": "../modules"},
    ),
    "a linked directory is no project of its own": Case(
        {"base/main.tf": backend("a")}, "base", {}, links={"prod": "base"}
    ),
    "links in a circle": Case(
        {**ONE}, "a", {}, {"a/main.tf": "a"}, links={"a/x.tf": "y.tf", "a/y.tf": "x.tf"}
    ),
    "a linked directory in a circle": Case(
        {"a/main.tf": backend("a") + call("./loop/m")},
        "a",
        {},
        {},
        ("a/main.tf:7: ./loop/m",),
        links={"a/loop": "loop"},
    ),
    "a link that leads out": Case(
        {**ONE}, "a", {}, links={"a/x.tf": "../../../etc/passwd", "a/y.tf": "/etc/passwd"}
    ),
    "linked tfvars": Case(
        {**TWO, "shared/x.tfvars": "x = 1"},
        "a b",
        {},
        {"shared/x.tfvars": "a"},
        links={"a/x.auto.tfvars": "../shared/x.tfvars"},
    ),
    "a link to a link": Case(
        {**ONE, "x/real.tf": RESOURCE + 'variable "v" {}'},
        "a",
        None,
        {"x/real.tf": "a"},
        links={"a/l.tf": "../y/l.tf", "y/l.tf": "../x/real.tf"},
    ),
    # --- files that are read
    "file and templatefile": Case(
        {
            "a/main.tf": backend("a") + 'locals {\n  x = file("${path.module}/p.json")\n'
            '  y = templatefile("t/u.tpl", { a = filebase64("${path.root}/v.bin") })\n}'
        },
        "a",
        {},
        {"a/p.json": "a", "a/t/u.tpl": "a", "a/v.bin": "a", "a/q.json": ""},
    ),
    "read by a module": Case(
        {
            "a/main.tf": backend("a") + call("../m"),
            "m/x.tf": 'locals {\n  x = file("${path.module}/p.json")\n  y = file("r.json")\n}',
        },
        "a",
        {"m": "a"},
        {"m/p.json": "a", "a/r.json": "a", "m/r.json": "", "a/p.json": ""},
    ),
    "read from elsewhere": Case(
        {"a/main.tf": backend("a") + 'locals { x = file("${path.module}/../common/p.json") }'},
        "a",
        {},
        {"common/p.json": "a"},
    ),
    "read in a heredoc and in a resource": Case(
        {
            "a/main.tf": backend("a")
            + 'resource "x" "y" {\n  z {\n    a = <<-E\n      ${file("p")}\n'
            '      E\n    b = "${file("q")}"\n  }\n}'
        },
        "a",
        {},
        {"a/p": "a", "a/q": "a"},
    ),
    "a set of files": Case(
        {
            "a/main.tf": backend("a")
            + 'locals {\n  x = { for f in fileset(path.module, "d/*.yaml") : '
            'f => file("${path.module}/${f}") }\n}'
        },
        "a",
        {},
        {"a/d/x.yaml": "a", "a/d/e/x.yaml": "", "a/x.yaml": ""},
    ),
    "a path that is partly known": Case(
        {"a/main.tf": backend("a") + 'locals { x = file("${path.module}/d/${var.x}.json") }'},
        "a",
        {},
        {"a/d/x.json": "a", "a/d/e/y": "a", "a/x.json": ""},
    ),
    "a path that is not known": Case(
        {"a/main.tf": backend("a") + "locals { x = file(var.x) }", "a/b/main.tf": backend("b")},
        "a a/b",
        {},
        {"a/x.json": "a", "a/README.md": "", "a/b/x.json": "", "c.json": ""},
    ),
    "a read file behind a link": Case(
        {"a/main.tf": backend("a") + 'locals { x = file("p.json") }', "s/p.json": "{}"},
        "a",
        {},
        {"s/p.json": "a"},
        links={"a/p.json": "../s/p.json"},
    ),
    "what only looks like a call": Case(
        {
            "a/main.tf": backend("a")
            + '# file("x")\nlocals {\n  y = "file(\\"x\\")"\n  file = "x"\n}'
        },
        "a",
        {},
        {"a/x": ""},
    ),
    # --- layouts
    "an environment per directory": Case(
        {f"env/{e}/main.tf": backend(e) + call("../../modules/m") for e in ("dev", "prod")}
        | {"modules/m/x.tf": NOTHING},
        "env/dev env/prod",
        {"modules/m": "env/dev env/prod"},
    ),
    "a workspace per environment": Case(
        {"main.tf": backend("x"), "env/dev.tfvars": "", "env/prod.tfvars": ""},
        ".:dev .:prod",
        {},
        {
            "env/dev.tfvars": ".:dev",
            "main.tf": ".:dev .:prod",
            "x.tfvars": ".:dev .:prod",
            "env/new.tfvars": "",
        },
    ),
    "in a directory": Case(
        {"app/main.tf": backend("x"), "app/env/default.tfvars": "", "app/env/prod.tfvars.json": ""},
        "app app:prod",
        {},
        {"app/env/prod.tfvars.json": "app:prod", "app/env/default.tfvars": "app"},
    ),
    # --- broken files
    "a broken file beside others": Case(
        {
            "a/main.tf": backend("a"),
            "a/bad.tf": 'resource "x" "y" {\n  a = \n',
            "b/main.tf": backend("b"),
        },
        "a b",
        {},
        {"a/bad.tf": "a"},
        ("a/bad.tf:2: syntax",),
    ),
    "Terraform 0.11": Case(
        {"a/main.tf": backend("a"), "a/old.tf": 'variable "x" {\n  "type" = "string"\n}\n'},
        "a",
        {},
        {},
        ("a/old.tf:2: syntax",),
    ),
    "the project's own file is broken": Case(
        {
            "a/main.tf": backend("a") + call("../m") + 'resource "x" {\n  y = [\n}\n',
            "m/x.tf": NOTHING,
        },
        "a",
        {"m": "a"},
        {"m/x.tf": "a"},
        ("a/main.tf:12: syntax",),
    ),
    "broken JSON": Case(
        {**ONE, "a/x.tf.json": '{\n"a": \n'}, "a", {}, {}, ("a/x.tf.json:3: syntax",)
    ),
    "no text": Case({**ONE, "a/x.tf": "\ud800"}, "a", {}, {}, ("a/x.tf:1: UTF-8",)),
    "nested without end": Case(
        {**ONE, "a/x.tf": "locals {\n  a = " + "[" * 5000}, "a", {}, {}, ("a/x.tf:2: syntax",)
    ),
    "an empty file": Case({**ONE, "a/x.tf": "", "b/x.tf": "\n# nothing\n"}, "a", {"b": ""}),
    # --- ignored and declared
    "ignored": Case(
        {**TWO, "examples/x/main.tf": backend("x")},
        "b",
        {"a": "", "examples/x": ""},
        {"examples/x/main.tf": "", "b/main.tf": "b"},
        rules=ProjectRules(ignore=("examples/**", "a"), source="prbot.yaml"),
    ),
    "declared, where nothing is found": Case(
        {"lib/main.tf": 'variable "x" {}', **ONE},
        "a lib",
        {},
        {"lib/main.tf": "lib"},
        rules=declared(DeclaredProject("lib")),
    ),
    "declared workspaces replace the found project": Case(
        {**TWO},
        "a:dev a:prod b",
        {},
        {"a/main.tf": "a:dev a:prod"},
        rules=declared(DeclaredProject("a", "dev"), DeclaredProject("a", "prod")),
    ),
    "beside it, when discovery is enabled": Case(
        {**TWO},
        "a a:dev b",
        {},
        rules=declared(DeclaredProject("a", "dev"), mode=DiscoveryMode.ENABLED),
    ),
    "alone, when discovery is disabled": Case(
        {**TWO}, "a", {"b": ""}, rules=declared(DeclaredProject("a"), mode=DiscoveryMode.DISABLED)
    ),
    "a glob of directories": Case(
        {"env/a/x.tf": NOTHING, "env/b/x.tf": NOTHING, "c/x.tf": NOTHING},
        "env/a env/b",
        {"c": ""},
        rules=declared(DeclaredProject("env/*")),
    ),
    "an exact directory beats a glob": Case(
        {"env/a/x.tf": NOTHING, "env/b/x.tf": NOTHING},
        "env/a:w env/b",
        {},
        rules=declared(DeclaredProject("env/*"), DeclaredProject("env/a", "w")),
    ),
    "a directory that is gone": Case(
        {**ONE},
        "a",
        {},
        {},
        ("prbot.yaml:4: gone",),
        rules=declared(DeclaredProject("gone", line=4)),
    ),
    "a glob that matches nothing": Case(
        {**ONE},
        "a",
        {},
        {},
        ("prbot.yaml:4: none/*",),
        rules=declared(DeclaredProject("none/*", line=4)),
    ),
    "when_modified": Case(
        {**TWO, "m/x.tf": NOTHING, "a/sub/x.tf": NOTHING},
        "a b",
        {"m": "", "a/sub": ""},
        {"a/main.tf": "", "a/x.json": "a", "m/x.tf": "a", "a/sub/x.json": "", "b/main.tf": "b"},
        rules=declared(DeclaredProject("a", when_modified=("*.json", "../m/**"))),
    ),
    "when_modified, excluded again": Case(
        {**ONE},
        "a",
        {},
        {"a/d/x.tf": "a", "a/d/skip/x.tf": "", "a/d/skip/keep.tf": "a"},
        rules=declared(
            DeclaredProject("a", when_modified=("**/*.tf", "!d/skip", "d/skip/keep.tf"))
        ),
    ),
    "not planned by itself": Case(
        {**TWO},
        "a b",
        {},
        {"a/main.tf b/main.tf": "b"},
        rules=declared(DeclaredProject("a", autoplan=False)),
    ),
    "variable files": Case(
        {**TWO, "vars/common.tfvars": ""},
        "a b",
        {},
        {"vars/common.tfvars": "a"},
        rules=declared(DeclaredProject("a", var_files=("../vars/common.tfvars",))),
    ),
}


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def found(case: Case) -> Discovery:
    files = {path: f"id-{path}" for path in case.files}
    facts = {
        path: facts_of(path, encoded(text)) for path, text in case.files.items() if is_code(path)
    }
    return discover(Listing(files, case.links), facts, case.rules, tool=case.tool)


def named(projects: tuple[Project, ...]) -> str:
    keys = sorted(project.key for project in projects)
    return " ".join(k.dir if k.workspace == "default" else f"{k.dir}:{k.workspace}" for k in keys)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_projects(case: Case) -> None:
    """It finds the projects, the modules with who uses them, and says what it could not read."""
    discovery = found(case)
    assert named(discovery.projects) == case.projects
    if case.modules is not None:
        used = {path: " ".join(users) for path, users in discovery.modules.items()}
        assert used == dict(case.modules)
    told = [f"{w.path}:{w.line}: {w.message}" for w in discovery.warnings]
    assert len(told) == len(case.warnings), told
    for said, wanted in zip(told, case.warnings, strict=True):
        place, _, words = wanted.partition(": ")
        assert said.startswith(f"{place}: ")
        assert words in said
    assert all(project.because for project in discovery.projects)


AFFECTED = [
    pytest.param(case, changed, wanted, id=f"{name}: {changed}")
    for name, case in CASES.items()
    for changed, wanted in case.affected.items()
]


@pytest.mark.parametrize(("case", "changed", "wanted"), AFFECTED)
def test_affected(case: Case, changed: str, wanted: str) -> None:
    """It names exactly the projects a change affects, each with a reason."""
    hit = affected(found(case), changed.split(" "))
    assert named(hit) == wanted
    assert all(any("`" in reason for reason in project.because) for project in hit)


def test_many_reasons() -> None:
    """It tells a few reasons of a large change, and how many more there are."""
    (project,) = affected(found(Case(ONE)), [f"a/x{n}.tf" for n in range(8)])
    assert len(project.because) == 6
    assert project.because[0] == "`a/x0.tf` changed"
    assert project.because[-1] == "and 3 more changes"


# --- order -----------------------------------------------------------------------------------

ABC = {f"{name}/main.tf": backend(name) for name in "abc"}
READING = {**ABC, "b/state.tf": reads_state("a"), "c/state.tf": reads_state("b")}


def depending(files: Mapping[str, str], rules: ProjectRules) -> dict[str, str]:
    projects = found(Case(files, rules=rules)).projects
    return {named((p,)): " ".join(map(str, p.depends_on)) for p in projects}


ORDERS = {
    "none": (ABC, ProjectRules(), {"a": "", "b": "", "c": ""}),
    "by state": (READING, ProjectRules(), {"a": "", "b": "a", "c": "b"}),
    "by state, turned off": (
        READING,
        ProjectRules(order_by_state=False),
        {"a": "", "b": "", "c": ""},
    ),
    "by state of a local file": (
        {
            "a/main.tf": RESOURCE + 'terraform {\n  backend "local" {}\n}',
            "b/main.tf": backend("b") + 'data "terraform_remote_state" "a" {\n  backend = "local"\n'
            '  config = { path = "${path.module}/../a/terraform.tfstate" }\n}',
        },
        ProjectRules(),
        {"a": "", "b": "a"},
    ),
    "by state that a module reads": (
        {**ABC, "b/main.tf": backend("b") + call("../m"), "m/x.tf": reads_state("a")},
        ProjectRules(),
        {"a": "", "b": "a", "c": ""},
    ),
    "by state of the same workspace": (
        {
            "a/main.tf": backend("a"),
            "b/main.tf": backend("b")
            + reads_state("a").replace(
                "{\n  backend", "{\n  workspace = terraform.workspace\n  backend"
            ),
        }
        | {f"{d}/env/{e}.tfvars": "" for d in "ab" for e in ("dev", "prod")},
        ProjectRules(),
        {"a:dev": "", "a:prod": "", "b:dev": "a (dev)", "b:prod": "a (prod)"},
    ),
    "by name": (
        ABC,
        declared(DeclaredProject("a", name="first"), DeclaredProject("b", depends_on=("first",))),
        {"a": "", "b": "a", "c": ""},
    ),
    "by directory": (
        ABC,
        declared(DeclaredProject("b", depends_on=("c",))),
        {"a": "", "b": "c", "c": ""},
    ),
    "on every workspace of a directory, or on the same": (
        ABC,
        declared(
            DeclaredProject("a", "x"),
            DeclaredProject("a", "y"),
            DeclaredProject("b", "x", depends_on=("a",)),
            DeclaredProject("c", depends_on=("a",)),
        ),
        {"a:x": "", "a:y": "", "b:x": "a (x)", "c": "a (x) a (y)"},
    ),
    "declared and by state": (
        READING,
        declared(DeclaredProject("c", depends_on=("a",))),
        {"a": "", "b": "a", "c": "a b"},
    ),
}


@pytest.mark.parametrize(("files", "rules", "wanted"), ORDERS.values(), ids=ORDERS.keys())
def test_order(files: Mapping[str, str], rules: ProjectRules, wanted: dict[str, str]) -> None:
    """It knows what waits for what, and numbers projects so that order respects it."""
    assert depending(files, rules) == wanted
    projects = {project.key: project for project in found(Case(files, rules=rules)).projects}
    for project in projects.values():
        assert all(projects[key].order < project.order for key in project.depends_on)


def test_order_groups() -> None:
    """It keeps the groups that were declared, and lifts what depends on a higher one."""
    rules = declared(
        DeclaredProject("a", order=5),
        DeclaredProject("b", order=2),
        DeclaredProject("c", order=1, depends_on=("a",)),
    )
    discovery = found(Case(ABC, rules=rules))
    assert [(named((p,)), p.order) for p in discovery.projects] == [("b", 2), ("a", 5), ("c", 6)]


def test_state_edges_are_told() -> None:
    """It says which data source made one project wait for another."""
    project = next(p for p in found(Case(READING)).projects if p.key.dir == "b")
    assert any("data.terraform_remote_state.other" in reason for reason in project.because)


def test_states_that_read_one_another() -> None:
    """It orders neither of two projects that read each other's state, and says so."""
    files = {**ABC, "b/state.tf": reads_state("a"), "a/state.tf": reads_state("b")}
    discovery = found(Case(files))
    assert all(project.depends_on == () for project in discovery.projects)
    assert [w.path for w in discovery.warnings] == ["a/state.tf", "b/state.tf"]


def many_readers(projects: int, reads: int) -> Discovery:
    """Projects that all use one module, which reads the states of the first ones."""
    states = tuple(
        StateRead(f"s{n}", "s3", (("bucket", "b"), ("key", f"{n}"))) for n in range(reads)
    )
    facts = {"m/main.tf": FileFacts(states=states)}
    for number in range(projects):
        backend = Backend("s3", (("bucket", "b"), ("key", f"{number}")))
        calls = (ModuleCall("m", "../../m"),) if number >= reads else ()
        facts[f"p/{number}/main.tf"] = FileFacts(backend=backend, modules=calls)
    return discover(Listing(dict.fromkeys(facts, "id")), facts)


def test_very_many_readers() -> None:
    """It orders hundreds of projects that read a hundred states each."""
    discovery = many_readers(300, 100)
    assert {len(p.depends_on) for p in discovery.projects} == {0, 100}
    assert discovery.warnings == ()


def test_too_many_readers() -> None:
    """It orders none by their states rather than to go on for ever, and says so."""
    discovery = many_readers(901, 450)
    assert {p.depends_on for p in discovery.projects} == {()}
    (warning,) = discovery.warnings
    assert "more than 200000 times" in warning.message


REFUSED = {
    "an unknown name": (
        declared(DeclaredProject("a", name="alpha"),
                 DeclaredProject("b", depends_on=("alhpa",), line=7)),
        7, "alhpa", "alpha",
    ),
    "an unknown directory": (
        declared(DeclaredProject("b", depends_on=("nowhere/at/all",), line=7)), 7, "nowhere", "",
    ),
    "itself": (declared(DeclaredProject("a", depends_on=("a",), line=3)), 3, "a", ""),
    "a circle": (
        declared(DeclaredProject("a", depends_on=("b",), line=3),
                 DeclaredProject("b", depends_on=("c",), line=4),
                 DeclaredProject("c", depends_on=("a",), line=5)),
        3, "a → b → c → a", "",
    ),
    "a name given twice": (
        declared(DeclaredProject("a", name="x", line=3), DeclaredProject("b", name="x", line=9)),
        9, "`x`", "line 3",
    ),
    "a directory and workspace given twice": (
        declared(DeclaredProject("a", line=3), DeclaredProject("a", line=9)), 9, "`a`", "line 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "line", "words", "hint"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(rules: ProjectRules, line: int, words: str, hint: str) -> None:
    """It refuses what cannot be ordered, with file, line and the name probably meant."""
    with pytest.raises(BadConfiguration) as refused:
        found(Case(ABC, rules=rules))
    assert (refused.value.path, refused.value.line) == ("prbot.yaml", line)
    assert words in refused.value.problem
    assert hint in f"{refused.value.problem} {refused.value.next_step}"


def azure(key: str) -> str:
    body = f'storage_account_name = "s"\n container_name = "c"\n key = "{key}"'
    return f'terraform {{\n backend "azurerm" {{\n {body}\n }}\n}}'


SAME_STATE = {
    "s3": (backend("x"), backend("x"), True),
    "s3 in another region": (
        backend("x"),
        backend("x").replace("key", 'region = "r"\n    key'),
        True,
    ),
    "another key": (backend("x"), backend("y"), False),
    "another bucket": (backend("x"), backend("x").replace('"b"', '"c"'), False),
    "a key that is not literal": (backend("${var.x}"), backend("${var.x}"), False),
    "a bucket that comes later": (backend("x").replace('bucket = "b"', ""),) * 2 + (False,),
    "azurerm": (azure("x"), azure("x"), True),
    "azurerm, another key": (azure("x"), azure("y"), False),
    "local files of their own": ('terraform {\n  backend "local" {}\n}',) * 2 + (False,),
    "one local file": ('terraform {\n  backend "local" { path = "../x.tfstate" }\n}',) * 2
    + (True,),
    "one HTTP address": ('terraform {\n  backend "http" { address = "http://s/x" }\n}',) * 2
    + (True,),
}


@pytest.mark.parametrize(("a", "b", "same"), SAME_STATE.values(), ids=SAME_STATE.keys())
def test_same_state(a: str, b: str, same: bool) -> None:
    """It finds two projects that would write one state, and names both."""
    discovery = found(Case({"a/main.tf": a, "b/main.tf": b}))
    assert len(discovery.shared) == same
    for error in (each.error for each in discovery.shared):
        assert "`a`" in str(error)
        assert "`b`" in str(error)


def test_workspaces_are_states_of_their_own() -> None:
    """It does not take two workspaces of one directory for one state."""
    files = {"a/main.tf": backend("a"), "a/env/x.tfvars": "", "a/env/y.tfvars": ""}
    assert found(Case(files)).shared == ()
