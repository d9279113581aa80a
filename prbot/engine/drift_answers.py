"""Carries out what people say to issues about drift.

Who may is asked of the forge and of the default branch before anything is written; what is
done and what is answered is then kept in one transaction, with the delivery that told of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import assert_never

import structlog

from prbot.config.environments import EVERYWHERE_ALIKE
from prbot.drift.answering import (
    UNLOCK,
    AnswerStep,
    Asker,
    Correct,
    LookAgain,
    Propose,
    Remember,
    Said,
    Say,
    Server,
    Unlock,
    answer_to,
    heard,
    in_group,
    shown,
    teams_of,
    told_of,
    unless_hindered,
)
from prbot.drift.state import Correction, IssueOf, Standing
from prbot.drift.tell import Reply
from prbot.drift.trying import REVERT, under_way
from prbot.drift.wishing import HOW
from prbot.engine.drift_places import Places
from prbot.engine.letters import drift_comment
from prbot.engine.world import World
from prbot.errors.forge import ForgeRefused, NotFound
from prbot.model import Ignored, IssueCommented, RepoRef
from prbot.ports.outbox import of_repository
from prbot.ports.store import JournalEntry, UnitOfWork
from prbot.runs.asks import Listening
from prbot.runs.correction import correction_place, is_correction
from prbot.runs.reasons import Reason
from prbot.runs.say import Refusal

log = structlog.get_logger()

BEGUN = (
    "it is planned now, and put back where the plan does what stands above and nothing else; "
    "what comes of it is told here."
)
UNLOCKED = "what an interrupted correction held is let go of."


KNOWN = "the comment is answered already"


def _going_on(standing: Standing) -> Reason:
    going = f"a correction of `{standing.project}` is under way"
    return Reason("correcting", going, "wait for what comes of it")


async def _held(unit: UnitOfWork, issue: IssueOf) -> tuple[Standing, ...]:
    """Of those that would be told there, what corrections hold: also of a project that is gone."""
    locks = [lock for lock in await unit.locks.of_repo(issue.about) if is_correction(lock.holder)]
    found = [await unit.drift.get(issue.about, lock.project) for lock in locks]
    return tuple(each for each in found if each is not None and in_group(issue, each))


@dataclass(frozen=True)
class Answered:
    """What is done, and said, to an issue of ours."""

    said: Said
    issue: IssueOf
    steps: tuple[AnswerStep, ...]

    @property
    def outcome(self) -> str:
        """A few words for the delivery."""
        return f"issue {self.said.event.number}: {self.said.command or 'a hint'}"


class DriftAnswers:
    """One per process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._places = Places(world)

    async def heard(self, event: IssueCommented, listening: Listening) -> Answered | Ignored:
        """Raises what asking the forge, and StoreUnavailable what the store raises."""
        said = heard(event, listening)
        if isinstance(said, Ignored):
            return said
        async with self._world.store.begin() as unit:
            issue = await unit.drift_issues.at(event.repo, event.number)
            known = () if issue is None else await unit.drift.of_repo(issue.about)
            held = () if issue is None else await _held(unit, issue)
            done = await unit.drift_issues.is_heard(event.repo, event.comment_id)
        if issue is None:
            return Ignored("comment on an issue that is not ours")
        if done:
            return Ignored(KNOWN)
        unlocks = said.typed is not None and said.typed.verb == UNLOCK
        mine = held if unlocks else told_of(issue, known)
        place = await self._places.at(issue.about, fresh=True)
        environments = EVERYWHERE_ALIKE if place is None else place.rules.environments
        asker = await self._asker(event, issue.about, teams_of(environments, mine))
        now = self._world.clock.now()
        server = Server(self._world.settings.drift.enabled, place is not None)
        steps = answer_to(said, issue, mine, environments, asker, now)
        steps = unless_hindered(said, steps, server, now)
        return Answered(said, issue, steps) if steps else Ignored("an outsider's comment")

    async def _asker(self, event: IssueCommented, repo: RepoRef, teams: Iterable[str]) -> Asker:
        reader, login = self._world.forge_of(repo).reader, event.actor.login
        permission = await reader.permission(repo, login)
        members = {team: await self._members(repo, team) for team in sorted(teams)}
        return Asker(login, permission, members)

    async def _members(self, repo: RepoRef, team: str) -> frozenset[str] | None:
        try:
            return await self._world.forge_of(repo).reader.team_members(repo, team)
        except (NotFound, ForgeRefused) as error:
            log.warning("team not known", action="drift", team=team, error=str(error))
            return None

    async def perform(self, unit: UnitOfWork, answered: Answered) -> str:
        """Do it in this transaction, once; a few words of what was done."""
        event = answered.said.event
        if not await unit.drift_issues.hear(event.repo, event.comment_id):
            return KNOWN
        for step in answered.steps:
            await self._step(unit, answered, step)
        return answered.outcome

    async def _step(self, unit: UnitOfWork, answered: Answered, step: AnswerStep) -> None:
        match step:
            case Remember(answer):
                await unit.drift_issues.answer(answer)
                detail = f"{answered.said.command}; {answer.project}"
                await self._note(unit, answered, answer.kind.value, detail)
            case LookAgain(standing):
                await unit.drift.plan(replace(standing, asked_at=self._world.clock.now()))
            case Propose():
                await self._propose(unit, answered, step)
            case Correct():
                await self._revert(unit, answered, step)
            case Unlock(standings):
                await self._unlock(unit, answered, standings)
            case Say():
                await self._say(unit, answered, step)
            case _:
                assert_never(step)

    async def _propose(self, unit: UnitOfWork, answered: Answered, step: Propose) -> None:
        """Kept until a check ends that sees what is live now."""
        project, now = step.standing.project, self._world.clock.now()
        kept = Correction(
            self._world.new_id("w"),
            step.standing.repo,
            project,
            HOW[step.how],
            now,
            step.by,
            facts=step.shown,
        )
        await unit.corrections.add(kept)
        await self._note(unit, answered, step.how.value, f"{answered.said.command}; {project}")

    async def _revert(self, unit: UnitOfWork, answered: Answered, step: Correct) -> None:
        """Note what is asked for; it is begun when nothing looks at the project."""
        world = self._world
        going: list[Standing] = []
        for each in step.standings:
            known = await unit.corrections.of_project(each.repo, each.project)
            if any(under_way(one) for one in known):
                going.append(each)
                continue
            wish = Correction(
                world.new_id("c"),
                each.repo,
                each.project,
                REVERT,
                world.clock.now(),
                step.by,
                facts=shown(each),
            )
            await unit.corrections.add(wish)
            await self._note(unit, answered, REVERT, f"{answered.said.command}; {each.project}")
        reasons = tuple(map(_going_on, going))
        said = BEGUN if len(going) < len(step.standings) else ""
        await self._say(unit, answered, Say(said, () if said else reasons))

    async def _unlock(
        self, unit: UnitOfWork, answered: Answered, standings: Iterable[Standing]
    ) -> None:
        """Nothing is let go of while it may still be applied."""
        reasons: list[Reason] = []
        for each in standings:
            place = correction_place(each.repo, each.number)
            runs = await unit.runs.of_pull(place)
            if any(not run.state.finished for run in runs):
                reasons.append(_going_on(each))
                continue
            await unit.locks.free(place, [each.project])
            await self._note(unit, answered, UNLOCK, str(each.project))
        await self._say(unit, answered, Say("" if reasons else UNLOCKED, tuple(reasons)))

    async def _note(self, unit: UnitOfWork, answered: Answered, what: str, detail: str) -> None:
        issue, event = answered.issue, answered.said.event
        redact, now = self._world.redactor.redact, self._world.clock.now()
        subject = f"{issue.about} issue {event.number}"
        entry = JournalEntry(
            now,
            None,
            event.actor.login,
            subject,
            f"drift {what}",
            redact(detail),
        )
        await unit.journal.write(entry)

    async def _say(self, unit: UnitOfWork, answered: Answered, say: Say) -> None:
        event, issue, beside = answered.said.event, answered.issue, say.beside
        command, actor = answered.said.command, event.actor.login
        told: Reply | Refusal = Reply(command, actor, say.said)
        if say.reasons:
            told = Refusal(command, actor, say.reasons)
        own = f"prbot:{self._world.settings.installation}:re:{event.comment_id}{beside}"
        letter = drift_comment(self._world, issue.place, issue.marker, own, told)
        now = self._world.clock.now()
        key = f"drift re {event.repo} {event.comment_id}{beside}"  # a number is one forge's
        await unit.outbox.put(key, of_repository(issue.place), letter, now)
