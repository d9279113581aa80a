"""What is read becomes what this version carries out, or a plain word that it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.intake.commanded import (
    ApplyCommand,
    CancelCommand,
    Command,
    Conversation,
    HelpCommand,
    ImportCommand,
    NotUnderstood,
    PlanCommand,
    StateRmCommand,
    UnlockCommand,
    VersionCommand,
)
from prbot.intake.commands import parse, spell
from prbot.model import Login, PlanId, Selector

BOT = Login("acme-prbot[bot]")


def dirs(*names: str) -> Selector:
    return Selector(dirs=names)


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("prbot plan", PlanCommand()),
        ("plan --all -d a", PlanCommand(dirs("a"), everything=True)),
        ("plan -d a -w b", PlanCommand(Selector(("a",), ("b",)))),
        ("atlantis apply", ApplyCommand()),
        ("apply p-3E91c0", ApplyCommand(plan_id=PlanId("p-3e91c0"))),
        (
            "apply --accept-changes -d a -w b",
            ApplyCommand(Selector(("a",), ("b",)), accept_changes=True),
        ),
        ("plan --destroy -d a", PlanCommand(dirs("a"), destroy=True)),
        ("prbot plan --refresh-only", PlanCommand(refresh_only=True)),
        ("prbot plan --verbose", PlanCommand(verbose=True)),
        ("prbot plan -d a -- -target=x", PlanCommand(dirs("a"), extra=("-target=x",))),
        ("prbot plan -p net", PlanCommand(Selector(projects=("net",)))),
        ("apply -p net -p a*", ApplyCommand(Selector(projects=("net", "a*")))),
        ("prbot apply --accept-orphans", ApplyCommand(accept_orphans=True)),
        ("apply -d a --accept-orphans", ApplyCommand(dirs("a"), accept_orphans=True)),
        ("prbot apply --no-merge", ApplyCommand(no_merge=True)),
        ("prbot unlock -d a", UnlockCommand(dirs("a"))),
        (
            "prbot import -d a aws_x.y id -- --var-file x",
            ImportCommand("aws_x.y", "id", dirs("a"), ("-var-file=x",)),
        ),
        ("prbot state rm 'a.b[\"c\"]' d.e", StateRmCommand(('a.b["c"]', "d.e"))),
        ("prbot state rm a.b -- -dry-run", StateRmCommand(("a.b",), extra=("-dry-run",))),
        ("prbot version -d a", VersionCommand(dirs("a"))),
        ("prbot cancel -w b", CancelCommand(Selector(workspaces=("b",)))),
        ("prbot", HelpCommand()),
        ("prbot help -p net", HelpCommand()),
        ("prbot plan --help", HelpCommand()),
        ("plan this", Conversation()),
    ],
)
def test_commands(body: str, command: Command) -> None:
    """It makes a command of what is carried out."""
    assert parse(body, BOT, aliases=("atlantis",)) == command


@pytest.mark.parametrize(
    ("typed", "extra"),
    [
        ("-var-file=x", "-var-file=x"),
        ("--var-file=x", "-var-file=x"),
        ("-var-file x", "-var-file=x"),
        ("--var-file x", "-var-file=x"),
        ("-target 'a.b[\"c d\"]'", '-target=a.b["c d"]'),
        ("--var name=a=b", "-var=name=a=b"),
        ("-var name=", "-var=name="),
        ("-refresh", "-refresh"),
        ("--refresh=false", "-refresh=false"),
        ("--compact-warnings -parallelism 3", "-compact-warnings -parallelism=3"),
    ],
)
def test_spellings(typed: str, extra: str) -> None:
    """It has one spelling for each argument, whichever was typed."""
    command = parse(f"prbot plan -- {typed}", BOT)
    assert isinstance(command, PlanCommand)
    assert " ".join(command.extra) == extra


LATER = [
    ("prbot approve-policies", "approve-policies"),
    ("prbot approve_policies --policy cost", "approve-policies"),
    ("prbot rollback", "rollback"),
]


@pytest.mark.parametrize(("body", "what"), LATER)
def test_later(body: str, what: str) -> None:
    """It names what it knows and does not carry out, also without a prefix."""
    command = parse(body, BOT)
    assert isinstance(command, NotUnderstood)
    assert f"This version of prbot does not know `{what}`" in command.message


@pytest.mark.parametrize(
    ("body", "mention"),
    [
        ("prbot snooze 7d", "`snooze` is said in a comment on an issue about drift"),
        ("prbot accept it until 2030-01-01", "`accept` is said in a comment on an issue"),
        ("prbot pln", "`prbot plan`"),
        ("prbot plan\nplease", "one line"),
        ("prbot plan -d ..", ".."),
    ],
)
def test_hints(body: str, mention: str) -> None:
    """It answers what was meant for it and is no command."""
    command = parse(body, BOT)
    assert isinstance(command, NotUnderstood)
    assert mention in command.message


SEGMENT = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="/*"), min_size=1, max_size=8
).filter(lambda name: name not in (".", "..") and not name.startswith("-"))
DIRS = st.just(".") | st.lists(SEGMENT, min_size=1, max_size=3).map("/".join)
WORKSPACES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True).filter(
    lambda name: ".." not in name
)
SELECTORS = st.builds(
    Selector,
    st.lists(DIRS, max_size=3).map(tuple),
    st.lists(WORKSPACES, max_size=3).map(tuple),
) | st.lists(DIRS, max_size=3).map(lambda names: Selector(projects=tuple(names)))
PLAN_IDS = st.from_regex(r"p-[0-9a-f]{6,12}", fullmatch=True).map(PlanId)
EXTRA = st.lists(
    st.sampled_from(
        ("-target=a.b", '-replace=a.b["c d"]', "-var=x=y z", "-var-file=a/b.tfvars", "-refresh")
    ),
    max_size=3,
).map(tuple)
COMMANDS = st.one_of(
    st.builds(PlanCommand, SELECTORS, st.booleans(), EXTRA, st.booleans(), verbose=st.booleans()),
    st.builds(PlanCommand, SELECTORS, refresh_only=st.booleans()),
    st.builds(ApplyCommand, SELECTORS, st.none(), st.booleans(), st.booleans(), st.booleans()),
    st.builds(ApplyCommand, st.just(Selector()), PLAN_IDS, st.booleans(), st.booleans()),
    st.builds(ImportCommand, SEGMENT, SEGMENT, SELECTORS),
    st.builds(StateRmCommand, st.lists(SEGMENT, min_size=1).map(tuple), SELECTORS),
    st.builds(VersionCommand, SELECTORS),
    st.builds(UnlockCommand, SELECTORS),
    st.builds(CancelCommand, SELECTORS),
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
        (PlanCommand(dirs("my env"), everything=True), "prbot plan -d 'my env' --all"),
        (ApplyCommand(plan_id=PlanId("p-3e91c0")), "prbot apply p-3e91c0"),
        (
            ApplyCommand(Selector(workspaces=("b",)), accept_changes=True),
            "prbot apply -w b --accept-changes",
        ),
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
