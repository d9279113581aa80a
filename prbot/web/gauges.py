"""The tally of drift as metrics, in Prometheus's text format.

Labels are repositories, environments and words of ours: no pull request, no project, no value
of a plan. Replicas tell the same numbers: take one of them, or `max` over all, never the sum.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from prbot.drift.tally import Tally
from prbot.model import RepoRef

OTHER, UNDER_WAY = "other", "under-way"
_WORD = re.compile(r"[a-z][a-z-]{0,39}")


def page(tally: Tally, redact: Callable[[str], str] = str) -> bytes:
    """In Prometheus's text format."""
    return generate_latest(_Tallied(tally, redact))


class _Tallied(CollectorRegistry):
    """Holds nothing but what was counted just now."""

    def __init__(self, tally: Tally, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._counted = tuple(families(tally, redact))

    def collect(self) -> Iterator[Metric]:
        return iter(self._counted)


def families(tally: Tally, redact: Callable[[str], str]) -> Iterator[Metric]:
    """Each metric with all its samples."""
    yield from _of_wards(tally, redact)
    yield from _of_checks(tally, redact)
    yield from _of_corrections(tally, redact)
    yield _gauge("under_way", "Checks under way.", (), [((), tally.under_way)])
    states = [(("looked-at",), tally.looked_at), (("skipped",), tally.skipped)]
    yield _gauge("repositories", "Repositories by whether they are looked at.", ("state",), states)


Samples = Sequence[tuple[tuple[str, ...], float]]
_PLACE = ("forge", "repository", "environment")


def _of_wards(tally: Tally, redact: Callable[[str], str]) -> Iterator[Metric]:
    places = [(*_names(w.repo, redact), redact(w.environment or "")) for w in tally.wards]
    known = list(zip(places, tally.wards, strict=True))
    verdicts = [((*at, v), number) for at, w in known for v, number in w.verdicts.items()]
    text = "Projects by the verdict of their newest check."
    yield _gauge("projects", text, (*_PLACE, "verdict"), verdicts)
    lately = [(at, ward.lately) for at, ward in known]
    yield _gauge("projects_checked", "Projects that were checked within a day.", _PLACE, lately)
    checks = _moments((at, ward.oldest_check) for at, ward in known)
    text = "When the project was checked whose newest check is the oldest."
    yield _gauge("oldest_check_timestamp_seconds", text, _PLACE, checks)
    successes = _moments((at, ward.oldest_success) for at, ward in known)
    text = "When the project was last checked without an error for which that is longest ago."
    yield _gauge("oldest_success_timestamp_seconds", text, _PLACE, successes)


def _of_checks(tally: Tally, redact: Callable[[str], str]) -> Iterator[Metric]:
    begun = [(_names(each.repo, redact), each.begun) for each in tally.checks]
    yield _counter("checks_begun", "Checks that were begun.", begun)
    failed = [(_names(each.repo, redact), each.failed) for each in tally.checks]
    yield _counter("checks_failed", "Checks that could not be carried out.", failed)


def _of_corrections(tally: Tally, redact: Callable[[str], str]) -> Iterator[Metric]:
    found: dict[tuple[str, ...], float] = {}
    for each in tally.corrected:
        ways = (_word(each.how), _word(each.outcome or UNDER_WAY))
        names = (*_names(each.repo, redact), *ways)
        found[names] = found.get(names, 0) + each.number
    labels = ("forge", "repository", "how", "outcome")
    yield _gauge("corrections", "Corrections by what came of them.", labels, list(found.items()))


def _names(repo: RepoRef, redact: Callable[[str], str]) -> tuple[str, str]:
    return redact(repo.forge), redact(repo.path)


def _word(text: str) -> str:
    """So that a label has few values, whatever stands in the table."""
    return text if _WORD.fullmatch(text) else OTHER


def _moments(
    rows: Iterable[tuple[tuple[str, ...], datetime | None]],
) -> list[tuple[tuple[str, ...], float]]:
    return [(names, at.timestamp()) for names, at in rows if at is not None]


def _gauge(name: str, text: str, labels: Sequence[str], samples: Samples) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"prbot_drift_{name}", text, labels=labels)
    for names, value in samples:
        family.add_metric(names, value)
    return family


def _counter(name: str, text: str, samples: Samples) -> CounterMetricFamily:
    family = CounterMetricFamily(f"prbot_drift_{name}", text, labels=("forge", "repository"))
    for names, value in samples:
        family.add_metric(names, value)
    return family
