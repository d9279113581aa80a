"""A project's result, laid out for the templates: what stands first, what is folded, cut.

Decides order and amount; the words of sentences stand in the templates.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cached_property
from typing import Generic, TypeVar

from prbot.comments.budget import Budget
from prbot.comments.neutral import Safe
from prbot.model import ProjectKey, Sha
from prbot.plans.summary import (
    Action,
    Counts,
    FailingCheck,
    OutputCounts,
    PlanSummary,
    ShownChange,
)
from prbot.runs.run import Trouble
from prbot.runs.say import ProjectResult

Item = TypeVar("Item")

_EASY_DIRECTORY = re.compile(r"[\x20-\x5f\x61-\x7e]+\Z")
_FIRST_LINES = 25


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
    """One project. What only a full section shows is made when it is asked for."""

    result: ProjectResult
    budget: Budget
    command: str

    @property
    def name(self) -> str:
        return str(self.result.project)

    @property
    def words(self) -> Safe:
        return result_words(self.result)

    @cached_property
    def lost(self) -> Cut[ShownChange]:
        """Replacements and deletions; those the summary had no room for are counted."""
        known = self._known
        lost = tuple(c for c in known.changes if c.action in (Action.REPLACE, Action.DELETE))
        return cut(lost, self.budget.lost, known.counts.replace + known.counts.delete - len(lost))

    @cached_property
    def aside(self) -> Cut[ShownChange]:
        """Moves, imports and forgets."""
        return _aside(self._known, self.budget)

    @cached_property
    def checks(self) -> Cut[FailingCheck]:
        known = self._known
        return cut(known.failing_checks, self.budget.items, _unnamed_checks(known))

    @cached_property
    def differences(self) -> Cut[str]:
        return cut(self.result.differences, self.budget.items)

    @cached_property
    def detail(self) -> Safe:
        """What the fold around `diff` says."""
        return _detail_words(self._known)

    @cached_property
    def diff(self) -> str:
        return "\n".join(_diff(self._known, self.budget))

    @cached_property
    def tool_words(self) -> tuple[str, str]:
        return tool_words(self.result.trouble, self.budget.text)

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
        tells = self.lost or self.aside or self.checks or self.differences or self.diff
        wrong = self.failed or self.result.interrupted or self.state_is_lost
        return not (tells or wrong or (self.summary and not self.summary.complete))


def views(
    results: Iterable[ProjectResult], budget: Budget, command: str
) -> tuple[ProjectView, ...]:
    """Those that need a person first, then by directory and workspace."""
    ordered = sorted(results, key=lambda result: (_urgency(result), result.project))
    return tuple(ProjectView(result, budget, command) for result in ordered)


def _urgency(result: ProjectResult) -> int:
    if result.interrupted or result.trouble is not None:
        return 0
    if result.differences:
        return 1
    if result.plan is None or result.applied:
        return 5
    summary = result.plan.summary
    if summary.counts.replace or summary.counts.delete:
        return 2
    if summary.failing_checks or result.plan.state_is_lost or not summary.complete:
        return 3
    return 4 if summary.has_changes else 5


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
    return max(0, summary.checks.fail + summary.checks.error - len(summary.failing_checks))


# --- words for counts -------------------------------------------------------------------------

_VERBS = ("delete", "replace", "create", "update", "import_", "move", "forget")


def count_words(counts: Counts, outputs: OutputCounts) -> list[str]:
    """`1 to delete`, `2 to create`, …, what is lost first."""
    words = [
        f"{getattr(counts, verb)} to {verb.rstrip('_')}" for verb in _VERBS if getattr(counts, verb)
    ]
    changed = outputs.create + outputs.update + outputs.delete
    return [*words, *([plural(changed, "output")] if changed else [])]


def result_words(result: ProjectResult) -> Safe:
    """How one project came out, for its heading and its row."""
    if result.interrupted:
        return Safe("interrupted")
    if result.trouble is not None or result.plan is None:
        return Safe("failed")
    return Safe(", ".join(_plan_words([result.plan.summary])) or "no changes")


def total_words(results: Iterable[ProjectResult]) -> Safe:
    """The headline's counts, over all projects."""
    known = tuple(results)
    broken = sum(result.trouble is not None for result in known)
    stopped = sum(result.interrupted for result in known)
    words = [f"{broken} failed"] if broken and len(known) > 1 else ["failed"] * broken
    words += [f"{stopped} interrupted"] if stopped else []
    words += _plan_words([r.plan.summary for r in known if r.plan and not r.trouble])
    return Safe(", ".join(words) or "no changes")


def _plan_words(summaries: Sequence[PlanSummary]) -> list[str]:
    counts = Counts(**_sums([summary.counts for summary in summaries], Counts))
    outputs = OutputCounts(**_sums([summary.outputs for summary in summaries], OutputCounts))
    failing = sum(summary.checks.fail + summary.checks.error for summary in summaries)
    verb = "fails" if failing == 1 else "fail"
    checks = [f"{plural(failing, 'check')} {verb}"] if failing else []
    return [*count_words(counts, outputs), *checks]


def _sums(parts: Sequence[object], kind: type[Counts] | type[OutputCounts]) -> dict[str, int]:
    return {f.name: sum(getattr(part, f.name) for part in parts) for f in fields(kind)}


def plural(number: int, noun: str) -> Safe:
    return Safe(f"{number:,} {noun}{'' if number == 1 else 's'}")


