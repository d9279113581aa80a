"""The grammar of comments, row by row: what is typed, and what is read.

Written from the product's table of commands; where that is silent, from what Atlantis
and Terraform take.
"""

from __future__ import annotations

import sys
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prbot.intake.commanded import Conversation
from prbot.intake.comment import Wrong, read
from prbot.intake.grammar import FIRST_WORDS, VERBS, Flag, Typed, Words
from prbot.intake.line import BLANKS
from prbot.intake.written import written
from prbot.model import Login, Selector

BOT = Login("acme-prbot[bot]")
ALIASES = ("atlantis", "tasK-runner")
TALK = "ignored"
HELP = Typed("help")


def typed(
    verb: str,
    d: tuple[str, ...] = (),
    w: tuple[str, ...] = (),
    p: tuple[str, ...] = (),
    extra: tuple[str, ...] = (),
    **flags: Flag,
) -> Typed:
    named = tuple(sorted((name.replace("_", "-").strip("-"), flag) for name, flag in flags.items()))
    return Typed(verb, Selector(d, w, p), extra, named)


def plan(*dirs: str, w: str = "", p: str = "", extra: str = "", **flags: Flag) -> Typed:
    """A `plan` of these directories; the others blank-separated."""
    given = tuple(w.split()), tuple(p.split()), tuple(extra.split())
    return typed("plan", dirs, *given, **flags)


Row = tuple[str, Typed | str | tuple[str, str]]

CALLED: list[Row] = [
    ("prbot plan", plan()),
    ("/prbot plan", plan()),
    ("PRBot plan", plan()),
    ("/PRBOT PLAN", plan()),
    ("@acme-prbot plan", plan()),
    ("@acme-prbot[bot] plan", plan()),
    ("@Acme-PRbot plan", plan()),
    ("atlantis plan", plan()),
    ("Atlantis apply", typed("apply")),
    ("task-runner plan", plan()),
    ("plan", plan()),
    ("Plan", plan()),
    ("apply", typed("apply")),
    ("prbot", HELP),
    ("@acme-prbot", HELP),
    ("acme-prbot plan", TALK),
    ("@prbot plan", TALK),
    ("@acme-prbots plan", TALK),
    ("@acme/prbot plan", TALK),
    ("/atlantis plan", TALK),
    ("@atlantis plan", TALK),
    ("/plan", TALK),
    ("//prbot plan", TALK),
    ("\\prbot plan", TALK),
    ("prbotplan", TALK),
    ("prbot: plan", TALK),
    ("prbot, plan", TALK),
    ("'prbot' plan", TALK),
    ("*prbot plan*", TALK),
    ("[prbot](x) plan", TALK),
    ("hey prbot plan", TALK),
    ("terraform plan", TALK),
    ("unlock", TALK),
    ("cancel", TALK),
    ("help", TALK),
    ("", TALK),
    (" \n\t", TALK),
    ("```", TALK),
    ("&#112;rbot plan", TALK),
]

SHAPES: list[Row] = [
    ("  prbot plan  ", plan()),
    ("\tprbot\tplan", plan()),
    ("`prbot plan`", plan()),
    ("`plan`", plan()),
    ("``apply``", typed("apply")),
    ("```\nprbot plan\n```", plan()),
    ("```\r\nplan\r\n```\r\n", plan()),
    ("```sh\nprbot plan\n```", TALK),
    ("~~~\nprbot plan\n~~~", TALK),
    ("    prbot plan", plan()),
    ("prbot plan\r\n", plan()),
    ("prbot plan\r", plan()),
    ("\r\n\r\nprbot plan\r\n\r\n", plan()),
    ("prbot plan\n \n\t\n", plan()),
    ("prbot plan\n\n`` ` ``\n", plan()),
    ("plan\n\n", plan()),
    ("prbot   plan   -d   a", plan("a")),
    ("prbot `plan`", ("hint", "`prbot plan`")),
    ("plan\nthis", TALK),
    ("Plan:\n- one\n- two", TALK),
    ("looks good\nprbot apply", TALK),
    ("> prbot plan", TALK),
    (">prbot apply", TALK),
    ("> prbot apply\n\nwhy?", TALK),
    ("> what now?\n\nprbot apply", TALK),
    ("- prbot plan", TALK),
    ("# prbot plan", TALK),
    ("<!-- prbot plan -->", TALK),
    ("<!-- x -->\nprbot plan", TALK),
    ("<b>prbot plan</b>", TALK),
    ("plan to do this tomorrow", TALK),
    ("apply for the job", TALK),
    ("plan it's fine", TALK),
    ("plan is good, apply", TALK),
    ("apply p-3e91c0 please", TALK),
    ("plan -d a, then b", TALK),
    ("plan A", TALK),
    ("apply?", TALK),
    # several commands in one comment: none of them
    ("prbot plan\nprbot apply", ("hint", "one line")),
    ("plan\napply", TALK),
    ("prbot plan && prbot apply", ("error", "`??`")),
    ("prbot plan; prbot apply", ("hint", "`prbot plan`")),
    ("plan; apply", TALK),
    ("prbot plan\nand tell me", ("hint", "one line")),
    ("prbot apply\n\nthanks!", ("hint", "one line")),
    ("`prbot plan`\nplease", ("hint", "one line")),
    ("prbot plan\n\nOn Monday Ann wrote:\n> prbot", ("hint", "one line")),
    ("prbot plan \\\n  -d a", ("hint", "one line")),
    ("prbot plan -d 'a\nb'", ("hint", "one line")),
    ("prbot plan\u2028prbot apply", ("hint", "one line")),
    ("prbot plan\x0bprbot apply", ("hint", "one line")),
    ("prbot plan\x85prbot apply", ("hint", "one line")),
    ("plan\u2029apply", TALK),
    ("prbot\nplan", TALK),
    ("prbot destroy\nit", TALK),
]

