"""All around the run of a scene file: the pull request, people, rules, locks, freezes.

Words of the file stand for commits; the merge and the base have words of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from prbot.config.codeowners import code_owners
from prbot.config.per_repository import Allowed, RepositoryRule
from prbot.config.repo import Effective, RepoConfig, effective
from prbot.config.scene_file import SceneFile
from prbot.config.server import ForgeConfig, ServerConfig, StatusNames
from prbot.model import Login, ProjectKey, PullRef, PullRequest, RepoRef, Review, RunId, Sha
from prbot.runs.freezes import Freeze, FreezeId, FreezeScope
from prbot.runs.landings import Landing
from prbot.runs.locks import Lock
from prbot.runs.run import Ask, AskKind, Run
from prbot.runs.scene import Scene

REPO = RepoRef("scene", "scene/scene")
MERGE = Sha("merge commit")
BASE = Sha("base")
BOT = Login("prbot")
NOWHERE = "env://NONE"


def scene_around(file: SceneFile) -> Scene:
    """Without the runs and plans of the pull request itself."""
    committers = file.pull.committers
    allow = file.server.allow
    return Scene(
        pull=_pull_request(file),
        bot=BOT,
        now=file.now,
        permission=file.command.permission,
        allow=frozenset(Allowed) if allow is None else allow,
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
        locks=tuple(_locks(file)),
        landings=tuple(_landings(file)),
        merging=tuple(_merging(file)),
        teams={_team(name): _members(people) for name, people in file.teams.items()},
        committers=None if committers is None else _members(committers),
        codeowners=None if file.codeowners is None else code_owners(file.codeowners),
        failing_checks=tuple(filter(_is_others, file.pull.failing_checks)),
        files={ProjectKey(part.dir, part.workspace): part.files for part in file.projects},
        moved=frozenset(
            ProjectKey(part.dir, part.workspace) for part in file.projects if part.base_moved
        ),
        freezes=tuple(_freezes(file)),
    )


def _pull_request(file: SceneFile) -> PullRequest:
    part = file.pull
    return PullRequest(
        ref=PullRef(REPO, part.number),
        title="",
        author=Login(part.author),
        head_sha=Sha(part.head),
        head_branch="head",
        head_repo=None if part.fork else REPO.path,
        base_branch=part.base,
        base_sha=BASE,
        default_branch=part.default_branch,
        draft=part.draft,
        open=part.open and not part.merged,
        merged=part.merged,
        merged_by=Login(file.command.actor) if part.merged else None,
        merge_sha=MERGE if part.merged else None,
        mergeable=part.mergeable,
        behind=part.behind,
    )


def _locks(file: SceneFile) -> Iterator[Lock]:
    for part in file.locks:
        project = ProjectKey(part.dir, part.workspace)
        since = part.since or file.now
        yield Lock(REPO, project, PullRef(REPO, part.pull), Login("somebody"), since)


def _landings(file: SceneFile) -> Iterator[Landing]:
    """What another pull request's apply brought in."""
    pull, other = PullRef(REPO, file.pull.number), PullRef(REPO, file.pull.number + 1)
    for part in file.projects:
        if part.settled:
            yield Landing(pull, ProjectKey(part.dir, part.workspace), MERGE, file.now, other)


def _merging(file: SceneFile) -> Iterator[Run]:
    """Begun long before; where its commit is not known yet, that is what counts."""
    for number, part in enumerate(file.merged_before):
        ask = Ask(AskKind.MERGE, Login("somebody"), "merged")
        long_ago = (file.command.heard_at or file.now) - timedelta(days=365)
        project = ProjectKey(part.dir, part.workspace)
        pull = PullRef(REPO, part.pull)
        yield Run(RunId(f"r-before-{number}"), pull, ask, long_ago, projects=(project,))


def _freezes(file: SceneFile) -> Iterator[Freeze]:
    for number, part in enumerate(file.freezes, 1):
        yield Freeze(
            FreezeId(part.id or f"f-{number}"),
            FreezeScope(part.scope),
            part.reason,
            Login(part.by),
            part.since or file.now,
            part.until,
            environment=part.environment,
        )


def rules_of(file: SceneFile) -> Effective:
    """`prbot.yaml` within the operator's file, as the service bounds it."""
    asked = RepoConfig(
        version=1,
        defaults=file.rules.defaults,
        environments=file.rules.environments,
        limits=file.rules.limits,
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


def _is_others(check: str) -> bool:
    """Not one of prbot's own, as they are named by default."""
    own = StatusNames()
    return check not in (own.plan, own.apply) and not check.startswith(f"{own.plan}: ")


def _team(name: str) -> str:
    return f"@{name.removeprefix('@').lower()}"


def _members(people: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if people is None else frozenset(login.lower() for login in people)
