"""Issues about drift, word for word; and whatever is in them fits and stays harmless."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from prbot.comments.customs import GITHUB, GITLAB, Customs
from prbot.comments.drift_issue import drift_title, render_drift
from prbot.comments.fitting import size
from prbot.config.drift import GroupBy, Reaction
from prbot.drift.causes import Cause, Unapplied, Upgrade
from prbot.drift.incidents import Alike, Incident, told_apart
from prbot.drift.issue import DriftIssue, Found, News, Section, issues_of
from prbot.drift.tell import (
    Acceptance,
    BaselineBody,
    Changed,
    DriftMessage,
    EndedBody,
    IncidentBody,
    IssueBody,
    Joined,
    Over,
    OverflowBody,
    Reply,
    Unproven,
    Withdrawn,
)
from prbot.drift.verdict import ProjectVerdict
from prbot.model import Login, PlanId, ProjectKey, RepoRef, Sha
from prbot.plans.threeway import Verdict
from prbot.runs.run import Trouble

GOLDEN = Path(__file__).parent / "golden" / "drift"
MARKER = "prbot:test:drift"
SINCE = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)

QUEUE = Found("aws_sqs_queue.q", "delay_seconds", Verdict.REVERTS, Reaction.ALERT, None, "9", "5")
TAGS = Found(
    *("aws_sqs_queue.q", "tags", Verdict.CONFLICT, Reaction.OPEN_PR, "drift.rules[0]"),
    *('{"team":"b"}', '{"team":"c"}', "tags are finance's"),
)
GONE = Found("aws_ssm_parameter.p", None, Verdict.GONE, Reaction.ALERT)
QUIET = Found(
    *("aws_sqs_queue.q", "tags_all", Verdict.REVERTS, Reaction.IGNORE, "drift.rules[1]"),
    reason="set by the cost tool",
)
NO_CREDENTIALS = Trouble(
    "`terraform init` failed with exit code 1.",
    "Read the output below, mend the cause, and comment `prbot plan`.",
    "Error: No valid credential sources found\n",
)


def section(*found: Found, at: str = "net", **changes: Any) -> Section:
    repo, project = RepoRef("gh", "acme/infra"), ProjectKey(at)
    made = Section(repo, project, ProjectVerdict.DRIFTED, Sha("a" * 40), NOW, found=found)
    return replace(made, **changes)


def issue(*sections: Section, by: GroupBy = GroupBy.PROJECT) -> DriftIssue:
    (made,) = issues_of(sections, by)
    return made


def broken(at: str = "net", trouble: Trouble = NO_CREDENTIALS) -> Section:
    return section(at=at, verdict=ProjectVerdict.ERROR, trouble=trouble)


def incident(*sections: Section) -> Incident:
    (found,) = told_apart(sections).incidents
    return found


AWS = "registry.terraform.io/hashicorp/aws"
FIVE = [f"p{number}" for number in range(5)]


def upgraded(at: str, before: str = "5.1.0") -> Section:
    return section(QUEUE, at=at, cause=Upgrade(AWS, "5.2.0", before))


def behind(at: str, pull: int | None = None) -> Section:
    cause = Unapplied(Sha("a" * 40), pull)
    return section(at=at, verdict=ProjectVerdict.BEHIND, cause=cause)


UPGRADED = (upgraded("p0"), upgraded("p1", "5.0.0"), *map(upgraded, FIVE[2:]))
COVERAGE = "1,312 of 1,500; oldest 41 h"
BLUE = replace(broken(), project=ProjectKey("ops", "blue"))
SWEPT = (
    section(at="app", verdict=ProjectVerdict.IN_SYNC),
    section(QUEUE),
    broken("ops", Trouble("no credentials")),
)
DOCUMENTS: dict[str, DriftMessage] = {
    "one_project": IssueBody(
        issue(section(QUEUE, TAGS, GONE, QUIET, environment="prod")), SINCE, COVERAGE
    ),
    "failure": IssueBody(issue(broken()), SINCE),
    "incident": IncidentBody(incident(*(broken(f"p{number}") for number in range(5))), SINCE),
    "upgrade_alone": IssueBody(issue(upgraded("net")), SINCE),
    "upgrade": IncidentBody(incident(*UPGRADED), SINCE),
    "unapplied_pull": IncidentBody(incident(*(behind(at, 7) for at in FIVE)), SINCE),
    "unapplied_commit": IncidentBody(incident(*map(behind, FIVE)), SINCE),
    "overflow": OverflowBody((issue(section(QUEUE)), issue(BLUE)), 20, "400 of 400; oldest 3 h"),
    "baseline": BaselineBody(SWEPT, "3 of 3; oldest 2 h"),
    "changed": Changed(
        News(
            added=("acme/infra net: aws_sqs_queue.q, tags", "acme/infra net: b"),
            gone=("acme/infra net: aws_ssm_parameter.p",),
        )
    ),
    "again": Changed(News(added=("acme/infra net: b",)), again=True),
    "over": Over(verified=False, checks=2),
    "joined": Joined(),
    "ended": EndedBody("incident", "[]"),
    "upgrade_ended": EndedBody("upgrade", "[]"),
    "unapplied_ended": EndedBody("unapplied", "[]"),
    "verified": Over(verified=True),
    "unproven": Unproven(PlanId("p-3e91c0"), ("aws_sqs_queue.q, tags", "aws_vpc.`v`")),
    "withdrawn_proven": Withdrawn("proven"),
    "withdrawn_over": Withdrawn("over"),
    "withdrawn_other": Withdrawn("other"),
    "reply": Reply(
        "snooze 7d", Login("ann"), "nobody is told of changes until 2026-03-11 03:00 UTC."
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_reads_as_it_was_written_down(name: str) -> None:
    expected = (GOLDEN / f"{name}.md").read_text(encoding="utf-8")
    assert render_drift(DOCUMENTS[name], marker=MARKER) == expected


def test_many_projects() -> None:
    """It lists the projects of a group first, and tells each below."""
    both = issue(section(QUEUE), section(TAGS, at="app"), by=GroupBy.REPOSITORY)
    text = render_drift(IssueBody(both, SINCE), marker=MARKER)
    assert text.startswith("## Drift in `acme/infra`: 2 values are not what the code says")
    assert "| `app` | drifted | 1 |\n| `net` | drifted | 1 |" in text
    assert text.index("### `app`") < text.index("### `net`")


def test_accepted_and_snoozed() -> None:
    """It says who accepted what is live and why, and until when it is quiet."""
    taken = Acceptance("the vendor asked @all for it", date(2026, 4, 1), Login("ann"))
    body = IssueBody(issue(section(QUEUE)), SINCE, snoozed=NOW, accepted=taken)
    text = render_drift(body, marker=MARKER)
    assert "**Accepted until 2026-04-01** by `ann`: `the vendor asked @all for it`." in text
    assert "**Snoozed until 2026-03-04 03:00 UTC**" in text


@pytest.mark.parametrize(
    ("by", "title"),
    [
        (GroupBy.PROJECT, "Drift in acme/infra, net"),
        (GroupBy.ENVIRONMENT, "Drift in acme/infra, no environment"),
        (GroupBy.REPOSITORY, "Drift in acme/infra"),
    ],
)
def test_titles(by: GroupBy, title: str) -> None:
    """It names what the issue is about, and nothing that changes from check to check."""
    assert drift_title(IssueBody(issue(section(QUEUE), by=by), SINCE)) == title


def test_title_of_any_length() -> None:
    at = "d" * 300
    assert len(drift_title(IssueBody(issue(section(QUEUE, at=at)), SINCE))) <= 255


def test_of_400_projects() -> None:
    """It counts everything and fits, however much of it is listed."""
    many = tuple(section(QUEUE, at=f"p{number}") for number in range(400))
    text = render_drift(IssueBody(issue(*many, by=GroupBy.REPOSITORY), SINCE), marker=MARKER)
    assert "400 values are not what the code says" in text
    assert len(text) <= 65_536


# --- whatever is in it ---------------------------------------------------------------------

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False, "html": True})
OUR_HTML = re.compile(r"</?(?:sub|code|details|summary)>|<!-- prbot:test:drift -->")
SUMMARY = re.compile(r"<summary><code>[^<>`]*</code></summary>")
LIVE = re.compile(r"[@#<>\[\]~&]|//|www\.|\b[0-9a-f]{7,40}\b|\bGH-")
HOSTILE = st.one_of(
    st.text(alphabet=st.sampled_from("ab1 `|<>&@#/\\*_[]()!:.-~+\n\u202e\u200b日"), max_size=40),
    st.sampled_from(
        [
            "````\n```\n</details>\n\n@everyone #1",
            "</summary></details><script>alert(1)</script>",
            "<!-- prbot:test:drift -->",
            "| a | b |\n|---|---|",
            "https://evil.example/@a#1 GH-1 a/b#2 0123456789abcdef",
            "x" * 5_000,
            "`" * 700,
        ]
    ),
)
FOUND = st.builds(
    Found,
    address=HOSTILE,
    attribute=st.none() | HOSTILE,
    verdict=st.sampled_from(list(Verdict)),
    action=st.sampled_from(list(Reaction)),
    rule=st.none() | HOSTILE,
    live=HOSTILE,
    wanted=HOSTILE,
    reason=HOSTILE,
)
TROUBLE = st.builds(Trouble, HOSTILE, HOSTILE, HOSTILE)
MANY = st.sampled_from([1, 2, 7, 300])
SECTIONS = st.builds(
    lambda found, times, at, verdict, trouble, environment, cause: section(
        *(found * times),
        at=at,
        verdict=verdict,
        trouble=trouble,
        environment=environment,
        cause=cause,
    ),
    st.lists(FOUND, max_size=3).map(tuple),
    MANY,
    HOSTILE,
    st.sampled_from(list(ProjectVerdict)),
    st.none() | TROUBLE,
    st.none() | HOSTILE,
    st.none()
    | st.builds(Upgrade, HOSTILE, HOSTILE, HOSTILE)
    | st.builds(Unapplied, HOSTILE.map(Sha), st.none() | st.just(7)),
)
LISTED = st.builds(
    lambda first, times: tuple(
        replace(one, project=ProjectKey(f"{one.project.dir}{number}"))
        for number in range(times)
        for one in first
    ),
    st.lists(SECTIONS, min_size=1, max_size=2),
    st.sampled_from([1, 3, 120]),
)
ISSUES = LISTED.flatmap(
    lambda sections: st.sampled_from(
        [made for by in GroupBy for made in issues_of(sections, by)[:3]]
        or [DriftIssue(*issue(section(QUEUE)).__dict__.values())]
    )
)
CAUSES: dict[Alike, st.SearchStrategy[Cause | None]] = {
    Alike.FAILURE: st.none(),
    Alike.UPGRADE: st.builds(Upgrade, HOSTILE, HOSTILE, HOSTILE),
    Alike.UNAPPLIED: st.builds(Unapplied, HOSTILE.map(Sha), st.none() | st.just(7)),
}
INCIDENTS = st.sampled_from(Alike).flatmap(
    lambda kind: st.builds(
        lambda words, listed, cause, lost: Incident(
            kind, (), words, tuple(replace(each, cause=cause) for each in listed), lost
        ),
        HOSTILE,
        LISTED,
        CAUSES[kind],
        st.just(()) | LISTED,
    )
)
NAMES = st.lists(HOSTILE, max_size=4).map(lambda names: tuple(names * 60))
MESSAGES: st.SearchStrategy[DriftMessage] = st.one_of(
    st.builds(
        IssueBody,
        ISSUES,
        st.just(SINCE),
        HOSTILE,
        st.none() | st.just(NOW),
        st.none() | st.builds(Acceptance, HOSTILE, st.just(date(2026, 4, 1)), HOSTILE.map(Login)),
    ),
    st.builds(IncidentBody, INCIDENTS, st.just(SINCE), HOSTILE),
    st.builds(OverflowBody, st.lists(ISSUES, max_size=3).map(tuple), st.just(20), HOSTILE),
    st.builds(BaselineBody, LISTED, HOSTILE),
    st.builds(Changed, st.builds(News, NAMES, NAMES, NAMES), st.booleans()),
    st.builds(Reply, HOSTILE, HOSTILE.map(Login), HOSTILE),
)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),  # shrinking takes minutes and tells little
)
@given(
    message=MESSAGES,
    limit=st.sampled_from([1_500, 4_000, 65_536]),
    customs=st.sampled_from([GITHUB, GITLAB]),
)
def test_it_fits_and_stays_harmless(message: DriftMessage, limit: int, customs: Customs) -> None:
    """It is within the limit, and nothing in it closes a fence or a fold of ours, is HTML, or
    comes alive."""
    text = render_drift(message, marker=MARKER, limit=limit, customs=customs)
    assert size(text) <= limit
    assert text.endswith(f"\n\n<!-- {MARKER} -->\n")
    tokens = MARKDOWN.parse(text)
    _check_blocks(tokens)
    for token in tokens:
        if token.type == "inline":
            _check_inline(token.children or [])


def _check_blocks(tokens: list[Token]) -> None:
    """Every fence ends; HTML stands where it is a block, holds only ours, and is balanced."""
    html = [token for token in tokens if token.type == "html_block"]
    assert all(token.level == 0 for token in html)
    rest = [OUR_HTML.sub("", SUMMARY.sub("", token.content)).strip() for token in html]
    assert rest == [""] * len(html)
    opened = sum(token.content.count("<details") for token in html)
    assert opened == sum(token.content.count("</details>") for token in html)
    for fence in (token for token in tokens if token.type == "fence"):
        assert fence.level == 0


def _check_inline(tokens: list[Token]) -> None:
    """Words in `<code>` are code, too."""
    in_code = False
    for token in tokens:
        assert token.type not in ("link_open", "image", "s_open"), token
        if token.type == "html_inline":
            assert OUR_HTML.fullmatch(token.content)
            in_code = {"<code>": True, "</code>": False}.get(token.content, in_code)
        if token.type == "text" and not in_code:
            assert not LIVE.search(token.content), token.content
    assert not in_code