UNICODE: list[Row] = [
    ("\ufeffprbot plan", plan()),
    ("\ufeffplan", plan()),
    ("prbot\u00a0plan", plan()),
    ("prbot plan\u00a0-d\u00a0a", plan("a")),
    ("\u3000prbot\u2003plan\u2009-d a", plan("a")),
    ("plan\u00a0", plan()),
    ("\u200bprbot plan", TALK),
    ("pr\u200bbot plan", TALK),
    ("prbot\u200b plan", TALK),
    ("\u202eprbot plan", TALK),
    ("\u0440rbot plan", TALK),  # a Cyrillic letter
    ("\uff50\uff52\uff42\uff4f\uff54 plan", TALK),  # full width
    ("pl\u0430n", TALK),
    ("tas\u212a-runner plan", TALK),  # the Kelvin sign, which lower() makes a k
    ("prbot unloc\u212a", ("hint", "`prbot unlock`")),
    ("prbot pl\u0430n", ("hint", "`prbot plan`")),
    ("prbot \u202eplan", ("hint", "`prbot plan`")),
    ("prbot plan\x00", ("hint", "`prbot plan`")),
    ("prbot plan\x1b[2J", TALK),
    ("prbot plan \u2014all", ("error", "`--all`")),
    ("prbot plan \u2013d a", ("error", "`-d`")),
    ("prbot plan \u2014destroy", ("error", "`--destroy`")),
    ("prbot plan \uff0dd a", ("error", "`-d`")),
    ("plan \u2014all", TALK),
    ("prbot plan -d \u201cmy env\u201d", ("error", "env")),
    ("prbot plan -d a\u202eb", ("error", "characters")),
    ("prbot plan -d a\u200bb", ("error", "characters")),
    ("prbot plan -d a\u2066b", ("error", "characters")),
    ("prbot plan -d a\ufeffb", ("error", "characters")),
    ("prbot plan -d a\x00b", ("error", "characters")),
    ("prbot plan -d 'a\tb'", ("error", "characters")),
    ("prbot plan -d 'a\u00a0b'", ("error", "characters")),
    ("prbot plan -d a\ud800", ("error", "characters")),
    ("prbot plan -w stag\u0456ng", ("error", "no workspace")),
    ("plan -d envs/größe/日本", plan("envs/größe/日本")),
    ("plan -d 🚀", plan("🚀")),
]

