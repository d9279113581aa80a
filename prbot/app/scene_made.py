"""A scene file as the values that the service decides on: runs, plans, locks, rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from prbot.config.codeowners import code_owners
from prbot.config.per_repository import Allowed, RepositoryRule
from prbot.config.repo import Effective, RepoConfig, effective
from prbot.config.scene_file import PlanPart, ProjectPart, SceneFile
from prbot.config.server import ForgeConfig, ServerConfig, StatusNames
from prbot.model import (
    Checkout,
    JobId,
    Login,
    PlanId,
    ProjectKey,
    PullRef,
    PullRequest,
    RepoRef,
    Review,
    RunId,
    Selector,
    Sha,
)
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.summary import Counts, PlanSummary
from prbot.projects.project import Project
from prbot.projects.select import matches
from prbot.runs.freezes import Freeze, FreezeId, FreezeScope
from prbot.runs.journal import EXPIRED, JournalEntry
from prbot.runs.locks import Lock
from prbot.runs.order import placed_of
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Placed, Run, RunState
from prbot.runs.scene import Scene

REPO = RepoRef("scene", "scene/scene")
MERGE = Sha("merge commit")
BASE = Sha("base")
BOT = Login("prbot")
NOWHERE = "env://NONE"


@dataclass(frozen=True)
class Made:
    """The run that is to be decided on, and the scene around it. `after_merge` are the plans
    that were made of the merge itself, by project: what planning again would come to."""

    run: Run
    scene: Scene
    after_merge: dict[ProjectKey, StoredPlan]
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
        runs: list[Run] = []
        plans: list[StoredPlan] = []
        journal: list[JournalEntry] = []
        for key, part in self._keys.items():
            for run, plan in self._of_project(key, part):
                runs.append(run)
                newest = plan is not None and plan.id == part.plans[0].id
                if plan is not None and part.status == "expired" and newest:
                    journal.append(self._expired(plan))
                elif plan is not None:
                    plans.append(plan)
        run = self._run()
        scene = replace(
            self._scene(), runs=(run, *runs), plans=tuple(plans), journal=tuple(journal)
        )
        after = {plan.project: plan for plan in reversed(plans) if plan.commit == MERGE}
        return Made(run, scene, after, self._blank)

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
            comment_id=1 if by_comment else None,
            commented_at=command.said_at,
            select=Selector(command.dirs, command.workspaces, command.projects),
            plan_id=PlanId(command.plan_id) if command.plan_id else None,
            accept_changes=command.accept_changes,
            override=command.override or "",
        )
        run = Run(RunId("r-now"), self._pull, ask, self._file.now, RunState.WORKING)
        merged = self._file.pull.merged
        commit, head = (MERGE, MERGE) if merged else (_laid_out(self._head), self._head)
        checkout = Checkout("", commit, BASE, head, ())
        meant = (k for k, p in self._keys.items() if matches(k, ask.select, p.name))
        return replace(run, checkout=checkout, projects=tuple(meant), placed=self._placed)

    def _places(self) -> Iterator[Placed]:
        named = {part.name: key for key, part in self._keys.items() if part.name}
        projects = [
            Project(key, part.name, tuple(self._needed(part, named)))
            for key, part in self._keys.items()
        ]
        for place in placed_of(projects):
            known = self._keys[place.project].state_known_as
            formerly = ProjectKey(known, place.project.workspace) if known else None
            yield replace(place, formerly=formerly)

    def _needed(self, part: ProjectPart, named: dict[str, ProjectKey]) -> Iterator[ProjectKey]:
        """A name first, then a directory: the same workspace there, else all of it. What is
        not in the scene is not touched by the pull request."""
        for wanted in part.depends_on:
            there = [key for key in self._keys if key.dir == wanted]
            same = [key for key in there if key.workspace == part.workspace]
            yield from [named[wanted]] if wanted in named else same or there

    # --- what was done before -----------------------------------------------------------------

    def _of_project(
        self, key: ProjectKey, part: ProjectPart
    ) -> Iterator[tuple[Run, StoredPlan | None]]:
        """Its runs, newest first, with the plans they made."""
        plans = [self._plan(key, each, part) for each in part.plans]
        yield from ((run, None) for run in self._under_way(key, part, plans))
        for each, plan in zip(part.plans, plans, strict=True):
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
        ask = replace(run.ask, extra=plan.inputs.asked)
        return replace(run, id=plan.run_id, ask=ask)

    def _earlier(
        self, kind: AskKind, head: Sha, state: RunState, job: Job, told_at: datetime | None
    ) -> Run:
        ask = Ask(kind, Login(self._file.pull.author), "earlier", head_sha=head)
        commit = MERGE if head == MERGE else _laid_out(head)
        run_id = RunId(f"r-{job.kind}-{job.project}-{job.state}")
        return Run(
            run_id,
            self._pull,
            ask,
            told_at or self._file.now,
            state,
            Checkout("", commit, BASE, head, ()),
            self._affected(),
            jobs=(job,),
            told_at=told_at,
            placed=self._placed,
        )

    def _affected(self) -> tuple[ProjectKey, ...]:
        """Not those of which nothing was ever planned: closing a pull request forgets."""
        known = self._keys.items()
        return tuple(key for key, part in known if part.plans or part.status != "planned")

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
            commit=MERGE if of_merge else _laid_out(head),
            hash=part.hash,
            inputs=Inputs("", "", "", asked=_arguments(part)),
            summary=PlanSummary(counts, errored=errored, applyable=not errored),
            plan_file="",
            plan_file_sha256="",
            plan_json="",
            state_is_lost=part.state_in_checkout,
            created_at=part.shown_at or self._file.now,
            applied_at=part.applied_at,
        )

    def _expired(self, plan: StoredPlan) -> JournalEntry:
        now = self._file.now
        return JournalEntry(now, self._pull, None, plan.id, EXPIRED, str(plan.project))

    # --- all around ----------------------------------------------------------------------------

    def _scene(self) -> Scene:
        file = self._file
        committers = file.pull.committers
        return Scene(
            pull=self._pull_request(),
            bot=BOT,
            now=file.now,
            permission=file.command.permission,
            allow=frozenset(Allowed),
            reviews=tuple(
                Review(
                    Login(each.author),
                    each.state,
                    Sha(each.commit) if each.commit else None,
                    each.at,
                    each.permission,
                )
                for each in sorted(file.reviews, key=lambda review: review.at)
            ),
            rules=rules_of(file),
            locks=tuple(self._locks()),
            teams={_team(name): _members(people) for name, people in file.teams.items()},
            committers=None if committers is None else _members(committers),
            codeowners=None if file.codeowners is None else code_owners(file.codeowners),
            failing_checks=tuple(filter(_is_others, file.pull.failing_checks)),
            files={key: part.files for key, part in self._keys.items()},
            moved=frozenset(key for key, part in self._keys.items() if part.base_moved),
            freezes=tuple(self._freezes()),
        )

    def _pull_request(self) -> PullRequest:
        part = self._file.pull
        return PullRequest(
            ref=self._pull,
            title="",
            author=Login(part.author),
            head_sha=self._head,
            head_branch="head",
            head_repo=None if part.fork else REPO.path,
            base_branch=part.base,
            base_sha=BASE,
            default_branch=part.default_branch,
            draft=part.draft,
            open=part.open and not part.merged,
            merged=part.merged,
            merged_by=Login(self._file.command.actor) if part.merged else None,
            merge_sha=MERGE if part.merged else None,
            mergeable=part.mergeable,
            behind=part.behind,
        )

    def _locks(self) -> Iterator[Lock]:
        for part in self._file.locks:
            project = ProjectKey(part.dir, part.workspace)
            since = part.since or self._file.now
            yield Lock(REPO, project, PullRef(REPO, part.pull), Login("somebody"), since)

    def _freezes(self) -> Iterator[Freeze]:
        for number, part in enumerate(self._file.freezes, 1):
            yield Freeze(
                FreezeId(f"f-{number}"),
                FreezeScope(part.scope),
                part.reason,
                Login(part.by),
                part.since or self._file.now,
                part.until,
                environment=part.environment,
            )


def rules_of(file: SceneFile) -> Effective:
    """`prbot.yaml` within the operator's file, as the service bounds it."""
    asked = RepoConfig(
        version=1, defaults=file.rules.defaults, environments=file.rules.environments
    )
    forge = ForgeConfig.model_validate(
        {"name": "scene", "kind": "github", "token": NOWHERE, "webhook_secret": NOWHERE}
    )
    server = ServerConfig(
        repositories=("**",),
        forges=(forge,),
        mode=file.server.mode,
        override=file.server.override,
        per_repository=(RepositoryRule(match=("**",), minimum=file.server.minimum),),
    )
    if file.server.apply_on_merge_allowed is not None:
        allowed = {"apply_on_merge_allowed": file.server.apply_on_merge_allowed}
        server = server.model_copy(update=allowed)
    return effective(asked, server, REPO.path)


def _key(part: ProjectPart) -> ProjectKey:
    return ProjectKey(part.dir, part.workspace)


def _laid_out(head: Sha) -> Sha:
    return Sha(f"{head} merged into {BASE}")


def _is_of_merge(part: PlanPart, project: ProjectPart, merged: bool) -> bool:
    if part.of_merge is not None or not merged:
        return bool(part.of_merge)
    newest, *older = project.plans or (part,)
    return part is newest and any(each.head == part.head for each in older)


def _arguments(part: PlanPart) -> tuple[str, ...]:
    """Always those that the other keys tell of."""
    words = part.arguments.split()
    if part.targeted and not any(word.lstrip("-").startswith("target") for word in words):
        words.append("-target=…")
    if part.destroy and "-destroy" not in words:
        words.append("-destroy")
    return tuple(words)


def _is_others(check: str) -> bool:
    """Not one of prbot's own, as they are named by default."""
    own = StatusNames()
    return check not in (own.plan, own.apply) and not check.startswith(f"{own.plan}: ")


def _team(name: str) -> str:
    return f"@{name.removeprefix('@').lower()}"


def _members(people: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if people is None else frozenset(login.lower() for login in people)
