"""What a project reads: a change of which files makes its plan another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import pytest

from prbot.projects.climbing import climbs
from prbot.projects.facts import Origin
from prbot.projects.graph import Graph
from prbot.projects.hcl import facts_of
from prbot.projects.listing import Listing, is_code
from prbot.projects.reads import Reads, reads

RESOURCE = 'resource "terraform_data" "a" {}\n'
SCRIPT = 'command = "${path.module}/../../scripts/deploy.sh --now"'


def provisioner(body: str, kind: str = "local-exec") -> str:
    return f'resource "terraform_data" "p" {{\n  provisioner "{kind}" {{\n    {body}\n  }}\n}}\n'


def uses(expression: str) -> str:
    return f'resource "terraform_data" "u" {{\n  input = {expression}\n}}\n'


@dataclass(frozen=True)
class Case:
    """`files` beside the others of the repository. `read` and `unread` are paths (blanks
    between them): which changes count, and which do not."""

    files: Mapping[str, str]
    read: str
    unread: str
    modules: str = ""
    var_files: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    runs: bool = False
    project: str = "live/app"


REPOSITORY = {
    "live/app/main.tf": RESOURCE,
    "live/app/notes.txt": "",
    "live/app/README.md": "",
    "live/app/terraform.tfvars": "",
    "live/app/.terraform.lock.hcl": "",
    "live/app/nested/main.tf": RESOURCE,
    "live/app/nested/x.sh": "",
    "live/app/bin/x.sh": "",
    "live/other/main.tf": RESOURCE,
    "modules/net/main.tf": RESOURCE,
    "modules/net/x.tpl": "",
    "modules/far/main.tf": RESOURCE,
    "scripts/deploy.sh": "",
    "scripts/lib.sh": "",
    "shared/x.json": "",
    "shared/deep/y.json": "",
    "README.md": "",
}

CASES = {
    "its own directory, down to the next code": Case(
        {},
        "live/app/main.tf live/app/notes.txt live/app/terraform.tfvars live/app/bin/x.sh",
        "live/app/README.md live/app/nested/main.tf live/app/nested/x.sh live/other/main.tf"
        " modules/net/main.tf scripts/deploy.sh live/app/.terraform.lock.hcl",
    ),
    "a module": Case(
        {}, "modules/net/main.tf modules/net/x.tpl", "modules/far/main.tf", "modules/net"
    ),
    "a file by a literal path": Case(
        {"live/app/u.tf": uses('file("${path.module}/../../shared/x.json")')},
        "shared/x.json",
        "shared/deep/y.json",
    ),
    "prose by a literal path": Case(
        {"live/app/u.tf": uses('file("README.md")')}, "live/app/README.md", "README.md"
    ),
    "everything below what is literal": Case(
        {"live/app/u.tf": uses('file("${path.module}/../../shared/${var.x}.json")')},
        "shared/x.json shared/deep/y.json",
        "scripts/lib.sh",
    ),
    "a path that is not known": Case(
        {"live/app/u.tf": uses("file(var.x)")},
        "live/app/README.md live/app/nested/x.sh",
        "shared/x.json",
    ),
    "what fileset lists": Case(
        {"live/app/u.tf": uses('fileset("${path.module}/../../shared", "*.json")')},
        "shared/x.json",
        "live/other/main.tf",
    ),
    "a path that only a provider reads": Case(
        {"live/app/u.tf": 'resource "aws_s3_object" "o" {\n  source = "../../shared/x.json"\n}\n'},
        "shared/x.json",
        "shared/deep/y.json",
    ),
    "a variable file elsewhere": Case(
        {}, "shared/x.json", "shared/deep/y.json", var_files=("../../shared/x.json",)
    ),
    "a provisioner may call anything here": Case(
        {"live/app/p.tf": provisioner('command = "bin/x.sh"')},
        "live/app/bin/x.sh live/app/README.md live/app/nested/x.sh",
        "scripts/deploy.sh shared/x.json",
    ),
    "a script outside of the root, and its neighbours": Case(
        {"live/app/p.tf": provisioner(SCRIPT)},
        "scripts/deploy.sh scripts/lib.sh live/app/nested/x.sh",
        "shared/x.json live/other/main.tf",
    ),
    "a script whose name is put together": Case(
        {"live/app/p.tf": provisioner('command = "../../scripts/${var.x}.sh"')},
        "scripts/deploy.sh scripts/lib.sh",
        "shared/x.json",
    ),
    "a script by way of a working directory": Case(
        {"live/app/p.tf": provisioner('command = "./x"\n    working_dir = "../../scripts"')},
        "scripts/deploy.sh scripts/lib.sh",
        "shared/x.json",
    ),
    "a script in a heredoc": Case(
        {"live/app/p.tf": provisioner("command = <<-EOT\n      cd ../../scripts\n      EOT")},
        "scripts/lib.sh",
        "shared/x.json",
    ),
    "a provisioner in a module": Case(
        {"modules/net/p.tf": provisioner('command = "${path.module}/../../scripts/deploy.sh"')},
        "scripts/lib.sh modules/net/x.tpl live/app/README.md",
        "modules/far/main.tf shared/x.json",
        "modules/net",
    ),
    "a provisioner in a module that is not used": Case(
        {"modules/far/p.tf": provisioner('command = "${path.module}/../../scripts/deploy.sh"')},
        "live/app/main.tf",
        "modules/far/main.tf scripts/deploy.sh live/app/README.md",
    ),
    "a provisioner in JSON": Case(
        {
            "live/app/p.tf.json": '{"resource": {"terraform_data": {"p": {"provisioner":'
            ' [{"local-exec": {"command": "../../scripts/deploy.sh"}}]}}}}'
        },
        "scripts/lib.sh live/app/README.md",
        "shared/x.json",
    ),
    "an external data source": Case(
        {"live/app/e.tf": 'data "external" "e" {\n  program = ["../../scripts/deploy.sh"]\n}\n'},
        "scripts/lib.sh live/app/README.md",
        "shared/x.json",
    ),
    "a workflow with commands": Case(
        {}, "live/app/README.md live/app/nested/x.sh", "scripts/deploy.sh", runs=True
    ),
    "a script at the root of the repository": Case(
        {"live/app/p.tf": provisioner('command = "../../deploy.sh"'), "deploy.sh": ""},
        "deploy.sh shared/x.json live/other/main.tf",
        "",
    ),
    "a link to a file elsewhere": Case(
        {}, "shared/x.json", "shared/deep/y.json", links={"live/app/l.json": "../../shared/x.json"}
    ),
    "a link to a directory elsewhere": Case(
        {}, "shared/x.json shared/deep/y.json", "", links={"live/app/l": "../../shared"}
    ),
    "a project at the root": Case(
        {"main.tf": RESOURCE},
        "main.tf scripts/deploy.sh shared/x.json",
        "README.md live/app/main.tf modules/net/x.tpl",
        project=".",
    ),
    "a path out of the repository": Case(
        {"live/app/u.tf": uses('file("../../../../etc/passwd")')}, "live/app/main.tf", "README.md"
    ),
}


def read_of(case: Case, files: Mapping[str, str]) -> Reads:
    ids = {path: sha256(f"{path} {text}".encode()).hexdigest() for path, text in files.items()}
    listing = Listing(ids, case.links)
    dirs = (case.project, *case.modules.split())
    own = listing.only(dirs).files
    facts = {path: facts_of(path, files[path].encode()) for path in own if is_code(path)}
    return reads(Graph(listing, facts, "terraform"), case.project, dirs, case.var_files, case.runs)


def seen(case: Case, path: str) -> bool:
    """Whether a change of the file is seen: by its id, or by that of a directory around it."""
    found = read_of(case, {**REPOSITORY, **case.files})
    below = any(tree == "." or path.startswith(f"{tree}/") for tree in found.trees)
    return below or any(path in group for group in found.groups.values())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_reads(case: Case) -> None:
    """It sees a change of what may be read, and none of anything else."""
    assert {path: seen(case, path) for path in case.read.split()} == dict.fromkeys(
        case.read.split(), True
    )
    assert {path: seen(case, path) for path in case.unread.split()} == dict.fromkeys(
        case.unread.split(), False
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"../../x.sh"', "../../x.sh root,../../x.sh module"),
        ('"${path.module}/../x.sh --y"', "../x.sh module"),
        ('"${path.root}/../x"', "../x root"),
        ('"../x/${var.y}.sh"', "../x root,../x module"),
        ('"./../x"', "../x root,../x module"),
        ('"cd .. && ./x"', ".. root,.. module"),
        ("f(list...)", ""),
        ("version = 1..2", ""),
        ('"a/b.sh"', ""),
        ('"..."', ""),
    ],
)
def test_it_finds_paths_that_lead_upwards(text: str, found: str) -> None:
    """It finds them wherever they stand, relative to whatever they may be."""
    told = [f"{read.path} {read.origin}" for read in climbs(text)]
    assert sorted(told) == sorted(found.split(",") if found else [])


def test_it_bounds_what_it_finds() -> None:
    """It keeps some hundred paths of a file, and takes no time for a hostile one."""
    assert len(climbs(" ".join(f"../{n}" for n in range(10_000)))) <= 501
    assert climbs("./" * 200_000 + " ..")[0].origin in (Origin.ROOT, Origin.MODULE)
