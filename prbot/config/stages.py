"""What is carried out for a project: the steps of its workflow, or prbot's own.

A workflow says how a stage is done and is silent about the rest; here the silence is filled,
and what cannot be carried out is refused before anything runs. A recipe is also told in
lines, one a step, so that a plan knows later by which steps it was made and is to be applied.

Not promised: what a command does. Only its text is known here, not the scripts it calls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from prbot.config.workflows import Stage, StepConfig, Workflow
from prbot.errors import PrbotError
from prbot.errors.server import NotCarriedOut
from prbot.errors.workflows import AppliesTwice, BadWorkflow, MisplacedStep, NothingApplies

StageName = Literal["plan", "apply", "import", "state_rm"]
ANYWHERE = ("init", "show", "run", "env", "multienv")
KNOWN: Mapping[StageName, tuple[str, ...]] = {
    "plan": (*ANYWHERE, "plan"),
    # no `plan` here: what is applied is what people read, and nothing planned after that
    "apply": (*ANYWHERE, "apply"),
    "import": (*ANYWHERE, "import"),
    "state_rm": (*ANYWHERE, "state_rm"),
}
DEFAULT: Mapping[StageName, tuple[StepConfig, ...]] = {
    "plan": tuple(map(StepConfig.model_validate, ("init", "plan"))),
    "apply": (StepConfig.model_validate("apply"),),
    "import": tuple(map(StepConfig.model_validate, ("init", "import"))),
    "state_rm": tuple(map(StepConfig.model_validate, ("init", "state_rm"))),
}


@dataclass(frozen=True)
class Recipe:
    """The steps of each stage, in their order."""

    plan: tuple[StepConfig, ...] = DEFAULT["plan"]
    apply: tuple[StepConfig, ...] = DEFAULT["apply"]
    import_: tuple[StepConfig, ...] = DEFAULT["import"]
    state_rm: tuple[StepConfig, ...] = DEFAULT["state_rm"]

    @property
    def own(self) -> bool:
        """prbot's own steps and no others."""
        return self == Recipe()

    @property
    def preparation(self) -> tuple[StepConfig, ...]:
        """What an apply begins with, because it starts in a clean checkout: the plan's steps up
        to its last `init`, unless the apply stage has an `init` of its own.

        Where neither has one, and the built-in `apply` is to run, prbot's own `init`.
        """
        if _has("init", self.apply):
            return ()
        return _to_init(self.plan) or (OWN_INIT if _has("apply", self.apply) else ())

    @property
    def looking(self) -> tuple[StepConfig, ...]:
        """What makes the state readable, and changes nothing: commands of the stage `apply`,
        which may, are left out."""
        settings = tuple(step for step in self.apply if step.kind != "run")
        return self.preparation or _to_init(settings) or OWN_INIT

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each step, such as `plan 2 run 1f0c…`; none for prbot's own steps."""
        return () if self.own else _lines(self)


OWN = Recipe()
OWN_INIT = DEFAULT["plan"][:1]


def recipe_of(name: str, workflow: Workflow) -> Recipe:
    """Raises BadWorkflow, with the workflow's name."""
    try:
        return _recipe(workflow)
    except PrbotError as error:
        raise BadWorkflow(name, str(error), error.next_step) from None


def _recipe(workflow: Workflow) -> Recipe:
    if workflow.policy.steps:
        # a check that somebody relies on is never left out in silence
        raise NotCarriedOut("It", "`policy`")
    plan, apply = _steps("plan", workflow.plan), _steps("apply", workflow.apply)
    if not any(step.kind in ("apply", "run") for step in apply):
        raise NothingApplies
    if [step.kind for step in apply].count("apply") > 1:
        raise AppliesTwice
    others = _steps("import", workflow.import_), _steps("state_rm", workflow.state_rm)
    return Recipe(plan, apply, *others)


def _steps(name: StageName, stage: Stage) -> tuple[StepConfig, ...]:
    steps = DEFAULT[name] if stage.steps is None else stage.steps
    for step in steps:
        if step.kind not in KNOWN[name]:
            raise MisplacedStep(step.kind, name, ", ".join(KNOWN[name]))
    return steps


def recipe_differences(reviewed: tuple[str, ...], fresh: tuple[str, ...]) -> tuple[str, ...]:
    """Which steps are not the reviewed ones, in words; empty when all are.

    The commands themselves are left out: they may name what is nobody's business.
    """
    old, new = (dict(map(_parted, lines or _lines(OWN))) for lines in (reviewed, fresh))
    places = [*old, *(place for place in new if place not in old)]
    return tuple(
        f"step {place.partition(' ')[2]} of the workflow's `{place.partition(' ')[0]}` {words}"
        for place in places
        if (words := _change(old.get(place), new.get(place)))
    )


def _lines(recipe: Recipe) -> tuple[str, ...]:
    stages: tuple[StageName, ...] = ("plan", "apply")
    return tuple(
        f"{stage} {number} {step.kind} {_digest(step)}"
        for stage in stages
        for number, step in enumerate(recipe.plan if stage == "plan" else recipe.apply, start=1)
    )


def _change(old: str | None, new: str | None) -> str | None:
    if old == new:
        return None
    if old is None or new is None:
        kind = (new or old or "").partition(" ")[0]
        return f"(`{kind}`) {'is new' if old is None else 'is gone'}"
    before, after = old.partition(" ")[0], new.partition(" ")[0]
    return f"(`{after}`) changed" if before == after else f"is `{after}`, and was `{before}`"


def _parted(line: str) -> tuple[str, str]:
    """`plan 2 run 1f0c` as (`plan 2`, `run 1f0c`)."""
    stage, number, rest = line.split(" ", 2)
    return f"{stage} {number}", rest


def _digest(step: StepConfig) -> str:
    """Of what the step says, defaults included, so that two spellings of one step are one."""
    said = f"{step.kind} {step.step.model_dump_json()}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _to_init(steps: tuple[StepConfig, ...]) -> tuple[StepConfig, ...]:
    """Those up to the last `init`, without plans; none where there is no `init`."""
    last = max((n for n, step in enumerate(steps) if step.kind == "init"), default=-1)
    return tuple(step for step in steps[: last + 1] if step.kind not in ("plan", "show", "apply"))


def _has(kind: str, steps: tuple[StepConfig, ...]) -> bool:
    return any(step.kind == kind for step in steps)