SELECTING: list[Row] = [
    ("prbot plan -d a", plan("a")),
    ("plan -d a", plan("a")),
    ("plan -d a -d b", plan("a", "b")),
    ("plan -d a -d a", plan("a", "a")),
    ("plan -da", plan("a")),
    ("plan -d=a", plan("a")),
    ("plan -d=a=b", plan("a=b")),
    ("plan --dir a", plan("a")),
    ("plan --dir=a", plan("a")),
    ("plan -dir a", plan("a")),
    ("plan -dir=a", plan("a")),
    ("plan -w staging", plan(w="staging")),
    ("plan -wstaging", plan(w="staging")),
    ("plan -w=staging", plan(w="staging")),
    ("plan --workspace staging", plan(w="staging")),
    ("plan --workspace=a -w b", plan(w="a b")),
    ("plan -d a -w b", plan("a", w="b")),
    ("plan -p net", plan(p="net")),
    ("apply -p net", typed("apply", p=("net",))),
    ("prbot plan --project net", plan(p="net")),
    ("plan -project=net -p app", plan(p="net app")),
    ("plan -p prod-*", plan(p="prod-*")),
    ("plan -p team/net", plan(p="team/net")),
    ("plan -pnet", plan(p="net")),
    ("plan -d 'my env/a'", plan("my env/a")),
    ('plan -d "my env/a"', plan("my env/a")),
    ("plan -d my\\ env", plan("my env")),
    ("plan -d=my' 'env", plan("my env")),
    ("plan -d 'it'\\''s'", plan("it's")),
    ("plan -d 'envs/*/net'", plan("envs/*/net")),
    ("plan -d envs/**", plan("envs/**")),
    ("plan -d envs/[ab]?", plan("envs/[ab]?")),
    ("plan -d .", plan(".")),
    ("plan -d ./", plan(".")),
    ("plan -d ./a/", plan("a")),
    ("plan -d a//b/./c", plan("a/b/c")),
    ("plan -d a..b", plan("a..b")),
    ("plan -d ...", plan("...")),
    ("plan -d .hidden", plan(".hidden")),
    ("plan -d ~/a", plan("~/a")),
    ("plan -d C:\\\\a", plan("C:\\a")),
    # nothing reaches a shell, so these are only odd names
    ("plan -d $(id)", plan("$(id)")),
    ("plan -d '`id`'", plan("`id`")),
    ("plan -d a;rm", plan("a;rm")),
    ("plan -d a|b", plan("a|b")),
    ("plan -d $HOME", plan("$HOME")),
    ("plan -d {a,b}", plan("{a,b}")),
    ("plan -d #1", plan("#1")),
    ("plan -d a #b", TALK),
    ("plan -d %2e%2e", plan("%2e%2e")),
    ("prbot plan -d a; rm -rf /", ("error", "`-rf`")),
    ("prbot plan -d a; rm x", ("error", "`rm`")),
    ("prbot plan -d a && rm x", ("error", "`??`")),
    ("prbot plan -d a > /etc/passwd", ("error", "`?`")),
    ("prbot plan $(id)", ("error", "??id?")),
    # values that lead elsewhere, or are none
    ("prbot plan -d", ("error", "`-d` needs")),
    ("prbot plan -d=", ("error", "`-d` needs")),
    ("prbot plan -d ''", ("error", "`-d` needs")),
    ("prbot plan -d ' '", ("error", "`-d` needs")),
    ("prbot plan --dir", ("error", "`--dir` needs")),
    ("prbot plan -p", ("error", "`-p` needs")),
    ("prbot plan -d ..", ("error", "..")),
    ("prbot plan --dir=../..", ("error", "..")),
    ("prbot plan -d ../other", ("error", "..")),
    ("prbot plan -d a/../b", ("error", "..")),
    ("prbot plan -d a/..", ("error", "..")),
    ("prbot plan -d ./..", ("error", "..")),
    ("prbot plan -d '..'", ("error", "..")),
    ("prbot plan -d \\.\\.", ("error", "..")),
    ("prbot plan -d /etc", ("error", "absolute")),
    ("prbot plan -d //etc", ("error", "absolute")),
    ("prbot plan -d/etc", ("error", "absolute")),
    ("prbot plan -d '/'", ("error", "absolute")),
    ("prbot plan -p /etc", ("error", "absolute")),
    ("prbot plan -p ../net", ("error", "..")),
    ("prbot plan -d ./-x", ("error", "option")),
    ("prbot plan -d -w", ("error", "option")),
    ("prbot plan -d=-w", ("error", "option")),
    ("prbot plan -d '--all'", ("error", "option")),
    ("prbot plan --dir=--all", ("error", "option")),
    ("prbot plan -w -d", ("error", "option")),
    ("prbot plan -p --all", ("error", "option")),
    ("prbot plan -w ../x", ("error", "no workspace")),
    ("prbot plan -w a/b", ("error", "no workspace")),
    ("prbot plan -w a..b", ("error", "no workspace")),
    ("prbot plan -w 'a b'", ("error", "no workspace")),
    ("prbot plan -w *", ("error", "no workspace")),
    ("prbot plan -w '$(id)'", ("error", "no workspace")),
    ("prbot plan -d " + "*a" * 21, ("error", "asterisks")),
    ("prbot plan -d " + "a" * 20_000, ("error", "too long")),
    ("prbot plan" + " -d a" * 200, ("error", "too long")),
    ("plan -d " + "a" * 20_000, TALK),
    ("prbot plan -d 'a", ("error", "quote")),
    ('prbot plan -d "a', ("error", "quote")),
    ("prbot plan -d a\\", ("error", "quote")),
    ("prbot plan -p net -d a", ("error", "go together")),
    ("prbot plan -w a -p net", ("error", "go together")),
    ("plan -d ..", TALK),
    ("plan -p is not what we want", TALK),
]

