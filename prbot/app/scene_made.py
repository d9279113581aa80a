"""A scene file as the values that the service decides on: runs, plans, locks, rules."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from prbot.app.scene_around import BASE, MERGE, REPO, scene_around
from prbot.config.scene_file import LeftPart, PlanPart, ProjectPart, SceneFile
from prbot.model import (
    Checkout,
    JobId,
    Login,
    PlanId,
    ProjectKey,
    PullRef,
    RunId,
    Selector,
    Sha,
)
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.summary import Counts, PlanSummary
from prbot.projects.gone import Gone
from prbot.projects.project import Project
from prbot.projects.select import matches
from prbot.runs.journal import EXPIRED, JournalEntry
from prbot.runs.order import placed_of
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Placed, Run, RunState
from prbot.runs.scene import Scene


@dataclass(frozen=True)
class Made:
    """The run that is to be decided on, and the scene around it. `again` are by project the
    plans that it would make itself, or that were made of the merge: what planning again would
    come to. Of `broken` that would fail."""

    run: Run
    scene: Scene
    again: dict[ProjectKey, StoredPlan]
    broken: frozenset[ProjectKey]
    blank: Callable[[ProjectKey], StoredPlan]
    """A plan of a project that has none."""


def made(file: SceneFile) -> Made:
    """The run is laid out, so that everything about it is judged at once."""
    return _Maker(file).made()


class _Maker:
    def __init__(self, file: SceneFile) -> None:
        self._file = file
        self._pull = PullRef(REPO, file.pull.number)
        self._head = Sha(file.pull.head)
        self._keys = {_key(part): part for part in file.projects}
        self._placed = tuple(self._places())

    def made(self) -> Made:
        runs = list(self._before())
        plans: list[StoredPlan] = []
        journal: list[JournalEntry] = []
        for key, part in self._keys.items():
            for run, plan in self._of_project(key, part):
                runs.append(run)
                newest = plan is not None and plan.id == _stored(part)[0].id
                if plan is not None and part.status == "expired" and newest:
                    journal.append(self._expired(plan))
                elif plan is not None:
                    plans.append(plan)
        run = self._run()
        scene = replace(
            scene_around(self._file), runs=(run, *runs), plans=tuple(plans), journal=tuple(journal)
        )
        again = {plan.project: plan for plan in reversed(plans) if plan.commit == MERGE}
        made = [(key, part, each) for key, part in self._keys.items() for each in _again(part)]
        again |= {key: self._plan(key, each, part) for key, part, each in made}
        broken = frozenset(key for key, _, each in made if each.failed)
        return Made(run, scene, again, broken, self._blank)

    def _before(self) -> Iterator[Run]:
        """The merge, if this is another command, who asked for an apply before it, and looks
        at what is left to nobody."""
        pull = self._file.pull
        if pull.merged_at and self._file.command.kind != "merge":
            ask = Ask(AskKind.MERGE, Login(pull.author), "merged", head_sha=self._head)
            yield Run(RunId("r-merge"), self._pull, ask, pull.merged_at, RunState.HELD)
        for actor in self._file.command.asked_before:
            ask = Ask(AskKind.APPLY, Login(actor), "asked")
            run = Run(RunId(f"r-by-{actor}"), self._pull, ask, self._file.now, RunState.REFUSED)
            yield replace(run, checkout=_checkout(self._head))
        for part in self._file.left_behind:
            if part.shown_at is not None:
                yield self._looked(_gone(part), part.shown_at)

    def _looked(self, gone: Gone, told_at: datetime) -> Run:
        job = Job(
            JobId("j-look"), RunId("r-look"), gone.project, JobKind.INVENTORY, JobState.FAILED
        )
        run = self._earlier(AskKind.PLAN, self._head, RunState.DONE, job, told_at)
        return replace(run, gone=(gone,))

    def _blank(self, key: ProjectKey) -> StoredPlan:
        return self._plan(key, PlanPart(id="p-none"), ProjectPart(dir=key.dir))

    # --- the run in question -----------------------------------------------------------------

    def _run(self) -> Run:
        command = self._file.command
        by_comment = command.kind == "apply"
        ask = Ask(
            AskKind.APPLY if by_comment else AskKind.MERGE,
            Login(command.actor),
            "explained",
            head_sha=None if by_comment else self._head,
            comment_id=1 if by_comment and command.button is None else None,
            commented_at=command.said_at,
            select=Selector(command.dirs, command.workspaces, command.projects),
            plan_id=PlanId(command.plan_id) if command.plan_id else None,
            accept_changes=command.accept_changes,
            accept_orphans=command.accept_orphans,
            late=command.late,
            check_id=None if command.button is None else 1,
            mark=command.button or "",
            override=command.override or "",
        )
        state = RunState.RESUMED if command.waited else RunState.WORKING
        run = Run(RunId("r-now"), self._pull, ask, self._heard_at(by_comment), state)
        return self._laid(run) if command.laid_out else run

    def _heard_at(self, by_comment: bool) -> datetime:
        merged_at = None if by_comment else self._file.pull.merged_at
        return merged_at or self._file.command.heard_at or self._file.now

    def _laid(self, run: Run) -> Run:
        head, merged = self._file.command.head, self._file.pull.merged
        newest = MERGE if merged else self._head
        return replace(
            run,
            checkout=_checkout(Sha(head) if head else newest),
            projects=tuple(
                key for key, part in self._keys.items() if matches(key, run.ask.select, part.name)
            ),
            placed=self._placed,
            gone=tuple(map(_gone, self._file.left_behind)),
        )

    def _places(self) -> Iterator[Placed]:
        named = {part.name: key for key, part in self._keys.items() if part.name}
        projects = [
            Project(key, part.name, tuple(self._needed(part, named)))
            for key, part in self._keys.items()
        ]
        for place in placed_of(projects):
            part = self._keys[place.project]
            known = ProjectKey(
                part.state_known_as or part.dir, part.state_known_in or part.workspace
            )
            yield replace(place, formerly=known if known != place.project else None)

    def _needed(self, part: ProjectPart, named: dict[str, ProjectKey]) -> Iterator[ProjectKey]:
        """A name first, then a directory: the same workspace there, else all of it; or the one
        that is named. What is not in the scene is not touched by the pull request."""
        for wanted in part.depends_on:
            there = [
                key for key in self._keys if wanted in (key.dir, f"{key.dir} ({key.workspace})")
            ]
            same = [key for key in there if key.workspace == part.workspace]
            yield from [named[wanted]] if wanted in named else same or there

    # --- what was done before -----------------------------------------------------------------

    def _of_project(
        self, key: ProjectKey, part: ProjectPart
    ) -> Iterator[tuple[Run, StoredPlan | None]]:
        """Its runs, newest first, with the plans they made."""
        stored = _stored(part)
        plans = [self._plan(key, each, part) for each in stored]
        yield from ((run, None) for run in self._under_way(key, part, plans))
        for each, plan in zip(stored, plans, strict=True):
            if each.tried or each.applied_at:
                state = JobState.APPLIED if each.applied_at else JobState.FAILED
                yield self._done(key, JobKind.APPLY, state, plan), None
            yield self._planned(plan, each), plan

    def _under_way(
        self, key: ProjectKey, part: ProjectPart, plans: list[StoredPlan]
    ) -> Iterator[Run]:
        newest = plans[0] if plans else None
        match part.status:
            case "planning":
                yield self._done(key, JobKind.PLAN, JobState.RUNNING, None)
            case "failed":
                yield self._done(key, JobKind.PLAN, JobState.FAILED, None)
            case "applying":
                yield self._done(key, JobKind.APPLY, JobState.RUNNING, newest)
            case "interrupted":
                yield self._done(key, JobKind.APPLY, JobState.INTERRUPTED, newest)

    def _done(
        self, key: ProjectKey, kind: JobKind, state: JobState, plan: StoredPlan | None
    ) -> Run:
        reviewed = plan.id if plan else None
        job = Job(JobId(f"j-{kind}"), RunId(""), key, kind, state, reviewed=reviewed)
        ask = AskKind.PLAN if kind is JobKind.PLAN else AskKind.APPLY
        ended = RunState.DONE if state.finished else RunState.WORKING
        head = plan.head if plan else self._head
        return self._earlier(ask, head, ended, job, None)

    def _planned(self, plan: StoredPlan, part: PlanPart) -> Run:
        job = Job(plan.job_id, plan.run_id, plan.project, JobKind.PLAN, JobState.PLANNED, plan.id)
        of_merge = plan.commit == MERGE
        kind, state = AskKind.PLAN, RunState.DONE
        if of_merge:
            kind, state = AskKind.MERGE, RunState.HELD
        run = self._earlier(kind, plan.head, state, job, part.shown_at)
        if of_merge and self._file.pull.merged_at:
            run = replace(run, created_at=self._file.pull.merged_at)
        ask = replace(run.ask, extra=plan.inputs.asked)
        return replace(run, id=plan.run_id, ask=ask)

    def _earlier(
        self, kind: AskKind, head: Sha, state: RunState, job: Job, told_at: datetime | None
    ) -> Run:
        ask = Ask(kind, Login(self._file.pull.author), "earlier", head_sha=head)
        run_id = RunId(f"r-{job.kind}-{job.project}-{job.state}")
        return Run(
            run_id,
            self._pull,
            ask,
            told_at or self._file.now,
            state,
            _checkout(head),
            self._affected(),
            jobs=(job,),
            told_at=told_at,
            placed=self._placed,
        )

    def _affected(self) -> tuple[ProjectKey, ...]:
        """Not those of which nothing was ever planned: closing a pull request forgets."""
        known = self._keys.items()
        return tuple(key for key, part in known if _stored(part) or part.status != "planned")

    def _plan(self, key: ProjectKey, part: PlanPart, project: ProjectPart) -> StoredPlan:
        of_merge = _is_of_merge(part, project, self._file.pull.merged)
        head = MERGE if of_merge else Sha(part.head)
        errored, counts = part.errored, Counts(create=1 if part.changes else 0)
        return StoredPlan(
            id=PlanId(part.id),
            pull=self._pull,
            project=key,
            run_id=RunId(f"r-{part.id}"),
            job_id=JobId(f"j-{part.id}"),
            head=head,
            base=BASE,
            commit=_checkout(head).commit,
            hash=part.hash,
            inputs=Inputs("", "", "", asked=_arguments(part)),
            summary=PlanSummary(counts, errored=errored, applyable=not errored),
            plan_file="",
            plan_file_sha256="",
            plan_json="",
            state_is_lost=part.state_in_checkout,
            created_at=part.made_at or part.shown_at or self._file.now,
            applied_at=part.applied_at,
        )

    def _expired(self, plan: StoredPlan) -> JournalEntry:
        now = self._file.now
        return JournalEntry(now, self._pull, None, plan.id, EXPIRED, str(plan.project))


def _key(part: ProjectPart) -> ProjectKey:
    return ProjectKey(part.dir, part.workspace)


def _stored(part: ProjectPart) -> tuple[PlanPart, ...]:
    """Those that stood there before the command; the rest it made itself."""
    return tuple(plan for plan in part.plans if not plan.made_again)


def _again(part: ProjectPart) -> tuple[PlanPart, ...]:
    return tuple(plan for plan in part.plans if plan.made_again)


def _gone(part: LeftPart) -> Gone:
    return Gone(ProjectKey(part.dir, part.workspace), part.address, now_at=part.now_at)


def _checkout(head: Sha) -> Checkout:
    """A head laid out on its base; the merge's commit is its own."""
    commit = MERGE if head == MERGE else Sha(f"{head} merged into {BASE}")
    return Checkout("", commit, BASE, head, ())


def _is_of_merge(part: PlanPart, project: ProjectPart, merged: bool) -> bool:
    if part.of_merge is not None or not merged:
        return bool(part.of_merge)
    newest, *older = _stored(project) or (part,)
    return part is newest and any(each.head == part.head for each in older)


def _arguments(part: PlanPart) -> tuple[str, ...]:
    """Always those that the other keys tell of."""
    words = _split(part.arguments)
    if part.targeted and not any(word.lstrip("-").startswith("target") for word in words):
        words.append("-target=…")
    if part.destroy and "-destroy" not in words:
        words.append("-destroy")
    return tuple(words)


def _split(arguments: str) -> list[str]:
    try:
        return shlex.split(arguments)
    except ValueError:  # an apostrophe in a value, as somebody typed it
        return arguments.split()