def age_words(age: timedelta) -> Safe:
    """The largest unit that tells it exactly, so `1.5 days` is `36 hours`."""
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60))
    seconds = max(1, round(age.total_seconds()))
    for noun, size in units:
        if seconds % size == 0:
            return plural(seconds // size, noun)
    return plural(seconds, "second")


def is_are(number: int) -> Safe:
    return Safe("is" if number == 1 else "are")


def its_their(number: int) -> Safe:
    return Safe("its end is" if number == 1 else "their ends are")


def was_were(number: int) -> Safe:
    return Safe("was" if number == 1 else "were")


def it_was(number: int) -> Safe:
    return Safe("it was" if number == 1 else "they were")


def bold(number: int) -> Safe:
    """A number that people should see unless it is zero."""
    return Safe(f"**{number}**" if number else "0")


def tools(results: Iterable[ProjectResult]) -> tuple[str, ...]:
    """Names and versions of the tools the plans were made with, at most three."""
    return tuple(sorted({r.plan.inputs.tool for r in results if r.plan}))[:3]


def beside_words(summary: PlanSummary) -> Safe:
    """The counts that have no column of their own in the table."""
    c = summary.counts
    counts = Counts(import_=c.import_, move=c.move, forget=c.forget)
    failing = summary.checks.fail + summary.checks.error
    checks = [f"**{plural(failing, 'failing check')}**"] if failing else []
    return Safe(", ".join([*count_words(counts, summary.outputs), *checks]))


# --- the folded diff --------------------------------------------------------------------------

_HEADS = {
    Action.CREATE: "+",
    Action.UPDATE: "!",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
}


def _detail_words(summary: PlanSummary) -> Safe:
    c, o = summary.counts, summary.outputs
    resources = c.create + c.update + c.replace + c.delete
    outputs = o.create + o.update + o.delete
    parts = [plural(n, noun) for n, noun in ((resources, "resource"), (outputs, "output")) if n]
    return Safe(" and ".join(parts) + " in detail")


def _diff(summary: PlanSummary, budget: Budget) -> Iterator[str]:
    """GitHub colours lines by their first sign: `+` green, `-` red, `!` orange."""
    if budget.items < 2:
        return
    acting = [change for change in summary.changes if change.action in _HEADS]
    blocks = [_resource_lines(change, budget) for change in acting[: budget.items]]
    if summary.output_changes:
        blocks.append(_output_lines(summary, budget))
    left_out = len(acting) - len(blocks) + summary.changes_left_out
    if len(acting) > budget.items or summary.changes_left_out:
        blocks.append([f"# {plural(left_out, 'more resource')}"])
    yield from "\n\n".join("\n".join(block) for block in blocks).split("\n") if blocks else ()


def _resource_lines(change: ShownChange, budget: Budget) -> list[str]:
    head = f"{_HEADS[change.action]} {_short(change.address, budget)}"
    return [head, *_cut_lines(change.lines, change.more_lines, budget, "    ")]


def _output_lines(summary: PlanSummary, budget: Budget) -> list[str]:
    shown = summary.output_changes[: budget.items]
    lines = [line for out in shown for line in _cut_lines(out.lines, out.more_lines, budget, "")]
    more = len(summary.output_changes) - len(shown) + summary.outputs_left_out
    return ["# outputs", *lines, *([f"# {plural(more, 'more output')}"] if more else [])]


def _cut_lines(lines: Sequence[str], more: int, budget: Budget, indent: str) -> Iterator[str]:
    for line in lines[: budget.lines]:
        sign = "!" if line[:1] == "~" else line[:1]
        yield f"{sign}{indent}{_short(line[1:], budget)}"
    left_out = max(0, len(lines) - budget.lines) + more
    if left_out and budget.lines:
        yield f" {indent} … {plural(left_out, 'more line')}"


def _short(text: str, budget: Budget) -> str:
    longest = 3 * budget.name
    return text if len(text) <= longest else text[: longest - 1] + "…"


# --- the tool's words -------------------------------------------------------------------------


def tool_words(trouble: Trouble | None, most: int) -> tuple[str, str]:
    """The telling part of the tool's output, and all of it when that is more; both cut."""
    if trouble is None or not trouble.output.strip() or not most:
        return "", ""
    lines = trouble.output.strip("\n").split("\n")
    first = next((at for at, line in enumerate(lines) if "Error:" in line), 0)
    excerpt = "\n".join(lines[first : first + _FIRST_LINES])
    whole = first == 0 and len(lines) <= _FIRST_LINES
    return cut_text(excerpt, min(most, 3_000)), "" if whole else cut_text(trouble.output, most)


def cut_text(text: str, most: int) -> str:
    """The beginning, up to the end of a line where there is one, and what is missing."""
    if len(text) <= most:
        return text
    kept = text[:most].rsplit("\n", 1)[0]
    return f"{kept}\n… {len(text) - len(kept):,} more characters"


# --- commands ---------------------------------------------------------------------------------


def apply_command(result: ProjectResult, command: str, longest: int) -> str:
    """The words that apply just this project; by plan id where its name is awkward to type."""
    line = _selecting(result.project)
    easy = _EASY_DIRECTORY.match(line) and len(line) <= longest
    if result.plan is not None and not easy:
        line = result.plan.id
    return f"{command} apply {line}"


def command_for(project: ProjectKey, words: str, longest: int) -> str:
    """The command for just this project; for all where its name is awkward to type."""
    line = _selecting(project)
    easy = _EASY_DIRECTORY.match(line) and len(line) <= longest
    return f"{words} {line}" if easy else words


def _selecting(project: ProjectKey) -> str:
    words = ["-d", shlex.quote(project.dir)]
    words += ["-w", shlex.quote(project.workspace)] if project.workspace != "default" else []
    return " ".join(words)


def short_sha(sha: Sha) -> str:
    return sha[:7]
