"""Plays a case of drift: the real engine, store, git, mirror and forge adapters over the demo
forge, with a clock in the hand. Only what the tool answers is recorded, at the port that runs it.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nights import said_by
from recorded import CLEAN, RecordedTool, Replica, recorded
from town import BOT, HOOK_SECRET, REPOSITORY, Town, a_town

from prbot.app import compose
from prbot.app.compose import Secrets, composed
from prbot.config.drift import DriftBounds, DriftSettings, GroupBy
from prbot.demo.person import Clone
from prbot.demo.state import Issue, Level
from prbot.drift.checking import Subject, section_of
from prbot.drift.issue import Kind, group_of, marker
from prbot.drift.reading import Asked, read
from prbot.drift.state import Standing, Watch
from prbot.drift.verdict import LastApplied
from prbot.engine.drift_places import SILENCE, Places
from prbot.model import JobId, Login, ProjectKey, PullRef, RepoRef, RunId, Sha
from prbot.plans.plan import parse
from prbot.runs.landings import Landing
from prbot.runs.locks import Lock
from prbot.runs.run import Ask, AskKind, Job, JobKind, JobState, Run, RunState
from prbot.telemetry import Redactor
from prbot.web import hooks, server

REPO = RepoRef("forge", REPOSITORY)
NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)

Json = Any


@dataclass
class ClockInHand:
    time: datetime = NOON

    def now(self) -> datetime:
        return self.time


@dataclass
class Case:
    """A row of the table, being played."""

    row: Mapping[str, Json]
    town: Town
    clone: Clone
    clock: ClockInHand
    tool: RecordedTool
    replica: Replica
    nights: int = 0
    pushed: int = 0
    numbers: dict[str, int] = field(default_factory=dict)

    # --- what happens -------------------------------------------------------------------

    async def look(self, row: Mapping[str, Json]) -> set[str]:
        """The names of the projects that it looked at, those first which it looked at first."""
        for act in row.get("before", ()):
            await self.do(act)
        self.tool.answers = {n: self._answer(a) for n, a in row.get("tool", {}).items()}
        self.tool.versions = dict(row.get("versions", {}))
        before = {each.key: each.checked_at for each in await self.standings()}
        if "played" in self.row:
            await self._put_the_others()
        if self.nights == 0:
            await self._until_nothing_is_left()
        else:
            await self._night(row)
        self.nights += 1
        await self.replica.write()
        after = await self.standings()
        return {e.project.dir for e in after if e.checked_at != before.get(e.key)}

    @property
    def _midnight(self) -> datetime:
        return NOON.replace(hour=0) + self.nights * DAY

    async def _night(self, row: Mapping[str, Json]) -> None:
        midnight = self._midnight
        if every := self.row.get("every"):
            await self._stay_awake(midnight + 50 * MINUTE)
            for minutes in range(55, 125, every):
                self.clock.time = midnight + minutes * MINUTE
                await self._step()
            return
        self.clock.time = midnight + 4 * 60 * MINUTE
        await self._until_nothing_is_left()
        if "during" in row:
            self.clock.time = midnight + 250 * MINUTE
            for act in row["during"]:
                await self.do(act)
            self.clock.time += 35 * MINUTE
            await self._until_nothing_is_left()

    async def _put_the_others(self) -> None:
        """What the checks find that are not played: those of all but the first projects."""
        now = self.clock.time if self.nights == 0 else self._midnight + 3 * 60 * MINUTE
        if self.nights == 0:
            await Places(self.replica.world).at(REPO, fresh=True)
        settings = DriftSettings.model_validate(self.row["drift"])
        asked = Asked(settings, None, now.date(), self.replica.world.redactor.redact_values)
        async with self.replica.world.store.begin() as unit:
            for standing in (await unit.drift.of_repo(REPO))[self.row["played"] :]:
                shown = recorded(self.tool.answer(standing.project.dir))
                reading = read(parse(shown), "", shown != recorded(CLEAN), 0, False, asked)
                subject = Subject(REPO, standing.project, Sha("a" * 40), now, None)
                section = section_of(subject, reading, LastApplied.NOTHING, None, unmerged=False)
                run = RunId(f"r-{standing.number}-{self.nights}")
                await unit.drift.begin(standing, run)
                await unit.drift.end(run, section, now, None)

    async def _stay_awake(self, until: datetime) -> None:
        """As it does that goes on looking, and finds nothing due."""
        async with self.replica.world.store.begin() as unit:
            while self.clock.time < until:
                self.clock.time += SILENCE
                await unit.drift.hold(self.clock.time, SILENCE)

    async def _until_nothing_is_left(self) -> None:
        for _ in range(10 + 10 * len(projects_of(self.row))):
            if not await self._step():
                return
            self.clock.time += MINUTE / 60
        raise AssertionError("some look never ends")

    async def _step(self) -> int:
        going = await self.replica.drift.sweep()
        await self.replica.work(None if self.row.get("whole") else self.tool)
        return going

    def _answer(self, answer: Json) -> Json:
        if isinstance(answer, dict) and str(answer.get("fails", "")).startswith("Error: MARKER"):
            name = self.marker(answer["fails"].rpartition(" ")[2])
            return {"fails": f"Error: {name}\n\n{name}"}
        return answer

    def marker(self, project: str) -> str:
        """What the issue about the project's drift holds unseen."""
        group = group_of(REPO, ProjectKey(project), None, GroupBy.PROJECT)
        name = marker(self.replica.world.settings.installation, Kind.DRIFT, group)
        return f"<!-- {name} -->"

    # --- what others do -----------------------------------------------------------------

    async def do(self, act: Json) -> None:
        forge, world = self.town.forge, self.replica.world
        repo = forge.repository(REPOSITORY)
        match act:
            case {"push": projects}:
                self.pushed += 1
                await self.push({name: self.code(name) for name in projects})
            case {"merge": projects}:
                await self.merge(projects)
            case {"add": project}:
                await self.push({project: self.code(project)})
            case {"remove": project}:
                await self.push({project: None})
            case {"settings": drift}:
                text = json.dumps({"version": 1, "drift": drift})
                await self.clone.push("main", "Settings", {"prbot.yaml": text})
            case {"hold": project, "by": number}:
                pull, by = PullRef(REPO, number), Login("alice")
                lock = Lock(REPO, ProjectKey(project), pull, by, self.clock.time)
                async with world.store.begin() as unit:
                    await unit.locks.take(lock)
            case {"free": project}:
                async with world.store.begin() as unit:
                    await unit.locks.free(PullRef(REPO, 7), [ProjectKey(project)])
            case {"closed_unmerged": number}:
                await self._run_of_others(number, AskKind.CLOSE, None)
            case {"apply": project, "by": number}:
                await self._run_of_others(number, AskKind.APPLY, ProjectKey(project))
            case {"applied": _}:
                async with world.store.begin() as unit:
                    job = await unit.runs.get_job(JobId("j-others"))
                    await unit.runs.move_job(job, JobState.APPLIED)
                    await unit.runs.move(job.run_id, RunState.WORKING, RunState.DONE)
            case "archive" | "restore":
                repo.archived = act == "archive"
            case {"close": title, "by": who}:
                issue = self.issue(title, act.get("whose", BOT))
                await forge.set_issue_open(issue, who, False)
                await self._hear()
            case {"delete": title}:
                del repo.issues[self.issue(title, BOT).number]
            case {"forge": title, "by": who}:
                await forge.open_issue(repo, who, title, f"All is well.\n\n{self.marker('net')}")
            case {"quote": title, "by": who}:
                issue = self.issue(title, BOT)
                lines = "\n".join(f"> {line}" for line in issue.body.splitlines())
                await forge.open_issue(repo, who, issue.title, issue.body)
                await forge.open_issue(repo, who, "About that issue", lines)
                await forge.comment(issue, who, issue.body)
                await self._hear()
            case _:
                raise AssertionError(f"nobody knows how to {act}")

    async def _run_of_others(self, number: int, kind: AskKind, applies: ProjectKey | None) -> None:
        by, now = Login("alice"), self.clock.time
        run = Run(RunId("r-others"), PullRef(REPO, number), Ask(kind, by, kind.value), now)
        async with self.replica.world.store.begin() as unit:
            await unit.runs.add(run)
            await unit.runs.move(run.id, RunState.QUEUED, RunState.WORKING)
            if applies is None:
                await unit.runs.move(run.id, RunState.WORKING, RunState.DONE)
                return
            await unit.runs.add_job(Job(JobId("j-others"), run.id, applies, JobKind.APPLY))
            await unit.runs.start_job(JobId("j-others"), "w-others", now + DAY)

    async def _hear(self) -> None:
        await self.town.forge.settled()
        await self.replica.inbox.digest_waiting()

    async def push(self, code: Mapping[str, str | None]) -> None:
        files = {f"{name}/main.tf": text for name, text in code.items()}
        await self.clone.push("main", "Change", files)
        self.tool.heads |= {name: text for name, text in code.items() if text is not None}

    async def merge(self, projects: Sequence[str]) -> None:
        """Change these projects by a pull request, and leave it unapplied."""
        self.pushed += 1
        code = {name: self.code(name) for name in projects}
        files: dict[str, str | None] = {f"{name}/main.tf": text for name, text in code.items()}
        branch, forge = f"change-{self.pushed}", self.town.forge
        await self.clone.push(branch, "Change", files)
        pull = await forge.open_pull(REPOSITORY, head=branch, title="Change", author="alice")
        commit = Sha(await forge.merge(pull, "bob"))
        self.tool.heads |= code
        merged, now = PullRef(REPO, pull.number), self.clock.time
        async with self.replica.world.store.begin() as unit:
            for name in projects:
                await unit.landings.add(Landing(merged, ProjectKey(name), commit, now))

    def code(self, project: str) -> str:
        return code_of(project, self.pushed)

    # --- what there is ------------------------------------------------------------------

    async def standings(self) -> tuple[Standing, ...]:
        async with self.replica.world.store.begin() as unit:
            return await unit.drift.of_repo(REPO)

    async def watch(self) -> Watch:
        async with self.replica.world.store.begin() as unit:
            (watch,) = await unit.drift.watches()
        return watch

    def issues(self, by: str = BOT) -> list[Issue]:
        found = self.town.forge.repository(REPOSITORY).issues.values()
        return [issue for issue in found if issue.author.login == by]

    def issue(self, title: str, by: str) -> Issue:
        (found,) = [one for one in self.issues(by) if fnmatch.fnmatchcase(one.title, title)]
        return found


