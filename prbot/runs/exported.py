"""The scene of a decision as the document that `prbot explain apply` reads.

It is written when people are told why an apply or a merge is not done, or it begins, and
holds what was judged: hashes, logins and rules, never a value of a plan.

Not promised: that a decision about another thing than an apply, or about files that cannot
be read, has one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prbot.config.codeowners import CodeOwners
from prbot.config.repo import Effective, Written
from prbot.config.scene_file import (
    CommandPart,
    FirstPart,
    FreezePart,
    LeftPart,
    LockPart,
    PullPart,
    ReviewPart,
    RulesPart,
    SceneFile,
    ServerPart,
)
from prbot.model import Login
from prbot.runs.accepting import told_at
from prbot.runs.behind import before
from prbot.runs.exported_projects import parts_of, told_projects
from prbot.runs.hooks import without_hooks
from prbot.runs.orphans import open_orphans
from prbot.runs.run import AskKind, JobKind, Run, RunState
from prbot.runs.say import HoldReport, Refusal, Waiting
from prbot.runs.scene import Scene
from prbot.runs.steps import Say, StartJob, Step

JUDGED = (AskKind.APPLY, AskKind.MERGE)
_WHY = (Refusal, Waiting, HoldReport)


def is_judgement(run: Run, steps: Iterable[Step]) -> bool:
    """Whether these steps tell why an apply or merge is not done, or begin it."""
    told_again = run.jobs_of(JobKind.POST_HOOKS)
    if run.ask.kind not in JUDGED or told_again or run.trouble is not None:
        return False
    return any(_judges(step) for step in steps)


def _judges(step: Step) -> bool:
    if isinstance(step, StartJob):
        return step.kind is JobKind.APPLY
    return isinstance(step, Say) and isinstance(step.message, _WHY)


def exported(run: Run, scene: Scene) -> dict[str, Any]:
    """The document, as JSON takes it, of a run that is judged in this scene."""
    run = without_hooks(run)
    written = scene.rules.written if isinstance(scene.rules, Effective) else Written()
    projects = told_projects(run, scene)
    file = SceneFile(
        now=scene.now,
        command=_command(run, scene),
        pull=_pull(scene),
        server=ServerPart(
            mode=written.mode,
            apply_on_merge_allowed=written.apply_on_merge_allowed,
            allow=scene.allow,
            override=written.override,
            minimum=written.minimum,
        ),
        rules=RulesPart(
            defaults=written.defaults, environments=written.environments, limits=written.limits
        ),
        teams={name: _sorted(people) for name, people in sorted(scene.teams.items())},
        codeowners=None if scene.codeowners is None else _text_of(scene.codeowners),
        reviews=tuple(
            ReviewPart(
                author=review.author,
                state=review.state,
                at=review.submitted_at,
                commit=review.commit,
                permission=review.permission,
            )
            for review in scene.reviews
        ),
        projects=parts_of(run, scene, projects),
        locks=tuple(
            LockPart(
                dir=lock.project.dir,
                workspace=lock.project.workspace,
                pull=lock.holder.number,
                since=lock.since,
            )
            for lock in scene.locks
        ),
        freezes=tuple(_freezes(scene)),
        merged_before=tuple(
            FirstPart(pull=other.pull.number, dir=project.dir, workspace=project.workspace)
            for other in before(run, scene)
            for project in (projects if other.projects is None else other.projects)
        ),
        left_behind=tuple(_left(run, scene)),
    )
    return file.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _command(run: Run, scene: Scene) -> CommandPart:
    ask, head = run.ask, scene.pull.head_sha
    at = run.checkout
    seen = scene.pull.merge_sha if scene.pull.merged else head
    current = at is None or (at.commit if scene.pull.merged else at.head) == seen
    return CommandPart(
        kind="merge" if ask.kind is AskKind.MERGE else "apply",
        actor=ask.actor,
        permission=scene.permission,
        said_at=ask.commented_at,
        heard_at=run.created_at,
        waited=run.state is RunState.RESUMED,
        late=ask.late,
        asked_before=_asked_before(run, scene),
        button=ask.mark if ask.check_id is not None else None,
        laid_out=run.projects is not None,
        head=None if current or at is None else at.head,
        dirs=ask.select.dirs,
        workspaces=ask.select.workspaces,
        projects=ask.select.projects,
        plan_id=ask.plan_id,
        accept_changes=ask.accept_changes,
        accept_orphans=ask.accept_orphans,
        no_merge=ask.no_merge,
        override=ask.override or None,
    )


def _asked_before(run: Run, scene: Scene) -> tuple[Login, ...]:
    """Who said `apply` of the merged head."""
    head = scene.pull.head_sha
    asked = (
        each.ask.actor
        for each in scene.runs
        if each.id != run.id and each.ask.kind is AskKind.APPLY
        if each.checkout and each.checkout.head == head
    )
    return tuple(dict.fromkeys(asked)) if run.ask.kind is AskKind.MERGE else ()


def _pull(scene: Scene) -> PullPart:
    pull, wrote = scene.pull, scene.committers
    heard = (run.created_at for run in scene.runs if run.ask.kind is AskKind.MERGE)
    return PullPart(
        number=pull.ref.number,
        author=pull.author,
        committers=None if wrote is None else tuple(sorted(wrote | scene.pushers() | scene.askers)),
        head=pull.head_sha,
        base=pull.base_branch,
        default_branch=pull.default_branch,
        open=pull.open,
        merged=pull.merged,
        merged_at=min(heard, default=None),
        draft=pull.draft,
        fork=pull.fork,
        mergeable=pull.mergeable,
        behind=pull.behind,
        failing_checks=scene.failing_checks,
    )


def _sorted(people: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if people is None else tuple(sorted(people))


def _text_of(owners: CodeOwners) -> str:
    """A file that says the same; what does not count in the real one is not in it."""
    return "\n".join(" ".join((rule.pattern, *rule.owners)) for rule in owners.rules)


def _freezes(scene: Scene) -> Iterable[FreezePart]:
    """Those that may stop something in this repository."""
    for freeze in scene.freezes:
        if not freeze.concerns(scene.pull.ref.repo):
            continue
        yield FreezePart(
            id=freeze.id,
            scope=freeze.scope.value,
            environment=freeze.environment,
            reason=freeze.reason,
            by=freeze.by,
            since=freeze.since,
            until=freeze.until,
        )


def _left(run: Run, scene: Scene) -> Iterable[LeftPart]:
    for orphan in open_orphans(run, scene):
        project = orphan.gone.project
        yield LeftPart(
            dir=project.dir,
            workspace=project.workspace,
            address=orphan.gone.address,
            now_at=orphan.gone.now_at,
            shown_at=told_at(orphan),
        )
