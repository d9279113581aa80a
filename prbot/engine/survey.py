"""Finds the projects of a laid-out commit, and which of them a run is about.

The same for a pull request and for `prbot plan` on a person's own machine. Reads commits of
the mirror, never a work tree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from prbot.config.files import NAMES, RepoFiles, Said
from prbot.config.project_rules import ProjectRules
from prbot.errors.configuration import BadConfiguration
from prbot.errors.projects import BaseUnreadable
from prbot.model import Checkout, Notice, ProjectKey, RepoRef, Selector, Sha
from prbot.ports.tree import Facts, Tree
from prbot.projects.affected import affecting
from prbot.projects.discovery import Discovery, discover
from prbot.projects.facts import FileFacts
from prbot.projects.gone import NOTHING_KNOWN, Compared, Gone, compared
from prbot.projects.listing import Listing
from prbot.projects.project import Project
from prbot.projects.select import chosen
from prbot.projects.tool_choice import with_defaults
from prbot.runs.order import placed_of
from prbot.runs.run import Placed


@dataclass(frozen=True)
class Survey:
    """The projects a run is about, how each stands in it, and what people should know; and
    the states that nothing in the commit manages any more, whichever it is about."""

    projects: tuple[ProjectKey, ...]
    placed: tuple[Placed, ...]
    notices: tuple[Notice, ...]
    gone: tuple[Gone, ...] = ()


KEPT = 8
"""Commits whose projects are remembered: a night's checks of a repository are all of one."""


@dataclass
class Discoveries:
    """The projects of the commits that were asked for last: all checks of a night ask for the
    same ones, and to find them anew for each would be work for each pair of projects."""

    _known: dict[tuple[RepoRef, Sha], tuple[ProjectRules, Discovery]] = field(default_factory=dict)

    def of(
        self,
        repo: RepoRef,
        commit: Sha,
        rules: ProjectRules,
        listing: Listing,
        facts: Mapping[str, FileFacts],
    ) -> Discovery:
        """As `discover`, which it asks where the commit is not known by these rules and facts: a
        file that could not be read in time says more the next time. May be called in threads:
        what two of them find at once is the same."""
        known = self._known.get((repo, commit))
        if known is not None and known[0] == rules and known[1].graph.facts == facts:
            return known[1]
        found = discover(listing, facts, rules)
        self._known.pop((repo, commit), None)
        for oldest in [*self._known][: 1 - KEPT]:
            self._known.pop(oldest, None)
        self._known[repo, commit] = (rules, found)
        return found


@dataclass(frozen=True)
class Surveyor:
    """Where a commit's files, and what they say, are read; `known` is what was found before."""

    tree: Tree
    facts: Facts
    known: Discoveries = field(default_factory=Discoveries)

    async def files(self, repo: RepoRef, commit: Sha) -> RepoFiles:
        """What the commit says about itself. Raises what `Tree` raises."""
        return RepoFiles(*[await self.tree.read(repo, commit, name) for name in NAMES])

    async def survey(
        self,
        repo: RepoRef,
        checkout: Checkout,
        counts: Callable[[], Said],
        counted_before: Callable[[], Said],
        select: Selector,
        asked: bool,
        also: Callable[[Iterable[ProjectKey]], ProjectKey | None] = lambda _: None,
    ) -> Survey:
        """`counts` are the rules of the commit, `counted_before` of its base, both called in a
        thread; `asked` as in `projects.select.chosen`. `also` may name one of all projects that
        is affected although no file says so.

        Raises BadConfiguration for declarations that can have no good meaning,
        ProjectsShareState when two projects would write one state, StateTaken when one would
        get that of another, and what `Tree` raises.
        """
        listing, facts = await self.read(repo, checkout.laid)
        old_listing, old_facts = await self.read(repo, checkout.laid_base)

        def found() -> Survey:
            said = counts()
            discovery = self.known.of(repo, checkout.laid, said.rules, listing, facts)
            projects = chosen(discovery, checkout.changed, select, asked)
            if select == Selector():
                projects = _with(discovery, projects, also(p.key for p in discovery.projects))
            _refuse_shared_states(discovery, projects)
            try:
                old = counted_before()
                base = (checkout.laid_base, old.rules, old_listing, old_facts)
                before = self.known.of(repo, *base)
            except BadConfiguration as error:  # of a base that this change may mend
                told = Notice(error.path, error.line, str(BaseUnreadable(error.problem)))
                return _survey(discovery, projects, said, NOTHING_KNOWN, (told,))
            states = NOTHING_KNOWN if before is discovery else compared(before, discovery)
            _refuse_taken_states(checkout, states)
            survey = _survey(discovery, projects, said, states)
            return replace(survey, placed=(*survey.placed, *_deleted(before, old, states)))

        # In a thread: a large repository takes a while, and webhooks want their answer.
        return await asyncio.to_thread(found)

    async def all_of(
        self, repo: RepoRef, commit: Sha, counts: Callable[[], Said]
    ) -> tuple[Placed, ...]:
        """All projects of a commit. Raises as `survey` does."""
        listing, facts = await self.read(repo, commit)

        def found() -> tuple[Placed, ...]:
            said = counts()
            projects = discover(listing, facts, said.rules).projects
            return placed_of(with_defaults(project, said.rules) for project in projects)

        return await asyncio.to_thread(found)

    async def touched(
        self, repo: RepoRef, checkout: Checkout, counts: Callable[[], Said], changed: Iterable[str]
    ) -> Mapping[ProjectKey, tuple[str, ...]]:
        """By project, those of the changed paths that affect it. Raises as `survey` does."""
        listing, facts = await self.read(repo, checkout.laid)

        def found() -> Mapping[ProjectKey, tuple[str, ...]]:
            return affecting(discover(listing, facts, counts().rules), changed)

        return await asyncio.to_thread(found)

    async def read(self, repo: RepoRef, commit: Sha) -> tuple[Listing, Mapping[str, FileFacts]]:
        """All paths of a commit, and what its code says. Raises as `survey` does."""

        async def blobs(ids: Sequence[str], limit: int) -> Mapping[str, bytes | None]:
            return await self.tree.blobs(repo, ids, limit)

        listing = await self.tree.listing(repo, commit)
        return listing, await self.facts.facts(listing, blobs)