OPTIONS: list[Row] = [
    ("prbot plan --all", plan(all=True)),
    ("plan --all", plan(all=True)),
    ("prbot plan -all", plan(all=True)),
    ("prbot plan --all --all", plan(all=True)),
    ("prbot plan --all -d 'envs/**'", plan("envs/**", all=True)),
    ("prbot plan --destroy", plan(destroy=True)),
    ("plan --destroy", plan(destroy=True)),
    ("prbot plan -destroy", plan(destroy=True)),
    ("prbot plan --refresh-only", plan(refresh_only=True)),
    ("prbot plan --verbose --destroy", plan(destroy=True, verbose=True)),
    ("apply p-3e91c0", typed("apply", plan="p-3e91c0")),
    ("apply p-e3f2b19f", typed("apply", plan="p-e3f2b19f")),
    ("prbot apply P-3E91C0", typed("apply", plan="p-3e91c0")),
    ("apply --accept-changes", typed("apply", accept_changes=True)),
    ("apply -accept-changes", typed("apply", accept_changes=True)),
    ("apply p-3e91c0 --no-merge", typed("apply", plan="p-3e91c0", no_merge=True)),
    ("prbot apply --no-merge p-3e91c0", typed("apply", plan="p-3e91c0", no_merge=True)),
    (
        "apply --accept-changes -d a -w b",
        typed("apply", ("a",), ("b",), accept_changes=True),
    ),
    ("prbot apply --accept-orphans", typed("apply", accept_orphans=True)),
    ("prbot apply --override 'all is on fire'", typed("apply", override="all is on fire")),
    ("prbot apply --override=fire -d a", typed("apply", ("a",), override="fire")),
    ("prbot unlock", typed("unlock")),
    ("prbot unlock -d a", typed("unlock", ("a",))),
    ("prbot unlock -p net", typed("unlock", p=("net",))),
    ("prbot cancel", typed("cancel")),
    ("prbot cancel -d a -w b", typed("cancel", ("a",), ("b",))),
    ("prbot help", HELP),
    ("prbot help -d a", typed("help", ("a",))),
    ("prbot --help", HELP),
    ("prbot -h", HELP),
    ("prbot plan --help", HELP),
    ("prbot plan -d a -h", HELP),
    ("prbot version", typed("version")),
    ("prbot version -p net", typed("version", p=("net",))),
    ("prbot approve-policies", typed("approve-policies")),
    ("prbot approve_policies", typed("approve-policies")),
    (
        "prbot approve-policies --policy cost --policy=tags -d a",
        typed("approve-policies", ("a",), policy=("cost", "tags")),
    ),
    ("prbot approve-policies --clear", typed("approve-policies", clear=True)),
    ("prbot import aws_x.y i-1", typed("import", extra=("aws_x.y", "i-1"))),
    (
        "prbot import 'aws_x.y[\"a b\"]' i-1 -d a -- -var k=v",
        typed("import", ("a",), extra=("-var", "k=v", 'aws_x.y["a b"]', "i-1")),
    ),
    ("prbot state rm aws_x.y", typed("state rm", extra=("aws_x.y",))),
    ("prbot STATE RM a.b c.d -p net", typed("state rm", p=("net",), extra=("a.b", "c.d"))),
    ("prbot rollback", typed("rollback")),
    ("prbot rollback -d a", typed("rollback", ("a",))),
    (
        "prbot accept known issue until 2030-01-31",
        typed("accept", reason="known issue", until="2030-01-31"),
    ),
    ("prbot adopt", typed("adopt")),
    ("prbot revert", typed("revert")),
    ("prbot recheck", typed("recheck")),
    ("prbot snooze 7d", Typed("snooze", flags=(("for", "7d"),))),
    # not what the table says
    ("prbot plan to do this", ("error", "`to`")),
    ("prbot plan a b", ("error", "`a`")),
    ("prbot plan p-3e91c0", ("error", "p-3e91c0")),
    ("prbot apply all", ("error", "`all`")),
    ("prbot apply p-3e91c", ("error", "`p-3e91c`")),
    ("prbot apply p-3e91c0 p-3e91c1", ("error", "`p-3e91c1`")),
    ("prbot apply p-3e91c0 -d a", ("error", "one plan")),
    ("prbot apply p-3e91c0 -p net", ("error", "one plan")),
    ("prbot help me", ("error", "`me`")),
    ("prbot unlock -x", ("error", "`-x`")),
    ("prbot unlock --all", ("error", "`--all`")),
    ("prbot plan --dri a", ("error", "`--dir`")),
    ("prbot plan --DIR a", ("error", "`--dir`")),
    ("prbot plan --destory", ("error", "`--destroy`")),
    ("prbot plan -destory", ("error", "`--destroy`")),
    ("prbot plan -dirs=a", ("error", "`--dir`")),
    ("prbot plan -D a", ("error", "`-D`")),
    ("prbot plan -dw a", ("error", "`a`")),
    ("prbot plan --accept-changes", ("error", "--accept-changes")),
    ("prbot apply --destroy", ("error", "--destroy")),
    ("prbot apply --accept-changes=yes", ("error", "no value")),
    ("prbot plan --all=false", ("error", "no value")),
    ("prbot plan --all no", ("error", "`no`")),
    ("prbot plan --destroy --refresh-only", ("error", "go together")),
    ("prbot apply --override", ("error", "needs")),
    ("prbot apply --override ''", ("error", "needs")),
    ("prbot apply --override --no-merge", ("error", "option")),
    ("prbot apply --override a --override b", ("error", "twice")),
    ("prbot plan -", ("error", "`-`")),
    ("prbot plan ---dir a", ("error", "---dir")),
    ("prbot plan --d a", ("error", "--dir")),
    ("prbot plan --=a", ("error", "`--`")),
    ("prbot plan -=a", ("error", "`-`")),
    ("prbot import aws_x.y", ("error", "an address and an id")),
    ("prbot import a b c", ("error", "`c`")),
    ("prbot state", ("error", "an address")),
    ("prbot state rm", ("error", "an address")),
    ("prbot state mv a b", ("error", "`mv`")),
    ("prbot snooze", ("error", "a time")),
    ("prbot snooze soon", ("error", "a time")),
    ("prbot accept it", ("error", "a day")),
    ("prbot accept it until 2030-02-30", ("error", "a day")),
    ("prbot adopt -d a", ("error", "`-d`")),
    ("plan -x", TALK),
    ("apply all", TALK),
    ("apply p-3e91c", TALK),
    ("plan --destory", TALK),
    # near misses
    ("prbot pln", ("hint", "`prbot plan`")),
    ("prbot plna", ("hint", "`prbot plan`")),
    ("prbot aply", ("hint", "`prbot apply`")),
    ("/prbot appply -d a", ("hint", "`prbot apply`")),
    ("prbot unlok", ("hint", "`prbot unlock`")),
    ("prbot hlep", ("hint", "`prbot help`")),
    ("prbot approve-policy", TALK),
    ("prbot approve-policie", ("hint", "`prbot approve-policies`")),
    ("prbot rolback", ("hint", "`prbot rollback`")),
    ("prbot stat rm a", ("hint", "`prbot state rm`")),
    ("plna", TALK),
    ("prbot is great", TALK),
    ("prbot thanks", TALK),
    ("@acme-prbot what do you think?", TALK),
    ("prbot don't do it", TALK),
    ("prbot terraform plan", TALK),
]

