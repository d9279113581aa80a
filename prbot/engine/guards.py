"""What a decision about an apply needs beside the pull request, gathered only where it may
matter: teams, code owners, authors of commits, required checks, what moved in the base.

Each of it is asked once for a decision, whatever the number of projects; what the forge
answers conditionally (teams) costs nothing while it stays the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import structlog

from prbot.config.codeowners import MAX_BYTES, PLACES, CodeOwners, code_owners
from prbot.config.files import RepoFiles, counted
from prbot.config.repo import Effective
from prbot.drift.proposing import reverted_by
from prbot.engine.survey import Surveyor
from prbot.engine.world import Forge, World
from prbot.errors.forge import ForgeRefused, ForgeUnavailable, NotFound
from prbot.errors.git import GitFailed
from prbot.model import Checkout, ProjectKey, PullRequest, RepoRef, Sha
from prbot.runs.requirements.people import teams_wanted
from prbot.runs.run import AskKind, Run
from prbot.runs.scene import Scene

log = structlog.get_logger()

ASKS_LIKE_APPLY = (AskKind.APPLY, AskKind.IMPORT, AskKind.STATE_RM)
UNDECIDED = timedelta(minutes=1)
"""How long we wait for the forge to find out whether a pull request can be merged."""


@dataclass(frozen=True)
class Guards:
    """Gathers for one decision. `default` are the repository's files on its default branch,
    whose newest commit is `commit`."""

    world: World
    run: Run
    scene: Scene
    rules: Effective
    default: RepoFiles
    commit: Sha

    async def scene_with_them(self) -> Scene:
        """Raises what the forge and the mirror raise."""
        scene = self.scene
        if self.run.ask.kind in ASKS_LIKE_APPLY and scene.pull.open:
            scene = await self._for_open_pull(scene)
        wanted = teams_wanted(self.run.ask, self.rules, scene)
        teams = {team: await self._members(team) for team in sorted(wanted)}
        return replace(scene, teams=teams)

    async def _for_open_pull(self, scene: Scene) -> Scene:
        needs = self.rules.environments.all
        reader = self._forge.reader
        if any(each.mergeable for each in needs):
            scene = replace(scene, pull=await self._decided(scene.pull))
            if scene.pull.guarded:
                own = (self.world.settings.plan_check, self.world.settings.apply_check)
                failing = await reader.failing_checks(scene.pull, own)
                scene = replace(scene, failing_checks=failing)
        if any(each.approvals for each in needs):
            scene = replace(scene, committers=await reader.committers(self.run.pull))
        if any(each.codeowners for need in needs for each in need.approvals):
            files = {**await self._put_back(), **await self._touched(self._checkout.changed)}
            scene = replace(scene, files=files, codeowners=await self._owners())
        if any(each.up_to_date for each in needs):
            scene = replace(scene, moved=await self._moved(scene))
        return scene

    async def _decided(self, pull: PullRequest) -> PullRequest:
        """Asked again where the forge had only begun to find out; after a while it stays
        unknown, which is an answer, too."""
        if pull.mergeable is None:
            pull = await self._forge.reader.pull_request(pull.ref)
        waited = self.world.clock.now() - self.run.created_at
        if pull.open and pull.mergeable is None and waited < UNDECIDED:
            raise ForgeUnavailable(
                self._repo.forge,
                f"read {self._forge.customs.named(pull.ref)}",
                "it is still finding out whether it can be merged",
            )
        return pull

    # --- the repository -----------------------------------------------------------------

    async def _owners(self) -> CodeOwners | None:
        for place in PLACES:
            data = await self._forge.tree.read(self._repo, self.commit, place)
            if data is not None:
                text = data.decode("utf-8", "replace")
                return code_owners(text) if len(data) <= MAX_BYTES else None
        return None

    async def _put_back(self) -> Mapping[ProjectKey, tuple[str, ...]]:
        """A pull request that puts back speaks of all of its project's files, and changes none."""
        scene = self.scene
        project = reverted_by(scene.pull, scene.bot, scene.planned_projects())
        if project is None:
            return {}
        listing = await self._forge.tree.listing(self._repo, self._checkout.laid)
        return {project: tuple(sorted(listing.code.get(project.dir, ())))}

    async def _moved(self, scene: Scene) -> frozenset[ProjectKey]:
        """The projects that what came into the base since their newest plan affects."""
        newest = (scene.newest_plan(project) for project in scene.planned_projects())
        older: dict[Sha, list[ProjectKey]] = {}
        for plan in newest:
            if plan and plan.head == scene.pull.head_sha and plan.base != self._checkout.base:
                older.setdefault(plan.base, []).append(plan.project)
        found: set[ProjectKey] = set()
        for base, projects in older.items():
            found |= set(projects) & set(await self._since(base, projects))
        return frozenset(found)

    async def _since(self, base: Sha, projects: Iterable[ProjectKey]) -> Iterable[ProjectKey]:
        """A base that nobody can compare with has moved for all of them."""
        try:
            changed = await self._forge.generated.changed(self._repo, base, self._checkout.base)
        except GitFailed as error:
            log.warning("base not compared", action="gather", base=base, error=str(error))
            return projects
        return await self._touched(changed)

    async def _touched(self, changed: Iterable[str]) -> Mapping[ProjectKey, tuple[str, ...]]:
        surveyor = Surveyor(self._forge.tree, self.world.facts)
        head = await surveyor.files(self._repo, self._checkout.laid)
        counts = partial(counted, self.default, head, self.scene.pull.base_branch)
        return await surveyor.touched(self._repo, self._checkout, counts, changed)

    # --- the forge ----------------------------------------------------------------------

    async def _members(self, team: str) -> frozenset[str] | None:
        """None when they cannot be learned, which admits nobody."""
        try:
            return await self._forge.reader.team_members(self._repo, team)
        except (NotFound, ForgeRefused) as error:
            log.warning("team not known", action="gather", team=team, error=str(error))
            return None

    @property
    def _repo(self) -> RepoRef:
        return self.run.pull.repo

    @property
    def _forge(self) -> Forge:
        return self.world.forge_of(self._repo)

    @property
    def _checkout(self) -> Checkout:
        assert self.run.checkout is not None  # noqa: S101 - an open apply is laid out before
        return self.run.checkout
