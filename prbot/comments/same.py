"""Projects with the same change stand together, so that people read it once.

A provider's upgrade touches a thousand projects in the same way; what differs must not
drown in it. Two projects have the same change if nothing that a comment would say of them
differs, or if all they do is to update resources, and in the same attributes to the same
values, however many and whatever their names. Whatever needs a person stands alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import replace

from prbot.plans.summary import Action, Counts, OutputCounts, PlanSummary, Verdict
from prbot.runs.say import ProjectResult

SMALLEST_GROUP = 3
_ATTRIBUTE = re.compile(r"[~+-] ([A-Za-z_][\w-]*)")


def together(results: Iterable[ProjectResult]) -> tuple[tuple[ProjectResult, ...], ...]:
    """Groups of SMALLEST_GROUP or more by project; every other project by itself."""
    alone: list[tuple[ProjectResult, ...]] = []
    alike: dict[Hashable, list[ProjectResult]] = defaultdict(list)
    for result in sorted(results, key=lambda result: result.project):
        key = signature(result)
        if key is None:
            alone.append((result,))
        else:
            alike[key].append(result)
    for members in alike.values():
        many = len(members) >= SMALLEST_GROUP
        alone += [tuple(members)] if many else [(member,) for member in members]
    return tuple(alone)


def signature(result: ProjectResult) -> Hashable | None:
    """Equal for projects with the same change; None for one that stands alone."""
    plan = result.plan
    odd = result.trouble or result.interrupted or result.applied or result.differences
    if odd or plan is None or plan.state_is_lost:
        return None
    summary = plan.summary
    if summary.errored or not summary.complete:
        return None
    if _cut_short(summary):
        return ("equal", plan.hash)
    if _only_updates(summary):
        lines = frozenset(change.lines for change in summary.changes)
        return ("updates", lines, summary.risk.level, summary.applyable)
    return ("exactly", _told(summary))


def only(results: tuple[ProjectResult, ...]) -> tuple[str, ...]:
    """The attributes that a group changes, if updates are all it does."""
    plan = results[0].plan
    if plan is None or not _only_updates(plan.summary):
        return ()
    lines = (line for change in plan.summary.changes for line in change.lines)
    return tuple(sorted({found[1] for line in lines if (found := _ATTRIBUTE.match(line))}))


def _cut_short(summary: PlanSummary) -> bool:
    """Something was left out, so equal summaries may be of different plans."""
    left = summary.changes_left_out, summary.outputs_left_out, summary.drift_left_out
    lines = any(change.more_lines for change in summary.changes)
    return any(left) or lines or any(output.more_lines for output in summary.output_changes)


def _only_updates(summary: PlanSummary) -> bool:
    counts = replace(summary.counts, update=0, no_op=0, read=0)
    acts = all(change.action is Action.UPDATE for change in summary.changes)
    quiet = (counts, summary.outputs) == (Counts(), OutputCounts()) and not _tells_more(summary)
    return quiet and acts and bool(summary.changes)


def _tells_more(summary: PlanSummary) -> bool:
    by_hand = any(one.verdict is not Verdict.CHANGE for one in summary.drift)
    return by_hand or bool(summary.checks.failing + summary.checks.unknown)


def _told(summary: PlanSummary) -> PlanSummary:
    """All that people read of it: not what stays as it is, nor the tool."""
    checks = replace(summary.checks, pass_=0, unknown=0)
    counts = replace(summary.counts, no_op=0, read=0)
    return replace(summary, counts=counts, checks=checks, tool_version="")
