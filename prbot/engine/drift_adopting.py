"""Makes pull requests about drift: of a plan and a commit, a letter. One that adopts writes live
values into the code; one that puts back is an empty commit.

Everything is read from the mirror; nothing is laid out, and no tool runs. What secrets a plan
holds were told to the redactor before; whatever is told passes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from prbot.comments.drift_proposal import proposal_body
from prbot.drift.adopt import SENSITIVE, Code, Wish, adopt, wishes
from prbot.drift.issue import Found
from prbot.drift.proposing import Proposed, branch_of, proposed_adopt, proposed_revert, title_of
from prbot.drift.wishing import Name
from prbot.engine.hidden import hidden
from prbot.engine.survey import Surveyor
from prbot.engine.world import World
from prbot.model import Login, ProjectKey, RepoRef, Sha
from prbot.plans.plan import Plan
from prbot.ports.outbox import ProposalLetter
from prbot.ports.tree import BranchCommit
from prbot.projects.graph import Graph
from prbot.projects.hcl import MAX_BYTES


@dataclass(frozen=True)
class Adopting:
    """What is to be adopted, or put back: the drift that `plan` of `project` at `head` shows,
    `found` fit to be told. `projects` are all of the repository; what is `left` by a rule is not
    adopted."""

    repo: RepoRef
    branch: str
    head: Sha
    project: ProjectKey
    projects: Collection[ProjectKey]
    found: tuple[Found, ...]
    by: Login | None
    at: datetime
    left: Collection[Name] = ()


async def adopting(
    world: World, asked: Adopting, plan: Plan
) -> tuple[ProposalLetter | None, Proposed]:
    """None where nothing could be written; what was proposed says why not. Raises GitFailed."""
    code = await code_of(world, asked.repo, asked.head, asked.project, asked.projects)
    meant = tuple(fit_to_write(world, wish) for wish in _meant(plan, asked.left))
    adopted = await asyncio.to_thread(adopt, code, meant)
    told = proposed_adopt(asked.project, asked.found, adopted, asked.by)
    if not adopted.files:
        return None, told
    return _letter(world, asked, told, adopted.files), told


def reverting(world: World, asked: Adopting) -> tuple[ProposalLetter, Proposed]:
    """The code is right already, so nothing of it changes: the plan is what is proposed."""
    told = proposed_revert(asked.project, asked.found, asked.by)
    return _letter(world, asked, told, {}), told


def _letter(
    world: World, asked: Adopting, told: Proposed, files: Mapping[str, bytes]
) -> ProposalLetter:
    shown = hidden(world.redactor, told)
    title = world.redactor.redact(title_of(shown))
    change = BranchCommit(branch_of(told.how, asked.project), asked.head, title, asked.at, files)
    customs = world.forge_of(asked.repo).customs
    body = world.redactor.redact(proposal_body(shown, customs))
    return ProposalLetter(change, asked.branch, customs.told(title), body)


def _meant(plan: Plan, left: Collection[Name]) -> tuple[Wish, ...]:
    return tuple(one for one in wishes(plan) if (one.address, one.attribute) not in left)


def fit_to_write(world: World, wish: Wish) -> Wish:
    """A commit is a sink as any other, and its files are not redacted: what is secret for a
    reason that no plan tells, because it was resolved from elsewhere, is not written either."""
    if world.redactor.redact_values(wish.live) == wish.live:
        return wish
    return Wish(wish.address, wish.attribute, unfit=SENSITIVE)


async def code_of(
    world: World,
    repo: RepoRef,
    commit: Sha,
    project: ProjectKey,
    projects: Collection[ProjectKey],
) -> Code:
    """The project's own code and that of the modules it calls, and who else uses which."""
    tree = world.forge_of(repo).tree
    listing, facts = await Surveyor(tree, world.facts).read(repo, commit)
    graph = Graph(listing, facts)
    users: dict[str, list[str]] = {}
    for other in sorted(set(projects) - {project}):
        for directory in graph.closure(other.dir):
            users.setdefault(directory, []).append(str(other))
    paths = [path for place in graph.closure(project.dir) for path in listing.code.get(place, ())]
    ids = {path: listing.files[path] for path in paths if path in listing.files}
    found = await tree.blobs(repo, list(ids.values()), MAX_BYTES)
    texts = {path: data for path, id_ in ids.items() if (data := found.get(id_)) is not None}
    return Code(texts, project.dir, users)