EXTRA: list[Row] = [
    ("prbot plan -- -target=aws_x.y", plan(extra="-target=aws_x.y")),
    ("prbot plan -- --target=aws_x.y", plan(extra="--target=aws_x.y")),
    ("prbot plan -- -target aws_x.y", plan(extra="-target aws_x.y")),
    ("prbot plan -d a -- -target=m.a -target=m.b", plan("a", extra="-target=m.a -target=m.b")),
    ("prbot plan -- '-target=m.a[\"x\"]'", plan(extra='-target=m.a["x"]')),
    ("prbot plan -- -replace=aws_x.y", plan(extra="-replace=aws_x.y")),
    ("prbot plan -- -var a=b", plan(extra="-var a=b")),
    ("prbot plan -- -var=a=", plan(extra="-var=a=")),
    ("prbot plan -- -var-file=env/a.tfvars", plan(extra="-var-file=env/a.tfvars")),
    ("prbot plan -- -refresh=false", plan(extra="-refresh=false")),
    ("prbot plan -- -compact-warnings", plan(extra="-compact-warnings")),
    ("prbot plan -- -parallelism 5", plan(extra="-parallelism 5")),
    ("plan -- -refresh", plan(extra="-refresh")),
    ("prbot plan --", plan()),
    ("prbot plan -- -var 'a=$(rm -rf /)'", typed("plan", extra=("-var", "a=$(rm -rf /)"))),
    ("prbot state rm a.b -- -dry-run", typed("state rm", extra=("-dry-run", "a.b"))),
    ("prbot plan -- -d a", ("error", "`-d`")),
    ("prbot plan -- -destroy", ("error", "-destroy")),
    ("prbot plan -- --all", ("error", "--all")),
    ("prbot plan -- -out=x", ("error", "-out")),
    ("prbot plan -- -state=x", ("error", "-state")),
    ("prbot plan -- -lock=false", ("error", "-lock")),
    ("prbot plan -- -input=true", ("error", "-input")),
    ("prbot plan -- -chdir=..", ("error", "-chdir")),
    ("prbot plan -- -targets=x", ("error", "-targets")),
    ("prbot plan -- -Target=x", ("error", "-Target")),
    ("prbot plan -- ---target=x", ("error", "---target")),
    ("prbot plan -- x", ("error", "`x`")),
    ("prbot plan -- --", ("error", "`--`")),
    ("prbot plan -- -", ("error", "`-`")),
    ("prbot plan -- ''", ("error", "may not")),
    ("prbot plan -- -target=x; -destroy", ("error", "-destroy")),
    ("prbot plan -- -target", ("error", "needs")),
    ("prbot plan -- -target=", ("error", "needs")),
    ("prbot plan -- -target -destroy", ("error", "option")),
    ("prbot plan -- -target=-destroy", ("error", "option")),
    ("prbot plan -- -refresh false", ("error", "`false`")),
    ("prbot plan -- -refresh=maybe", ("error", "`true` or `false`")),
    ("prbot plan -- -compact-warnings x", ("error", "`x`")),
    ("prbot plan -- -parallelism=0", ("error", "number")),
    ("prbot plan -- -parallelism=1e9", ("error", "number")),
    ("prbot plan -- -var a", ("error", "NAME=VALUE")),
    ("prbot plan -- -var =b", ("error", "NAME=VALUE")),
    ("prbot plan -- -var-file=/etc/passwd", ("error", "absolute")),
    ("prbot plan -- -var-file ../a.tfvars", ("error", "..")),
    ("prbot plan -- -var-file=a/../../b", ("error", "..")),
    ("prbot plan -- -target=a\u202eb", ("error", "characters")),
    # only behind the dashes: else `-target` might be read as something else
    ("prbot plan -target=x.y", ("error", "prbot plan -- -target=")),
    ("prbot plan -var a=b", ("error", "prbot plan -- -var=")),
    ("prbot plan -parallelism=3", ("error", "prbot plan -- -parallelism=")),
    ("prbot plan -detailed-exitcode", ("error", "-detailed-exitcode")),
    ("prbot plan -target", ("error", "-target")),
    ("prbot plan -d a-target=x", plan("a-target=x")),
    ("prbot plan -d -target=x", ("error", "option")),
    ("plan -target=x.y", TALK),
    ("prbot apply -- -target=x", ("error", "nothing behind `--`")),
    ("prbot apply -target=x", ("error", "-target")),
    ("prbot apply -auto-approve", ("error", "-auto-approve")),
    ("prbot apply --", typed("apply")),
    ("prbot unlock -- -force", ("error", "nothing behind `--`")),
    ("prbot import a.b i -- -target=x", ("error", "-target")),
    ("prbot state rm a.b -- -lock=false", ("error", "-lock")),
]