def _with(
    discovery: Discovery, projects: tuple[Project, ...], key: ProjectKey | None
) -> tuple[Project, ...]:
    """In the order of all, as `chosen` has them."""
    wanted = {project.key for project in projects} | {key}
    more = (project for project in discovery.projects if project.key in wanted)
    return projects if key is None else tuple(more)


def _refuse_taken_states(checkout: Checkout, states: Compared) -> None:
    """What is merged is the default branch's word, and held if nobody reviewed it."""
    merged = checkout.commit == checkout.head
    if states.taken and not merged:
        raise states.taken[0]


def _survey(
    discovery: Discovery,
    projects: tuple[Project, ...],
    said: Said,
    states: Compared,
    notices: tuple[Notice, ...] = (),
) -> Survey:
    keys = tuple(project.key for project in projects)
    known = {p.key: p for p in discovery.projects} | {p.key: p for p in projects}
    whole = (with_defaults(known[key], said.rules) for key in _with_needs(keys, known))
    placed = {place.project: place for place in placed_of(whole)}
    return Survey(
        projects=keys,
        placed=tuple(replace(placed[key], formerly=states.moved.get(key)) for key in keys),
        notices=(*notices, *said.notices, *discovery.warnings),
        gone=states.gone,
    )


def _with_needs(
    keys: tuple[ProjectKey, ...], known: Mapping[ProjectKey, Project]
) -> Iterable[ProjectKey]:
    """These, and what they need, also by way of others: a run of one project in a thousand
    need not place them all."""
    found = dict.fromkeys(keys)
    left = list(keys)
    while left:
        needs = (need for need in known[left.pop()].depends_on if need in known)
        new = [need for need in needs if need not in found]
        found |= dict.fromkeys(new)
        left += new
    return found


def _deleted(before: Discovery, said: Said, states: Compared) -> tuple[Placed, ...]:
    """How the base has what is deleted, should somebody want it destroyed."""
    gone = {each.project for each in states.gone if not each.now_at}
    if not gone:
        return ()
    whole = (with_defaults(project, said.rules) for project in before.projects)
    found = (place for place in placed_of(whole) if place.project in gone)
    return tuple(replace(place, tool_before=place.tool) for place in found)


def _refuse_shared_states(discovery: Discovery, projects: tuple[Project, ...]) -> None:
    """Only where one of them is planned: elsewhere it stops nobody."""
    mine = {project.key for project in projects}
    for shared in discovery.shared:
        if not mine.isdisjoint(shared.projects):
            raise shared.error
