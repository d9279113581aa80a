"""Whole comments, written by hand from the product's page before there was a renderer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from prbot.comments.render import render
from prbot.config.repo import Bounded
from prbot.model import Login, PlanId, ProjectKey, RunId, Sha
from prbot.plans.record import StateAt, StoredPlan
from prbot.plans.summary import (
    Action,
    CheckCounts,
    Counts,
    Drifted,
    FailingCheck,
    Level,
    OutputCounts,
    PlanSummary,
    Rename,
    Risk,
    ShownChange,
    ShownOutput,
    ThreeValues,
    Verdict,
)
from prbot.projects.gone import Gone
from prbot.runs.orphans import Fate, Orphan
from prbot.runs.run import Flaw, Trouble
from prbot.runs.say import (
    ApplyReport,
    CheckSummary,
    CorrectionReport,
    Help,
    HoldReport,
    InterruptedReport,
    Message,
    NextStep,
    OrphansAccepted,
    OrphansLeft,
    Overridden,
    OverrideIssue,
    PlanReport,
    PlansExpired,
    ProjectResult,
    Reason,
    Refusal,
    TooMany,
)
from prbot.runs.state_look import StateLock
from prbot.runs.told import Moment, Told

GOLDEN = Path(__file__).parent / "golden"
HEAD, BASE = Sha("1" * 40), Sha("2" * 40)

HIGH = Risk(
    Level.HIGH, ("replaces `aws_sqs_queue.q`, which holds data, in production (forced by `name`)",)
)

StorePlan = Callable[..., StoredPlan]


def _report(*results: ProjectResult, on_merge: bool = False) -> PlanReport:
    return PlanReport(results, HEAD, BASE, apply_on_merge=on_merge, may_apply=True)


def _planned(stored: StorePlan, *args: object) -> ProjectResult:
    plan = stored(*args)
    return ProjectResult(plan.project, plan)


def _two_projects(stored: StorePlan) -> Message:
    production = PlanSummary(
        Counts(create=1, replace=1, move=1, no_op=1),
        outputs=OutputCounts(update=1),
        changes=(
            ShownChange(
                "aws_sqs_queue.q",
                Action.REPLACE,
                ("forced by `name`",),
                lines=(
                    '~ name = "q1" -> "q2"  # forces replacement',
                    "  known after apply: arn, id, url",
                ),
                risk=HIGH,
                stake="which holds data",
            ),
            ShownChange(
                "aws_s3_bucket.logs",
                Action.CREATE,
                lines=('+ bucket = "acme-logs"', "  known after apply: arn, id"),
            ),
            ShownChange("aws_sns_topic.alarms", Action.NO_OP, previous_address="aws_sns_topic.old"),
        ),
        output_changes=(
            ShownOutput(
                "queue_url",
                Action.UPDATE,
                ('~ queue_url = "https://sqs.example/q1" -> (known after apply)',),
            ),
        ),
        risk=HIGH,
    )
    staging = PlanSummary(
        Counts(update=1),
        changes=(
            ShownChange(
                "aws_sqs_queue.q",
                Action.UPDATE,
                lines=("~ delay_seconds = 9 -> 12", '~ tags.team = "a" -> "b"'),
            ),
        ),
        risk=Risk(Level.LOW, ("nothing is deleted or replaced",)),
    )
    return _report(
        _planned(stored, "environments/staging/network", staging, "p-77aa01"),
        _planned(stored, "environments/production/network", production),
        on_merge=True,
    )


def _no_changes(stored: StorePlan) -> Message:
    return _report(_planned(stored, "network", PlanSummary(Counts(no_op=2), applyable=False)))


def _failed_init(stored: StorePlan) -> Message:
    output = (
        "Initializing the backend...\n"
        "Error: Failed to query available provider packages\n\n"
        "Could not retrieve the list of available versions for provider hashicorp/aws\n"
    )
    trouble = Trouble(
        "`terraform init` failed with exit code 1.",
        "Read the output below, mend the cause, and comment `prbot plan`.",
        output,
    )
    return _report(ProjectResult(ProjectKey("network"), trouble=trouble))


def _unset_variable(stored: StorePlan) -> Message:
    output = (
        "Error: No value for required variable\n\n  on main.tf line 1:\n"
        '   1: variable "region" {\n\n'
        'The root module input variable "region" is not set, and has no default value.\n'
    )
    trouble = Trouble(
        "`terraform plan` failed with exit code 1.",
        "Read the output below, mend the cause, and comment `prbot plan`.",
        output,
        flaws=(Flaw("main.tf", 1, 1, True, "No value for required variable"),),
    )
    report = _report(ProjectResult(ProjectKey("network"), trouble=trouble))
    return replace(report, page="https://github.com/acme/infra/pull/7")


def _refused(stored: StorePlan) -> Message:
    return Refusal(
        "apply",
        Login("carol"),
        (
            Reason(
                "approved",
                "0 of 1 approvals of this plan",
                "somebody with write access other than alice"
                " approves the pull request as it is now",
            ),
            Reason(
                "locked",
                "`network` is held by pull request #7",
                "comment `prbot unlock` there",
            ),
        ),
        RunId("r-3e91c0a2"),
    )


def _held(stored: StorePlan) -> Message:
    summary = PlanSummary(
        Counts(delete=1),
        changes=(
            ShownChange(
                "aws_sqs_queue.q",
                Action.DELETE,
                ("no longer in the configuration",),
                lines=('- name = "q1"',),
            ),
        ),
    )
    plan = stored("network", summary)
    result = ProjectResult(
        plan.project, plan, differences=("aws_sqs_queue.q: delete instead of update",)
    )
    return HoldReport(
        (result,),
        "the plan has changed since it was reviewed",
        (Login("alice"), Login("bob")),
        "apply --accept-changes",
    )


def _hostile(stored: StorePlan) -> Message:
    address = 'x.y["``|<b>@bob #12 https://evil.example \u202e"]'
    summary = PlanSummary(
        Counts(delete=1),
        checks=CheckCounts(fail=1, error=1),
        changes=(
            ShownChange(
                address,
                Action.DELETE,
                ("its key is no longer in `for_each`",),
                lines=('- v = "````</details><script>"',),
                stake="which </details> @bob holds #12 <script>",
            ),
        ),
        risk=Risk(Level.MEDIUM, (f"deletes `{address}`", "asks @acme/sre about #12 <b>")),
        drift=(
            Drifted(
                address,
                "tags",
                Verdict.REVERTS,
                (ThreeValues("tags.a|b", '"</details>"', '"|@bob"', '"`"'),),
            ),
            Drifted("x.z", "l|@m", Verdict.IGNORED),
        ),
        renames=(Rename("x.a", 'x.b["```@bob"]'),),
        failing_checks=(
            FailingCheck(
                "check.c",
                "fail",
                ("see https://evil.example or @acme/sre and #12 about <b> GH-12 1234567890abcdef",),
            ),
            FailingCheck("check.d", "error"),
        ),
    )
    return _report(_planned(stored, "a`b|c</details>@alice#12", summary))


def _applied(stored: StorePlan) -> Message:
    done = stored("network", PlanSummary(Counts(create=1)))
    failed = stored("prod", PlanSummary(Counts(create=1)), "p-77aa01")
    trouble = Trouble(
        "`terraform apply` failed with exit code 1.",
        "Read the output below, mend the cause, and comment `prbot plan`.",
        "Error: no capacity",
    )
    results = (
        ProjectResult(done.project, done, applied=True),
        ProjectResult(failed.project, failed, trouble),
    )
    return ApplyReport(results, Login("bob"), on_merge=True)


HOSTILE_REASON = "@acme/all: <b>fire</b> `#1`"


def _overridden(stored: StorePlan) -> Message:
    plan = stored("prod", PlanSummary(Counts(create=1)))
    results = (ProjectResult(plan.project, plan, applied=True),)
    over = Overridden(HOSTILE_REASON, ("approved", "windows"))
    return ApplyReport(results, Login("bob"), on_merge=False, overridden=over)


def _override_issue(stored: StorePlan) -> Message:
    over = Overridden(HOSTILE_REASON, ("approved", "windows"))
    people = (Login("ann"), Login("bob"))
    return OverrideIssue(7, Login("bob"), over, (ProjectKey("prod"),), people)


def _interrupted(stored: StorePlan) -> Message:
    def told(moment: Moment, address: str, known: str = "") -> Told:
        key = "id" if known else ""
        return Told(moment, address, "create", address.split(".")[0], key, known)

    return InterruptedReport(
        ProjectKey("network"),
        PlanId("p-3e91c0"),
        NextStep.UNLOCK,
        unrecorded=(
            told(Moment.COMPLETE, 'aws_eip.e["a b"]', "eipalloc-1"),
            told(Moment.COMPLETE, "acme_thing.t"),
        ),
        unknown=(told(Moment.BEGAN, "terraform_data.slow"),),
        not_begun=1,
        lock=StateLock("4f2c-01", "root@vm", created="2026-11-23 13:44:26 +0000 UTC"),
        lock_is_ours=True,
    )


def _interrupted_correction(stored: StorePlan) -> Message:
    told = _interrupted(stored)
    assert isinstance(told, InterruptedReport)
    return replace(told, of_drift=True)


def _corrected(stored: StorePlan) -> Message:
    return CorrectionReport(ProjectKey("network"), Login("ann"), PlanId("p-3e91c0"), proven=True)


def _not_corrected(stored: StorePlan) -> Message:
    words = "Error: it is not allowed\n\n  on main.tf line 3"
    trouble = Trouble("The apply of plan p-3e91c0 failed.", "Mend what it says.", words)
    return CorrectionReport(ProjectKey("network"), None, PlanId("p-3e91c0"), False, trouble)


def _expired(stored: StorePlan) -> Message:
    projects = (ProjectKey("network"), ProjectKey("storage", "blue"))
    return PlansExpired(projects, timedelta(days=7), projects[1:])


def _too_many(stored: StorePlan) -> Message:
    names = (ProjectKey("compute"), ProjectKey("network"), ProjectKey("storage", "blue"))
    return TooMany(names, 2)


HELD = Orphan(
    Gone(ProjectKey("old", "blue"), "s3 bucket/old", "old/main.tf", 2),
    Fate.HELD,
    52,
    ("aws_sqs_queue.q", 'module.net.aws_vpc.this["a"]'),
)
BLIND = Orphan(
    Gone(ProjectKey("legacy"), path="legacy"),
    Fate.UNREADABLE,
    trouble=Trouble(
        "`terraform init` failed with exit code 1.",
        "Read the output below, mend the cause, and comment `prbot plan`.",
        "Error: No valid credential sources found",
    ),
)


def _deleted(stored: StorePlan) -> Message:
    away = Gone(ProjectKey("app"), "s3 bucket/app", "app/main.tf", 2, "s3 bucket/new")
    orphans = (
        Orphan(away, Fate.HELD, 1, ("terraform_data.web",)),
        BLIND,
        HELD,
        Orphan(Gone(ProjectKey("spare")), Fate.HELD, 3, ("a.b",), accepted_by=Login("bob")),
        Orphan(Gone(ProjectKey("tmp")), Fate.EMPTY),
    )
    report = _report(_planned(stored, "app", PlanSummary(Counts(no_op=2), applyable=False)))
    moved = ((ProjectKey("network"), ProjectKey("services/network")),)
    return replace(report, orphans=orphans, moved=moved)


def _left(stored: StorePlan) -> Message:
    return OrphansLeft((HELD,), (Login("alice"), Login("bob")))


def _accepted(stored: StorePlan) -> Message:
    return OrphansAccepted((HELD, BLIND), Login("bob"))


def _help(stored: StorePlan) -> Message:
    return Help(Login("prbot-ci"))


def _check(stored: StorePlan) -> Message:
    return CheckSummary((), (HELD,))


@pytest.mark.parametrize(
    ("name", "message", "topic"),
    [
        ("two_projects", _two_projects, "plan"),
        ("no_changes", _no_changes, "plan"),
        ("failed_init", _failed_init, "plan"),
        ("unset_variable", _unset_variable, "plan"),
        ("refused", _refused, "refusal"),
        ("held", _held, "run"),
        ("hostile", _hostile, "plan"),
        ("applied", _applied, "run"),
        ("overridden", _overridden, "run"),
        ("override_issue", _override_issue, "issue"),
        ("interrupted", _interrupted, "left"),
        ("interrupted_correction", _interrupted_correction, "left"),
        ("corrected", _corrected, "run"),
        ("not_corrected", _not_corrected, "run"),
        ("expired", _expired, "expired"),
        ("too_many", _too_many, "run"),
        ("deleted", _deleted, "plan"),
        ("left_to_nobody", _left, "run"),
        ("accepted", _accepted, "run"),
        ("check_deleted", _check, "check"),
        ("help", _help, "help"),
    ],
)
def test_it_reads_as_it_was_written_down(
    name: str, message: Callable[[StorePlan], Message], topic: str, stored: StorePlan
) -> None:
    """It is, letter by letter, the comment that stands in the golden file."""
    expected = (GOLDEN / f"{name}.md").read_text(encoding="utf-8")
    assert render(message(stored), marker=f"prbot:test:1:{topic}") == expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (604_800, "7 days"),
        (86_400, "1 day"),
        (129_600, "36 hours"),
        (5_400, "90 minutes"),
        (90, "90 seconds"),
        (0.2, "1 second"),
    ],
)
def test_ages(seconds: float, words: str) -> None:
    """It tells an age in the largest unit that is exact."""
    message = PlansExpired((ProjectKey("network"),), timedelta(seconds=seconds), ())
    text = render(message, marker="m")
    assert f"Made more than {words} ago" in text
    assert text.startswith("## Expired: 1 plan\n")
    assert "Other pull requests" not in text


def test_what_the_server_does_not_give() -> None:
    """It tells which wish of the repository's file the server does not allow."""
    report = replace(_report(), bounded=(Bounded("defaults.apply_on_merge", "always", "never"),))
    text = render(report, marker="m")
    assert "`defaults.apply_on_merge: always`" in text
    assert "`never` holds instead" in text


