"""What people write becomes a command: the grammar, row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.intake.commands import parse, spell
from prbot.model import (
    ApplyCommand,
    CancelCommand,
    Command,
    Conversation,
    HelpCommand,
    Login,
    NotUnderstood,
    PlanCommand,
    PlanId,
    Selector,
    UnlockCommand,
)

BOT = Login("acme-prbot[bot]")
TALK = Conversation()


def dirs(*names: str) -> Selector:
    return Selector(dirs=names)


def spaces(*names: str) -> Selector:
    return Selector(workspaces=names)


FIRST_WORDS = [
    ("prbot plan", PlanCommand()),
    ("/prbot plan", PlanCommand()),
    ("PRBot plan", PlanCommand()),
    ("/PRBOT PLAN", PlanCommand()),
    ("@acme-prbot plan", PlanCommand()),
    ("@acme-prbot[bot] plan", PlanCommand()),
    ("@Acme-PRbot plan", PlanCommand()),
    ("atlantis plan", PlanCommand()),
    ("Atlantis apply", ApplyCommand()),
    ("plan", PlanCommand()),
    ("Plan", PlanCommand()),
    ("apply", ApplyCommand()),
    ("prbot", HelpCommand()),
    ("@acme-prbot", HelpCommand()),
    ("acme-prbot plan", TALK),
    ("@prbot plan", TALK),
    ("/plan", TALK),
    ("//prbot plan", TALK),
    ("prbotplan", TALK),
    ("prbot: plan", TALK),
    ("hey prbot plan", TALK),
    ("terraform plan", TALK),
    ("unlock", TALK),
    ("help", TALK),
    ("", TALK),
    (" \n\t", TALK),
    ("```", TALK),
]

SHAPES = [
    ("  prbot plan  ", PlanCommand()),
    ("\tprbot\tplan", PlanCommand()),
    ("`prbot plan`", PlanCommand()),
    ("`plan`", PlanCommand()),
    ("```\nprbot plan\n```", PlanCommand()),
    ("```\r\nplan\r\n```\r\n", PlanCommand()),
    ("prbot plan\r\n", PlanCommand()),
    ("\r\n\r\nprbot plan\r\n\r\n", PlanCommand()),
    ("prbot plan\n \n\t\n", PlanCommand()),
    ("plan\n\n", PlanCommand()),
    ("prbot   plan   -d   a", PlanCommand(dirs("a"))),
    ("plan\nthis", TALK),
    ("Plan:\n- one\n- two", TALK),
    ("looks good\nprbot apply", TALK),
    ("> prbot plan", TALK),
    ("plan to do this tomorrow", TALK),
    ("apply for the job", TALK),
    ("plan it's fine", TALK),
    ("apply p-3e91c0 please", TALK),
]

OPTIONS = [
    ("prbot plan --all", PlanCommand(everything=True)),
    ("plan --all", PlanCommand(everything=True)),
    ("prbot plan -all", PlanCommand(everything=True)),
    ("prbot plan --all -d 'envs/**'", PlanCommand(dirs("envs/**"), everything=True)),
    ("prbot plan -d a", PlanCommand(dirs("a"))),
    ("plan -d a", PlanCommand(dirs("a"))),
    ("plan -d a -d b", PlanCommand(dirs("a", "b"))),
    ("plan -da", PlanCommand(dirs("a"))),
    ("plan -d=a", PlanCommand(dirs("a"))),
    ("plan --dir a", PlanCommand(dirs("a"))),
    ("plan --dir=a", PlanCommand(dirs("a"))),
    ("plan -dir a", PlanCommand(dirs("a"))),
    ("plan -dir=a", PlanCommand(dirs("a"))),
    ("plan -w staging", PlanCommand(spaces("staging"))),
    ("plan -wstaging", PlanCommand(spaces("staging"))),
    ("plan -w=staging", PlanCommand(spaces("staging"))),
    ("plan --workspace staging", PlanCommand(spaces("staging"))),
    ("plan --workspace=a -w b", PlanCommand(spaces("a", "b"))),
    ("plan -d a -w b", PlanCommand(Selector(("a",), ("b",)))),
    ("plan -d 'my env/a'", PlanCommand(dirs("my env/a"))),
    ('plan -d "my env/a"', PlanCommand(dirs("my env/a"))),
    ("plan -d my\\ env", PlanCommand(dirs("my env"))),
    ("plan -d=my' 'env", PlanCommand(dirs("my env"))),
    ("plan -d envs/größe/日本", PlanCommand(dirs("envs/größe/日本"))),
    ("plan -d 'envs/*/net'", PlanCommand(dirs("envs/*/net"))),
    ("plan -d envs/**", PlanCommand(dirs("envs/**"))),
    ("plan -d .", PlanCommand(dirs("."))),
    ("plan -d ./", PlanCommand(dirs("."))),
    ("plan -d ./a/", PlanCommand(dirs("a"))),
    ("plan -d a//b/./c", PlanCommand(dirs("a/b/c"))),
    ("plan -d a..b", PlanCommand(dirs("a..b"))),
    ("plan -d .hidden", PlanCommand(dirs(".hidden"))),
    ("plan -d $(id)", PlanCommand(dirs("$(id)"))),
    ("plan -d #1", PlanCommand(dirs("#1"))),
    ("apply p-3e91c0", ApplyCommand(plan_id=PlanId("p-3e91c0"))),
    ("apply p-e3f2b19f", ApplyCommand(plan_id=PlanId("p-e3f2b19f"))),
    ("prbot apply P-3E91C0", ApplyCommand(plan_id=PlanId("p-3e91c0"))),
    ("apply --accept-changes", ApplyCommand(accept_changes=True)),
    ("apply -accept-changes", ApplyCommand(accept_changes=True)),
    (
        "apply p-3e91c0 --accept-changes",
        ApplyCommand(plan_id=PlanId("p-3e91c0"), accept_changes=True),
    ),
    (
        "apply --accept-changes -d a -w b",
        ApplyCommand(Selector(("a",), ("b",)), accept_changes=True),
    ),
    ("prbot unlock", UnlockCommand()),
    ("prbot unlock -d a", UnlockCommand(dirs("a"))),
    ("prbot cancel", CancelCommand()),
    ("prbot cancel -d a -w b", CancelCommand(Selector(("a",), ("b",)))),
    ("cancel", TALK),
    ("prbot help", HelpCommand()),
]


@pytest.mark.parametrize(("body", "command"), FIRST_WORDS + SHAPES + OPTIONS)
def test_grammar(body: str, command: Command) -> None:
    """It reads commands off the first line and leaves talk alone."""
    assert parse(body, BOT, aliases=("atlantis",)) == command


HINTS = [
    # more lines
    ("prbot plan\nand tell me", "one line"),
    ("prbot apply\n\nthanks!", "one line"),
    ("`prbot plan`\nplease", "one line"),
    ("prbot destroy\nit", None),
    # near misses
    ("prbot pln", "`prbot plan`"),
    ("prbot plna", "`prbot plan`"),
    ("prbot aply", "`prbot apply`"),
    ("/prbot appply -d a", "`prbot apply`"),
    ("prbot unlok", "`prbot unlock`"),
    ("prbot hlep", "`prbot help`"),
    ("prbot is great", None),
    ("prbot thanks", None),
    ("@acme-prbot what do you think?", None),
    ("prbot don't do it", None),
    # not what the grammar says
    ("prbot plan to do this", "to"),
    ("prbot plan a b", "a"),
    ("prbot plan p-3e91c0", "p-3e91c0"),
    ("prbot apply all", "all"),
    ("prbot apply p-3e91c", "p-3e91c"),
    ("prbot apply p-3e91c0 p-3e91c1", "p-3e91c1"),
    ("prbot apply p-3e91c0 -d a", "one plan"),
    ("prbot help me", "me"),
    ("prbot help -d a", "not know"),
    ("prbot unlock -x", "-x"),
    ("prbot plan -d", "-d"),
    ("prbot plan -d=", "-d"),
    ("prbot plan -d ''", "-d"),
    ("prbot plan --dir", "--dir"),
    ("prbot plan --dri a", "--dir"),
    ("prbot plan --accept-changes", "--accept-changes"),
    ("prbot apply --accept-changes=yes", "--accept-changes"),
    ("prbot plan -d 'a", "quote"),
    ("prbot plan -d a\\", "quote"),
    ("prbot plan -", "`-`"),
    ("prbot plan ---dir a", "---dir"),
    ("prbot plan --d a", "--dir"),
    # unsafe values
    ("prbot plan -d ..", ".."),
    ("prbot plan -d ../other", ".."),
    ("prbot plan -d a/../b", ".."),
    ("prbot plan -d a/..", ".."),
    ("prbot plan -d /etc", "/etc"),
    ("prbot plan -d //etc", "/etc"),
    ("prbot plan -d ./-x", "-x"),
    ("prbot plan -d -w", "-w"),
    ("prbot plan -d=-w", "-w"),
    ("prbot plan --dir=--all", "--all"),
    ("prbot plan -w ../x", "../x"),
    ("prbot plan -w a/b", "a/b"),
    ("prbot plan -w -d", "-d"),
    ("prbot plan -d a\u202eb", "characters"),
    ("prbot plan -d a\u200bb", "characters"),
    ("prbot plan -d a\x00b", "characters"),
    # known to the product, not to this version
    ("prbot plan -p net", "-p"),
    ("prbot plan --project net", "--project"),
    ("prbot plan --destroy", "--destroy"),
    ("prbot plan -destroy", "-destroy"),
    ("prbot plan --refresh-only", "--refresh-only"),
    ("prbot plan -d a -- -target=x", "--"),
    ("prbot plan -target=x.y", "-target"),
    ("prbot plan -var a=b", "-var"),
    ("prbot apply --no-merge", "--no-merge"),
    ("prbot apply --override 'all is on fire'", "--override"),
    ("prbot apply --accept-orphans", "--accept-orphans"),
    ("plan --destroy", "--destroy"),
    ("apply -p net", "-p"),
    ("prbot approve-policies", "approve-policies"),
    ("prbot approve_policies", "approve_policies"),
    ("prbot import aws_x.y id", "import"),
    ("prbot state rm aws_x.y", "state"),
    ("prbot rollback", "rollback"),
    ("prbot version", "version"),
    # bare commands never get a hint about their grammar
    ("plan -x", None),
    ("plan -d ..", None),
    ("apply all", None),
    ("plan -p is not what we want", None),
    ("apply p-3e91c", None),
    ("plna", None),
]


@pytest.mark.parametrize(("body", "mention"), HINTS)
def test_hints(body: str, mention: str | None) -> None:
    """It answers what was meant for it with one hint, and never talk (None)."""
    command = parse(body, BOT, aliases=("atlantis",))
    if mention is None:
        assert command == TALK
    else:
        assert isinstance(command, NotUnderstood)
        assert mention in command.message


@pytest.mark.parametrize("body", ["plan", "apply -d a", "`apply`"])
def test_bare_off(body: str) -> None:
    """It leaves bare commands alone when they are switched off, not prefixed ones."""
    assert parse(body, BOT, bare=False) == TALK
    assert parse("prbot plan", BOT, bare=False) == PlanCommand()


def test_aliases_are_only_those_given() -> None:
    """It answers to another bot's name only when told to."""
    assert parse("atlantis plan", BOT) == TALK


