"""What people need to know of a plan, as data: counts, changes, and what they would lose.

A summary is safe to store and to show: sensitive values are masked when it is made, texts
are printable, and its size is bounded whatever the plan's is (some hundreds of kB). What
is left out is counted; what would be lost comes first. Not promised: that its texts are
safe in Markdown, which is the business of `comments`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from prbot.plans.by_hand import Hands, ThreeValues
from prbot.plans.diff import UNKNOWN, attribute_lines
from prbot.plans.plan import Action, Change, Check, Json, Plan, ResourceChange, not_too_deep
from prbot.plans.reasons import because
from prbot.plans.renames import Rename, renames
from prbot.plans.risk import NO_RISK, Level, Risk, plan_risk, resource_risk, stake
from prbot.plans.sensitive import Veil, sensitive_strings, veil
from prbot.plans.text import address_text, shown, single_line
from prbot.plans.threeway import Judged, Verdict, drift

__all__ = [
    "Action",
    "CheckCounts",
    "Counts",
    "Drifted",
    "FailingCheck",
    "Level",
    "OutputCounts",
    "PlanSummary",
    "Rename",
    "Risk",
    "ShownChange",
    "ShownOutput",
    "StepOutput",
    "ThreeValues",
    "Verdict",
    "sensitive_strings",
    "summarise",
]

MOST_CHARACTERS = 300_000
MOST_LINES = 200
"""Lines of one change."""
MOST_CHECKS = 50
MOST_PROBLEMS = 10
MOST_DRIFT = 500
MOST_VALUED = 50
"""Attributes changed by hand whose values are told too."""
MOST_RENAMES = 50


@dataclass(frozen=True)
class Counts:
    """Resource instances by action; each has one action, `import_` and `move` beside it."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    import_: int = 0
    move: int = 0
    forget: int = 0
    read: int = 0
    no_op: int = 0


@dataclass(frozen=True)
class OutputCounts:
    create: int = 0
    update: int = 0
    delete: int = 0


@dataclass(frozen=True)
class CheckCounts:
    """Checkable objects by status, not their instances; in error they could not be asked."""

    pass_: int = 0
    fail: int = 0
    error: int = 0
    unknown: int = 0

    @property
    def failing(self) -> int:
        return self.fail + self.error


@dataclass(frozen=True)
class ShownChange:
    """One resource instance that changes, moves or is imported.

    `reasons` are words such as ``forced by `name` ``. `import_id` may be
    `(known after apply)`. `lines` begin with `+`, `-`, `~` or a blank; `more_lines`
    counts those left out. `stake` is what the risk is about (`which holds data`).
    """

    address: str
    action: Action
    reasons: tuple[str, ...] = ()
    previous_address: str | None = None
    import_id: str | None = None
    deposed: str | None = None
    lines: tuple[str, ...] = ()
    more_lines: int = 0
    risk: Risk = NO_RISK
    stake: str = ""


@dataclass(frozen=True)
class Drifted:
    """What somebody changed outside of the code, and what this plan makes of it.

    `attribute` is None where the whole object is gone; `again` says that the plan creates
    it again. `verdict` is never `change`. `values` are not told in old summaries.
    """

    address: str
    attribute: str | None
    verdict: Verdict
    values: tuple[ThreeValues, ...] = ()
    again: bool = False


@dataclass(frozen=True)
class ShownOutput:
    name: str
    action: Action
    lines: tuple[str, ...] = ()
    more_lines: int = 0


@dataclass(frozen=True)
class FailingCheck:
    """A check whose `status` is `fail`, or `error` when it could not be evaluated."""

    name: str
    status: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepOutput:
    """What a step of a workflow said for people, redacted; `label` names it: `run: make`."""

    label: str
    text: str


