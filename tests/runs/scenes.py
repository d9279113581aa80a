"""Worlds for deciding, one line each, and decisions as words.

A `World` is everything one decision may see; its fields have the values of an ordinary
day (an open pull request, one project `a` planned at the head, one approval), so that a
row names only what is odd. `words(world.outcome())` are the steps as short texts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from prbot.config.environments import Approvals, Environments, Needs
from prbot.config.per_repository import Allowed
from prbot.config.repo import Effective
from prbot.config.server import ApplyOnMerge
from prbot.model import (
    Checkout,
    JobId,
    Login,
    Permission,
    PlanId,
    ProjectKey,
    PullRef,
    PullRequest,
    RepoRef,
    Review,
    ReviewState,
    RunId,
    Selector,
    Sha,
)
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.summary import Counts, PlanSummary
from prbot.projects.gone import Gone
from prbot.runs import say
from prbot.runs.decide import decide
from prbot.runs.journal import JournalEntry
from prbot.runs.landings import NOWHERE, Around, Landing
from prbot.runs.locks import Lock
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Placed, Run, RunState, Trouble
from prbot.runs.scene import Scene
from prbot.runs.steps import (
    Acknowledge,
    DropPlans,
    DropWorkspaces,
    Finish,
    Fold,
    FreeLocks,
    Land,
    LayOut,
    MergePull,
    PlanAgain,
    Record,
    ReleaseJob,
    Say,
    SetStatus,
    Settle,
    SkipJob,
    StartJob,
    Step,
    StopJob,
    StopRun,
    TakeLocks,
    Verdict,
    Wait,
    WriteIssue,
)

REPO = RepoRef("github", "acme/infra")
PULL = PullRef(REPO, 7)
OTHER_PULL = PullRef(REPO, 8)
AUTHOR, WRITER, REVIEWER, MERGER = map(Login, ("author", "writer", "reviewer", "merger"))
HEAD, OLD_HEAD, NEW_HEAD = (Sha(c * 40) for c in "123")
BASE, NEW_BASE = Sha("a" * 40), Sha("b" * 40)
MERGED = Sha("d" * 40)
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
COMMENT = 42

WRONG = Trouble("It broke.", "Mend it.")
RULES = Effective(
    may_apply=True,
    apply_on_merge=ApplyOnMerge.IF_UNCHANGED,
    plan_drafts=False,
)
COMMENTS_ONLY = replace(RULES, may_apply=False, apply_on_merge=ApplyOnMerge.NEVER)
NEVER_ON_MERGE = replace(RULES, apply_on_merge=ApplyOnMerge.NEVER)
ALWAYS_ON_MERGE = replace(RULES, apply_on_merge=ApplyOnMerge.ALWAYS)
NO_APPROVALS = replace(RULES, environments=Environments(Needs(approvals=())))
TWO_APPROVALS = replace(RULES, environments=Environments(Needs(approvals=(Approvals(2),))))
PLAN_DRAFTS = replace(RULES, plan_drafts=True)


def keys(names: str) -> tuple[ProjectKey, ...]:
    """`"a b:blue"`: project `a`, and `b` in the workspace `blue`."""
    return tuple(ProjectKey(*name.split(":")) for name in names.split())


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def laid_out(head: Sha, base: Sha) -> Sha:
    """The merge of a head into a base: another pair makes another commit."""
    return Sha(head[:20] + base[:20])


def pull(**odd: object) -> PullRequest:
    usual = PullRequest(
        ref=PULL,
        title="Change",
        author=AUTHOR,
        head_sha=HEAD,
        head_branch="change",
        head_repo=REPO.path,
        base_branch="main",
        base_sha=BASE,
        default_branch="main",
        mergeable=True,
    )
    return replace(usual, **odd)  # type: ignore[arg-type] # rows name fields freely


def merged(**odd: object) -> PullRequest:
    usual: dict[str, object] = {"open": False, "merged": True, "merged_by": MERGER}
    return pull(**{**usual, "merge_sha": MERGED, "mergeable": None, **odd})


DRAFT = pull(draft=True)
FORK = pull(head_repo="stranger/infra")
CLOSED = pull(open=False)
PUSHED = pull(head_sha=NEW_HEAD)
DONE_MERGED = merged()


def plan(
    project: str,
    number: int = 1,
    *,
    head: Sha = HEAD,
    base: Sha = BASE,
    commit: Sha | None = None,
    content: str = "reviewed",
    files: str = "same",
    changes: int = 1,
    minute: float = 0,
    applied: bool = False,
    lost: bool = False,
    errored: bool = False,
    applyable: bool = True,
    run: str = "r-earlier",
) -> StoredPlan:
    """A stored plan `p-00000N`; equal `content` and `files` make equal plans."""
    plan_id = PlanId(f"p-{number:06d}")
    return StoredPlan(
        id=plan_id,
        pull=PULL,
        project=keys(project)[0],
        run_id=RunId(run),
        job_id=JobId(f"j-{plan_id}"),
        head=head,
        base=base,
        commit=commit or laid_out(head, base),
        hash=content,
        inputs=Inputs(files, "lock", "terraform 1.11.4", configuration="conf"),
        summary=PlanSummary(Counts(create=changes), applyable=applyable, errored=errored),
        plan_file=f"{plan_id}.tfplan",
        plan_file_sha256="0" * 64,
        plan_json=f"{plan_id}.json",
        state_is_lost=lost,
        created_at=at(minute),
        applied_at=at(minute + 1) if applied else None,
    )


def after_merge(project: str, number: int, **odd: object) -> StoredPlan:
    """A plan of the merge commit, as a merge run makes it."""
    usual: dict[str, object] = {"head": MERGED, "commit": MERGED, "minute": 30}
    return plan(project, number, **{**usual, **odd})  # type: ignore[arg-type] # as in pull()


def planned(made: StoredPlan, *differences: str, reviewed: int | None = None) -> Job:
    """The finished job that made a plan."""
    return Job(
        made.job_id,
        made.run_id,
        made.project,
        JobKind.PLAN,
        JobState.PLANNED,
        plan_id=made.id,
        reviewed=PlanId(f"p-{reviewed:06d}") if reviewed else None,
        differences=differences,
    )


def job(
    kind: JobKind, state: JobState, project: str = "a", number: int = 1, run: str = "r-earlier"
) -> Job:
    """A job that made no plan; `number` is the reviewed plan of an apply."""
    reviewed = PlanId(f"p-{number:06d}") if kind is JobKind.APPLY else None
    ill = (JobState.FAILED, JobState.INTERRUPTED, JobState.STALE)
    trouble = WRONG if state in ill else None
    job_id = JobId(f"j-{run}-{kind}-{project}-{number}")
    return Job(
        job_id, RunId(run), keys(project)[0], kind, state, reviewed=reviewed, trouble=trouble
    )


def planning(state: JobState, project: str = "a", run: str = "r-earlier") -> Job:
    return job(JobKind.PLAN, state, project, run=run)


def applying(state: JobState, project: str = "a", number: int = 1, run: str = "r-earlier") -> Job:
    return job(JobKind.APPLY, state, project, number, run)


def earlier(
    *jobs: Job,
    kind: AskKind = AskKind.PLAN,
    state: RunState = RunState.DONE,
    head: Sha | None = None,
    select: Selector | None = None,
    gone: tuple[Gone, ...] = (),
    changed: tuple[str, ...] = ("a/x.tf",),
) -> Run:
    """Another run of the same pull request, with its jobs."""
    ids = {each.run_id for each in jobs}
    run_id = ids.pop() if len(ids) == 1 else RunId("r-earlier")
    head = head or (MERGED if kind is AskKind.MERGE else HEAD)
    commit = MERGED if kind is AskKind.MERGE else laid_out(head, BASE)
    checkout = Checkout("/tree", commit, BASE, head, changed)
    planned = {each.project for each in jobs if each.kind is not JobKind.INVENTORY}
    projects = tuple(sorted(planned))
    ask = Ask(kind, AUTHOR, "earlier", head_sha=head, select=select or Selector())
    begun = at(15 if kind is AskKind.MERGE else -10)
    return Run(run_id, PULL, ask, begun, state, checkout, projects, None, jobs, gone=gone)


def approval(
    by: Login = REVIEWER,
    *,
    state: ReviewState = ReviewState.APPROVED,
    commit: Sha | None = HEAD,
    minute: float = 5,
    permission: Permission = Permission.WRITE,
) -> Review:
    return Review(by, state, commit, at(minute), permission)


def lock(project: str, holder: PullRef = PULL) -> Lock:
    return Lock(REPO, keys(project)[0], holder, WRITER, NOON)


# --- asks -----------------------------------------------------------------------------------


def by_event(kind: AskKind = AskKind.PLAN, head: Sha = HEAD) -> Ask:
    actor = MERGER if kind is AskKind.MERGE else AUTHOR
    return Ask(kind, actor, kind.value, head_sha=head)


def by_comment(kind: AskKind, actor: Login = WRITER, **more: object) -> Ask:
    return Ask(
        kind,
        actor,
        "commented",
        comment_id=COMMENT,
        commented_at=at(40),
        **more,  # type: ignore[arg-type] # rows name fields freely
    )


def only(*dirs: str) -> Selector:
    return Selector(dirs=dirs)


def of_the_branch(kind: AskKind, **more: Any) -> Ask:
    """About project `a` of the default branch itself, by nobody's pull request."""
    select = Selector(dirs=("a",), workspaces=("default",))
    return replace(by_event(kind), head_sha=MERGED, select=select, **more)


