"""`prbot explain apply`: what would become of an apply or a merge, and why not.

Decided by what the service decides by: the scene is made into its values, and asked until
something would be applied or somebody told why not. Where the service would plan again, the
plan made again is taken for equal, unless the scene tells of one of the merge itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from prbot.app.scene_around import MERGE
from prbot.app.scene_made import Made, made
from prbot.app.scenes_kept import scene_of_run
from prbot.config.repo import Effective
from prbot.config.scene_file import SceneFile, read_scene
from prbot.errors.verbs import NoText
from prbot.model import JobId, PlanId
from prbot.plans.record import StoredPlan
from prbot.runs.decide import decide
from prbot.runs.requirements.asking import may_command
from prbot.runs.requirements.pulls import mode_allows
from prbot.runs.run import Job, JobKind, JobState, Trouble
from prbot.runs.say import HoldReport, Reason, Reasons, Refusal, Waiting
from prbot.runs.steps import Finish, Say, StartJob, Step

FAILED = Trouble("It could not be planned again.", "Mend it, and plan it again.")
ROUNDS = 4
"""A decision, planning again, and the decision on that; one more for good measure."""


@dataclass(frozen=True)
class Explained:
    """`reasons` are none where it is allowed; each stands once."""

    allowed: bool
    reasons: Reasons


def explained(file: SceneFile) -> Explained:
    """What the service would decide; pure."""
    taken = tuple(decisions(file))
    for _, steps in taken:
        if any(isinstance(step, StartJob) and step.kind is JobKind.APPLY for step in steps):
            return Explained(True, ())
        if reasons := _told(steps):
            return Explained(False, tuple(dict.fromkeys(reasons)))
    return Explained(False, _ended(*taken[-1]))


def decisions(file: SceneFile) -> Iterator[tuple[Made, tuple[Step, ...]]]:
    """Each decision about it with what it was taken on, until nothing is planned again."""
    known = made(file)
    for _ in range(ROUNDS):
        steps = decide(known.run, known.scene)
        yield known, steps
        planning = [step for step in steps if isinstance(step, StartJob)]
        if not planning or planning[0].kind is not JobKind.PLAN:
            return
        known = _planned_again(known, planning)


def _told(steps: tuple[Step, ...]) -> Reasons:
    messages = (step.message for step in steps if isinstance(step, Say))
    kinds = (Refusal, Waiting, HoldReport)
    return sum((m.reasons for m in messages if isinstance(m, kinds)), start=())


def _ended(known: Made, steps: tuple[Step, ...]) -> Reasons:
    """It ends without a word to people: outsiders get none, and neither does a merge that
    leaves nothing to do."""
    rules = known.scene.rules
    silent = may_command(known.run.ask, known.scene.permission)
    silent += mode_allows(rules) if isinstance(rules, Effective) else ()
    if silent:
        return silent
    finished = any(isinstance(step, Finish) for step in steps)
    said = "there is nothing to apply" if finished else "it waits for something that is going on"
    return (Reason("changes", said, "push a change to apply one"),)


def _planned_again(known: Made, steps: list[StartJob]) -> Made:
    """Each plan is made again, of the commit at hand, and comes to what the scene says."""
    run, scene = known.run, known.scene
    jobs, plans = [], []
    for number, step in enumerate(steps, 1):
        fresh = _fresh(known, step, number)
        reviewed = scene.plan(step.reviewed)
        differs = reviewed is not None and reviewed.hash != fresh.hash
        job = Job(
            fresh.job_id,
            run.id,
            step.project,
            JobKind.PLAN,
            JobState.PLANNED,
            plan_id=fresh.id,
            reviewed=step.reviewed,
            differences=("the plan",) if differs else (),
        )
        if step.project in known.broken:
            jobs.append(replace(job, state=JobState.FAILED, plan_id=None, trouble=FAILED))
            continue
        jobs.append(job)
        plans.append(fresh)
    run = replace(run, jobs=tuple(jobs))
    others = scene.runs[1:]
    return replace(
        known,
        run=run,
        scene=replace(scene, runs=(run, *others), plans=(*plans, *scene.plans)),
    )


def _fresh(known: Made, step: StartJob, number: int) -> StoredPlan:
    scene = known.scene
    like = known.again.get(step.project) or scene.plan(step.reviewed)
    like = like or scene.newest_plan(step.project) or known.blank(step.project)
    checkout = known.run.checkout
    commit, head = (checkout.commit, checkout.head) if checkout else (MERGE, MERGE)
    return replace(
        like,
        id=PlanId(f"p-again-{number}"),
        job_id=JobId(f"j-again-{number}"),
        run_id=known.run.id,
        project=step.project,
        head=head,
        commit=commit,
        created_at=scene.now,
        applied_at=None,
    )


# --- what is printed -------------------------------------------------------------------------


def explain_apply(file: Path, as_json: bool) -> int:
    """Print it; 0 when the file could be read. Raises NoText and BadConfiguration."""
    return _print(_read(file), "stdin" if str(file) == "-" else str(file), as_json)


def explain_run(config: Path, run_id: str, as_json: bool, scene_itself: bool) -> int:
    """The same of what a run of the service judged; or that very scene. Raises NoSuchRun,
    NothingJudged, SceneGone, and what the operator's file and its database raise."""
    text = scene_of_run(config, run_id)
    if scene_itself:
        sys.stdout.write(f"{text}\n")
        return 0
    return _print(text, f"run {run_id}", as_json)


def _print(text: str, name: str, as_json: bool) -> int:
    found = explained(read_scene(text, name))
    sys.stdout.write(f"{json.dumps(_document(found), indent=2) if as_json else _words(found)}\n")
    return 0


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise NoText(str(file), cause) from None


def _document(found: Explained) -> dict[str, object]:
    return {
        "allowed": found.allowed,
        "reasons": [
            {"requirement": r.requirement, "message": r.message, "unblock": r.unblock}
            for r in found.reasons
        ],
    }


def _words(found: Explained) -> str:
    if found.allowed:
        return "allowed"
    lines = ["not allowed"]
    for reason in found.reasons:
        lines += [f"{reason.requirement}: {reason.message}", f"    {reason.unblock}"]
    return "\n".join(lines)
