"""What prbot says of plans and steps that did not come to their end."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class ToolFailed(PrbotError):
    """`{tool} {verb}` failed with exit code {code}."""

    verb: str
    code: int
    output: str
    tool: str = "terraform"
    flaws: tuple[tuple[str, int, int, bool, str, str], ...] = ()
    hint = "Read the output below, mend the cause, and comment `prbot plan`."


@dataclass(eq=False)
class StepFailed(PrbotError):
    """Step {number} of the workflow's `{stage}`, `{step}`, failed with exit code {code}."""

    stage: str
    number: int
    step: str
    code: int
    output: str
    hint = "Read the output below, mend the cause, and comment `prbot plan`."


@dataclass(eq=False)
class StepKilled(PrbotError):
    """Step {number} of the workflow's `{stage}`, `{step}`, was ended by signal {signal}."""

    stage: str
    number: int
    step: str
    signal: int
    output: str
    hint = "Find out who ended it (the machine may be short of memory), and comment `prbot plan`."


@dataclass(eq=False)
class StepTimedOut(PrbotError):
    """Step {number} of the workflow's `{stage}`, `{step}`, was stopped after {seconds} s."""

    stage: str
    number: int
    step: str
    seconds: int
    output: str
    killed: bool
    hint = "Raise `limits.job_timeout` on the server, or make the step faster."


@dataclass(eq=False)
class HookFailed(PrbotError):
    """The {when} hook {number}, `{label}`, {how}."""

    when: str
    number: int
    label: str
    how: str
    output: str
    hint = "Hooks are the operator's: `per_repository[].{when}_hooks`. Mend the cause, and comment `prbot plan`."


@dataclass(eq=False)
class GeneratedTooMuch(PrbotError):
    """The pre hooks left {found} MiB of new files, and at most {limit} MiB are kept."""

    found: int
    limit: int
    hint = "Let hooks remove what is not needed for a plan, or download it below `$TMPDIR`."


@dataclass(eq=False)
class GeneratedIsGone(PrbotError):
    """What the pre hooks generated ({commit}) is not kept any more."""

    commit: str
    hint = "Comment `prbot plan`, and they generate it again."


@dataclass(eq=False)
class UnusableValue(PrbotError):
    """The workflow gives the variable `{name}` a value that is too long or holds a null byte."""

    name: str
    hint = "Let the step write it to a file below `$TMPDIR`, and the variable name that file."


@dataclass(eq=False)
class NoPlanFile(PrbotError):
    """The workflow's `plan` ended without a plan file."""

    hint = "Add the step `plan`, or let a `run` step write the plan to `$PLANFILE`."


@dataclass(eq=False)
class VarFileOutside(PrbotError):
    """The variable file `{path}` is not in the repository."""

    path: str
    hint = "Correct `var_files`; a link that leads out of the repository is not followed."


@dataclass(eq=False)
class OwnStepsOnly(PrbotError):
    """It is planned by the workflow `{name}`, and `prbot plan` runs none on your machine."""

    name: str
    hint = "Run its commands yourself, or let the server plan the pull request."


@dataclass(eq=False)
class StepAfterApply(PrbotError):
    """Plan {plan} was applied, but then: {problem}"""

    plan: str
    problem: str
    output: str
    hint = "What the plan was to change is done. Do by hand what the step was to do."


@dataclass(eq=False)
class NotFresh(PrbotError):
    """Plan {plan} was not applied, because it is not what it was made from any more: {changes}."""

    plan: str
    changes: str
    remedy: str
    hint = "{remedy}"


@dataclass(eq=False)
class PlanAgain(PrbotError):
    """Plan {plan} was not applied: {changes}."""

    plan: str
    changes: str
    hint = "It moved once more while it was planned again; comment `prbot plan`, read the new plan, and apply that one."


@dataclass(eq=False)
class NoRecord(PrbotError):
    """Plan {plan} was made by an older prbot, which did not record what it was made from."""

    plan: str
    hint = "Comment `prbot plan`, read the new plan, and apply that one."


@dataclass(eq=False)
class ToolTimedOut(PrbotError):
    """`{tool} {verb}` was stopped after {seconds} s."""

    verb: str
    seconds: int
    output: str
    tool: str = "terraform"
    hint = "Raise `limits.job_timeout` on the server, or split the project."


@dataclass(eq=False)
class NoPlanJson(PrbotError):
    """{path} could not be read: {cause}."""

    path: str
    cause: str
    hint = "Make it with `terraform show -json PLANFILE`."


@dataclass(eq=False)
class BadPlan(PrbotError):
    """The plan's JSON cannot be used: {problem}."""

    problem: str
    hint = "Plan again; if it stays, report it with the tool's version."
