"""What a check tells beside its line: notes at lines of the code, and buttons.

Data only, for any forge that shows such; the words of the summary are found by the chapter
`comments`, from the same results as the comment's. Sizes are those of the narrowest forge
(GitHub: https://docs.github.com/en/rest/checks/runs).
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from prbot.config.repo import Effective
from prbot.model import ProjectKey, PullRequest
from prbot.plans.record import StoredPlan
from prbot.runs.orphans import Orphan
from prbot.runs.run import Flaw
from prbot.runs.say import PlanReport, ProjectResult

MOST_NOTES = 50
"""A request takes no more, and a second one would add to what stands there."""
LONGEST_NOTE = 4_000
LONGEST_TITLE = 200
LONGEST_MARK = 200
_OF_PROJECT = "p"
"""No mark of plans begins so: those are hexadecimal."""


@dataclass(frozen=True)
class Annotation:
    """A note at lines (from 1) of a file of the repository; `fatal`: an error, else a
    warning. The texts are plain, not Markdown."""

    path: str
    line: int
    last_line: int
    fatal: bool
    title: str
    message: str


@dataclass(frozen=True)
class Button:
    """`id` comes back when somebody presses it: at most 20 characters, as the label;
    the description at most 40."""

    id: str
    label: str
    description: str


RERUN = Button("rerun", "Re-run", "Plan it again")
APPLY = Button("apply", "Apply", "Apply the plans that stand here")


@dataclass(frozen=True)
class CheckDetail:
    """`results` are told in the summary, all of them, and the `orphans` that stand against
    the change. `mark` comes back with a button. `report` is the comment, of that `topic`,
    whose lists go on here if no comment holds them."""

    results: tuple[ProjectResult, ...] = ()
    notes: tuple[Annotation, ...] = ()
    buttons: tuple[Button, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    mark: str = ""
    report: PlanReport | None = None
    topic: str = ""


def mark_of(plans: Iterable[StoredPlan]) -> str:
    """Names exactly these plans, in letters and digits."""
    ids = " ".join(sorted(plan.id for plan in plans))
    return hashlib.sha256(ids.encode()).hexdigest()[:16]


def mark_of_project(project: ProjectKey) -> str:
    """What the check of one project is marked with, in letters and digits; nothing where that
    would be too long."""
    mark = _OF_PROJECT + f"{project.dir}\0{project.workspace}".encode(errors="replace").hex()
    return mark if len(mark) <= LONGEST_MARK else ""


def project_of_mark(mark: str) -> ProjectKey | None:
    """The project whose check was marked so; None for the mark of anything else."""
    if not mark.startswith(_OF_PROJECT):
        return None
    try:
        text = bytes.fromhex(mark.removeprefix(_OF_PROJECT)).decode()
    except ValueError:
        return None
    directory, between, workspace = text.partition("\0")
    return ProjectKey(directory, workspace) if between else None


def detail_of(
    results: tuple[ProjectResult, ...],
    pull: PullRequest,
    rules: Effective,
    changed: Collection[str],
) -> CheckDetail:
    """After planning; `changed` are the paths that the pull request touches."""
    notes = notes_of(results, changed)
    if not may_ask_to_apply(results, pull, rules):
        return CheckDetail(results, notes, (RERUN,))
    return CheckDetail(results, notes, (RERUN, APPLY), mark=mark_of(_to_do(results)))


def may_ask_to_apply(
    results: tuple[ProjectResult, ...], pull: PullRequest, rules: Effective
) -> bool:
    """Whether an `apply` of everything has a chance: whoever presses is judged then."""
    if not rules.may_apply or not pull.open or pull.draft or pull.fork:
        return False
    if any(result.plan is None or result.trouble for result in results):
        return False
    todo = _to_do(results)
    return bool(todo) and all(p.summary.applyable and not p.state_is_lost for p in todo)


def _to_do(results: Iterable[ProjectResult]) -> tuple[StoredPlan, ...]:
    plans = (result.plan for result in results if result.plan)
    return tuple(p for p in plans if p.summary.has_changes and p.applied_at is None)


def notes_of(results: Iterable[ProjectResult], changed: Collection[str]) -> tuple[Annotation, ...]:
    """Errors first, then those in files the pull request touches; no more than fit."""
    found = dict.fromkeys(
        note
        for result in results
        if result.trouble is not None
        for flaw in result.trouble.flaws
        if (note := _note(result.project, flaw)) is not None
    )
    touched = frozenset(changed)
    return tuple(sorted(found, key=lambda n: (not n.fatal, n.path not in touched, n.path, n.line)))[
        :MOST_NOTES
    ]


def _note(project: ProjectKey, flaw: Flaw) -> Annotation | None:
    path = path_in_repository(project.dir, flaw.file)
    if path is None:
        return None
    message = (flaw.detail or flaw.summary)[:LONGEST_NOTE] or "The tool gives no reason."
    title = flaw.summary[:LONGEST_TITLE]
    return Annotation(path, flaw.line, flaw.last_line, flaw.fatal, title, message)


def path_in_repository(root: str, file: str) -> str | None:
    """A file as the tool names it in the directory `root`, relative to the repository; None
    when it is none of its files: a fetched module, another place of the machine."""
    if file.startswith("/") or not file.isprintable():
        return None
    path = posixpath.normpath(posixpath.join(root, file))
    parts = path.split("/")
    outside = parts[0] in ("..", ".") or ".terraform" in parts
    return None if outside else path
