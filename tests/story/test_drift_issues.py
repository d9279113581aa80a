"""What drifts stands in one issue for ever: told once, edited, closed and opened again; and what
people say to it is done, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from houses import House
from listener import SECRET, Listener
from nights import CHECKS, Calendar, apply_by_hand, change_by_hand
from town import Town, resource

from prbot.config.drift import DriftWebhook

RULES = "version: 1\ndrift: {issues: true}\n"


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


@pytest.fixture
async def house(town: Town, calendar: type[Calendar], listener: Listener) -> House:
    """In sync, looked at once, no issue; somebody listens."""
    code = town.backend("app") + resource("web") + resource("db", "two")
    clone = await town.build({"app/main.tf": code, "prbot.yaml": RULES})
    await apply_by_hand(town, clone.directory / "app")
    town.environ["STORY_SIGNS"] = SECRET
    hook = DriftWebhook(url=listener.url, secret="env://STORY_SIGNS")
    await town.start(drift=CHECKS.model_copy(update={"webhook": hook}))
    made = House(town, calendar)
    await made.checked()
    assert made.issues == []
    return made


async def test_one_issue_for_ever(house: House, listener: Listener) -> None:
    """It opens one issue with what lives and what is wanted, repeats nothing, tells what is new
    once, closes after two clean nights, and opens the same one again. Who listens hears it, too."""
    change_by_hand(house.town, "one", "by hand")
    await house.night()
    (issue,) = house.issues
    assert (issue.author.login, issue.labels, issue.open) == ("prbot", ("prbot", "drift"), True)
    assert issue.title == "Drift in acme/infra, app"
    assert '| `terraform_data.web` | `input` | `"by hand"` | `"one"` |' in issue.body
    await house.night()
    assert issue.comments == []

    change_by_hand(house.town, "two", "other")
    await house.night()
    (told,) = issue.comments
    assert "**added**: `forge:acme/infra app: terraform_data.db, " in told.body
    assert "| `terraform_data.db` | `input` |" in issue.body

    change_by_hand(house.town, "by hand", "one")
    change_by_hand(house.town, "other", "two")
    await house.night()
    assert issue.open
    await house.night()
    assert not issue.open
    assert "by 2 checks in a row" in issue.comments[-1].body

    change_by_hand(house.town, "one", "again")
    await house.night()
    assert house.issues == [issue]
    assert issue.open
    assert "It drifted again" in issue.comments[-1].body

    assert listener.types == ["drift.new", "drift.changed", "drift.gone", "drift.new"]
    assert [len(message["attributes"]) for message in listener.heard] == [1, 2, 0, 1]
    assert "by hand" not in str(listener.heard)


async def test_what_people_say(house: House) -> None:
    """It refuses who may not, does what the others say, answers each, and hears no outsiders,
    no edits, and nothing on anybody else's issue."""
    town = house.town
    change_by_hand(house.town, "one", "by hand")
    await house.night()
    (issue,) = house.issues
    refused = await house.answered(issue, "carol", "prbot revert")
    assert "## Not done: `prbot revert`" in refused
    assert "it needs write access" in refused
    hinted = await house.answered(issue, "alice", "prbot snooze")
    assert "a time, in hours, days or weeks" in hinted
    snoozed = await house.answered(issue, "alice", "prbot snooze 7d")
    assert "as `alice` asked: nobody is told of changes until" in snoozed
    change_by_hand(house.town, "two", "other")
    await house.night()
    said = len(issue.comments)
    assert "Snoozed until" in issue.body
    assert "terraform_data.db" in issue.body
    assert not [one for one in issue.comments if "**added**" in one.body]

    before = await house.last()
    again = await house.answered(issue, "alice", "prbot recheck")
    assert "it is looked at again now" in again
    await house.checked(before)
    accepted = await house.answered(issue, "alice", "prbot accept vendor asked until 2099-01-01")
    assert "more than a year away" in accepted

    day = (house.calendar().now() + timedelta(days=30)).date().isoformat()
    last = await house.last()
    await house.answered(issue, "alice", f"prbot accept vendor asked until {day}")
    await house.checked(last)
    await house.written()
    assert not issue.open
    assert len(issue.comments) > said

    forged = await town.forge.open_issue(issue.repo, "carol", "Forged", issue.body)
    count = len(town.forge.deliveries)
    await town.forge.comment(forged, "alice", "prbot accept it until 2027-01-01")
    await town.forge.settled()
    assert len(town.forge.deliveries) > count
    assert forged.comments[-1].user.login == "alice"


async def test_closed_by_hand(house: House) -> None:
    """It leaves an issue closed that somebody closed, until something else drifts, and open that
    somebody opened again; also when the webhooks that told of it are lost."""
    town, forge = house.town, house.town.forge
    news = "Issue Hook" if town.gitlab else "issues"
    change_by_hand(town, "one", "by hand")
    await house.night()
    (issue,) = house.issues
    assert not (await house.kept()).by_person

    await forge.set_issue_open(issue, "bob", False)
    await town.comes_true(house.is_left_closed)
    await house.night()
    assert (issue.open, issue.comments) == (False, [])

    await forge.set_issue_open(issue, "bob", True)
    await town.comes_true(house.is_told_open)
    forge.courier.lose_next(news)
    await forge.set_issue_open(issue, "bob", False)
    await house.night()
    assert (issue.open, (await house.kept()).by_person) == (False, True)

    forge.courier.lose_next(news)
    await forge.set_issue_open(issue, "bob", True)
    await house.night()
    assert (issue.open, (await house.kept()).open) == (True, True)
    assert issue.comments == []

    await forge.set_issue_open(issue, "bob", False)
    await town.comes_true(house.is_left_closed)
    change_by_hand(town, "two", "other")
    await house.night()
    assert issue.open
    assert "**added**: `forge:acme/infra app: terraform_data.db, " in issue.comments[-1].body
