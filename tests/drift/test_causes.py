"""What drift began with, and what a project is behind for, row by row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from prbot.config.drift import Reaction
from prbot.drift.causes import Cause, Unapplied, Upgrade
from prbot.drift.checking import caused
from prbot.drift.flapping import traced
from prbot.drift.issue import Found, Section
from prbot.drift.state import Standing, Trace
from prbot.drift.verdict import BLIND, ProjectVerdict
from prbot.model import ProjectKey, PullRef, RepoRef, Sha
from prbot.plans.lock_file import Versions
from prbot.plans.record import Applied, Inputs
from prbot.plans.threeway import Verdict
from prbot.runs.landings import Landing

ROWS = yaml.safe_load((Path(__file__).parent / "causes.yaml").read_text())
REPO, NET = RepoRef("gh", "acme/infra"), ProjectKey("net")
NIGHT = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CLEAN = ProjectVerdict.IN_SYNC
IN_SYNC = Applied(Sha("c0"), Inputs("f", "l", "terraform 1.11.4"), NIGHT - DAY)

Row = Mapping[str, Any]


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_cause(row: Row) -> None:
    """It names a cause where nothing else can be behind it."""
    now, before = row["now"], standing(row["before"])
    providers = {
        address_of(one["provider"])
        for one in now["found"].values()
        if one["reaction"] != Reaction.IGNORE
    }
    found = tuple(found_of(name, one) for name, one in now["found"].items())
    section = section_of(now["verdict"], found, now["versions"], now["commit"])
    told = caused(section, before, frozenset(providers), map(landing, row["landings"]))
    assert told.cause == cause_of(row["expect"])


def standing(row: Row | None) -> Standing:
    """As the checks before left it: one that could see, and perhaps one that could not."""
    if row is None:
        return Standing(REPO, NET)
    found = tuple(
        found_of(name, {"value": value, "reaction": "alert"})
        for name, value in row["drifting"].items()
    )
    seen = ProjectVerdict(row["verdict"])
    shown = CLEAN if seen in BLIND else seen
    trace = traced(Trace(), section_of(shown, found, {}, "c0"))
    section = section_of(seen, () if seen in BLIND else found, row["versions"], "c0")
    section = replace(section, cause=cause_of(row["cause"]))
    applied = None if row.get("in_sync") == "never" else IN_SYNC
    return Standing(REPO, NET, section=section, trace=traced(trace, section), applied=applied)


def section_of(verdict: str, found: tuple[Found, ...], versions: Row, commit: str) -> Section:
    known: Versions = tuple(
        sorted((address_of(name), version) for name, version in versions.items())
    )
    return Section(
        REPO, NET, ProjectVerdict(verdict), Sha(commit), NIGHT, found=found, providers=known
    )


def found_of(name: str, one: Row) -> Found:
    address, _, attribute = name.partition(", ")
    gone = one["value"] == "GONE"
    return Found(
        address,
        None if gone else attribute,
        Verdict.GONE if gone else Verdict.REVERTS,
        Reaction(one["reaction"]),
        live=json.dumps(one["value"]),
    )


def address_of(provider: str) -> str:
    return provider if provider.count("/") == 2 else f"registry.terraform.io/{provider}"


def landing(row: Row) -> Landing:
    pull = PullRef(REPO, row["pull"])
    by = PullRef(REPO, 99) if row["settled"] else None
    at = IN_SYNC.at - DAY if row.get("before_in_sync") else NIGHT
    return Landing(pull, NET, Sha(f"m{row['pull']}"), at, by)


def cause_of(row: Row | None) -> Cause | None:
    match row:
        case {"provider": provider, "version": version, "before": before}:
            return Upgrade(address_of(provider), version, before)
        case {"pull": pull}:
            return Unapplied(Sha(f"m{pull}"), pull)
        case {"commit": commit}:
            return Unapplied(Sha(commit))
    return None


def test_of_other_projects() -> None:
    """It takes no pull request for the cause that left nothing in this project."""
    other = Landing(PullRef(REPO, 7), ProjectKey("app"), Sha("m7"), NIGHT)
    section = section_of(ProjectVerdict.BEHIND, (), {}, "c2")
    before = Standing(REPO, NET, applied=IN_SYNC)
    assert caused(section, before, frozenset(), [other]).cause == Unapplied(Sha("c2"))