def code_of(project: str, number: int = 0) -> str:
    backend = f'backend "s3" {{\n    bucket = "states"\n    key = "{project}"\n  }}'
    return f"terraform {{\n  {backend}\n}}\n\nlocals {{\n  number = {number}\n}}\n"


def projects_of(row: Mapping[str, Json]) -> list[str]:
    named = row["projects"]
    if isinstance(named, int):
        width = len(str(named - 1))
        return [f"p{number:0{width}}" for number in range(named)]
    return list(named)


@asynccontextmanager
async def played(
    row: Mapping[str, Json], kind: str, directory: Path, patch: pytest.MonkeyPatch
) -> AsyncIterator[Case]:
    """A town with the row's repository, and a process that has not looked yet."""
    clock, tool = ClockInHand(), RecordedTool()
    patch.setattr(compose, "SystemClock", lambda: clock)
    said_by(clock, patch)
    patch.setattr(compose, "tools_of", lambda *_: tool)
    async with a_town(directory, kind) as town, AsyncExitStack() as stack:
        tool.heads = {name: code_of(name) for name in projects_of(row)}
        files = {f"{name}/main.tf": text for name, text in tool.heads.items()}
        settings = json.dumps({"version": 1, "drift": row["drift"]})
        clone = await town.build({**files, "prbot.yaml": settings})
        town.forge.repository(REPOSITORY).collaborators["mallory"] = Level.READ
        bounds = DriftBounds(enabled=True, parallel=row.get("parallel", 256))
        config = town.config.model_copy(update={"drift": bounds, **row.get("server", {})})
        world = await stack.enter_async_context(composed(config, town.environ, Redactor()))
        secrets = Secrets(town.environ, world.redactor)
        door = hooks.Door(
            store=world.store,
            clock=clock,
            secrets=tuple(secrets.of_hooks(config, "github")),
            gitlab_secrets=tuple(secrets.of_hooks(config, "gitlab")),
            max_payload=config.limits.max_payload,
            delivered=lambda: None,
        )
        runner, port = await server.listen(server.application(door, lambda: True), "127.0.0.1", 0)
        stack.push_async_callback(runner.cleanup)
        town.forge.add_hook(f"http://127.0.0.1:{port}/hooks/{kind}", HOOK_SECRET)
        yield Case(row, town, clone, clock, tool, Replica(world))
