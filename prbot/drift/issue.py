"""What an issue about drift holds, as data; and what becomes of the issue after each check.

One issue for each group of projects stays one for ever: it is edited, closed when it is over,
and the same one is reopened. People hear of it only when what drifted changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from prbot.config.drift import GroupBy, Reaction
from prbot.drift.causes import Cause, Upgrade
from prbot.drift.rules import AT_REST
from prbot.drift.verdict import ProjectVerdict
from prbot.model import ProjectKey, RepoRef, Sha
from prbot.plans.lock_file import Versions
from prbot.plans.threeway import Verdict
from prbot.runs.reasons import Reasons
from prbot.runs.run import Trouble

CLEAN_CHECKS = 2
"""So many in a row close an issue; after a verified apply one does."""


class Kind(StrEnum):
    """Failures have an issue of their own: that somebody cannot look is no drift."""

    DRIFT = "drift"
    FAILURE = "failure"


KINDS = {
    ProjectVerdict.DRIFTED: Kind.DRIFT,
    ProjectVerdict.MIXED: Kind.DRIFT,
    ProjectVerdict.ERROR: Kind.FAILURE,
    ProjectVerdict.CHECK_FAILED: Kind.FAILURE,
}
"""The other verdicts are told elsewhere: on the page of what is behind, in the pull request."""


@dataclass(frozen=True)
class Found:
    """One attribute that drifted, fit to be shown: its values are masked where they must be.
    None stands for the whole object. `rule` is the one that decided, with its `reason`."""

    address: str
    attribute: str | None
    verdict: Verdict
    action: Reaction
    rule: str | None = None
    live: str = ""
    wanted: str = ""
    reason: str = ""

    @property
    def name(self) -> str:
        return self.address if self.attribute is None else f"{self.address}, {self.attribute}"

    @property
    def digest(self) -> str:
        """By which another value is noticed."""
        values = json.dumps([self.verdict, self.live, self.wanted])
        return hashlib.sha256(values.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True)
class Section:
    """What one check of a project found. `uncorrected`: a rule says `auto`, and this stands
    against it. `providers` are those of the plan that tells it, or the last that are known; what
    stands behind it is the `cause`, None where nobody can tell."""

    repo: RepoRef
    project: ProjectKey
    verdict: ProjectVerdict
    commit: Sha
    checked_at: datetime
    environment: str | None = None
    found: tuple[Found, ...] = ()
    trouble: Trouble | None = None
    uncorrected: Reasons = ()
    providers: Versions = ()
    cause: Cause | None = None

    @property
    def where(self) -> str:
        """As `Standing.key`."""
        return f"{self.repo} {self.project}"

    @property
    def upgrade(self) -> Upgrade | None:
        """What it began with, where it drifts."""
        cause = self.cause if self.kind is Kind.DRIFT else None
        return cause if isinstance(cause, Upgrade) else None

    @property
    def acting(self) -> tuple[Found, ...]:
        """What drifted, without what is ignored."""
        return tuple(one for one in self.found if one.action is not Reaction.IGNORE)

    @property
    def drifted(self) -> tuple[Found, ...]:
        """What drifted, whatever is done about it."""
        return tuple(one for one in self.found if one.verdict not in AT_REST)

    @property
    def digests(self) -> Mapping[str, str]:
        """Of all that drifted, by name."""
        return {one.name: one.digest for one in self.drifted}

    @property
    def kind(self) -> Kind | None:
        """Of which issue it is told; None: of none, also when all of its drift is ignored."""
        kind = KINDS.get(self.verdict)
        quiet = kind is Kind.DRIFT and bool(self.found) and not self.acting
        return None if quiet else kind


@dataclass(frozen=True)
class DriftIssue:
    """All that one issue tells. `group` names it among all issues; its sections are in order."""

    kind: Kind
    group: str
    sections: tuple[Section, ...]

    @property
    def place(self) -> str:
        """The group's name for people: of its project, its environment or its repository."""
        match json.loads(self.group):
            case [_, str(path), str(directory), str(workspace)]:
                return f"{path}, {ProjectKey(directory, workspace)}"
            case [_, str(path), environment]:
                where = "no environment" if environment is None else f"environment {environment}"
                return f"{path}, {where}"
            case [_, str(path)]:
                return path
        return self.group

    @property
    def facts(self) -> tuple[str, ...]:
        """What is told, one fact a line, without when it was looked at: equal facts are no news."""
        return tuple(sorted({fact for section in self.sections for fact in facts_of(section)}))

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(self.facts).encode()).hexdigest()


def facts_of(section: Section) -> Iterable[str]:
    """What one project has to tell, each beginning with where it is."""
    where = section.where
    if section.kind is Kind.FAILURE:
        said = section.trouble.sentence if section.trouble else section.verdict.value
        yield json.dumps([where, said])
    for each in section.acting:
        yield json.dumps([where, each.name, each.verdict, each.live, each.wanted])


