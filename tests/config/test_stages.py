"""What is carried out for a project, and what of it a plan remembers."""

import pytest

from prbot.config.stages import OWN, Recipe, recipe_differences, recipe_of
from prbot.config.workflows import StepConfig, Workflow
from prbot.errors.workflows import BadWorkflow


def workflow(plan: list[object] | None = None, apply: list[object] | None = None) -> Workflow:
    given = {"plan": {"steps": plan}, "apply": {"steps": apply}}
    return Workflow.model_validate(given)


def kinds(steps: tuple[StepConfig, ...]) -> list[str]:
    return [step.kind for step in steps]


RUN: dict[str, object] = {"run": "make"}
ENV: dict[str, object] = {"env": {"name": "A", "value": "1"}}
PREPARATIONS = [
    # plan, apply, what an apply begins with
    (None, None, ["init"]),
    ([RUN, "init", "plan"], None, ["run", "init"]),
    ([ENV, {"init": {"extra_args": ["-upgrade"]}}, RUN], None, ["env", "init"]),
    (["init", RUN, "init", "plan"], None, ["init", "run", "init"]),
    (["init", "plan", "show", "init"], None, ["init", "init"]),
    (["init", "plan"], ["init", "apply"], []),
    ([RUN], ["apply"], ["init"]),
    ([RUN], [RUN], []),
    (["init", RUN], [RUN], ["init"]),
]


@pytest.mark.parametrize(("plan", "apply", "before"), PREPARATIONS)
def test_preparation(
    plan: list[object] | None, apply: list[object] | None, before: list[str]
) -> None:
    """It readies a clean checkout for an apply as the plan was readied."""
    assert kinds(recipe_of("w", workflow(plan, apply)).preparation) == before


LOOKS = [
    (None, None, ["init"]),
    ([RUN, "init", "plan"], None, ["run", "init"]),
    ([RUN], [RUN], ["init"]),
    (["init", "plan"], [ENV, RUN, "init", "apply", RUN], ["env", "init"]),
    (["init", "plan"], ["apply", "init"], ["init"]),
]


@pytest.mark.parametrize(("plan", "apply", "before"), LOOKS)
def test_looking(plan: list[object] | None, apply: list[object] | None, before: list[str]) -> None:
    """It reads a state without running what may change anything."""
    assert kinds(recipe_of("w", workflow(plan, apply)).looking) == before


REFUSED: list[tuple[list[object] | None, list[object] | None, str]] = [
    (["init", "apply"], None, "`plan` cannot have the step `apply`"),
    (["init", "plan", "policy"], None, "the step `policy`"),
    (["import"], None, "the step `import`"),
    (None, ["plan", "apply"], "`apply` cannot have the step `plan`"),
    (None, ["state_rm", "apply"], "the step `state_rm`"),
    (None, [], "applies anything"),
    (None, [ENV, "init"], "applies anything"),
    (None, ["apply", RUN, "apply"], "more than once"),
]


@pytest.mark.parametrize(("plan", "apply", "words"), REFUSED)
def test_refused(plan: list[object] | None, apply: list[object] | None, words: str) -> None:
    """It refuses stages that would apply nothing, twice, or what nobody read."""
    with pytest.raises(BadWorkflow, match=f"`w` cannot be used: .*{words}"):
        recipe_of("w", workflow(plan, apply))


def test_own() -> None:
    """It knows its own steps when they are written out, and tells nothing of them."""
    assert recipe_of("w", Workflow()) == OWN
    assert recipe_of("w", workflow(["init", "plan"], ["apply"])).own
    assert OWN.lines == ()
    assert not recipe_of("w", workflow([])).own


CHANGES = [
    (["init", "plan"], ["init", "plan"], ()),
    (["init", RUN], ["init", {"run": {"command": "make"}}], ()),
    (
        ["init", RUN],
        ["init", {"run": "make all"}],
        ("step 2 of the workflow's `plan` (`run`) changed",),
    ),
    (
        ["init", "plan"],
        [RUN, "plan"],
        ("step 1 of the workflow's `plan` is `run`, and was `init`",),
    ),
    (["init", "plan"], ["init"], ("step 2 of the workflow's `plan` (`plan`) is gone",)),
    (["init"], ["init", RUN], ("step 2 of the workflow's `plan` (`run`) is new",)),
]


@pytest.mark.parametrize(("old", "new", "words"), CHANGES)
def test_differences(old: list[object], new: list[object], words: tuple[str, ...]) -> None:
    """It names the steps that changed, and none of their words."""
    reviewed, fresh = recipe_of("w", workflow(old)), recipe_of("w", workflow(new))
    assert recipe_differences(reviewed.lines, fresh.lines) == words


def test_stages_are_told_apart() -> None:
    """It names the stage, too."""
    other = recipe_of("w", workflow(None, ["apply", RUN]))
    words = ("step 2 of the workflow's `apply` (`run`) is new",)
    assert recipe_differences((), other.lines) == words
    assert recipe_differences(other.lines, ()) == (words[0].replace("new", "gone"),)


def test_secrets_of_commands_stay() -> None:
    """It keeps no command, only a digest of each."""
    step = {"env": {"name": "TOKEN", "value": "s3cr3t-value"}}
    lines = recipe_of("w", workflow([step, "plan"])).lines
    assert "s3cr3t" not in "".join(lines)
    assert Recipe(plan=()).lines != OWN.lines


def test_policies() -> None:
    """It never leaves out a check that a workflow has of its own."""
    given = {"policy": {"steps": ["policy"]}}
    with pytest.raises(BadWorkflow, match="`policy`"):
        recipe_of("w", Workflow.model_validate(given))
