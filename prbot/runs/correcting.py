"""A correction of drift: the head is planned, judged, applied as planned, and planned again.

What is judged stands in the scene, gathered just before; nothing is applied that it does not
let through, and a push meanwhile ends it. The project is held from the apply on, so that no
pull request applies beside it, until the plan afterwards has proven it; after an interruption
it stays held, and nothing is begun again.
"""

from __future__ import annotations

from dataclasses import replace

from prbot.config.repo import Effective
from prbot.model import Login
from prbot.plans.record import StoredPlan
from prbot.runs.aftermath import looks, reports
from prbot.runs.drifting import GONE, Steps, applied_is_wanted, head_of, project_of
from prbot.runs.reasons import Reason, Reasons
from prbot.runs.requirements.asking import TOO_OLD
from prbot.runs.requirements.people import needs_of, permitted
from prbot.runs.requirements.plans import not_tried, plan_is_whole
from prbot.runs.requirements.pulls import mode_allows
from prbot.runs.run import AskKind, Job, JobKind, JobState, Run, RunState, Trouble
from prbot.runs.say import CorrectionReport, Failure, Message, Refusal
from prbot.runs.scene import Scene
from prbot.runs.steps import DropWorkspaces, Finish, FreeLocks, LayOut, Say, StartJob, TakeLocks

REVERT = "revert"
AGAIN = "Comment `prbot revert` to begin again."
STOPPED = Trouble("It was stopped before it ended.", AGAIN)
LOOKED_AT = "Mend what it says; the project is looked at again by itself."


def by_rule(run: Run) -> bool:
    """Nobody asked for it."""
    return run.ask.correction is None or run.ask.correction.by_rule


def is_judged_once(run: Run, job: Job) -> bool:
    """An apply that begins at once or never: who asked, the rules and the server's consent were
    judged for that moment, and nobody judges them a second time."""
    return run.ask.kind is AskKind.CORRECT and job.kind is JobKind.APPLY


def decide_correct(run: Run, scene: Scene) -> Steps:
    """Steps of a CORRECT run."""
    if run.under_way:
        return ()
    if applies := run.jobs_of(JobKind.APPLY):  # what was done is told, whatever became of the rest
        return _after_apply(run, scene, applies[-1])
    trouble = run.trouble or scene.rules
    if isinstance(trouble, Trouble):
        return _failed(run, trouble)
    if run.projects is None:
        return (LayOut(),)
    if project_of(run) not in run.projects:
        return _failed(run, GONE)
    if not run.jobs:
        return (StartJob(project_of(run), JobKind.PLAN),)
    if applied_is_wanted(run, scene):
        return (StartJob(project_of(run), JobKind.PLAN_APPLIED),)
    return _judge(run, scene)


def _judge(run: Run, scene: Scene) -> Steps:
    head = head_of(run)
    plan = None if head is None else scene.plan(head.plan_id)
    if plan is None or not isinstance(scene.rules, Effective):
        trouble = STOPPED if head is None or head.trouble is None else head.trouble
        return _ended(run, RunState.REFUSED, Failure(REVERT, trouble), trouble)
    if reasons := why_not(run, scene, scene.rules, plan):
        why = Trouble("; ".join(reason.message for reason in reasons))
        refusal = Refusal(REVERT, run.ask.actor, reasons)
        return _ended(run, RunState.REFUSED, refusal, why)
    return (TakeLocks((plan.project,)), StartJob(plan.project, JobKind.APPLY, plan.id))


def why_not(run: Run, scene: Scene, rules: Effective, plan: StoredPlan) -> Reasons:
    """All that stands against applying this plan now."""
    asked = () if by_rule(run) else _of_asker(run, scene, rules, plan)
    judged = plan_is_whole(plan) + not_tried(plan, scene) + _is_head(run, scene, plan)
    unknown = Reason("unknown", "nobody can tell what drifted", "comment `prbot recheck`")
    against = (unknown,) if scene.against is None else scene.against
    return mode_allows(rules) + asked + _in_time(run, scene) + judged + against


def _of_asker(run: Run, scene: Scene, rules: Effective, plan: StoredPlan) -> Reasons:
    """Whoever asked may do so still, and nobody has to approve."""
    reasons = permitted(run.ask, scene, rules, (plan.project,), "apply")
    if not scene.permission.can_write:
        access = f"{run.ask.actor} has no write access any more"
        reasons += (Reason("permission", access, "somebody who has it says it"),)
    if not needs_of(plan.project, scene, rules).approvals:
        return reasons
    approval = "an apply needs approval here, and a correction on the issue has none"
    return (*reasons, Reason("approved", approval, "put it right from a pull request"))


def _in_time(run: Run, scene: Scene) -> Reasons:
    if scene.now - run.created_at <= TOO_OLD:
        return ()
    late = f"it was begun at {run.created_at:%Y-%m-%d %H:%M} UTC, which is too long ago"
    return (Reason("age", late, "say it again"),)


def _is_head(run: Run, scene: Scene, plan: StoredPlan) -> Reasons:
    """The plan is of the commit that is the default branch's newest still."""
    if scene.newest == plan.commit and scene.newest == run.ask.head_sha:
        return ()
    moved = "the default branch moved on while this was planned"
    return (Reason("head", moved, "say it again: then the new commit is planned", comes=True),)


# --- after the apply -------------------------------------------------------------------------


def _after_apply(run: Run, scene: Scene, apply: Job) -> Steps:
    if apply.state is JobState.INTERRUPTED:
        return looks(run) or (*reports(run, scene), Finish(RunState.INTERRUPTED, apply.trouble))
    if apply.state is not JobState.APPLIED:
        return _not_applied(run, apply)
    proving = run.jobs[-1]
    if proving.kind is not JobKind.PLAN:
        return (StartJob(apply.project, JobKind.PLAN),)
    made = scene.plan(proving.plan_id)
    proven = made is not None and not made.summary.has_changes and not made.summary.errored
    report = CorrectionReport(
        apply.project, _asker(run), apply.reviewed, proven, proving.trouble if not made else None
    )
    return (FreeLocks((apply.project,)), *_ended(run, RunState.DONE, report))


def _not_applied(run: Run, apply: Job) -> Steps:
    """The tool has ended, or never began: its state is written, and nobody need wait."""
    began = not apply.state.never_began
    trouble = replace(apply.trouble or STOPPED, hint=LOOKED_AT if began else AGAIN)
    told: Message = Failure(REVERT, trouble)
    if began:
        told = CorrectionReport(apply.project, _asker(run), apply.reviewed, False, trouble)
    return (FreeLocks((apply.project,)), *_ended(run, RunState.FAILED, told, trouble))


def _asker(run: Run) -> Login | None:
    return None if by_rule(run) else run.ask.actor


def _failed(run: Run, trouble: Trouble) -> Steps:
    return _ended(run, RunState.FAILED, Failure(REVERT, trouble), trouble)


def _ended(run: Run, state: RunState, told: Message, trouble: Trouble | None = None) -> Steps:
    """Who asked is answered; what stands against a rule is told in the issue itself."""
    quiet = by_rule(run) and state is RunState.REFUSED
    said = () if quiet else (Say(run.id, told),)
    return (*said, DropWorkspaces(), Finish(state, trouble))