@dataclass(frozen=True)
class PlanSummary:
    """A plan for people. `*_left_out` say how many entries the bound on size cost. `steps` is
    what the workflow's commands said while it was made, `raises` the version that wrote the
    state, if an apply would raise it. `records` is how many of the `drift` a plan writes into
    the state, and nothing else (`-refresh-only`). `live` are changes of the reviewed plan that
    this one, made again, does without: they are so already."""

    counts: Counts
    outputs: OutputCounts = OutputCounts()
    checks: CheckCounts = CheckCounts()
    changes: tuple[ShownChange, ...] = ()
    changes_left_out: int = 0
    output_changes: tuple[ShownOutput, ...] = ()
    outputs_left_out: int = 0
    failing_checks: tuple[FailingCheck, ...] = ()
    unknown_checks: tuple[str, ...] = ()
    drift: tuple[Drifted, ...] = ()
    drift_left_out: int = 0
    renames: tuple[Rename, ...] = ()
    renames_left_out: int = 0
    risk: Risk = NO_RISK
    applyable: bool = True
    errored: bool = False
    complete: bool = True
    tool_version: str = ""
    steps: tuple[StepOutput, ...] = ()
    raises: str = ""
    records: int = 0
    live: tuple[str, ...] = ()

    @property
    def has_changes(self) -> bool:
        """Applying would do something, be it only a move, an import, a forget or an output."""
        c, o = self.counts, self.outputs
        work = c.create + c.update + c.replace + c.delete + c.import_ + c.move + c.forget
        return work + self.records + o.create + o.update + o.delete > 0


_ORDER = (
    Action.REPLACE,
    Action.DELETE,
    Action.FORGET,
    Action.UPDATE,
    Action.CREATE,
    Action.NO_OP,
    Action.READ,
)


@not_too_deep
def summarise(
    plan: Plan,
    environment: str | None = None,
    secrets: frozenset[str] | None = None,
    known: Iterable[str] = (),
) -> PlanSummary:
    """Count everything, show what fits. Raises BadPlan for values nested without end.

    `environment` is the project's environment by name; it weighs in the risk. `secrets`
    are the plan's `sensitive_strings` where somebody looked for them already, `known` others
    of at least SHORTEST characters.
    """
    hide = veil(sensitive_strings(plan) if secrets is None else secrets, known)
    view = _View(hide, _Budget(MOST_CHARACTERS), environment)
    ordered = sorted(filter(_is_shown, plan.resource_changes), key=_rank)
    outputs = sorted(_changed(plan.output_changes))
    shown_changes = tuple(_changes(ordered, view))
    shown_outputs = tuple(_outputs(outputs, view))
    judged = drift(plan)
    drifted = tuple(_drifted(judged[:MOST_DRIFT], view.hide, Hands(plan, view.hide)))
    moves = renames(plan, view.hide)
    return PlanSummary(
        counts=_counts(plan.resource_changes),
        outputs=_output_counts(plan.output_changes.values()),
        checks=_check_counts(plan.checks),
        changes=shown_changes,
        changes_left_out=len(ordered) - len(shown_changes),
        output_changes=shown_outputs,
        outputs_left_out=len(outputs) - len(shown_outputs),
        failing_checks=_failing(plan.checks, view.hide),
        unknown_checks=_unknown(plan.checks, view.hide),
        drift=drifted,
        drift_left_out=len(judged) - len(drifted),
        renames=moves[:MOST_RENAMES],
        renames_left_out=max(0, len(moves) - MOST_RENAMES),
        risk=plan_risk(plan, judged, environment, view.hide),
        applyable=_applyable(plan),
        errored=bool(plan.errored),
        complete=plan.complete is not False,
        tool_version=single_line(plan.terraform_version, 40),
    )


def drift_of(plan: Plan) -> tuple[Drifted, ...]:
    """All of the drift, however much it is, fit to be shown; by address as in the plan."""
    hide = veil(sensitive_strings(plan))
    return tuple(_drifted(drift(plan), hide, Hands(plan, hide)))


def _drifted(judged: Iterable[Judged], hide: Veil, hands: Hands) -> Iterator[Drifted]:
    for at, one in enumerate(judged):
        name = None if one.attribute is None else single_line(one.attribute, 120)
        again = name is None and hands.stands_again(one.address)
        values = hands.values(one) if at < MOST_VALUED else ()
        yield Drifted(address_text(one.address, hide), name, one.verdict, values, again)


@dataclass(frozen=True)
class _View:
    """What the parts of one summary share."""

    hide: Veil
    budget: _Budget
    environment: str | None


@dataclass
class _Budget:
    """Characters left. Attribute lines end when a third is left, so that names go on."""

    left: int

    @property
    def lines(self) -> int:
        return MOST_LINES if self.left > MOST_CHARACTERS // 3 else 0

    def spend(self, *texts: str) -> bool:
        """Whether there was room."""
        self.left -= sum(len(text) + 10 for text in texts)
        return self.left >= 0


def _is_shown(resource: ResourceChange) -> bool:
    acts = resource.change.action not in (Action.NO_OP, Action.READ)
    return resource.managed and (acts or resource.moved or resource.imported)


