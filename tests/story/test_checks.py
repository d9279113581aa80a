"""prbot as a GitHub App: check runs, with notes at the lines that are wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from town import PATIENCE, REPOSITORY, Town, resource

from prbot.config.server import StatusNames
from prbot.demo.state import CheckRun, Pull

APPS = pytest.mark.only_forge("github", "checks with notes and buttons are of GitHub Apps alone")

WRONG = 'resource "terraform_data" "one" {\n  input = var.missing\n}\n'


@pytest.fixture(autouse=True)
def _terraform(need: Callable[[str], None]) -> None:
    need("terraform")


@APPS
async def test_an_error_is_noted_at_its_line(town: Town) -> None:
    """It ends the check with the failure, noted at file and line, and with "Re-run" only."""
    clone = await town.build({"envs/prod/main.tf": town.backend("prod")})
    town.become_an_app()
    await town.start()
    await clone.push("topic", "Wrong", {"envs/prod/one.tf": WRONG})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    check = await town.check(pull, "prbot/plan", "failure")
    own = await town.check(pull, "prbot/plan: envs/prod", "failure")
    assert check.annotations == []
    (note,) = own.annotations
    assert (note["path"], note["start_line"], note["annotation_level"]) == (
        "envs/prod/one.tf",
        2,
        "failure",
    )
    assert note["title"] == "Reference to undeclared input variable"
    assert "1 of 1 project not planned" in check.title
    assert "envs/prod" in check.summary
    assert [action["identifier"] for action in check.actions] == ["rerun"]
    await town.check(pull, "prbot/apply", "failure")
    assert pull.repo.statuses == []


SECRET = """
variable "word" {
  default   = "correct-horse-battery"
  sensitive = true
}
resource "terraform_data" "one" {
  for_each = toset(["correct-horse-battery"])
  input    = var.word
}
"""


@APPS
async def test_what_the_tool_said(town: Town) -> None:
    """It shows in the check what the tool said where it did not fail, without its secrets."""
    clone = await town.build({"envs/prod/main.tf": town.backend("prod")})
    town.become_an_app()
    await town.start()
    await clone.push("topic", "Secret", {"envs/prod/one.tf": SECRET})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    for name in ("prbot/plan", "prbot/plan: envs/prod"):
        text = (await town.check(pull, name, "success")).text or ""
        assert "### What the tool said: `envs/prod`" in text
        assert "successfully initialized" in text
        assert 'terraform_data.one["[redacted]"]: Plan to create' in text
        assert "Plan: 1 to add" in text
        assert "correct-horse" not in text


@APPS
async def test_each_project_has_a_check(town: Town) -> None:
    """It shows a check for each project while they are few, takes those back that are not
    planned any more, and has none where they are too many."""
    town.config = town.config.model_copy(update={"statuses": StatusNames(per_project=2)})
    names = ("a", "b", "c")
    clone = await town.build({f"{name}/main.tf": town.backend(name) for name in names})
    town.become_an_app()
    await town.start()
    await clone.push("topic", "Two", {"a/x.tf": resource("x"), "b/x.tf": WRONG})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    good = await town.check(pull, "prbot/plan: a", "success")
    assert (good.title, good.actions) == ("1 to create", [])
    bad = await town.check(pull, "prbot/plan: b", "failure")
    assert "terraform" in (bad.title or "")
    assert "undeclared" in (bad.summary or "")
    await clone.push("topic", "Three", {"b/x.tf": resource("x"), "c/x.tf": resource("x")})
    whole = await town.check(pull, "prbot/plan", "success")
    assert "3 projects planned" in (whole.title or "")
    await town.check(pull, "prbot/apply", "success")
    assert {run.name for run in pull.repo.latest_checks(pull.head_sha)} == {
        "prbot/plan",
        "prbot/apply",
    }
    assert pull.repo.statuses == []


@APPS
async def test_checks_of_projects_are_taken_back(town: Town) -> None:
    """It leaves no verdict at a commit whose plan nobody waits for any more: the base went
    on, and more projects than may have a check are planned at the same commit."""
    town.config = town.config.model_copy(update={"statuses": StatusNames(per_project=1)})
    names = ("a", "b")
    clone = await town.build({f"{name}/main.tf": town.backend(name) for name in names})
    town.become_an_app()
    await town.start()
    await clone.push("topic", "One", {"a/x.tf": resource("x")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    first = await town.check(pull, "prbot/plan: a", "success")
    await town.hears(pull, "terraform_data.x")
    await town.forge.comment(pull, "alice", "prbot plan -d b")
    await town.hears(pull, "`b`")

    def taken() -> bool:
        newest = (r for r in pull.repo.latest_checks(pull.head_sha) if r.name == first.name)
        return [run.conclusion for run in newest] == ["neutral"]

    await town.forge.wait_for(taken, PATIENCE)
    assert first.conclusion == "success", "what has ended is not edited"
    assert "prbot/plan: b" not in {run.name for run in pull.repo.check_runs.values()}


@APPS
async def test_an_app_without_checks_sets_statuses(town: Town) -> None:
    """It goes on with plain statuses where the App was installed before there were checks."""
    clone = await town.build({"main.tf": town.backend("root")})
    town.become_an_app(checks="")
    await town.start()
    await clone.push("topic", "More", {"more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    assert "1 with changes" in await town.status(pull, "prbot/plan", "success")
    assert pull.repo.check_runs == {}


async def told(town: Town, *, app: bool = False, asks_approval: bool = False) -> Pull:
    """A pull request with one plan, and its comment."""
    rules = (
        "version: 1\ndefaults:\n  apply_on_merge: never\n"
        "  apply_requirements: {approved: {count: 0}}\n"
    )
    settings = {} if asks_approval else {"prbot.yaml": rules}
    clone = await town.build({"main.tf": town.backend("root"), **settings})
    if app:
        town.become_an_app()
    await town.start()
    await clone.push("topic", "More", {"more.tf": resource("more")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.more")
    return pull


async def planned(town: Town, *, asks_approval: bool = False) -> tuple[Pull, CheckRun]:
    """A pull request with one plan, and its check."""
    pull = await told(town, app=True, asks_approval=asks_approval)
    await town.check(pull, "prbot/apply", "success" if asks_approval else "failure")
    return pull, await town.check(pull, "prbot/plan", "success")


@APPS
async def test_rerun_plans_again(town: Town) -> None:
    """It plans again for whoever presses "Re-run", in each of the three places, and answers."""
    pull, check = await planned(town)
    for press in (
        lambda: town.forge.press(pull.repo, check, "alice", "rerun"),
        lambda: town.forge.press(pull.repo, check, "bob", "rerequest"),
        lambda: town.forge.rerequest_suite(pull.repo, check, "alice"),
    ):
        await press()
        assert "Asked for by" in await town.hears(pull, "terraform_data.more")


@APPS
async def test_rerun_of_one_project(town: Town) -> None:
    """It plans that project only when "Re-run" is pressed on its own check, and the others keep
    what stands there."""
    clone = await town.build({f"{name}/main.tf": town.backend(name) for name in ("a", "b")})
    town.become_an_app()
    await town.start()
    await clone.push("topic", "Two", {f"{name}/x.tf": resource(name) for name in ("a", "b")})
    pull = await town.forge.open_pull(REPOSITORY, head="topic", title="Topic", author="alice")
    await town.hears(pull, "terraform_data.a", "terraform_data.b")
    await town.check(pull, "prbot/plan: b", "success")
    check = await town.check(pull, "prbot/plan: a", "success")
    await town.forge.press(pull.repo, check, "alice", "rerequest")
    told = await town.hears(pull, "Asked for by", "terraform_data.a")
    assert "terraform_data.b" not in told
    await town.check(pull, "prbot/plan: b", "success")
    whole = await town.check(pull, "prbot/plan", "success")
    assert "2 projects planned" in (whole.title or "")


@APPS
async def test_apply_pressed(town: Town) -> None:
    """It applies the plans that stood beside the button, once."""
    pull, check = await planned(town)
    assert [action["identifier"] for action in check.actions] == ["rerun", "apply"]
    await town.forge.press(pull.repo, check, "alice", "apply")
    await town.hears(pull, "Applied: 1 of 1")
    await town.check(pull, "prbot/apply", "success")
    await town.forge.press(pull.repo, check, "alice", "apply")
    assert "applied already" in await town.hears(pull, "apply", "not")


@APPS
async def test_apply_pressed_too_early_or_too_late(town: Town) -> None:
    """It refuses a reader, a button without an approval, and one whose plans are gone."""
    pull, check = await planned(town, asks_approval=True)
    await town.forge.press(pull.repo, check, "carol", "apply")
    assert "carol has read access" in await town.hears(pull, "write access")
    await town.forge.press(pull.repo, check, "alice", "apply")
    assert "0 of 1 approvals" in await town.hears(pull, "approval")
    await town.forge.comment(pull, "alice", "prbot plan")
    await town.hears(pull, "terraform_data.more")
    await town.forge.press(pull.repo, check, "alice", "apply")
    assert "beside the button" in await town.hears(pull, "not those")
    assert not [line for line in await town.journal(pull) if "apply" in line.action]


@APPS
async def test_apply_pressed_after_the_merge(town: Town) -> None:
    """It does nothing: GitHub no longer says which pull request the check belongs to."""
    pull, check = await planned(town)
    await town.forge.merge(pull, "alice")
    await town.hears(pull, "Held: nothing was applied")
    before = len(town.said(pull))
    await town.forge.press(pull.repo, check, "alice", "apply")
    await town.forge.comment(pull, "alice", "prbot help")
    await town.hears(pull, "prbot plan", "prbot apply")
    assert len(town.said(pull)) == before + 1
    assert "applied" not in [line.action for line in await town.journal(pull)]


async def test_outdated_comments_are_folded(town: Town) -> None:
    """It folds the comment that a newer one replaces, and no other; a refusal harms nothing."""
    pull = await told(town)
    (first,) = town.said(pull)
    await town.forge.comment(pull, "bob", "I like it")
    await town.forge.comment(pull, "alice", "prbot plan")
    await town.hears(pull, "terraform_data.more")
    await town.forge.wait_for(lambda: town.folded(first), 60)
    town.forge.fail_next(*(("PUT", r"/notes/\d+$") if town.gitlab else ("POST", "/graphql$")), 403)
    await town.forge.comment(pull, "alice", "prbot plan")
    await town.hears(pull, "terraform_data.more")
    await town.forge.comment(pull, "alice", "prbot help")
    await town.hears(pull, "prbot plan", "prbot apply")
    assert [comment for comment in pull.comments if town.folded(comment)] == [first]
