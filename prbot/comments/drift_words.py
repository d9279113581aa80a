"""What the templates about drift count, sort and date."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime

from prbot.comments.neutral import Safe
from prbot.config.drift import Reaction
from prbot.drift.causes import Upgrade
from prbot.drift.incidents import Incident
from prbot.drift.issue import Found, Section
from prbot.drift.verdict import ProjectVerdict


def ignored(section: Section) -> tuple[Found, ...]:
    return tuple(one for one in section.found if one.action is Reaction.IGNORE)


def told_values(sections: Iterable[Section]) -> int:
    return sum(len(section.acting) for section in sections)


def newest(sections: Iterable[Section]) -> datetime:
    return max(section.checked_at for section in sections)


def to_look_at(sections: Iterable[Section]) -> tuple[Section, ...]:
    """All that are not in sync, those with most values first."""
    odd = [each for each in sections if each.verdict is not ProjectVerdict.IN_SYNC]
    return tuple(sorted(odd, key=lambda each: (-told_values([each]), each.repo, each.project)))


def verdict_counts(sections: Iterable[Section]) -> tuple[tuple[str, int], ...]:
    """In the order in which verdicts are defined; those of none left out."""
    counts = Counter(section.verdict for section in sections)
    return tuple((verdict.value, counts[verdict]) for verdict in ProjectVerdict if counts[verdict])


def versions_before(incident: Incident) -> tuple[str, ...]:
    """Of an upgrade, the lowest first."""
    found = {each.before for each in incident.causes if isinstance(each, Upgrade)}
    return tuple(sorted(found, key=_by_number))


def _by_number(version: str) -> tuple[tuple[int, str], ...]:
    """`5.9.0` before `5.10.0`."""
    parts = re.findall(r"\d+|\D+", version)
    return tuple((int(part) if part.isdecimal() else -1, part) for part in parts)


def moment(at: datetime) -> Safe:
    return Safe(f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")


def day(of: date) -> Safe:
    return Safe(of.isoformat())
