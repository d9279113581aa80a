"""A project's result, laid out for the templates: what stands first, what is folded, cut.

Decides order and amount; the words of sentences stand in the templates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from prbot.comments.budget import Budget
from prbot.comments.by_hand import HandRow, kept, overruled
from prbot.comments.commands import apply_command
from prbot.comments.details import Fold, folds
from prbot.comments.neutral import Safe
from prbot.comments.same import only
from prbot.comments.tool_words import cut_text, tool_words
from prbot.comments.words import result_words, total, total_words
from prbot.plans.summary import (
    Action,
    Counts,
    Drifted,
    FailingCheck,
    Level,
    PlanSummary,
    Rename,
    ShownChange,
)
from prbot.runs.say import ProjectResult

Item = TypeVar("Item")

OPEN_LINES = 20
"""So many lines of detail are read rather than opened: the folds are open at first."""
OPEN_PROJECTS = 3
FEW_ATTRIBUTES = 3
FEW_NAMES = 20
FEW_CHECKS = 5

_GRAVITY = (Level.HIGH, Level.MEDIUM, Level.LOW)
_ALERTS = {Level.HIGH: "CAUTION", Level.MEDIUM: "WARNING"}


@dataclass(frozen=True)
class Cut(Generic[Item]):
    """The part of a list that is shown, and how many more there are."""

    shown: tuple[Item, ...]
    more: int

    def __bool__(self) -> bool:
        return bool(self.shown or self.more)


def cut(items: Sequence[Item], most: int, left_out: int = 0) -> Cut[Item]:
    return Cut(tuple(items[:most]), max(0, len(items) - most) + left_out)


@dataclass(frozen=True)
class ProjectView:
    """One project, or several with the same change, of which `result` is the first. What
    only a full section shows is made when it is asked for."""

    result: ProjectResult
    budget: Budget
    command: str
    few: bool = True
    alike: tuple[ProjectResult, ...] = ()
    verbose: bool = False

    @property
    def name(self) -> str:
        return str(self.result.project)

    @property
    def words(self) -> Safe:
        return total_words(self.alike) if self.alike else result_words(self.result)

    @property
    def size(self) -> int:
        """How many projects this is."""
        return len(self.alike) or 1

    @cached_property
    def names(self) -> Cut[str]:
        """Of the projects with the same change; all of a few, which `named` are not folded."""
        return cut([str(result.project) for result in self.alike], self.budget.names)

    @property
    def named(self) -> bool:
        return 0 < len(self.alike) <= FEW_NAMES

    @property
    def only(self) -> tuple[str, ...]:
        """The attributes that a group of projects changes, if few."""
        found = only(self.alike) if self.alike else ()
        return found if len(found) <= FEW_ATTRIBUTES else ()

    @cached_property
    def total(self) -> PlanSummary:
        """What is counted, over all projects that it stands for."""
        return total([r.plan.summary for r in self.alike or (self.result,) if r.plan])

    # --- the headline: how careful to be, and what would be lost ---

    @property
    def risk(self) -> Safe:
        """`High`, `Medium`, `Low`; empty where nothing is judged or nothing happens."""
        risk = self._known.risk
        acts = self._known.has_changes or risk.level is not Level.LOW
        return Safe(risk.level.value.capitalize() if risk.reasons and acts else "")

    @property
    def alert(self) -> Safe:
        """The kind of GitHub's alert, elsewhere a quotation; empty for none.

        https://docs.github.com/en/get-started/writing-on-github (alerts)
        """
        return Safe(_ALERTS.get(self._known.risk.level, "") if self.risk else "")

    @property
    def bar(self) -> Safe:
        """What each line of the alert begins with."""
        return Safe("> " if self.alert else "")

    @cached_property
    def lost(self) -> Cut[ShownChange]:
        """Replacements and deletions; those the summary had no room for are counted."""
        known = self._known
        lost = [c for c in known.changes if c.action in (Action.REPLACE, Action.DELETE)]
        lost.sort(key=lambda change: _GRAVITY.index(change.risk.level))
        return cut(lost, self.budget.lost, known.counts.replace + known.counts.delete - len(lost))

    @cached_property
    def reasons(self) -> Cut[str]:
        """Of the risk, less those that the list of what is lost tells."""
        told = {reason for change in self._known.changes for reason in change.risk.reasons}
        rest = [
            reason
            for reason in self._known.risk.reasons
            if not (self.lost and (reason in told or reason.startswith("and ")))
        ]
        return cut(rest, self.budget.items) if self.risk else cut((), 0)

    # --- what follows ---

    @cached_property
    def renames(self) -> Cut[Rename]:
        return cut(self._known.renames, self.budget.items // 2, self._known.renames_left_out)

    @cached_property
    def by_hand(self) -> Cut[HandRow]:
        """What somebody changed outside of the code, and this plan changes again."""
        return cut(overruled(self._known), self.budget.items, self._known.drift_left_out)

    @cached_property
    def kept(self) -> Cut[Drifted]:
        return cut(kept(self._known), min(self.budget.items, 20))

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        return folds(self._known, self.budget)

    @cached_property
    def open(self) -> bool:
        """Whether the folds are short enough to be read at once."""
        lines = sum(f.diff.count("\n") + 1 for f in self.folds)
        return self.verbose or (self.few and lines <= OPEN_LINES)

    @cached_property
    def aside(self) -> Cut[ShownChange]:
        """Moves, imports and forgets."""
        return _aside(self._known, self.budget)

    @cached_property
    def checks(self) -> Cut[FailingCheck]:
        known = self._known
        return cut(known.failing_checks, self.budget.items, _unnamed_checks(known))

    @cached_property
    def unknown_checks(self) -> Cut[str]:
        """Those that only the apply will judge; of a plan that failed all are."""
        known = self._known
        if known.errored or not known.has_changes:
            return cut((), 0)
        names = known.unknown_checks
        left_out = max(0, known.checks.unknown - len(names)) if names else 0
        return cut(names, min(self.budget.items, FEW_CHECKS), left_out)

    @cached_property
    def differences(self) -> Cut[str]:
        return cut(self.result.differences, self.budget.items)

    @cached_property
    def tool_words(self) -> tuple[str, str]:
        return tool_words(self.result.trouble, self.budget.text)

    @cached_property
    def steps(self) -> tuple[tuple[str, str], ...]:
        """Name and words of each of the workflow's commands; all words fit the budget's text."""
        said = self._known.steps[: self.budget.items]
        each = self.budget.text // max(1, len(said))
        return tuple((step.label, cut_text(step.text, each)) for step in said if each)

    @property
    def asked(self) -> tuple[str, ...]:
        """The arguments of a comment that its plan was made with."""
        return self.result.plan.inputs.asked if self.result.plan else ()

    @property
    def apply_with(self) -> str:
        return apply_command(self.result, self.command, self.budget.name)

    @property
    def _known(self) -> PlanSummary:
        return self.summary or PlanSummary(Counts())

    @property
    def summary(self) -> PlanSummary | None:
        return self.result.plan.summary if self.result.plan else None

    @property
    def failed(self) -> bool:
        return self.result.trouble is not None

    @property
    def state_is_lost(self) -> bool:
        return self.result.plan is not None and self.result.plan.state_is_lost

    @property
    def applicable(self) -> bool:
        """There is a plan, it does something, and nothing forbids to apply it."""
        summary = self.summary
        ready = summary is not None and summary.has_changes and summary.applyable
        return ready and not self.failed and not self.state_is_lost and not self.result.applied

    @property
    def quiet(self) -> bool:
        """Nothing to read: the plan holds no change and nothing is wrong."""
        told = (self.lost, self.aside, self.checks, self.differences, self.folds, self.by_hand)
        tells = any(map(bool, (*told, self.kept, self.reasons, self.steps)))
        wrong = self.failed or self.result.interrupted or self.state_is_lost
        return not (tells or wrong or (self.summary and not self.summary.complete))


def tells_of_apply(view: ProjectView) -> bool:
    """Whether a report on an apply has a section about it."""
    return bool(view.failed or view.result.interrupted or view.differences)


def views(
    results: Iterable[ProjectResult], budget: Budget, command: str
) -> tuple[ProjectView, ...]:
    """Those that need a person first, then by directory and workspace."""
    ordered = sorted(results, key=lambda result: (urgency(result), result.project))
    few = len(ordered) <= OPEN_PROJECTS
    return tuple(ProjectView(result, budget, command, few) for result in ordered)


def rows(
    groups: Iterable[tuple[ProjectResult, ...]],
    budget: Budget,
    command: str,
    verbose: bool = False,
) -> tuple[ProjectView, ...]:
    """The same, where projects with the same change are one view; after those that differ.
    `verbose`: nothing is folded."""
    ordered = sorted(groups, key=lambda g: (urgency(g[0]), len(g) > 1, g[0].project))
    few = len(ordered) <= OPEN_PROJECTS
    return tuple(
        ProjectView(group[0], budget, command, few, group if len(group) > 1 else (), verbose)
        for group in ordered
    )


def urgency(result: ProjectResult) -> int:
    """The less, the sooner a person should look."""
    if result.interrupted or result.trouble is not None:
        return 0
    if result.differences:
        return 1
    if result.plan is None or result.applied:
        return 9
    return _urgency_of(result.plan.summary, result.plan.state_is_lost)


def _urgency_of(summary: PlanSummary, state_is_lost: bool) -> int:
    if summary.risk.level is Level.HIGH:
        return 2
    if summary.counts.replace or summary.counts.delete:
        return 3
    if summary.failing_checks or state_is_lost or not summary.complete:
        return 4
    if summary.risk.level is Level.MEDIUM:
        return 5
    return 6 if summary.has_changes else 9


def _aside(summary: PlanSummary, budget: Budget) -> Cut[ShownChange]:
    named = tuple(
        change
        for change in summary.changes
        if change.previous_address or change.import_id or change.action is Action.FORGET
    )
    c = summary.counts
    # one that is moved and imported stands there once; then the difference is not exact
    return cut(named, budget.items, max(0, c.move + c.import_ + c.forget - _marks(named)))


def _marks(changes: Iterable[ShownChange]) -> int:
    return sum(
        (c.previous_address is not None) + (c.import_id is not None) + (c.action is Action.FORGET)
        for c in changes
    )


def _unnamed_checks(summary: PlanSummary) -> int:
    return max(0, summary.checks.failing - len(summary.failing_checks))
