"""Whether an apply would raise the version that a project's state was written by.

Older versions of the tool may not read such a state any more, so people are told before.
Only the state itself knows: a plan's JSON and a pulled state name the version that runs.
Reading it costs a process that loads the providers' schemas, so what was found to raise
nothing is remembered while this process lives: versions of states only rise.
"""

from __future__ import annotations

import structlog

from prbot.errors.plans import ToolFailed, ToolTimedOut
from prbot.model import ProjectKey, RepoRef
from prbot.plans.state_version import raised
from prbot.ports.tool import Tool, ToolRun

log = structlog.get_logger()

REMEMBERED = 100_000
"""Projects; beyond it all are looked at anew."""


class StateVersions:
    """One per process."""

    def __init__(self) -> None:
        self._level: set[tuple[RepoRef, ProjectKey, str]] = set()

    async def raised(self, repo: RepoRef, project: ProjectKey, tool: Tool, run: ToolRun) -> str:
        """The version that wrote the state if this tool's is newer, else nothing.

        A state that cannot be read now is no reason against a plan that was made of it.
        """
        running = await tool.version()
        key = (repo, project, running)
        if key in self._level:
            return ""
        try:
            found = raised(await tool.state_version(run), running)
        except (ToolFailed, ToolTimedOut) as error:
            log.warning("version unknown", action="plan", project=str(project), error=str(error))
            return ""
        if not found:
            self._remember(key)
        return found

    def _remember(self, key: tuple[RepoRef, ProjectKey, str]) -> None:
        if len(self._level) >= REMEMBERED:
            self._level.clear()
        self._level.add(key)