def _rank(resource: ResourceChange) -> tuple[int, tuple[str, str]]:
    return _ORDER.index(resource.change.action), resource.key


def _changed(outputs: Mapping[str, Change]) -> Iterator[tuple[str, Change]]:
    return ((name, c) for name, c in outputs.items() if c.action is not Action.NO_OP)


def _changes(ordered: Iterable[ResourceChange], view: _View) -> Iterator[ShownChange]:
    for resource in ordered:
        change = _shown_change(resource, view)
        if not view.budget.spend(
            change.address,
            change.previous_address or "",
            *change.reasons,
            *change.lines,
            *change.risk.reasons,
        ):
            return
        yield change


def _shown_change(resource: ResourceChange, view: _View) -> ShownChange:
    hide = view.hide
    lines, more = attribute_lines(resource.change, hide, view.budget.lines)
    moved_from = resource.previous_address if resource.moved else None
    return ShownChange(
        address=address_text(resource.address, hide),
        action=resource.change.action,
        reasons=tuple(because(resource, hide)),
        previous_address=address_text(moved_from, hide) if moved_from else None,
        import_id=_import_id(resource.change.importing, hide),
        deposed=single_line(resource.deposed, 40) if resource.deposed else None,
        lines=lines,
        more_lines=more,
        risk=resource_risk(resource, view.environment, hide),
        stake=stake(resource, view.environment),
    )


def _import_id(importing: Mapping[str, Json] | None, hide: Veil) -> str | None:
    if importing is None:
        return None
    known = importing.get("id", importing.get("identity"))
    return UNKNOWN if known is None else shown(known, hide)


def _outputs(outputs: Iterable[tuple[str, Change]], view: _View) -> Iterator[ShownOutput]:
    for name, change in outputs:
        lines, more = attribute_lines(change, view.hide, view.budget.lines, root=name)
        shown_name = single_line(name, 120)
        if not view.budget.spend(shown_name, *lines):
            return
        yield ShownOutput(shown_name, change.action, lines, more)


def _counts(resources: Sequence[ResourceChange]) -> Counts:
    managed = [resource for resource in resources if resource.managed]
    by_action = Counter(resource.change.action for resource in managed)
    return Counts(
        create=by_action[Action.CREATE],
        update=by_action[Action.UPDATE],
        replace=by_action[Action.REPLACE],
        delete=by_action[Action.DELETE],
        import_=sum(resource.imported for resource in managed),
        move=sum(resource.moved for resource in managed),
        forget=by_action[Action.FORGET],
        read=sum(resource.change.action is Action.READ for resource in resources),
        no_op=by_action[Action.NO_OP],
    )


def _output_counts(outputs: Iterable[Change]) -> OutputCounts:
    """An output that is replaced by another value is updated."""
    by_action = Counter(change.action for change in outputs)
    update = by_action[Action.UPDATE] + by_action[Action.REPLACE]
    return OutputCounts(by_action[Action.CREATE], update, by_action[Action.DELETE])


def _check_counts(checks: Iterable[Check]) -> CheckCounts:
    by_status = Counter(check.status for check in checks)
    return CheckCounts(
        by_status["pass"], by_status["fail"], by_status["error"], by_status["unknown"]
    )


def _failing(checks: Iterable[Check], hide: Veil) -> tuple[FailingCheck, ...]:
    failing = (_failing_check(check, hide) for check in checks)
    return tuple(islice((check for check in failing if check), MOST_CHECKS))


def _failing_check(check: Check, hide: Veil) -> FailingCheck | None:
    if check.status != "fail" and check.status != "error":
        return None
    messages = (p.message for instance in check.instances for p in instance.problems)
    problems = (single_line(hide.over(text), 500) for text in messages)
    name = address_text(check.address.to_display, hide)
    return FailingCheck(name, check.status, tuple(islice(problems, MOST_PROBLEMS)))


def _unknown(checks: Iterable[Check], hide: Veil) -> tuple[str, ...]:
    """Those that nobody can judge before the apply."""
    names = (check.address.to_display for check in checks if check.status == "unknown")
    return tuple(address_text(name, hide) for name in islice(names, MOST_CHECKS))


def _applyable(plan: Plan) -> bool:
    """Old formats do not tell; then only an errored plan cannot be applied."""
    return plan.applyable is not False and not plan.errored
