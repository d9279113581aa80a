"""What a freeze stops, until when, and what people are told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from prbot.errors.verbs import NoFreezeReason
from prbot.model import Login, RepoRef
from prbot.runs.freezes import (
    LONGEST_REASON,
    Freeze,
    FreezeId,
    FreezeScope,
    in_force,
    not_frozen,
    reason_of,
    sentence,
    way_out,
)

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
INFRA = RepoRef("github", "acme/infra")
ALL = Freeze(FreezeId("f-1"), FreezeScope.EVERYWHERE, "release", Login("dave"), NOW)
REPO = replace(ALL, scope=FreezeScope.REPOSITORY, repo="acme/infra")
PROD = replace(ALL, scope=FreezeScope.ENVIRONMENT, environment="prod")
LIFTED = {"lifted_at": NOW, "lifted_by": Login("erin")}

SCOPES: dict[str, tuple[Freeze, RepoRef, str | None, bool]] = {
    "everywhere": (ALL, INFRA, "prod", True),
    "everywhere, a project of no environment": (ALL, INFRA, None, True),
    "everywhere, another forge": (ALL, RepoRef("gitlab", "a/b/c"), None, True),
    "the repository": (REPO, INFRA, "prod", True),
    "the repository, a project of no environment": (REPO, INFRA, None, True),
    "the repository, spelled otherwise": (REPO, RepoRef("github", "Acme/Infra"), None, True),
    "another repository": (REPO, RepoRef("github", "acme/infra-2"), "prod", False),
    "the same name on any forge": (REPO, RepoRef("gitlab", "acme/infra"), None, True),
    "the repository of its forge": (replace(REPO, forge="github"), INFRA, None, True),
    "the repository of another forge": (replace(REPO, forge="gitlab"), INFRA, None, False),
    "a pattern": (replace(REPO, repo="acme/*"), INFRA, None, True),
    "a pattern that does not reach": (
        replace(REPO, repo="acme/*"),
        RepoRef("gitlab", "acme/team/infra"),
        None,
        False,
    ),
    "all of a forge": (replace(REPO, repo=None, forge="github"), INFRA, None, True),
    "all of another forge": (replace(REPO, repo=None, forge="gitlab"), INFRA, None, False),
    "the environment": (PROD, INFRA, "prod", True),
    "the environment, spelled otherwise": (PROD, INFRA, "Prod", True),
    "another environment": (PROD, INFRA, "production", False),
    "no environment": (PROD, INFRA, None, False),
    "the environment, of this repository": (replace(PROD, repo="acme/*"), INFRA, "prod", True),
    "the environment, of another": (replace(PROD, repo="b/*"), INFRA, "prod", False),
    "the environment, of another forge": (replace(PROD, forge="gitlab"), INFRA, "prod", False),
    "no pattern matches everything by accident": (
        replace(REPO, repo="[z-a]"),
        INFRA,
        None,
        False,
    ),
}


@pytest.mark.parametrize(
    ("freeze", "repo", "environment", "stopped"), SCOPES.values(), ids=SCOPES.keys()
)
def test_what_it_stops(freeze: Freeze, repo: RepoRef, environment: str | None, stopped: bool):
    """It stops what lies in its scope, and nothing else."""
    assert bool(in_force((freeze,), repo, environment, NOW)) is stopped


TIMES: dict[str, tuple[Freeze, bool]] = {
    "without an end": (ALL, True),
    "before its end": (replace(ALL, until=NOW + timedelta(seconds=1)), True),
    "at its end": (replace(ALL, until=NOW), False),
    "after its end": (replace(ALL, until=NOW - timedelta(days=1)), False),
    "its end in another zone": (
        replace(ALL, until=datetime(2026, 3, 4, 11, 30, tzinfo=timezone(timedelta(hours=1)))),
        True,
    ),
    "lifted": (replace(ALL, **LIFTED), False),
    "lifted before its end": (replace(ALL, until=NOW + timedelta(days=1), **LIFTED), False),
    "declared by a clock that is ahead": (replace(ALL, since=NOW + timedelta(minutes=2)), True),
}


@pytest.mark.parametrize(("freeze", "stopped"), TIMES.values(), ids=TIMES.keys())
def test_when_it_stops(freeze: Freeze, stopped: bool):
    """It holds from the moment it is known, until it ends or is lifted."""
    assert bool(in_force((freeze,), INFRA, None, NOW)) is stopped


def test_every_freeze_is_told():
    """It gives a reason for each freeze in force, in their order, and none for others."""
    freezes = (PROD, replace(ALL, **LIFTED), replace(REPO, id=FreezeId("f-2"), reason="moving"))
    told = not_frozen(freezes, INFRA, "prod", NOW)
    assert [(reason.requirement, reason.message, reason.unblock) for reason in told] == [
        (
            "frozen",
            "environment prod is frozen by dave since 2026-03-04 10:00 UTC, until it is lifted:"
            " release",
            "ask dave; whoever runs the server can lift it with `prbot freeze lift f-1`",
        ),
        (
            "frozen",
            "repository acme/infra is frozen by dave since 2026-03-04 10:00 UTC, until it is"
            " lifted: moving",
            "ask dave; whoever runs the server can lift it with `prbot freeze lift f-2`",
        ),
    ]


SENTENCES: dict[str, tuple[Freeze, str]] = {
    "everywhere": (ALL, "everything is frozen by dave"),
    "a forge": (replace(REPO, repo=None, forge="gh"), "repository gh is frozen by dave"),
    "a repository of a forge": (
        replace(REPO, forge="gh"),
        "repository gh:acme/infra is frozen by dave",
    ),
    "an environment of some repositories": (
        replace(PROD, repo="acme/*"),
        "environment prod of acme/* is frozen by dave",
    ),
}


@pytest.mark.parametrize(("freeze", "begin"), SENTENCES.values(), ids=SENTENCES.keys())
def test_words(freeze: Freeze, begin: str):
    """It says what is frozen first, and why last."""
    assert sentence(freeze).startswith(f"{begin} since ")
    assert sentence(freeze).endswith(": release")


def test_its_end_is_told_in_utc():
    """It tells the end in the one zone that comments know, and that waiting helps."""
    zone = timezone(timedelta(hours=1))
    ending = replace(ALL, until=datetime(2026, 3, 5, 8, 0, tzinfo=zone))
    assert ", until 2026-03-05 07:00 UTC: " in sentence(ending)
    assert way_out(ending).endswith("; else it ends at 2026-03-05 07:00 UTC")


def test_a_reason_is_one_line():
    """It keeps no line ends and nothing invisible, and not more than every refusal can tell."""
    assert reason_of(" release\r\n week\t\x1b[31m \u202egnp.exe\0 ") == "release week [31m gnp.exe"
    assert reason_of("lone \udcff surrogate") == "lone surrogate"
    assert reason_of("x" * LONGEST_REASON) == "x" * LONGEST_REASON
    assert reason_of("x" * LONGEST_REASON + "x") == "x" * (LONGEST_REASON - 1) + "…"


@pytest.mark.parametrize("text", ["", "  ", "\n", "\u200b\0"])
def test_a_freeze_without_a_reason(text: str):
    """It is refused: people who are stopped must be told why."""
    with pytest.raises(NoFreezeReason):
        reason_of(text)