def marker(installation: str, kind: str, group: str) -> str:
    """What an issue's body holds unseen, so that it is found again; nobody else's words in it."""
    name = hashlib.sha256(group.encode("utf-8", "replace")).hexdigest()[:16]
    return f"prbot:{installation}:{kind}:{name}"


def issues_of(sections: Iterable[Section], by: GroupBy) -> tuple[DriftIssue, ...]:
    """An issue for each group that has something to tell, in order of their names."""
    groups: dict[tuple[str, Kind], list[Section]] = {}
    for section in sections:
        if section.kind is not None:
            group = group_of(section.repo, section.project, section.environment, by)
            groups.setdefault((group, section.kind), []).append(section)
    return tuple(
        DriftIssue(kind, group, tuple(sorted(theirs, key=lambda s: (s.repo, s.project))))
        for (group, kind), theirs in sorted(groups.items())
    )


def group_of(repo: RepoRef, project: ProjectKey, environment: str | None, by: GroupBy) -> str:
    """As JSON, so that no name can be taken for two."""
    where = [repo.forge, repo.path]
    match by:
        case GroupBy.PROJECT:
            return json.dumps([*where, project.dir, project.workspace])
        case GroupBy.ENVIRONMENT:
            return json.dumps([*where, environment])
        case GroupBy.REPOSITORY:
            return json.dumps(where)


def within(
    issues: Sequence[DriftIssue], known: Iterable[str], most: int
) -> tuple[tuple[DriftIssue, ...], tuple[DriftIssue, ...]]:
    """Those that have an issue of their own, and those that are lines of the overflow index.

    Whoever has one already (`known` are their groups) keeps it.
    """
    had = frozenset(known)
    first = sorted(issues, key=lambda issue: issue.group not in had)
    return tuple(first[:most]), tuple(first[most:])


# --- news ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class News:
    """What is told in a short comment: names that came and that are gone since the last."""

    added: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()


def news(before: Iterable[str], now: Iterable[str]) -> News:
    """Between two issues' facts; a name with other values is altered."""
    old, new = ({_named(fact): fact for fact in facts} for facts in (before, now))
    return News(
        added=tuple(sorted(new.keys() - old.keys())),
        gone=tuple(sorted(old.keys() - new.keys())),
        altered=tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
    )


def _named(fact: str) -> str:
    where, name, *_ = json.loads(fact)
    return f"{where}: {name}"


# --- what becomes of it ----------------------------------------------------------------------


class Move(StrEnum):
    """What to do with the issue. EDIT says nothing; TELL edits and comments the news."""

    NONE = "none"
    OPEN = "open"
    EDIT = "edit"
    TELL = "tell"
    CLOSE = "close"
    REOPEN = "reopen"


@dataclass(frozen=True)
class Kept:
    """What is known of an issue. `facts` are those last told; `clean` counts checks in a row
    that found nothing. `by_person`: somebody else closed it. `since` is when it was first told,
    since it was closed last; what is told of several projects keeps when it was `written`."""

    open: bool
    facts: tuple[str, ...]
    clean: int = 0
    by_person: bool = False
    since: datetime | None = None
    written: datetime | None = None

    @cached_property
    def where(self) -> frozenset[str]:
        """Which projects it told of, each as `Section.where`."""
        return frozenset(json.loads(fact)[0] for fact in self.facts)

    def is_left(self, facts: tuple[str, ...]) -> bool:
        """Somebody closed it, and there is nothing new to tell."""
        return not self.open and self.by_person and self.facts == facts


def follow(
    kept: Kept | None, issue: DriftIssue | None, verified: bool = False
) -> tuple[Move, Kept | None]:
    """After a check: what to do, and what is known then.

    `issue` None: there is nothing to tell any more. `verified`: an apply was followed by a plan
    that proves it. What somebody closed by hand stays closed until there is news, or it was
    over in between.
    """
    if issue is None:
        return _clean(kept, verified)
    now = Kept(open=True, facts=issue.facts)
    if kept is None:
        return Move.OPEN, now
    if kept.open:
        return (Move.EDIT if kept.facts == now.facts else Move.TELL), now
    if kept.is_left(now.facts):
        return Move.NONE, replace(kept, clean=0)
    return Move.REOPEN, now


def by_hand(kept: Kept, is_open: bool) -> Kept:
    """What is known since somebody else closed it, or opened it again; where it stands so
    already, nothing is new."""
    if kept.open is is_open:
        return kept
    return replace(kept, open=is_open, by_person=not is_open, clean=0)


def _clean(kept: Kept | None, verified: bool) -> tuple[Move, Kept | None]:
    if kept is None or not (kept.open or kept.by_person):
        return Move.NONE, kept
    clean = kept.clean + 1
    over = verified or clean >= CLEAN_CHECKS
    after = Kept(open=False, facts=(), clean=clean) if over else replace(kept, clean=clean)
    if not kept.open:
        return Move.NONE, after
    return (Move.CLOSE if over else Move.EDIT), after
