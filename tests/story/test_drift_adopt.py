"""A rule says that what people change by hand goes into the code: a pull request does it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from nights import CHECKS, Nights, apply_by_hand, change_by_hand, proposed
from town import PATIENCE, REPOSITORY, Town, resource

from prbot.demo.state import Issue
from prbot.drift.verdict import ProjectVerdict

RULES = "version: 1\ndrift:\n  issues: true\n  rules:\n  - {action: open_pr, proposal: adopt}\n"


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


def the_issue(town: Town) -> Issue:
    (issue,) = town.forge.repository(REPOSITORY).issues.values()
    return issue


async def said(nights: Nights, words: str) -> str:
    """Alice says it to the issue, and her wish is answered twice: at once, and in the end."""
    town, before = nights.town, await nights.last()
    issue = the_issue(town)
    town.seen |= {comment.id for comment in issue.comments}
    await town.forge.comment(issue, "alice", words)
    await town.hears(issue, "it is planned again first")
    await nights.checked(before)
    return await town.hears(issue, words)


async def test_adopt_by_rule(town: Town, nights: Nights) -> None:
    """It opens one pull request, which changes one literal and whose plan changes nothing; equal
    drift opens no second one, also after people closed it, unless somebody says so on the issue;
    other drift does."""
    code = town.backend("app") + "\n" + resource("web")
    clone = await town.build({"app/main.tf": code, "prbot.yaml": RULES})
    await apply_by_hand(town, clone.directory / "app")
    await town.start(drift=CHECKS)
    assert (await nights.checked()).verdict is ProjectVerdict.IN_SYNC
    assert proposed(town) == []

    change_by_hand(town, "one", "two")
    assert (await nights.again()).verdict is ProjectVerdict.DRIFTED
    pull = await town.forge.wait_for(lambda: next(iter(proposed(town)), None), PATIENCE)
    (file,) = pull.files
    changed = [line for line in (file.patch or "").splitlines() if line[:1] in "+-"]
    assert changed == ['-  input = "one"', '+  input = "two"']
    assert "`terraform_data.web, input`" in pull.body
    await town.hears(pull, "Plan for `app`: no changes")

    assert (await nights.again()).verdict is ProjectVerdict.DRIFTED
    await town.forge.close(pull, "alice")
    assert (await nights.again()).verdict is ProjectVerdict.DRIFTED
    for _ in range(2):
        answer = await said(nights, "prbot adopt")
        (second,) = [p for p in proposed(town) if p.open]
        assert f"{town.titled(second)} does it" in answer.replace("`", "")
    await town.forge.close(second, "alice")
    change_by_hand(town, "two", "three")
    assert (await nights.again()).verdict is ProjectVerdict.DRIFTED
    newer = await town.forge.wait_for(lambda: next((p for p in proposed(town) if p.open), None), 60)
    assert [(p.author.login, p.open) for p in proposed(town)] == [
        (town.bot, False),
        (town.bot, False),
        (town.bot, True),
    ]
    assert '+  input = "three"' in (newer.files[0].patch or "")


async def test_what_cannot_be_written(town: Town, nights: Nights) -> None:
    """It opens none where the value comes from a variable, and tells whoever asks for it why;
    beside something else that can be written, the pull request says what its plan still changes."""
    code = town.backend("app") + (
        '\nvariable "v" {\n  default = "one"\n}\n'
        '\nresource "terraform_data" "web" {\n  input = var.v\n}\n' + resource("db", "three")
    )
    clone = await town.build({"app/main.tf": code, "prbot.yaml": RULES})
    await apply_by_hand(town, clone.directory / "app")
    await town.start(drift=CHECKS)
    assert (await nights.checked()).verdict is ProjectVerdict.IN_SYNC
    change_by_hand(town, "one", "two")
    assert (await nights.again()).verdict is ProjectVerdict.DRIFTED
    assert (await nights.again()).verdict is ProjectVerdict.DRIFTED
    refused = await said(nights, "prbot adopt")
    assert "## Not done: `prbot adopt`" in refused
    assert "`terraform_data.web, input` in `app/main.tf:12`" in refused
    assert proposed(town) == []
    change_by_hand(town, "three", "four")
    assert (await nights.again()).verdict is ProjectVerdict.DRIFTED
    pull = await town.forge.wait_for(lambda: next(iter(proposed(town)), None), PATIENCE)
    await town.hears(pull, "Plan for `app`: 1 to update")
    assert town.prbot is not None
    await town.prbot.service.drift.sweep()
    # the loop may have said it before the plan's own comment was written
    unproven = await town.reads(pull, lambda body: "still changes some of what drifted" in body)
    assert "- `terraform_data.web, input`\n" in unproven
    assert "terraform_data.db" not in unproven
