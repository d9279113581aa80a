"""Hands out the tool that a project is planned with, and the same one again later.

What the project's files say is read from the commit in the mirror, as discovery reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prbot.config.versions import constraint
from prbot.errors.applies import ToolChanged
from prbot.errors.tools import (
    DownloadFailed,
    DownloadRefused,
    ToolNotOffered,
    ToolSwitched,
    ToolVersionMissing,
    ToolVersionRefused,
)
from prbot.model import Checkout, ProjectKey, RepoRef, Sha
from prbot.ports.tool import Tool, Tools
from prbot.ports.tree import Facts, Tree
from prbot.projects.graph import Graph
from prbot.projects.listing import Listing
from prbot.projects.tool_choice import (
    TERRAFORM,
    Demand,
    Required,
    Wanted,
    exactly,
    version_files,
    wanted,
)
from prbot.runs.run import Placed, Run

VERSION_FILE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Toolbox:
    """`allow_switch`: whether a pull request may change a project's tool for the other."""

    tools: Tools
    tree: Tree
    facts: Facts
    allow_switch: bool = False

    async def for_plan(self, repo: RepoRef, checkout: Checkout, place: Placed) -> Tool:
        """Raises ToolSwitched, BadVersionFile, BadRequiredVersion, NoToolVersion, and what
        `Tools.of` and `Tree` raise."""
        await self._check_switch(repo, checkout, place)
        return await self.tools.of(await self._wanted(repo, checkout.laid, place))

    async def of_base(self, run: Run, base: Sha, project: ProjectKey) -> Tool:
        """For a look at what the run's base has in this place and its head has not. What the
        default branch said of the tool is known of the run's other projects alone."""
        tool = next((place.tool_before for place in run.placed if place.tool_before), TERRAFORM)
        there = Placed(project, tool=tool)
        return await self.tools.of(await self._wanted(run.pull.repo, base, there))

    async def _check_switch(self, repo: RepoRef, checkout: Checkout, place: Placed) -> None:
        before, now = place.tool_before or TERRAFORM, place.tool or TERRAFORM
        if before == now or self.allow_switch:
            return
        known = {place.project.dir, (place.formerly or place.project).dir}
        if await self.tree.object_ids(repo, checkout.laid_base, sorted(known)):  # it is not new
            raise ToolSwitched(before, now)

    async def _wanted(self, repo: RepoRef, commit: Sha, place: Placed) -> Wanted:
        tool = place.tool or TERRAFORM
        listing = await self.tree.listing(repo, commit)
        return wanted(
            tool,
            _said(place.version, "the project's `version`"),
            await self._version_files(repo, listing, place.project.dir, tool),
            await self._required(repo, listing, place.project.dir, tool),
            _said(place.default_version, "`defaults.version` of prbot.yaml"),
        )

    async def _version_files(
        self, repo: RepoRef, listing: Listing, directory: str, tool: str
    ) -> Mapping[str, str]:
        """A file that is too large for a version says none."""
        real = {path: listing.followed(path)[0] for path in version_files(directory, tool)}
        ids = {path: listing.files[to] for path, to in real.items() if to and to in listing.files}
        if not ids:
            return {}
        data = await self.tree.blobs(repo, list(ids.values()), VERSION_FILE_BYTES)
        return {path: (data[id_] or b"").decode("utf-8", "replace") for path, id_ in ids.items()}

    async def _required(
        self, repo: RepoRef, listing: Listing, directory: str, tool: str
    ) -> Sequence[Required]:
        async def blobs(ids: Sequence[str], limit: int) -> Mapping[str, bytes | None]:
            return await self.tree.blobs(repo, ids, limit)

        own = listing.only([directory])
        code = Graph(own, await self.facts.facts(own, blobs), tool).code.get(directory, ())
        return [
            Required(rule.constraint, path, rule.line)
            for path, facts in code
            for rule in facts.required_version
        ]


def _said(text: str | None, where: str) -> Demand | None:
    return None if text is None else Demand(constraint(text), where)


async def same_again(tools: Tools, named: str) -> Tool:
    """The tool that made a plan, as the plan names it.

    Raises ToolChanged when this server has it no more, and what getting it raises.
    """
    try:
        tool = await tools.of(exactly(named) or Wanted())
    except (ToolNotOffered, ToolVersionMissing, ToolVersionRefused):
        raise ToolChanged(named, await tools.probe()) from None
    found = await tool.version()
    if found != named:
        raise ToolChanged(named, found)
    return tool


async def to_look(tools: Tools, named: str) -> Tool:
    """The tool that made a plan, or any version of it: enough to look at a state."""
    try:
        return await same_again(tools, named)
    except (ToolChanged, DownloadFailed, DownloadRefused):
        return await tools.of(Wanted(named.partition(" ")[0]))