ROWS = CALLED + SHAPES + UNICODE + SELECTING + OPTIONS + EXTRA


@pytest.mark.parametrize(("body", "expected"), ROWS, ids=[ascii(body)[:60] for body, _ in ROWS])
def test_grammar(body: str, expected: Typed | str | tuple[str, str]) -> None:
    """It reads what the table says; errors and hints name what is wrong."""
    found = read(body, BOT, ALIASES)
    if isinstance(expected, tuple):
        assert isinstance(found, Wrong), found
        assert ("hint" if found.hint else "error") == expected[0]
        assert expected[1] in found.message
    else:
        assert found == (Conversation() if expected == TALK else expected)


def test_every_blank_is_known() -> None:
    """It parts words at whatever Unicode calls a blank."""
    assert {char for char in map(chr, range(sys.maxunicode + 1)) if char.isspace()} == set(BLANKS)


def test_rows_are_distinct() -> None:
    """It has no row twice."""
    bodies = [body for body, _ in ROWS]
    assert len(set(bodies)) == len(bodies)


@pytest.mark.parametrize("body", ["plan", "apply -d a", "`apply`"])
def test_bare_off(body: str) -> None:
    """It leaves bare commands alone when they are switched off, not prefixed ones."""
    assert read(body, BOT, bare=False) == Conversation()
    assert read("prbot plan", BOT, bare=False) == plan()


