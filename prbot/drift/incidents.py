"""Projects that have one cause in common are one incident: expired credentials are one piece of
news, however many projects they keep from being planned."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from prbot.config.drift import Reaction
from prbot.drift.causes import Cause, Unapplied, Upgrade
from prbot.drift.issue import Kind, Section, facts_of
from prbot.drift.verdict import BLIND, ProjectVerdict
from prbot.model import RepoRef
from prbot.runs.run import Trouble

LEAST = 5
"""Projects that make an incident."""

LONGEST = 1_000
"""Characters of what was said that are compared."""

_QUOTED = re.compile(r"""\"[^"\n]*\"|'[^'\n]*'|`[^`\n]*`""")
_ID = re.compile(r"[0-9a-f-]*[0-9][0-9a-f-]*", re.IGNORECASE)
_ERROR = re.compile(r"(?m)^[│|╷ ]*Error: ([^\n]+)")


class Alike(StrEnum):
    """What they have in common, which is the kind of the issue that tells it. FAILURE: they
    cannot be checked; UPGRADE: they drift since a provider has another version; UNAPPLIED: they
    are behind because of one pull request, or one push."""

    FAILURE = "incident"
    UPGRADE = "upgrade"
    UNAPPLIED = "unapplied"


Common = tuple[Alike, tuple[str, ...]]
"""A cause: of which kind it is, and its name among others of that kind."""


@dataclass(frozen=True)
class Incident:
    """`key` names the cause among others of its kind. `words` are what the first of them that
    failed said; `sections` in the order they were checked. `lost` belonged to them when they
    could be checked last."""

    kind: Alike
    key: tuple[str, ...]
    words: str
    sections: tuple[Section, ...]
    lost: tuple[Section, ...] = ()

    @property
    def common(self) -> Common:
        return self.kind, self.key

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Each once; of one upgrade what was there before may differ."""
        return tuple(dict.fromkeys(s.cause for s in self.sections if s.cause is not None))

    def facts(self, told: Iterable[str]) -> tuple[str, ...]:
        """What there is to tell, one fact a line, as those of an issue of one's own; of what was
        lost that which was `told`, for nobody knows better."""
        lost = {each.where for each in self.lost}
        kept = {fact for fact in told if json.loads(fact)[0] in lost}
        return tuple(sorted(kept.union(*map(self._facts_of, self.sections))))

    def _facts_of(self, section: Section) -> Iterable[str]:
        if self.kind is Alike.UNAPPLIED:
            return (json.dumps([section.where, *self.key]),)
        return facts_of(section)


@dataclass(frozen=True)
class Apart:
    """`incidents`, those of most projects first, and what stands `alone`, in its order. `dark` are
    causes that enough projects had in common when they could be checked last, none of which can
    be now."""

    incidents: tuple[Incident, ...]
    alone: tuple[Section, ...]
    dark: frozenset[Common] = frozenset()


def _any(_: Section, __: Common) -> bool:
    return True


def told_apart(
    sections: Iterable[Section],
    may_join: Callable[[Section, Common], bool] = _any,
    least: int = LEAST,
) -> Apart:
    """An error ends no incident, so what is lost to it counts; it is told by itself as well."""
    known = tuple(sections)
    groups: dict[Common, list[Section]] = {}
    lost: dict[Common, list[Section]] = {}
    for section in known:
        common, earlier = alike(section), lost_to(section)
        if common is not None and may_join(section, common):
            groups.setdefault(common, []).append(section)
        if earlier is not None and may_join(section, earlier):
            lost.setdefault(earlier, []).append(section)
    found = tuple(
        Incident(*common, _words(group[0]), tuple(group), tuple(lost.get(common, ())))
        for common, group in groups.items()
        if len(group) + len(lost.get(common, ())) >= least
    )
    together = {id(section) for incident in found for section in incident.sections}
    largest = sorted(found, key=lambda incident: -len(incident.sections))
    alone = tuple(each for each in known if id(each) not in together)
    dark = (common for common, group in lost.items() if len(group) >= least)
    return Apart(tuple(largest), alone, frozenset(dark) - groups.keys())


def group_name(repo: RepoRef, common: Common) -> str:
    """The group of the issue that tells it."""
    kind, key = common
    return json.dumps([repo.forge, repo.path, kind, *key])


def alike(section: Section) -> Common | None:
    """By what it may be told with others. What a rule corrects is each project's own."""
    if section.kind is Kind.FAILURE:
        trouble = section.trouble
        return None if trouble is None else (Alike.FAILURE, (cause(trouble),))
    match section.cause:
        case Upgrade() if section.kind is Kind.DRIFT and _alerts(section):
            return _common(section.cause)
        case Unapplied() if section.verdict is ProjectVerdict.BEHIND:
            return _common(section.cause)
    return None


def lost_to(section: Section) -> Common | None:
    """With what it was told when it could be checked last, where it cannot be now."""
    if section.verdict not in BLIND or section.cause is None:
        return None
    return _common(section.cause)


def _common(cause: Cause) -> Common:
    match cause:
        case Upgrade(provider, version):
            return Alike.UPGRADE, (provider, version)
        case Unapplied(commit, pull):
            return Alike.UNAPPLIED, (commit if pull is None else str(pull),)


def _alerts(section: Section) -> bool:
    return all(one.action is Reaction.ALERT for one in section.acting)


def cause(trouble: Trouble) -> str:
    """What went wrong without what is each project's own: names, numbers, ids and paths."""
    words = _QUOTED.sub("…", _said(trouble)[:LONGEST]).split()
    return " ".join(map(_plain, words)).casefold()


def _plain(word: str) -> str:
    return "…" if "/" in word or "\\" in word else _ID.sub("…", word)


def _said(trouble: Trouble) -> str:
    """The tool's own first error where it gave one, else our sentence: that a plan failed with
    exit code 1 is true of them all."""
    fatal = [flaw.summary for flaw in trouble.flaws if flaw.fatal]
    told = _ERROR.search(trouble.output)
    return fatal[0] if fatal else told[1] if told else trouble.sentence


def _words(section: Section) -> str:
    return "" if section.trouble is None else _said(section.trouble)
