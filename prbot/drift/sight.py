"""All that is known of a repository once one of its checks has ended, and what is told of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from prbot.config.drift import DriftSettings, Reaction
from prbot.drift.flapping import Flap, flaps_of, names_of
from prbot.drift.incidents import Alike, Apart, Common, alike, group_name, told_apart
from prbot.drift.issue import (
    DriftIssue,
    Found,
    Kept,
    Kind,
    Section,
    facts_of,
    group_of,
    issues_of,
    within,
)
from prbot.drift.schedule import Reach, coverage, last_night, reach_words
from prbot.drift.state import Answer, AnswerKind, Correction, IssueOf, Standing
from prbot.drift.tell import Acceptance, Changed, IssueBody, IssueText, Joined, Over
from prbot.model import ProjectKey, RepoRef

NEVER_TOLD = Kept(open=False, facts=())


@dataclass(frozen=True)
class TellIssue:
    """Write the issue and keep what is known of it. `text` None: it is only kept. `is_open`
    None: what there is stays open or closed, as somebody left it."""

    repo: RepoRef
    kind: str
    group: str
    kept: Kept
    text: IssueText | None = None
    is_open: bool | None = None
    comment: Changed | Over | Joined | None = None


@dataclass(frozen=True)
class Sight:
    """All that is known of the repository, once the check of `checked` has ended; as in `Known`."""

    checked: Standing
    before: Standing
    settings: DriftSettings
    standings: tuple[Standing, ...]
    now: datetime
    issues: tuple[IssueOf, ...] = ()
    answers: tuple[Answer, ...] = ()
    corrections: tuple[Correction, ...] = ()
    reach: Reach | None = None

    @property
    def repo(self) -> RepoRef:
        return self.checked.repo

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """What the newest check of each project found, as people answered to it."""
        found = (each.section for each in self.standings)
        return tuple(
            answered(each, self.answers_to(each), self.now) for each in found if each is not None
        )

    def answers_to(self, of: Standing | Section) -> Sequence[Answer]:
        """What was said of the project."""
        return self._answers.get((of.repo, of.project), ())

    @cached_property
    def _answers(self) -> Mapping[tuple[RepoRef, ProjectKey], Sequence[Answer]]:
        found: dict[tuple[RepoRef, ProjectKey], list[Answer]] = {}
        for answer in self.answers:
            found.setdefault((answer.repo, answer.project), []).append(answer)
        return found

    @cached_property
    def apart(self) -> Apart:
        return told_apart(self.sections, self.may_join)

    def may_join(self, section: Section, common: Common) -> bool:
        """Whether it may be told with others: drift that has an open issue goes on there, unless
        it is told with them already."""
        if common[0] is not Alike.UPGRADE or self.joined(section, common):
            return True
        kept = self._own(section, Kind.DRIFT)
        return kept is None or not (kept.open or kept.is_left(tuple(facts_of(section))))

    def _own(self, section: Section, kind: Kind) -> Kept | None:
        """What is known of the issue of its project, or of its group."""
        place = (section.repo, section.project, section.environment)
        return self.known.get((kind, group_of(*place, self.settings.group_by)))

    def may_be_alike(self, section: Section) -> bool:
        """Whether the end of the sweep may show others that drift for the same reason."""
        common = alike(section)
        return common is not None and self.may_join(section, common)

    def is_joined(self, section: Section) -> bool:
        common = alike(section)
        return common is not None and self.joined(section, common)

    def joined(self, section: Section, common: Common) -> bool:
        """Whether the open issue of this cause tells of the project."""
        kept = self.together(common)
        return kept.open and section.where in kept.where

    def left(self, section: Section) -> bool:
        """Whether somebody closed the issue that told all of this with others, and no other one
        tells it."""
        common = alike(section)
        if common is None or section.kind is None:
            return False
        kept = self.together(common)
        if kept.open or not kept.by_person:
            return False
        own = self._own(section, section.kind)
        told = own is not None and own.open and section.where in own.where
        return not told and set(facts_of(section)) <= set(kept.facts)

    def together(self, common: Common) -> Kept:
        """What is known of the issue of this cause."""
        return self.known.get(self.place_of(common), NEVER_TOLD)

    def place_of(self, common: Common) -> tuple[str, str]:
        """Kind and group of the issue of this cause."""
        return common[0].value, group_name(self.repo, common)

    def wrote(self, kept: Kept) -> bool:
        """Whether it was written since the window opened last."""
        return kept.written is not None and kept.written >= self.night

    @cached_property
    def wanted(self) -> dict[tuple[Kind, str], DriftIssue]:
        """The issues there are to tell, without what incidents tell, or told until somebody closed
        them."""
        alone = (section for section in self.apart.alone if not self.left(section))
        made = issues_of(alone, self.settings.group_by)
        return {(issue.kind, issue.group): issue for issue in made}

    @cached_property
    def placed(self) -> tuple[tuple[DriftIssue, ...], tuple[DriftIssue, ...]]:
        """Of these, which have an issue of their own, and which are too many."""
        return within(tuple(self.wanted.values()), open_groups(self), self.settings.max_issues)

    @cached_property
    def known(self) -> dict[tuple[str, str], Kept]:
        return {(issue.kind, issue.group): issue.kept for issue in self.issues}

    @cached_property
    def swept(self) -> bool:
        """Whether every project was looked at since the window opened last, and none is looked at
        again; who is held by somebody is not waited for."""
        if self.reach is not None:
            return not self.reach.awaited
        return not any(each.awaited(self.night) for each in self.standings)

    @property
    def night(self) -> datetime:
        """When the window opened last."""
        return last_night(self.settings.night, self.now).begin

    @property
    def coverage(self) -> str:
        if self.reach is not None:
            return reach_words(self.reach, self.now)
        return coverage([each.watched for each in self.standings], self.settings.night, self.now)

    def group(self, standing: Standing) -> str:
        by = self.settings.group_by
        return group_of(standing.repo, standing.project, standing.environment, by)

    def flapping(self, kind: str, group: str) -> tuple[Flap, ...]:
        """What comes and goes of what an issue of this kind tells."""
        mine = (each for each in self.standings if self.group(each) == group)
        return tuple(f for each in mine for f in flaps_of(each)) if kind == Kind.DRIFT else ()

    def began(self, kind: str) -> tuple[Flap, ...]:
        """Of these, what does so since the check that has just ended."""
        before = names_of(flaps_of(self.before))
        now = flaps_of(self.checked) if kind == Kind.DRIFT else ()
        return tuple(flap for flap in now if flap.name not in before)

    @cached_property
    def groups(self) -> frozenset[str]:
        return frozenset(map(self.group, self.standings))


def answered(section: Section, answers: Iterable[Answer], now: datetime) -> Section:
    """What somebody accepted, as it was then, is left as it is until the day they named."""
    facts: dict[str, Answer] = {}
    found = list(section.found)
    for answer in answers:
        same = answer.repo == section.repo and answer.project == section.project
        if same and answer.kind is AnswerKind.ACCEPT and now < answer.until:
            facts |= dict.fromkeys(answer.facts, answer)
    for at, one in enumerate(found):
        told = [facts[fact] for fact in facts_of(replace(section, found=(one,))) if fact in facts]
        if told:
            found[at] = _accepted(one, told[-1])
    return replace(section, found=tuple(found)) if section.kind is Kind.DRIFT else section


def _accepted(one: Found, answer: Answer) -> Found:
    until = f"accepted until {answer.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    why = f"{answer.reason} ({answer.by})"
    return replace(one, action=Reaction.IGNORE, rule=until, reason=why)


# --- what several of them need ---------------------------------------------------------------


def open_groups(sight: Sight) -> frozenset[str]:
    return frozenset(
        issue.group for issue in sight.issues if issue.kept.open and issue.kind in set(Kind)
    )


def closing(sight: Sight, kind: Kind, standing: Standing, kept: Kept) -> IssueBody:
    """What stands in the issue of a project's group that is over: its projects as they are now."""
    group = sight.group(standing)
    mine = {each.project for each in sight.standings if sight.group(each) == group}
    sections = tuple(each for each in sight.sections if each.project in mine)
    issue = DriftIssue(kind, group, sections)
    return body_of(sight, standing, issue, kept.since or sight.now)