@pytest.mark.parametrize(
    "text",
    [
        "prbot plan -d ../`@everyone` <img src=x> [a](b) #1",
        "prbot plan '</details><script>'",
        "prbot plan @acme/sre",
        "prbot plan https://evil.test/x",
        "prbot plan " + "x" * 1000,
        "prbot plan -d '/{path}{0.__class__}'",
    ],
)
def test_echo_is_harmless(text: str) -> None:
    """It repeats what was typed only in part, short, and without anything that renders."""
    command = parse(text, BOT)
    assert isinstance(command, NotUnderstood)
    assert not set("<>@#[]()|\\\n{}") & set(command.message)
    assert "://" not in command.message
    assert command.message.count("`") % 2 == 0
    assert len(command.message) < 300


SEGMENT = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="/"), min_size=1, max_size=8
).filter(lambda name: name not in (".", "..") and not name.startswith("-"))
DIRS = st.just(".") | st.lists(SEGMENT, min_size=1, max_size=3).map("/".join)
WORKSPACES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True).filter(
    lambda name: ".." not in name
)
SELECTORS = st.builds(
    Selector,
    st.lists(DIRS, max_size=3).map(tuple),
    st.lists(WORKSPACES, max_size=3).map(tuple),
)
PLAN_IDS = st.from_regex(r"p-[0-9a-f]{6,12}", fullmatch=True).map(PlanId)
COMMANDS = st.one_of(
    st.builds(PlanCommand, SELECTORS),
    st.builds(ApplyCommand, SELECTORS, accept_changes=st.booleans()),
    st.builds(ApplyCommand, plan_id=PLAN_IDS, accept_changes=st.booleans()),
    st.builds(UnlockCommand, SELECTORS),
    st.just(HelpCommand()),
)