# --- the world ------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """One run and all around it. `projects` is what laying out finds, `jobs` what this
    run has done so far (then it is laid out), `plans` newest first."""

    ask: Ask
    pull: PullRequest = field(default_factory=pull)
    projects: str = "a"
    rules: Effective | Trouble = RULES
    permission: Permission = Permission.WRITE
    reviews: tuple[Review, ...] = (approval(),)
    plans: tuple[StoredPlan, ...] = (plan("a"),)
    others: tuple[Run, ...] | None = None
    locks: tuple[Lock, ...] = ()
    jobs: tuple[Job, ...] | None = None
    laid_out_at: Sha | None = None
    base: Sha | None = None
    journal: tuple[JournalEntry, ...] = ()
    served: bool = True
    broken: Trouble | None = None
    state: RunState | None = None
    placed: tuple[Placed, ...] = ()
    gone: tuple[Gone, ...] = ()
    allow: frozenset[Allowed] = frozenset()
    landings: tuple[Landing, ...] = ()
    merging: tuple[Run, ...] = ()
    around: Around = NOWHERE
    askers: frozenset[str] = frozenset()
    newest: Sha | None = None
    against: tuple[say.Reason, ...] | None = None

    def run(self) -> Run:
        """As it stands now: laid out only if it has done jobs."""
        state = RunState.QUEUED if self.jobs is None and not self.broken else RunState.WORKING
        run = Run(RunId("r-now"), PULL, self.ask, at(25), self.state or state)
        run = replace(run, trouble=self.broken)
        return self.laid_out(run) if self.jobs is not None else run

    def laid_out(self, run: Run) -> Run:
        merged = self.pull.merged and self.pull.merge_sha
        head = self.laid_out_at or merged or self.pull.head_sha
        base = self.base or self.pull.base_sha
        commit = head if merged and not self.laid_out_at else laid_out(head, base)
        checkout = Checkout("/tree", commit, base, head, ("a/x.tf",))
        jobs = tuple(replace(each, run_id=run.id) for each in self.jobs or ())
        state = RunState.WORKING if run.state is RunState.QUEUED else run.state
        projects = keys(self.projects)
        return replace(
            run,
            checkout=checkout,
            projects=projects,
            jobs=jobs,
            state=state,
            placed=self.placed,
            gone=self.gone,
        )

    def scene(self, run: Run) -> Scene:
        others = self.others
        if others is None:
            mine = {each.plan_id for each in run.jobs}
            others = _made_by(tuple(p for p in self.plans if p.id not in mine))
        others = tuple(_told(each, self.plans) for each in others)
        return Scene(
            pull=self.pull,
            bot=Login("prbot[bot]"),
            now=at(41),
            served=self.served,
            permission=self.permission,
            reviews=self.reviews,
            rules=self.rules if run.checkout is not None else None,
            runs=(run, *others),
            plans=self.plans,
            locks=self.locks,
            journal=self.journal,
            allow=self.allow,
            landings=self.landings,
            merging=self.merging,
            askers=self.askers,
            around=self.around,
            newest=self.newest,
            against=self.against,
        )

    def outcome(self) -> tuple[Step, ...]:
        """All steps until something else must happen; a commit that is to be laid out is."""
        run = self.run()
        steps = decide(run, self.scene(run))
        if LayOut() in steps:
            run = self.laid_out(run)
            steps += decide(run, self.scene(run))
        return steps


def _told(run: Run, plans: tuple[StoredPlan, ...]) -> Run:
    """The run, its comment written when its last plan was made, unless a row says when."""
    mine = {each.plan_id for each in run.jobs}
    made = max((p.created_at for p in plans if p.id in mine), default=run.created_at)
    return replace(run, told_at=run.told_at or made) if run.state.finished else run


def _made_by(plans: tuple[StoredPlan, ...]) -> tuple[Run, ...]:
    """One finished plan run for each head these plans were made of."""
    heads = dict.fromkeys(p.head for p in plans)
    jobs = ((head, [planned(p) for p in plans if p.head == head]) for head in heads)
    return tuple(earlier(*made, head=head) for head, made in jobs)


# --- decisions as words ---------------------------------------------------------------------

_MESSAGES: dict[type, str] = {
    say.PlanReport: "report",
    say.OrphansAccepted: "told-accepted",
    say.OrphansLeft: "told-left",
    say.ApplyReport: "apply-report",
    say.NotMerged: "not-merged",
    say.StateChanged: "state-changed",
    say.Versions: "versions",
    say.HoldReport: "hold",
    say.Failure: "failure",
    say.NoProjects: "no-projects",
    say.TooMany: "too-many",
    say.Unlocked: "unlocked",
    say.Cancelled: "cancelled",
    say.Waiting: "told-to-wait",
    say.InterruptedReport: "left-behind",
    say.CorrectionReport: "correction-report",
    say.StateUnlocked: "state-unlocked",
    say.PlansExpired: "expired",
    say.AppliedUnmerged: "applied-unmerged",
    say.UnmergedIssue: "issue",
    say.UnmergedSettled: "issue",
    say.OverrideIssue: "issue",
    say.Settled: "told-settled",
    say.Help: "help",
    say.Hint: "hint",
}


def words(steps: tuple[Step, ...]) -> set[str]:
    """The steps as short texts, without the passing ones: eyes, layouts, pending checks."""
    return {word for step in steps for word in _words(step)}


def _words(step: Step) -> list[str]:
    match step:
        case LayOut() | Acknowledge() | SetStatus(verdict=Verdict.PENDING):
            return []
        case StartJob():
            link = "~" if step.kind is JobKind.PLAN else "="
            reviewed = f"{link}{short(step.reviewed)}" if step.reviewed else ""
            then = "then " if step.blocked else ""
            return [f"{then}{step.kind} {step.project}{reviewed}"]
        case TakeLocks():
            return [f"lock {_names(step.projects)}"]
        case FreeLocks():
            return [f"free {_names(step.projects)}"] if step.projects else []
        case Say(message=say.Refusal() as refusal):
            return ["refuse: " + " ".join(sorted({r.requirement for r in refusal.reasons}))]
        case Say():
            return [_MESSAGES[type(step.message)]]
        case WriteIssue():
            return ["issue" if step.is_open else "issue-closed"]
        case Record():
            return [step.action]
        case Fold():
            return []  # tests/runs/test_outdated.py
        case SetStatus(project=ProjectKey()):
            return []  # tests/runs/test_project_checks.py
        case SetStatus():
            return [f"{step.check}:{step.verdict}"]
        case StopJob():
            return [f"stop {step.job.kind} {step.job.project}"]
        case StopRun():
            return [f"stop {step.run_id}"]
        case Wait():
            return ["waiting"]
        case MergePull():
            return [" ".join(filter(None, ("merge", step.method, step.branch)))]
        case DropPlans():
            return ["drop-plans"]
        case DropWorkspaces():
            return ["drop-workspaces"]
        case Land():
            return []  # tests/runs/test_behind.py
        case PlanAgain():
            return []  # tests/runs/test_elsewhere.py
        case Settle():
            return [f"settle {' '.join(_landing(one) for one in step.landings)}"]
        case ReleaseJob():
            return [f"release {step.job.project}"]
        case SkipJob():
            return [f"skip {step.job.project}"]
        case Finish():
            return [step.state.value]
        case _:
            assert_never(step)


def _landing(one: Landing) -> str:
    return f"{one.project}#{one.pull.number}"


def short(plan_id: PlanId | None) -> str:
    return f"p{int(plan_id[2:])}" if plan_id else ""


def _names(projects: tuple[ProjectKey, ...]) -> str:
    return ",".join(str(project) for project in sorted(projects))
