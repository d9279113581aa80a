"""`/metrics` as somebody scrapes it: read with the reader that Prometheus's library brings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from prbot.adapters.store import SqlStore
from prbot.drift.tally import NEVER, Checks, Corrected, Tally, Ward
from prbot.model import ProjectKey, RepoRef
from prbot.telemetry import Redactor
from prbot.web.gauges import page
from prbot.web.hooks import Door
from prbot.web.metrics import Gauges
from prbot.web.server import application

REPO, OTHER = RepoRef("gh", "acme/infra"), RepoRef("gl", 'ops/"x"\\y')
THEN, LATER = datetime(2026, 1, 1, 3, tzinfo=UTC), datetime(2026, 1, 2, 3, tzinfo=UTC)
TOKEN = "the-scrapers-own"
TALLY = Tally(
    wards=(
        Ward(REPO, "prod", {"drifted": 2, "in-sync": 5, NEVER: 1}, 6, THEN, LATER),
        Ward(OTHER, None, {NEVER: 3}, 0, None, None),
    ),
    checks=(Checks(REPO, 40, 3),),
    corrected=(
        Corrected(REPO, "auto", "proven", 4),
        Corrected(REPO, "auto", None, 1),
        Corrected(REPO, "revert", "It broke: x\n", 1),
        Corrected(REPO, "revert", "It broke: y", 1),
    ),
    looked_at=2,
    skipped=1,
    under_way=7,
)
PLACE = {"forge": "gh", "repository": "acme/infra"}
PROD = PLACE | {"environment": "prod"}
ELSEWHERE = {"forge": "gl", "repository": 'ops/"x"\\y', "environment": ""}


def samples(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_all_that_is_told() -> None:
    """It tells each number with its labels, hostile names too, and nothing of what is not known."""
    assert samples(page(TALLY).decode()) == {
        "prbot_drift_projects": [
            (PROD | {"verdict": "drifted"}, 2),
            (PROD | {"verdict": "in-sync"}, 5),
            (PROD | {"verdict": "never-checked"}, 1),
            (ELSEWHERE | {"verdict": "never-checked"}, 3),
        ],
        "prbot_drift_projects_checked": [(PROD, 6), (ELSEWHERE, 0)],
        "prbot_drift_oldest_check_timestamp_seconds": [(PROD, THEN.timestamp())],
        "prbot_drift_oldest_success_timestamp_seconds": [(PROD, LATER.timestamp())],
        "prbot_drift_checks_begun_total": [(PLACE, 40)],
        "prbot_drift_checks_failed_total": [(PLACE, 3)],
        "prbot_drift_corrections": [
            (PLACE | {"how": "auto", "outcome": "proven"}, 4),
            (PLACE | {"how": "auto", "outcome": "under-way"}, 1),
            (PLACE | {"how": "revert", "outcome": "other"}, 2),
        ],
        "prbot_drift_under_way": [({}, 7)],
        "prbot_drift_repositories": [({"state": "looked-at"}, 2), ({"state": "skipped"}, 1)],
    }


def test_secrets_in_labels() -> None:
    """It redacts names, as everything that leaves."""
    redactor = Redactor()
    redactor.register("infra-of-a-secret")
    ward = Ward(RepoRef("gh", "acme/infra-of-a-secret"), "infra-of-a-secret", {}, 1, THEN, THEN)
    told = page(Tally(wards=(ward,)), redactor.redact).decode()
    assert "of-a-secret" not in told
    assert told.count('repository="acme/[redacted]"') == 3


Scrape = Callable[..., Any]


@pytest.fixture
def served(store: SqlStore, empty_store: SqlStore, aiohttp_client: Any) -> Scrape:
    async def scrape(at: SqlStore = store, token: str | None = TOKEN) -> Any:
        class Clock:
            def now(self) -> datetime:
                return LATER

        door = Door(at, Clock(), (("gh", b"x"),), 1024, lambda: None)
        gauges = None if token is None else Gauges(at, Clock(), token, str)
        return await aiohttp_client(application(door, lambda: True, gauges))

    return scrape


async def test_from_the_database(store: SqlStore, served: Scrape) -> None:
    """It counts what the database says at that moment, with no state of its own."""
    client = await served()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with store.begin() as unit:
        await unit.drift.found(REPO, {ProjectKey("a"): "prod", ProjectKey("b"): "prod"}, THEN)
    answer = await client.get("/metrics", headers=headers)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    told = samples(await answer.text())
    assert told["prbot_drift_projects"] == [(PROD | {"verdict": "never-checked"}, 2)]
    assert told["prbot_drift_oldest_success_timestamp_seconds"] == [(PROD, THEN.timestamp())]
    async with store.begin() as unit:
        await unit.drift.found(REPO, {ProjectKey("a"): "prod"}, LATER)
    told = samples(await (await client.get("/metrics", headers=headers)).text())
    assert told["prbot_drift_projects"] == [(PROD | {"verdict": "never-checked"}, 1)]


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", TOKEN, "Bearer \u00e4"]
)
async def test_without_the_token(served: Scrape, given: str) -> None:
    """It tells nothing."""
    client = await served()
    answer = await client.get("/metrics", headers={"Authorization": given} if given else {})
    assert (answer.status, await answer.text()) == (401, "")


async def test_no_text(served: Scrape) -> None:
    """It tells nothing either to a word that is no text, as whoever knocks may send."""
    client = await served()
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\n\r\n")
    answer = await reader.readline()
    writer.close()
    assert answer.split()[1] == b"401"


async def test_nobody_wants_it(served: Scrape) -> None:
    """It is not there."""
    client = await served(token=None)
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 404


async def test_without_a_database(served: Scrape, intruder: Any, store: SqlStore) -> None:
    """It says that it cannot count just now."""
    await store.close()
    intruder.execute("DROP TABLE drift_watches")
    client = await served()
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 503