@given(COMMANDS)
def test_spelling_and_back(command: Command) -> None:
    """It reads back exactly what it spells."""
    assert parse(spell(command), BOT) == command


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (PlanCommand(), "prbot plan"),
        (PlanCommand(dirs("my env")), "prbot plan -d 'my env'"),
        (ApplyCommand(plan_id=PlanId("p-3e91c0")), "prbot apply p-3e91c0"),
        (ApplyCommand(spaces("b"), accept_changes=True), "prbot apply -w b --accept-changes"),
        (UnlockCommand(dirs("a", "b")), "prbot unlock -d a -d b"),
        (HelpCommand(), "prbot help"),
    ],
)
def test_spelling(command: Command, text: str) -> None:
    """It spells commands as a person would type them."""
    assert spell(command) == text


@pytest.mark.parametrize("command", [Conversation(), NotUnderstood("what?")])
def test_nothing_to_spell(command: Command) -> None:
    """It spells only what can be typed."""
    with pytest.raises(ValueError, match="typed"):
        spell(command)


WORDS = st.sampled_from(
    [
        "prbot",
        "plan",
        "apply",
        "unlock",
        "help",
        "-d",
        "-w",
        "--dir=",
        "..",
        "/",
        "-",
        "--",
        "'",
        "p-3e91c0",
        "--accept-changes",
    ]
) | st.sampled_from(["\n", "`", "\\", "./", "./-x", "a/../b", "-d=/etc", "-d/etc", "-d./-x"])


@given(st.text() | st.lists(WORDS | st.text(max_size=3), max_size=8).map(" ".join))
def test_any_text(body: str) -> None:
    """It never fails, and never lets a directory out of the repository."""
    for text in (body, f"prbot plan {body}", f"apply {body}"):
        command = parse(text, BOT, aliases=("atlantis",))
        if isinstance(command, PlanCommand | ApplyCommand | UnlockCommand):
            for name in command.select.dirs:
                assert name
                assert not name.startswith(("/", "-"))
                assert ".." not in name.split("/")
            for name in command.select.workspaces:
                assert name
                assert "/" not in name
                assert not name.startswith("-")
