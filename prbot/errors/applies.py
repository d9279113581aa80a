"""What prbot says of applies: failed, interrupted, or not begun."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class ApplyFailed(PrbotError):
    """Applying plan {plan} failed; what it had done until then is kept in the state."""

    plan: str
    output: str
    hint = "Read the output below, mend the cause, and comment `prbot plan`."


@dataclass(eq=False)
class StateRescued(PrbotError):
    """Terraform could not save the state; it is kept on prbot's machine as {path}."""

    path: str
    hint = "Let nobody apply here before it is brought back with `terraform state push`."


@dataclass(eq=False)
class ApplyInterrupted(PrbotError):
    """prbot was stopped while plan {plan} was being applied; what it changed is not known."""

    plan: str
    hint = (
        "Look at the state and at the provider's side, then comment `prbot plan`:"
        " the new plan shows what is missing. The project stays locked for this pull request."
    )


@dataclass(eq=False)
class ApplyKilled(PrbotError):
    """Terraform was killed while plan {plan} was being applied; what it changed is not known."""

    plan: str
    output: str
    hint = (
        "Look at the state and at the provider's side, then comment `prbot plan`:"
        " the new plan shows what is missing. The project stays locked for this pull request."
    )


@dataclass(eq=False)
class JobStopped(PrbotError):
    """It was stopped: somebody asked for that, or a newer commit came."""

    hint = "Comment `prbot plan` to do it again."


@dataclass(eq=False)
class ApplyStopped(PrbotError):
    """Applying plan {plan} was stopped half-way. {why}"""

    plan: str
    why: str
    hint = (
        "Terraform was asked to save what it had done; comment `prbot plan` to see what is"
        " missing. The project stays locked for this pull request."
    )


class NoKnownLock(PrbotError):
    """No state lock is known to have been left by the interrupted apply."""

    hint = "Comment `prbot plan`; if the state is locked, it says by whom."


@dataclass(eq=False)
class LockOfAnother(PrbotError):
    """The state's lock is {lock_id} of {who} by now, and not the interrupted apply's."""

    lock_id: str
    who: str
    hint = "Ask whoever holds it; prbot breaks no lock that was not its own."


@dataclass(eq=False)
class ApplyRanElsewhere(PrbotError):
    """The apply ran on {host}, so it cannot be seen from here whether it still runs."""

    host: str
    hint = (
        "Make sure that it is dead, then run `terraform force-unlock` by hand in the"
        " project's directory."
    )


class ToolStillRuns(PrbotError):
    """The interrupted apply's tool still runs; it frees the lock itself when it ends."""

    hint = "Wait until it has ended, then comment `prbot unlock` again."


@dataclass(eq=False)
class ToolChanged(PrbotError):
    """The plan was made with {old}, but the server now runs {new}."""

    old: str
    new: str
    hint = "Comment `prbot plan`; a plan file does not carry across tool versions."


@dataclass(eq=False)
class PlanFileChanged(PrbotError):
    """The stored file of plan {plan} is not the one that was made."""

    plan: str
    hint = "Comment `prbot plan`, and find out who can write to the server's state directory."


@dataclass(eq=False)
class PlanTriedBefore(PrbotError):
    """An apply of plan {plan} was started before; a plan is never applied twice."""

    plan: str
    hint = "Comment `prbot plan`, read the new plan, and apply that one."


@dataclass(eq=False)
class StateWouldBeLost(PrbotError):
    """The state of {project} would stand in the checkout, and be lost with it."""

    project: str
    hint = "Declare a backend outside the repository's directory."


@dataclass(eq=False)
class StateCommandInterrupted(PrbotError):
    """The {what} of {project} was cut off; nobody knows whether it was done."""

    what: str
    project: str
    hint = "Plan the project to see what its state holds. prbot does not start it again."


@dataclass(eq=False)
class NotJudgedAnew(PrbotError):
    """Plan {plan_id} was not applied: its process ended before the apply began."""

    plan_id: str
    hint = "Nothing was begun, and what was judged then may not hold any more: ask for it again."


@dataclass(eq=False)
class FrozenMeanwhile(PrbotError):
    """Plan {plan_id} was not applied, because meanwhile {freezes}."""

    plan_id: str
    freezes: str
    hint = "Nothing was begun. When the freeze is over, plan again and apply that plan."
