"""Our scanner beside python-hcl2: where both read a file, they read the same."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prbot.projects import hcl, reference
from prbot.projects.facts import FileFacts
from prbot.projects.hcl import facts_of
from prbot.projects.scan import salvage, scan
from prbot.projects.syntax import Doubt, Parsed


def facts(parsed: Parsed) -> FileFacts:
    return hcl._facts(parsed, None)


CORPUS = {
    "empty": "",
    "comments": "# a\n// b\n/* c\n d */\n",
    "windows": 'module "a" {\r\n  source = "./a"\r\n}\r\n',
    "no last newline": 'module "a" { source = "./a" }',
    "operators": "locals {\n  a = !var.b && (1 + -2) * 3 >= 4 ? var.c[0].d : var.e[*].f\n}\n",
    "old splat": "locals {\n  a = b.*.c\n  d = e.0.f\n}\n",
    "for": "locals {\n  a = [for k, v in var.m : v if k != null]\n"
    '  b = { for k, v in var.m : k => v... if v != "" }\n}\n',
    "objects": 'locals {\n  a = { b = 1, "c" : 2\n    (var.d) = 3\n  }\n}\n',
    "many lines": 'module "a" {\n  source = (\n    "./a"\n  )\n  b = [\n    1,\n    2,\n  ]\n}\n',
    "templates": 'module "a" {\n  source = "./a"\n  b = "x${upper("y${var.z}")}$${no}%%{no}"\n}\n',
    "directives": 'locals {\n  a = "%{ if var.b }c%{ else }d%{ endif }"\n}\n',
    "heredoc": 'locals {\n  a = <<EOT\n  ${file("x")} } { " \n  EOT\n  b = 1\n}\n',
    "indented heredoc": "locals {\n  a = <<-EOT\n    b\n    EOT\n}\n",
    "functions": 'locals {\n  a = templatefile("${path.module}/t", { b = file("c") })\n'
    '  d = merge(var.e...)\n  f = fileset(path.module, "*.json")\n}\n',
    "backend": 'terraform {\n  required_version = "~> 1.5"\n  backend "s3" {\n    bucket = "b"\n'
    '    key = "a/${var.x}"\n    encrypt = true\n  }\n}\n',
    "cloud": 'terraform {\n  cloud {\n    organization = "o"\n    workspaces {\n'
    '      tags = ["a", "b"]\n    }\n  }\n}\n',
    "remote state": 'data "terraform_remote_state" "n" {\n  backend = "s3"\n  workspace = "w"\n'
    '  config = {\n    bucket = "b"\n    key    = "k"\n  }\n}\n',
    "providers": 'provider "aws" {\n  alias = "x"\n}\nprovider google {}\n',
    "variables": 'variable "a" {}\nvariable "b" {\n  default = null\n}\n',
    "escapes": 'module "a" {\n  source = "./\\u0061\\"b"\n}\n',
    "nested blocks": 'resource "a" "b" {\n  c {\n    d {\n      e = 1\n    }\n  }\n  c {}\n}\n',
    "keywords as names": "locals {\n  in = 1\n  a = { for = 1, if = 2 }\n}\n",
    "condition over lines": "locals {\n  a = (\n    var.b ?\n    1 :\n    2\n  )\n}\n",
}


@pytest.mark.parametrize("text", CORPUS.values(), ids=CORPUS.keys())
def test_same_facts(text: str) -> None:
    """It reads without doubt what python-hcl2 reads, and the same of it."""
    assert facts(scan(text)) == facts(reference.read(text))


ONLY_OURS = {
    "strip markers": 'locals {\n  a = "${~ file("b") ~}"\n}\n',
    "two templates in a heredoc": 'locals {\n  a = <<E\n${file("b")}${1}\nE\n}\n',
}


@pytest.mark.parametrize("text", ONLY_OURS.values(), ids=ONLY_OURS.keys())
def test_only_ours(text: str) -> None:
    """It reads what Terraform reads and python-hcl2 does not, or leaves whole."""
    assert [read.path for read in facts(scan(text)).reads] == ["b"]


BROKEN = {
    "an unfinished block": ('module "a" {\n  source = "./a"\n', 3),
    "an unfinished text": ('locals {\n  a = "b\n}\n', 2),
    "no value": ("locals {\n  a =\n}\n", 2),
    "a quoted argument": ('variable "x" {\n  "type" = "string"\n}\n', 2),
    "two arguments in a line": ('variable "x" { default = "y" type = "z" }\n', 1),
    "quotes within an interpolation": ('locals {\n  a = "${lookup(b, \\"c\\")}"\n}\n', 2),
    "two operands": ("locals {\n  a = b c\n}\n", 2),
    "a bracket too many": ("locals {\n  a = [1]]\n}\n", 2),
    "a conflict": ("<<<<<<< ours\nlocals {}\n=======\n>>>>>>> theirs\n", 1),
    "no configuration": ("Hello, world!\n", 1),
}


@pytest.mark.parametrize(("text", "line"), BROKEN.values(), ids=BROKEN.keys())
def test_broken(text: str, line: int) -> None:
    """It names the line at which a file stops making sense, and reads the blocks around."""
    intact = 'module "before" {\n  source = "./before"\n}\n'
    found = facts_of("x.tf", (intact + text).encode())
    assert found.problem is not None
    assert found.problem.line == line + 3
    assert [call.name for call in found.modules][:1] == ["before"]


def test_salvage() -> None:
    """It reads what stands behind a broken block."""
    text = 'locals {\n  a = (\n}\nmodule "after" {\n  source = "./after"\n}\n'
    found = facts_of("x.tf", text.encode())
    assert [(call.name, call.line) for call in found.modules] == [("after", 4)]
    assert found.problem is not None
    assert salvage("module {" * 9).calls == ()


HOSTILE = {
    "brackets": "locals {\n  a = " + "[" * 100_000,
    "brackets that close": "locals {\n  a = " + "[" * 5000 + "]" * 5000 + "\n}\n",
    "parentheses": "locals {\n  a = " + "(" * 5000 + "1" + ")" * 5000 + "\n}\n",
    "templates": 'locals {\n  a = "' + '${"' * 5000,
    "blocks": "a {\n" * 5000,
    "negations": "locals {\n  a = " + "!" * 200_000 + "true\n}\n",
    "dollars": 'locals {\n  a = "' + "$" * 200_000,
    "an endless text": 'locals {\n  a = "' + "a" * 200_000,
    "heredocs without end": "locals {\n" + "  a = <<E\n" * 5000,
    "a comment without end": "/*" * 100_000,
    "NUL": "\0" * 1000,
    "beginnings of blocks": "module {\n" * 20_000,
    "JSON brackets": "[" * 100_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("name", ["x.tf", "x.tf.json"])
def test_hostile(name: str, text: str) -> None:
    """It answers, whatever it is given."""
    facts_of(name, text.encode())


def test_too_large() -> None:
    """It does not read a file of megabytes."""
    found = facts_of("x.tf", b"#" * (hcl.MAX_BYTES + 1))
    assert found.problem is not None
    assert "larger" in found.problem.message


PIECES = st.sampled_from(
    [
        *('module "m" {\n', "locals {\n", 'provider "k" {}\n', "}\n", "# j\n"),
        *('source = "./a"\n', "a = 1\n", "b = [1,\n2]\n", 'c = "${d}"\n', 'e = file("f")\n'),
        *("g = {\n", "h = <<E\ni\nE\n", "l = m ? n : o\n", '"p" = 1\n', "x = -1 + y\n"),
        *("q = [for r in s : t]\n", "u = v.w[0]\n"),
    ]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES, max_size=8).map("".join))
def test_never_wider(text: str) -> None:
    """It reads nothing otherwise than python-hcl2, in whatever order lines come."""
    try:
        ours = scan(text)
    except Doubt:
        return
    assert facts(ours) == facts(reference.read(text))
