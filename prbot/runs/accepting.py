"""What happens to states that nothing would manage: accepted by a person, or told.

Accepting is a decision like an apply: it needs write access, approvals where an apply needs
them, and that what the states hold stood in the pull request before. What is accepted is in
the journal, and counts as long as the states hold just that.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from datetime import datetime

from prbot.config.repo import Effective
from prbot.model import ProjectKey
from prbot.runs.orphans import ACCEPTED, Fate, Orphan, acceptance, meant, open_orphans
from prbot.runs.planning import plan_verdicts, refuse
from prbot.runs.requirements.approvals import approved_since
from prbot.runs.requirements.people import permitted
from prbot.runs.requirements.pulls import pull_is_fit
from prbot.runs.requirements.standing import not_before
from prbot.runs.run import Run, RunState
from prbot.runs.say import OrphansAccepted, OrphansLeft, Reason, Reasons
from prbot.runs.scene import Scene
from prbot.runs.steps import Finish, Record, Say, Step

Steps = tuple[Step, ...]


def accept(run: Run, scene: Scene, rules: Effective) -> Steps:
    """Accept what the command speaks of; nothing when that is done, and the apply goes on."""
    if not run.ask.accept_orphans:
        return ()
    wanted = tuple(each for each in open_orphans(run, scene) if each.gone in meant(run))
    if not wanted:
        return ()
    reasons = _why_not(run, scene, rules, wanted)
    if reasons:
        return refuse(run, reasons)
    lines = (Record(ACCEPTED, acceptance(orphan)) for orphan in wanted)
    told = Say(f"{run.id}-accepted", OrphansAccepted(wanted, run.ask.actor))
    known = scene.affected() is not None and not scene.pull.merged
    return (*lines, told, *(plan_verdicts(run, scene, rules, wanted) if known else ()))


def was_all(run: Run, scene: Scene) -> Steps:
    """The end of a command that accepted something, where there is nothing to apply."""
    mine = (line for line in scene.journal if (line.subject, line.action) == (run.id, ACCEPTED))
    return (Finish(RunState.DONE),) if any(mine) else ()


def _why_not(run: Run, scene: Scene, rules: Effective, wanted: tuple[Orphan, ...]) -> Reasons:
    unseen = tuple(_unseen(orphan) for orphan in wanted if not _stood_there(run, orphan))
    if scene.pull.merged:
        projects = [orphan.gone.project for orphan in wanted]
        return permitted(run.ask, scene, rules, projects, "apply") + unseen
    moved = run.checkout is not None and run.checkout.head != scene.pull.head_sha
    head = Reason("head", "the pull request moved on", "read its plan, and say it again")
    told = {orphan.gone.project: told_at(orphan) for orphan in wanted}
    return (
        *permitted(run.ask, scene, rules, told, "apply"),
        *pull_is_fit(scene.pull),
        *((head,) if moved else ()),
        *unseen,
        *(approved_since(rules, scene, told, "leaving this to nobody") if not unseen else ()),
    )


def _stood_there(run: Run, orphan: Orphan) -> bool:
    """What is accepted was told before somebody accepted it."""
    told, said = told_at(orphan), run.ask.commented_at
    return told is not None and (said is None or not_before(said, told))


def told_at(orphan: Orphan) -> datetime | None:
    """When a comment stood there that tells what the state holds; None while there is none."""
    if orphan.fate is Fate.UNSEEN or orphan.seen_by is None:
        return None
    return orphan.seen_by.told_at if orphan.seen_by.state.finished else None


def _unseen(orphan: Orphan) -> Reason:
    project = orphan.gone.project
    return Reason(
        "seen",
        f"what the state of `{project}` holds was not in the pull request when you asked",
        f"comment `prbot plan -d {shlex.quote(project.dir)}`, read it, and say it again",
    )


# --- before and after an apply ------------------------------------------------------------


def accounted_for(run: Run, scene: Scene, projects: Collection[ProjectKey]) -> Reasons:
    """Planned with another state than it is known with, a project would be made a second time."""
    return tuple(
        Reason(
            "state",
            f"`{orphan.gone.project}` has its state at {orphan.gone.now_at} here, and nothing"
            f" would manage what {orphan.gone.address} holds",
            "move what is there, plan again, and comment `prbot apply --accept-orphans`",
        )
        for orphan in open_orphans(run, scene)
        if orphan.gone.now_at and orphan.gone.project in projects
    )


def told_after_merge(run: Run, scene: Scene) -> Steps:
    """Merged past the failing check: people hear what nobody manages now."""
    left = open_orphans(run, scene)
    if not left:
        return ()
    people = tuple(dict.fromkeys(p for p in (scene.pull.author, scene.pull.merged_by) if p))
    return (Say(f"{run.id}-orphans", OrphansLeft(left, people)),)