def test_aliases_are_only_those_given() -> None:
    """It answers to another bot's name only when told to."""
    assert read("atlantis plan", BOT) == Conversation()


@pytest.mark.parametrize(
    "text",
    [
        "prbot plan -d ../`@everyone` <img src=x> [a](b) #1",
        "prbot plan '</details><script>'",
        "prbot plan @acme/sre",
        "prbot plan https://evil.test/x",
        "prbot plan " + "x" * 1000,
        "prbot plan -d '/{path}{0.__class__}'",
        "prbot plan -- '-<b>=@x'",
        "prbot state `@x`",
        "prbot import -d a '{x}'",
    ],
)
def test_echo_is_harmless(text: str) -> None:
    """It repeats what was typed only in part, short, and without anything that renders."""
    found = read(text, BOT)
    assert isinstance(found, Wrong)
    assert not set("<>@#[]()|\\\n{}") & set(found.message)
    assert "://" not in found.message
    assert found.message.count("`") % 2 == 0
    assert len(found.message) < 300


@pytest.mark.parametrize(
    "body",
    [
        "prbot plan " + "'" * 900_000,
        "prbot plan" + " -d a" * 200_000,
        "prbot " + "p" * 900_000,
        "prbot plan --" + "dir" * 300_000,
        "\n" * 900_000 + "prbot plan" + "\n" * 100_000,
        "`" * 900_000 + "prbot plan",
        "plan -d " + "\\" * 900_000,
    ],
    ids=["quotes", "options", "verb", "option", "lines", "back-quotes", "backslashes"],
)
def test_huge(body: str) -> None:
    """It reads a comment of a million characters at once: other comments wait meanwhile."""
    start = time.process_time()
    read(body, BOT)
    assert time.process_time() - start < 0.5


# --- properties --------------------------------------------------------------------------

SEGMENT = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="/*"), min_size=1, max_size=8
).filter(lambda name: name not in (".", "..") and not name.startswith("-"))
DIRS = st.just(".") | st.lists(SEGMENT, min_size=1, max_size=3).map("/".join)
WORKSPACES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True).filter(
    lambda name: ".." not in name
)
SOME_DIRS = st.lists(DIRS, max_size=3).map(tuple)
SELECTORS = st.builds(Selector, SOME_DIRS, st.lists(WORKSPACES, max_size=3).map(tuple)) | st.builds(
    lambda names: Selector(projects=names), SOME_DIRS
)
NOTHING = st.just(Selector())
PHRASES = st.lists(SEGMENT, min_size=1, max_size=3).map(" ".join)
ADDRESSES = st.from_regex(r"[a-z_]{1,5}\.[a-z_]{1,5}(\[\"[a-z ]{1,4}\"\])?", fullmatch=True)
EXTRAS = {
    "plan": st.lists(
        ADDRESSES.map(lambda address: ("-target", address))
        | st.sampled_from([("-refresh=false",), ("--var=a=b c",), ("-parallelism", "3")]),
        max_size=3,
    ),
    "import": st.lists(st.sampled_from([("-var", "a=b"), ("-var-file=x",)]), max_size=2),
    "state rm": st.lists(st.sampled_from([("-dry-run",), ("-dry-run=true",)]), max_size=2),
}
OBJECTS: dict[Words, st.SearchStrategy[tuple[str, ...]]] = {
    Words.ADDRESS_AND_ID: st.tuples(ADDRESSES, SEGMENT),
    Words.ADDRESSES: st.lists(ADDRESSES, min_size=1, max_size=3).map(tuple),
}


