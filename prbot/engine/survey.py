"""Finds the projects of a laid-out commit, and which of them a run is about.

The same for a pull request and for `prbot plan` on a person's own machine. Reads commits of
the mirror, never a work tree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prbot.config.files import NAMES, RepoFiles, Said
from prbot.errors import NotCarriedOut
from prbot.model import Checkout, Notice, ProjectKey, RepoRef, Selector, Sha
from prbot.ports import Facts, Tree
from prbot.projects.discovery import Discovery, discover
from prbot.projects.project import Project
from prbot.projects.select import chosen
from prbot.runs.order import placed_of
from prbot.runs.run import Placed


@dataclass(frozen=True)
class Survey:
    """The projects a run is about, how each stands in it, and what people should know."""

    projects: tuple[ProjectKey, ...]
    placed: tuple[Placed, ...]
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class Surveyor:
    """Where a commit's files, and what they say, are read."""

    tree: Tree
    facts: Facts

    async def files(self, repo: RepoRef, commit: Sha) -> RepoFiles:
        """What the commit says about itself. Raises what `Tree` raises."""
        return RepoFiles(*[await self.tree.read(repo, commit, name) for name in NAMES])

    async def survey(
        self,
        repo: RepoRef,
        checkout: Checkout,
        counts: Callable[[], Said],
        select: Selector,
        asked: bool,
    ) -> Survey:
        """`counts` are the rules, called in a thread; `asked` as in `projects.select.chosen`.

        Raises BadConfiguration for declarations that can have no good meaning, NotCarriedOut,
        ProjectsShareState when two projects would write one state, and what `Tree` raises.
        """
        listing = await self.tree.listing(repo, checkout.commit)

        async def blobs(ids: Sequence[str], limit: int) -> Mapping[str, bytes | None]:
            return await self.tree.blobs(repo, ids, limit)

        facts = await self.facts.facts(listing, blobs)

        def found() -> Survey:
            said = counts()
            discovery = discover(listing, facts, said.rules)
            projects = chosen(discovery, checkout.changed, select, asked)
            _refuse_shared_states(discovery, projects)
            _refuse_what_is_not_built(projects, said.rules.source)
            return _survey(discovery, projects, said)

        # In a thread: a large repository takes a while, and webhooks want their answer.
        return await asyncio.to_thread(found)


def _refuse_what_is_not_built(projects: tuple[Project, ...], source: str | None) -> None:
    """Better no plan than one that is not what the file says."""
    for key in ("workflow", "tool", "version"):
        if any(getattr(project, key) is not None for project in projects):
            raise NotCarriedOut(source or NAMES[0], f"`projects[].{key}`")


def _survey(discovery: Discovery, projects: tuple[Project, ...], said: Said) -> Survey:
    keys = tuple(project.key for project in projects)
    known = {p.key: p for p in discovery.projects} | {p.key: p for p in projects}
    placed = {place.project: place for place in placed_of(known.values())}
    return Survey(
        projects=keys,
        placed=tuple(placed[key] for key in keys),
        notices=(*said.notices, *discovery.warnings),
    )


def _refuse_shared_states(discovery: Discovery, projects: tuple[Project, ...]) -> None:
    """Only where one of them is planned: elsewhere it stops nobody."""
    mine = {project.key for project in projects}
    for shared in discovery.shared:
        if not mine.isdisjoint(shared.projects):
            raise shared.error