@pytest.mark.parametrize(
    ("states", "footer"),
    [
        ((StateAt("l", 4),), "base `2222222` · state serial 4 · terraform 1.11.4"),
        ((StateAt("", 0),), "base `2222222` · no state yet · terraform 1.11.4"),
        ((StateAt("l", 4), StateAt("m", 7)), "state serials `p0` 4, `p1` 7 · terraform 1.11.4"),
        ((StateAt("l", 4), None), "base `2222222` · state serial 4 · terraform"),
        ((None,), "base `2222222` · terraform 1.11.4"),
        ((StateAt("l", 4),) * 4, "base `2222222` · terraform 1.11.4"),
    ],
)
def test_it_tells_the_serial_of_the_state(
    stored: StorePlan, states: tuple[StateAt | None, ...], footer: str
) -> None:
    """It says in the footer on which snapshot of the state a plan was made."""
    summary = PlanSummary(Counts(create=1))
    plans = [replace(stored(f"p{n}", summary), state=state) for n, state in enumerate(states)]
    text = render(_report(*(ProjectResult(p.project, p) for p in plans)), marker="m")
    assert footer in text


def test_it_tells_what_was_live_already(stored: StorePlan) -> None:
    """It names what was reviewed and not done again, with nothing of it turned to Markdown."""
    summary = PlanSummary(Counts(create=1), live=("x.a: update is live already", "x.`b`: <i>"))
    plan = stored("app", summary)
    report = ApplyReport((ProjectResult(plan.project, plan, applied=True),), Login("ann"), False)
    text = render(report, marker="m")
    assert "Reviewed for `app`, and so already:" in text
    assert "- `x.a: update is live already`" in text
    assert "<i>" not in text.replace("``x.`b`: <i>``", "")