@st.composite
def commands(draw: st.DrawFn) -> Typed:
    """Any command that the table allows."""
    verb = draw(st.sampled_from(sorted(VERBS)))
    rules = VERBS[verb]
    flags: dict[str, Flag] = {name: True for name in rules.switches if draw(st.booleans())}
    if flags.keys() >= {"destroy", "refresh-only"}:
        del flags["destroy"]
    flags |= {name: draw(PHRASES) for name in rules.valued if draw(st.booleans())}
    for name in rules.listed:
        if given := draw(st.lists(PHRASES, max_size=2)):
            flags[name] = tuple(given)
    select = draw(SELECTORS if rules.selects else NOTHING)
    match rules.words:
        case Words.PLAN_ID if select == Selector() and draw(st.booleans()):
            flags["plan"] = draw(st.from_regex(r"p-[0-9a-f]{6,12}", fullmatch=True))
        case Words.REASON_UNTIL_DATE:
            flags |= {"reason": draw(PHRASES), "until": str(draw(st.dates()))}
        case Words.DURATION:
            flags["for"] = draw(st.from_regex(r"[1-9][0-9]{0,2}[hdw]", fullmatch=True))
    arguments = draw(OBJECTS.get(rules.words, st.just(())))
    extra = [word for words in draw(EXTRAS.get(verb, st.just([]))) for word in words]
    return Typed(verb, select, (*extra, *arguments), tuple(sorted(flags.items())))


@given(commands())
def test_written_and_read(command: Typed) -> None:
    """It reads back exactly what is written for a command."""
    assert read(written(command), BOT) == command


PIECES = st.sampled_from(
    [
        *("prbot", "@acme-prbot", "atlantis", *FIRST_WORDS, "rm", "until", "p-3e91c0", "7d"),
        *("-d", "-w", "-p", "--dir=", "--", "-", "..", "/", "'", '"', "\\", "`", "\n", "\r\n"),
        *(f"--{name}" for verb in VERBS.values() for name in sorted(verb.options)),
        *("-target=x", "-target", "-var", "a=b", "-var-file=../x", "./", "./-x", "a/../b"),
        *("-d=/etc", "-d/etc", "-d./-x", "\u00a0", "\u2014all", "\u202e", "\ufeff", "2030-01-01"),
    ]
)
TEXTS = st.text() | st.lists(PIECES | st.text(max_size=3), max_size=10).map(" ".join)


@given(TEXTS)
@example("prbot plan -- -target=x")
def test_any_text(text: str) -> None:
    """It never fails, lets no directory out of the repository, and invents nothing."""
    for body in (text, f"prbot {text}", f"prbot plan {text}", f"prbot plan -- {text}"):
        found = read(body, BOT, ALIASES)
        if isinstance(found, Typed):
            _check(found, body)


def _check(found: Typed, body: str) -> None:
    for name in (*found.select.dirs, *found.select.projects):
        assert name
        assert not name.startswith(("/", "-"))
        assert ".." not in name.split("/")
    for name in found.select.workspaces:
        assert name
        assert "/" not in name
        assert not name.startswith("-")
    bare = _unquoted(body)
    for name, flag in found.flags:
        if name in VERBS[found.verb].options:
            assert f"-{name}" in bare
        for piece in flag.split() if isinstance(flag, str) else ():
            # a plan id is read in lower case
            assert _unquoted(piece) in bare or piece in bare.lower()
    for word in (*found.extra, *found.select.workspaces):
        assert all(piece in bare for piece in _unquoted(word).split())


def _unquoted(text: str) -> str:
    return "".join(char for char in text if char not in "'\"\\")


CALLING = ("prbot", "plan", "apply", "atlantis", "task-runner", "@acme")


@given(TEXTS)
def test_without_a_trigger(text: str) -> None:
    """It leaves alone whatever does not begin with a word that calls it."""
    body = f"so {text}"
    assert read(body, BOT, ALIASES) == Conversation()
    first = text.lstrip("\ufeff \t\r\n`").lower()
    if not any(word in first[:40] for word in CALLING):
        assert read(text, BOT, ALIASES) == Conversation()
