"""Counts, ages and names in words, for headlines, tables and sentences of the templates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Protocol

from prbot.comments.neutral import Safe, cell
from prbot.model import Sha
from prbot.plans.summary import CheckCounts, Counts, OutputCounts, PlanSummary
from prbot.runs.say import ProjectResult


class Sized(Protocol):
    @property
    def size(self) -> int: ...


MOST_ARGUMENTS = 8
MOST_SERIALS = 3
_VERBS = ("delete", "replace", "create", "update", "import_", "move", "forget")


def count_words(counts: Counts, outputs: OutputCounts) -> list[str]:
    """`1 to delete`, `2 to create`, …, what is lost first."""
    words = [
        f"{getattr(counts, verb):,} to {verb.rstrip('_')}"
        for verb in _VERBS
        if getattr(counts, verb)
    ]
    changed = outputs.create + outputs.update + outputs.delete
    verb = "changes" if changed == 1 else "change"
    return [*words, *([f"{plural(changed, 'output')} {verb}"] if changed else [])]


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
    every = total(summaries)
    failing = every.checks.failing
    verb = "fails" if failing == 1 else "fail"
    checks = [f"{plural(failing, 'check')} {verb}"] if failing else []
    recorded = f"{plural(every.records, 'live value')} to record"
    records = [recorded] if every.records else []
    return [*count_words(every.counts, every.outputs), *records, *checks]


def total(summaries: Sequence[PlanSummary]) -> PlanSummary:
    """One that has the counts of all of them, and nothing else."""
    counts = Counts(**_sums([summary.counts for summary in summaries], Counts))
    outputs = OutputCounts(**_sums([summary.outputs for summary in summaries], OutputCounts))
    checks = CheckCounts(**_sums([summary.checks for summary in summaries], CheckCounts))
    records = sum(summary.records for summary in summaries)
    return PlanSummary(counts, outputs, checks, records=records)


def sizes(rows: Iterable[Sized]) -> int:
    """How many projects these rows stand for."""
    return sum(row.size for row in rows)


def _sums(
    parts: Sequence[object], kind: type[Counts | OutputCounts | CheckCounts]
) -> dict[str, int]:
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


def with_words(arguments: Sequence[str], longest: int) -> Safe:
    """` with `-target=x` `: arguments that somebody asked for; they may hold anything."""
    shown = " ".join(cell(word, longest) for word in arguments[:MOST_ARGUMENTS])
    more = len(arguments) - MOST_ARGUMENTS
    rest = f" and {plural(more, 'more argument')}" if more > 0 else ""
    return Safe(f" with {shown}{rest}" if arguments else "")


def bold(number: int) -> Safe:
    """A number that people should see unless it is zero."""
    return Safe(f"**{number:,}**" if number else "0")


def number(number: int) -> Safe:
    return Safe(f"{number:,}")


def tools(results: Iterable[ProjectResult]) -> tuple[str, ...]:
    """Names and versions of the tools the plans were made with, at most three."""
    return tuple(sorted({r.plan.inputs.tool for r in results if r.plan}))[:3]


def serial_words(results: Iterable[ProjectResult]) -> str:
    """Which snapshots of the states the plans were made on, of at most three projects."""
    known = [(r.plan.project, r.plan.state) for r in results if r.plan and r.plan.state]
    if len(known) == 1:
        return f"state serial {known[0][1].serial}" if known[0][1].lineage else "no state yet"
    if not known or len(known) > MOST_SERIALS:
        return ""
    return "state serials " + ", ".join(f"{project} {at.serial}" for project, at in known)


def beside_words(summary: PlanSummary) -> Safe:
    """The counts that have no column of their own in the table."""
    c = summary.counts
    counts = Counts(import_=c.import_, move=c.move, forget=c.forget)
    failing = summary.checks.failing
    checks = [f"**{plural(failing, 'failing check')}**"] if failing else []
    return Safe(", ".join([*count_words(counts, summary.outputs), *checks]))


def short_sha(sha: Sha) -> str:
    return sha[:7]
