"""How the first line of a run says what was asked."""

from __future__ import annotations

import pytest

from prbot.model import Login, PlanId, Selector, Sha
from prbot.runs.journal import asked
from prbot.runs.run import Ask, AskKind


def ask(kind: AskKind = AskKind.APPLY, reason: str = "comment", **more: object) -> Ask:
    return Ask(kind, Login("ann"), reason, **more)  # type: ignore[arg-type] # rows


ASKS: dict[str, tuple[Ask, str]] = {
    "an event": (ask(AskKind.PLAN, "opened", head_sha=Sha("a" * 40)), "plan: opened"),
    "a merge heard of late": (ask(AskKind.MERGE, "merged", late=True), "merge: merged, heard late"),
    "a bare command": (ask(), "apply: comment"),
    "one plan": (ask(plan_id=PlanId("p-3e91c0")), "apply: comment (p-3e91c0)"),
    "a selection": (
        ask(select=Selector(("a", "b c"), ("prod",), ())),
        "apply: comment (-d a -d 'b c' -w prod)",
    ),
    "a name": (ask(select=Selector(projects=("shop",))), "apply: comment (-p shop)"),
    "accepting": (ask(accept_changes=True), "apply: comment (--accept-changes)"),
    "without a merge": (ask(no_merge=True), "apply: comment (--no-merge)"),
    "overridden": (ask(override="on fire"), "apply: comment (--override 'on fire')"),
    "orphans": (ask(accept_orphans=True), "apply: comment (--accept-orphans)"),
    "everything": (ask(AskKind.PLAN, everything=True), "plan: comment (--all)"),
    "arguments": (
        ask(AskKind.PLAN, destroy=True, extra=("-target=x y",)),
        "plan: comment (-destroy '-target=x y')",
    ),
}


@pytest.mark.parametrize(("ask", "words"), ASKS.values(), ids=ASKS.keys())
def test_asked(ask: Ask, words: str) -> None:
    """It tells the command with its options, or the event."""
    assert asked(ask) == words