def body_of(sight: Sight, standing: Standing, issue: DriftIssue, since: datetime) -> IssueBody:
    """The issue as it is told; `standing` is one of the projects that it is about."""
    said = sight.answers_to(standing)
    accepted = [a for a in said if holds(a, standing, AnswerKind.ACCEPT, sight.now)]
    taken = None
    if accepted and len(issue.sections) == 1:
        newest = accepted[-1]
        taken = Acceptance(newest.reason, newest.until.astimezone(UTC).date(), newest.by)
    quiet, flapping = snoozed(sight, standing), sight.flapping(issue.kind, issue.group)
    return IssueBody(issue, since, sight.coverage, quiet, taken, flapping)


def waited_for(sight: Sight, issue: DriftIssue) -> bool:
    """Drift of which others may have the same cause."""
    return issue.kind is Kind.DRIFT and all(map(sight.may_be_alike, issue.sections))


def snoozed(sight: Sight, of: Standing | Section) -> datetime | None:
    said = sight.answers_to(of)
    until = (a.until for a in said if holds(a, of, AnswerKind.SNOOZE, sight.now))
    return max(until, default=None)


def holds(answer: Answer, of: Standing | Section, kind: AnswerKind, now: datetime) -> bool:
    mine = (answer.repo, answer.project) == (of.repo, of.project)
    return mine and answer.kind is kind and now < answer.until


def of_repo(sight: Sight) -> str:
    return json.dumps([sight.repo.forge, sight.repo.path])
