"""A check of its own for each project, beside the two of the commit.

All of a commit's projects have one, or none: where a run speaks of more than the operator
wants to see in a list, the summary of the whole tells them better. They are only written
when the plans are told, always ended, so that no run that stops can leave one behind that
seems to go on. What an earlier run showed at the same commit, and this one does not, is
taken back. Buttons stand on the whole's check alone.
"""

from __future__ import annotations

from collections.abc import Collection

from prbot.config.server import MOST_PROJECT_CHECKS
from prbot.model import ProjectKey, Sha
from prbot.runs.checks import CheckDetail, mark_of_project, notes_of
from prbot.runs.run import AskKind, JobKind
from prbot.runs.say import ProjectResult
from prbot.runs.scene import Scene
from prbot.runs.steps import Check, SetStatus, Step, Verdict


def project_checks(
    sha: Sha, results: Collection[ProjectResult], most: int, changed: Collection[str]
) -> tuple[SetStatus, ...]:
    """One for each of the results, or none where they are more than `most`. `changed` are
    the paths that the pull request touches."""
    if len(results) > most:
        return ()
    return tuple(_check(sha, result, changed) for result in results)


def _check(sha: Sha, result: ProjectResult, changed: Collection[str]) -> SetStatus:
    """Without words where its plan has them."""
    mark = mark_of_project(result.project)
    detail = CheckDetail((result,), notes_of((result,), changed), mark=mark)
    if result.trouble is not None:
        verdict, words = Verdict.FAILURE, result.trouble.sentence
    elif result.plan is None:
        verdict, words = Verdict.FAILURE, "not planned"
    else:
        verdict, words = Verdict.SUCCESS, ""
    return SetStatus(sha, Check.PLAN, verdict, words, detail, result.project)


def take_back(steps: tuple[Step, ...], scene: Scene) -> tuple[Step, ...]:
    """The same steps; where they end the plan's check of a commit, the checks of projects
    that earlier runs may have shown there, and these steps do not show, are taken back."""
    ended = next((step for step in steps if _ends_the_whole(step)), None)
    if not isinstance(ended, SetStatus):
        return steps
    shown = {step.project for step in steps if isinstance(step, SetStatus)}
    gone = sorted(spoken_of(scene, ended.sha) - shown)
    taken = (taken_back(ended.sha, project, ended.description) for project in gone)
    return (*steps[:-1], *taken, steps[-1])


def _ends_the_whole(step: Step) -> bool:
    if not isinstance(step, SetStatus) or step.project is not None:
        return False
    return step.check is Check.PLAN and step.verdict is not Verdict.PENDING


def taken_back(sha: Sha, project: ProjectKey, why: str) -> SetStatus:
    """Says in its place why it holds no longer; nothing where it never stood."""
    return SetStatus(sha, Check.PLAN, Verdict.NEUTRAL, f"taken back: {why}", project=project)


def spoken_of(scene: Scene, sha: Sha) -> frozenset[ProjectKey]:
    """Whom finished runs may have given a check at this commit, whatever the operator
    allowed then. A run of more projects than anybody may allow gave none."""
    found: set[ProjectKey] = set()
    for run in scene.runs:
        here = run.checkout is not None and run.checkout.head == sha
        planned = {job.project for job in run.jobs_of(JobKind.PLAN)}
        if run.ask.kind is AskKind.PLAN and here and run.state.finished:
            found |= planned if len(planned) <= MOST_PROJECT_CHECKS else set()
    return frozenset(found)
