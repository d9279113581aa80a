"""Any message, any limit: it fits, it is balanced, nothing in it comes alive."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from prbot.comments.customs import GITHUB, GITLAB
from prbot.comments.environment import environment
from prbot.comments.render import GITHUB_LIMIT, SMALLEST_LIMIT, behind, parts, render
from prbot.comments.tool_words import tool_log
from prbot.model import Login, PlanId, ProjectKey, Sha
from prbot.plans.record import StoredPlan
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
    AppliedUnmerged,
    ApplyReport,
    CheckSummary,
    CorrectionReport,
    Failure,
    Help,
    Hint,
    HoldReport,
    InterruptedReport,
    Message,
    NextStep,
    NoProjects,
    OrphansAccepted,
    OrphansLeft,
    Overridden,
    OverrideIssue,
    PlanReport,
    PlansExpired,
    ProjectResult,
    Reason,
    Refusal,
    Settled,
    StateUnlocked,
    TooMany,
    Unlocked,
    UnmergedIssue,
    UnmergedSettled,
)
from prbot.runs.state_look import StateLock
from prbot.runs.told import Moment, Told

StorePlan = Callable[..., StoredPlan]

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False, "html": True})
OUR_HTML = re.compile(r"</?(?:sub|code|details|summary)>|<details open>|<!-- marker -->")
LIVE = re.compile(r"[@#<>\[\]~&]|//|www\.|\b[0-9a-f]{7,40}\b|\bGH-")
MENTIONS = re.compile(r"@(?:alice|bob)\b")
OUR_LINK = re.compile(r"https://forge\.example/acme/infra/blob/1{40}/[A-Za-z0-9._~%/+-]*#L[1-9]\Z")
ALERT = re.compile(r"\A\[!(?:CAUTION|WARNING)\]\Z")
MARKER = "marker"

HOSTILE = st.one_of(
    st.text(
        alphabet=st.sampled_from("ab1 `|<>&@#/\\*_[]()!:.-~+\n\u202e\u200b\ud800日"), max_size=40
    ),
    st.sampled_from(
        [
            "````\n```\n</details>\n\n@everyone #1",
            "</summary></details><script>alert(1)</script>",
            "<!-- marker -->",
            "| a | b |\n|---|---|",
            "https://evil.example/@a#1 GH-1 a/b#2 0123456789abcdef",
            "x" * 5_000,
            "`" * 700,
            "word " * 2_000,
            "line\n" * 1_000,
        ]
    ),
)
FEW = st.integers(0, 5)
MANY = st.sampled_from([0, 1, 2, 7, 400])

RISKS = st.builds(
    Risk, level=st.sampled_from(list(Level)), reasons=st.lists(HOSTILE, max_size=3).map(tuple)
)
DRIFT = st.builds(
    Drifted,
    address=HOSTILE,
    attribute=st.none() | HOSTILE,
    verdict=st.sampled_from([verdict for verdict in Verdict if verdict is not Verdict.CHANGE]),
    values=st.lists(st.builds(ThreeValues, *[HOSTILE] * 4), max_size=2).map(tuple),
    again=st.booleans(),
)
RENAMES = st.builds(Rename, HOSTILE, HOSTILE)

CHANGES = st.builds(
    ShownChange,
    address=HOSTILE,
    action=st.sampled_from(list(Action)),
    reasons=st.lists(HOSTILE, max_size=2).map(tuple),
    previous_address=st.none() | HOSTILE,
    import_id=st.none() | HOSTILE,
    deposed=st.none() | HOSTILE,
    lines=st.lists(HOSTILE, max_size=3).map(tuple),
    more_lines=FEW,
    risk=RISKS,
    stake=HOSTILE,
)
OUTPUTS = st.builds(
    ShownOutput, name=HOSTILE, action=st.just(Action.UPDATE), lines=st.tuples(HOSTILE)
)
CHECKS = st.builds(
    FailingCheck, name=HOSTILE, status=st.just("fail"), problems=st.tuples(HOSTILE, HOSTILE)
)
FLAWS = st.builds(
    Flaw, HOSTILE, st.integers(1, 9), st.just(9), st.booleans(), summary=HOSTILE, detail=HOSTILE
)
LOCKED = HOSTILE.map(
    lambda text: f"Error acquiring the state lock\n  ID:   {text}\n  Who:  {text}\n"
)
TROUBLES = st.builds(
    Trouble,
    sentence=HOSTILE,
    hint=HOSTILE,
    output=HOSTILE | LOCKED,
    flaws=st.lists(FLAWS, max_size=2).map(tuple),
)
PAGES = st.sampled_from(["", "https://forge.example/acme/infra/pull/7"])


KEYS = st.builds(ProjectKey, HOSTILE, HOSTILE)
ORPHANS = (
    st.lists(
        st.builds(
            Orphan,
            st.builds(Gone, KEYS, HOSTILE, HOSTILE, FEW, st.just("") | HOSTILE),
            st.sampled_from(Fate),
            MANY,
            st.lists(HOSTILE, max_size=3).map(tuple),
            st.none() | TROUBLES,
            st.none() | HOSTILE,
        ),
        max_size=2,
    )
    .map(tuple)
    .flatmap(lambda some: st.sampled_from([some, some * 100]))
)


@st.composite
def summaries(draw: st.DrawFn) -> PlanSummary:
    """Counts that agree with the changes, of which there may be hundreds alike."""
    changes = tuple(draw(st.lists(CHANGES, max_size=4))) * draw(st.sampled_from([1, 1, 150]))
    actions = [change.action for change in changes]
    return PlanSummary(
        Counts(
            create=actions.count(Action.CREATE),
            update=actions.count(Action.UPDATE),
            replace=actions.count(Action.REPLACE),
            delete=actions.count(Action.DELETE),
            import_=sum(change.import_id is not None for change in changes),
            move=sum(change.previous_address is not None for change in changes),
            forget=actions.count(Action.FORGET),
        ),
        OutputCounts(update=draw(FEW)),
        CheckCounts(fail=draw(FEW)),
        changes,
        0,
        tuple(draw(st.lists(OUTPUTS, max_size=2))),
        0,
        tuple(draw(st.lists(CHECKS, max_size=2))),
        drift=tuple(draw(st.lists(DRIFT, max_size=2))) * draw(st.sampled_from([1, 1, 150])),
        drift_left_out=draw(FEW),
        renames=tuple(draw(st.lists(RENAMES, max_size=2))) * draw(st.sampled_from([1, 1, 50])),
        risk=draw(RISKS),
        applyable=draw(st.booleans()),
        errored=draw(st.booleans()),
        complete=draw(st.booleans()),
    )


@st.composite
def results(draw: st.DrawFn, stored: StorePlan) -> tuple[ProjectResult, ...]:
    """Up to a few kinds of results, repeated up to hundreds of times."""
    kinds = draw(st.lists(_result(stored), max_size=3))
    return tuple(kinds) * draw(st.sampled_from([1, 1, 120]))


@st.composite
def _result(draw: st.DrawFn, stored: StorePlan) -> ProjectResult:
    directory, workspace = draw(HOSTILE), draw(st.just("default") | HOSTILE)
    lost = draw(st.booleans())
    plan = stored(directory, draw(summaries()), workspace=workspace, state_is_lost=lost)
    trouble = draw(st.none() | TROUBLES)
    return ProjectResult(
        ProjectKey(directory, workspace),
        plan if trouble is None or draw(st.booleans()) else None,
        trouble,
        applied=draw(st.booleans()),
        interrupted=draw(st.booleans()),
        differences=tuple(draw(st.lists(HOSTILE, max_size=2))) * draw(st.sampled_from([1, 100])),
    )


OVERRIDDEN = st.builds(Overridden, HOSTILE, st.lists(HOSTILE, max_size=3).map(tuple))


def messages(stored: StorePlan) -> st.SearchStrategy[Message]:
    logins = st.sampled_from([Login("alice"), Login("bob")]) | HOSTILE.map(_no_login)
    many = results(stored)
    projects = st.lists(st.builds(ProjectKey, HOSTILE, HOSTILE), max_size=3).map(tuple)
    reasons = st.lists(st.builds(Reason, HOSTILE, HOSTILE, HOSTILE), max_size=3).map(tuple)
    flags = st.booleans()
    return st.one_of(
        st.builds(
            PlanReport,
            many,
            st.just(Sha("1" * 40)),
            st.just(Sha("2" * 40)),
            flags,
            flags,
            logins,
            orphans=ORPHANS,
            moved=st.lists(st.tuples(KEYS, KEYS), max_size=2).map(tuple),
            page=PAGES,
            unapplied=st.lists(st.tuples(KEYS, st.integers(1, 999_999)), max_size=2).map(tuple),
        ),
        st.builds(OrphansAccepted, ORPHANS, logins),
        st.builds(CheckSummary, many, ORPHANS),
        st.builds(OrphansLeft, ORPHANS, st.lists(logins, max_size=4).map(tuple)),
        st.builds(ApplyReport, many, logins, flags, flags, st.none() | OVERRIDDEN),
        st.builds(HoldReport, many, HOSTILE, st.lists(logins, max_size=4).map(tuple), HOSTILE),
        st.builds(Refusal, HOSTILE, logins, reasons),
        st.builds(Failure, HOSTILE, TROUBLES),
        st.builds(NoProjects, FEW),
        st.builds(TooMany, projects, FEW),
        st.builds(Unlocked, projects, logins),
        st.builds(StateUnlocked, projects, logins),
        _interrupted(),
        st.builds(
            CorrectionReport,
            st.builds(ProjectKey, HOSTILE, HOSTILE),
            st.none() | logins,
            st.none() | HOSTILE.map(PlanId),
            flags,
            st.none() | TROUBLES,
        ),
        st.builds(PlansExpired, projects, st.timedeltas(), projects),
        st.builds(AppliedUnmerged, projects, st.lists(logins, max_size=4).map(tuple)),
        st.builds(Settled, projects, st.integers(1, 999_999)),
        st.builds(
            UnmergedIssue,
            st.integers(1, 999_999),
            projects,
            st.lists(logins, max_size=4).map(tuple),
        ),
        st.builds(UnmergedSettled, st.integers(1, 999_999), st.none() | logins),
        st.builds(
            OverrideIssue,
            st.integers(1, 999_999),
            logins,
            OVERRIDDEN,
            projects,
            st.lists(logins, max_size=4).map(tuple),
        ),
        st.builds(Help, logins),
        st.builds(Hint, HOSTILE),
    )


def _interrupted() -> st.SearchStrategy[Message]:
    one = st.builds(
        Told, st.sampled_from(Moment), HOSTILE, HOSTILE, HOSTILE, st.just("id"), HOSTILE
    )
    some = st.lists(one, max_size=3).map(tuple)
    return st.builds(
        InterruptedReport,
        st.builds(ProjectKey, HOSTILE, HOSTILE),
        st.none() | HOSTILE.map(PlanId),
        st.sampled_from(NextStep),
        *[some] * 5,
        st.none() | FEW,
        st.none() | st.builds(StateLock, *[HOSTILE] * 5),
        st.booleans(),
        st.booleans(),
        st.none() | TROUBLES,
        st.booleans(),
    )


def _no_login(text: str) -> Login:
    """A login that is certainly none, so that its mention must not be live."""
    return Login(f"/{text}")


LIMITS = st.sampled_from([SMALLEST_LIMIT, 1_500, 4_000, GITHUB_LIMIT, GITLAB.room])


@settings(
    max_examples=150,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking comments takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    deadline=None,
)
@given(st.data())
def test_it_fits_and_holds_together(stored: StorePlan, data: st.DataObject) -> None:
    """It fits the limit, closes what it opens, and holds no markup but its own."""
    message, limit = data.draw(messages(stored)), data.draw(LIMITS)
    text = render(message, marker=MARKER, limit=limit)
    assert len(text.encode("utf-16-le")) // 2 <= limit
    assert text.rstrip("\n").split("\n")[-1] == "<!-- marker -->"
    tokens = MARKDOWN.parse(text)
    _check_blocks(tokens)
    for token in tokens:
        _check_inline(token.children or [])


@settings(
    max_examples=100,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking comments takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    deadline=None,
)
@given(st.data())
def test_each_part_fits_and_holds_together(stored: StorePlan, data: st.DataObject) -> None:
    """It keeps each part below the limit and balanced, with no markup but its own; the first
    one is what stands alone where nothing may follow."""
    message, limit = data.draw(messages(stored)), data.draw(LIMITS)
    told = parts(message, markers=(MARKER,) * 3, limit=limit, beyond="in the check")
    assert 1 <= len(told) <= 3
    for text in told:
        assert len(text.encode("utf-16-le")) // 2 <= limit
        assert text.rstrip("\n").split("\n")[-1] == "<!-- marker -->"
        tokens = MARKDOWN.parse(text)
        _check_blocks(tokens)
        for token in tokens:
            _check_inline(token.children or [])
    assert told[0].split("\n")[0] == render(message, marker=MARKER, limit=limit).split("\n")[0]
    for number, text in enumerate(told, start=1):
        assert len(told) == 1 or f"{number} of {len(told)}" in text


@settings(
    max_examples=60,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    deadline=None,
)
@given(st.data())
def test_what_stands_behind_them(stored: StorePlan, data: st.DataObject) -> None:
    """It keeps what no comment holds below the limit and balanced as well, and so it keeps what the
    tool said; together they hold no markup but ours."""
    message, limit = data.draw(messages(stored)), data.draw(LIMITS)
    text = behind(message, markers=(MARKER,) * 3, limit=limit)
    assert len(text.encode("utf-16-le")) // 2 <= limit
    found = data.draw(results(stored))
    logs = {result.plan.id: data.draw(HOSTILE) for result in found if result.plan}
    log = tool_log(found, logs, limit)
    assert len(log) <= limit
    tokens = MARKDOWN.parse(f"{text}\n\n{log}\n\n<!-- marker -->\n")
    _check_blocks(tokens)
    for token in tokens:
        _check_inline(token.children or [])


def _check_blocks(tokens: list[Token]) -> None:
    """The folds are balanced in HTML blocks that stand at the top, and the marker ends it."""
    html = [token for token in tokens if token.type == "html_block"]
    assert all(token.level == 0 for token in html)
    assert [OUR_HTML.sub("", _without_summary(token.content)).strip() for token in html] == [
        ""
    ] * len(html)
    assert sum(t.content.count("<details") for t in html) == sum(
        t.content.count("</details>") for t in html
    )
    assert tokens[-1].content.strip() == "<!-- marker -->"
    assert not [token for token in tokens if token.type == "code_block"]
    assert not [token for token in tokens if token.type == "lheading_open"]


def _without_summary(html: str) -> str:
    """The words of a fold's summary are ours: a number and a noun."""
    return re.sub(r"<summary>[\w ,]+</summary>", "", html)


def _check_inline(tokens: list[Token]) -> None:
    """Nothing but words, code, emphasis and our own tags; words in `<code>` are code too."""
    in_code = False
    for token in tokens:
        assert token.type not in ("image", "s_open"), token
        if token.type == "link_open":
            assert OUR_LINK.match(str(token.attrs["href"])), token
        if token.type == "html_inline":
            assert OUR_HTML.fullmatch(token.content)
            in_code = {"<code>": True, "</code>": False}.get(token.content, in_code)
        if token.type == "text" and not in_code:
            words = ALERT.sub("", MENTIONS.sub("", token.content))
            assert not LIVE.search(words), token.content
    assert not in_code


def _losing(address: str) -> PlanSummary:
    gone = ShownChange(address, Action.DELETE, ("no longer in the configuration",))
    return PlanSummary(Counts(delete=500, create=3), changes=(gone,) * 300, changes_left_out=203)


@pytest.mark.parametrize("limit", [SMALLEST_LIMIT, 3_000, GITHUB_LIMIT])
@pytest.mark.parametrize("projects", [1, 2, 400])
def test_it_never_drops_the_essentials(stored: StorePlan, limit: int, projects: int) -> None:
    """It keeps counts, the number of deletions, the next command and the marker."""
    made = [
        replace(stored("long/" * 40 + str(at), _losing("x.y" * 100)), hash=str(at))
        for at in range(projects)
    ]
    report = PlanReport(
        tuple(ProjectResult(plan.project, plan) for plan in made),
        Sha("1" * 40),
        Sha("2" * 40),
        apply_on_merge=True,
        may_apply=True,
    )
    text = render(report, marker=MARKER, limit=limit)
    assert f"{500 * projects:,} to delete, {3 * projects:,} to create" in text.split("\n")[0]
    assert "`prbot apply" in text
    assert "…" in text
    assert text.endswith("<!-- marker -->\n")


WORST = ["`" * 300, "@|<" * 900, "word " * 900]


@pytest.mark.parametrize("text", WORST)
def test_it_fits_at_the_worst(stored: StorePlan, text: str) -> None:
    """It fits the smallest limit with the longest marker, whatever is to be said."""
    login, project = Login("a" * 60), ProjectKey(text, text)
    trouble = Trouble(text, text, text)
    summary = PlanSummary(
        Counts(*range(10**6, 10**6 + 9)),
        drift=(Drifted(text, text, Verdict.CONFLICT, (ThreeValues(text, text, text, text),)),) * 9,
        renames=(Rename(text, text),) * 9,
        risk=Risk(Level.MEDIUM, (text,) * 9),
    )
    plan = stored(text, summary, workspace=text)
    results = (
        ProjectResult(project, plan, trouble, interrupted=True, differences=(text,) * 9),
        ProjectResult(project, plan, interrupted=True, differences=(text,) * 9),
    )
    reasons = (Reason(text, text, text),) * 9
    sha, marker = Sha("1" * 40), "m" * 160
    over = Overridden(text, (text,) * 9)
    gone = Gone(project, text, text, 10**6, text)
    left = tuple(Orphan(gone, fate, 10**6, (text,) * 9, trouble) for fate in Fate)
    messages: tuple[Message, ...] = (
        PlanReport(results, sha, sha, True, True, Login(text)),
        PlanReport(results[:1], sha, sha, True, True, Login(text)),
        PlanReport(results[1:], sha, sha, True, True, login),
        PlanReport((ProjectResult(project, plan),), sha, sha, True, True, login),
        PlanReport(results, sha, sha, True, True, login, orphans=left, moved=((project, project),)),
        PlanReport((), sha, sha, True, True, login, orphans=left[:1]),
        PlanReport(results, sha, sha, True, True, login, unapplied=((project, 7),) * 9),
        Settled((project,) * 9, 7),
        UnmergedIssue(7, (project,) * 9, (login,) * 20),
        UnmergedSettled(7, login),
        OverrideIssue(7, Login(text), over, (project,) * 9, (login,) * 20),
        OrphansAccepted(left, Login(text)),
        CheckSummary(results, left),
        OrphansLeft(left, (login,) * 20),
        ApplyReport(results, Login(text), True, overridden=over),
        HoldReport(results, text, (login,) * 20, text),
        Refusal(text, Login(text), reasons),
        Failure(text, trouble),
        Unlocked((project,) * 9, Login(text)),
        StateUnlocked((project,) * 9, Login(text)),
        *(_left(text, project, step, of_drift) for step in NextStep for of_drift in (False, True)),
        *(CorrectionReport(project, login, PlanId(text), p, trouble) for p in (False, True)),
        AppliedUnmerged((project,) * 9, (login,) * 20),
        Help(Login(text)),
        Hint(text),
    )
    for message in messages:
        assert len(render(message, marker=marker, limit=SMALLEST_LIMIT)) <= SMALLEST_LIMIT


def _left(text: str, project: ProjectKey, step: NextStep, of_drift: bool) -> Message:
    many = (Told(Moment.COMPLETE, text, text, text, "id", text),) * 9
    lock = StateLock(text, text, text, text, text)
    blind = Trouble(text, text, text) if step is NextStep.LOOK else None
    found, unsure = ((), many) if blind else (many, ())
    return InterruptedReport(
        project,
        PlanId(text),
        step,
        unrecorded=found,
        unsure=unsure,
        unknown=many,
        errored=many,
        done=many,
        not_begun=10**6,
        lock=None if blind else lock,
        lock_is_ours=True,
        running=step is NextStep.WAIT,
        blind=blind,
        of_drift=of_drift,
    )


def test_it_asks_the_holder_of_a_lock_it_does_not_know() -> None:
    """It tells whom to ask also when the lock itself was not seen."""
    report = InterruptedReport(ProjectKey("app"), None, NextStep.ASK)
    assert "whoever holds the lock" in render(report, marker="m")


@pytest.mark.parametrize("marker", ["a--b", "-->", "a\nb", "", "x" * 161, "a>b", "é"])
def test_it_refuses_a_marker_that_breaks_the_comment(marker: str) -> None:
    """It raises for a marker that an HTML comment cannot hold."""
    with pytest.raises(ValueError, match="marker"):
        render(NoProjects(1), marker=marker)


def test_it_refuses_a_limit_that_holds_nothing() -> None:
    """It raises below the smallest limit it promises to keep."""
    with pytest.raises(ValueError, match="1000"):
        render(NoProjects(1), marker=MARKER, limit=SMALLEST_LIMIT - 1)


def test_it_prints_nothing_that_was_not_neutralised() -> None:
    """It lets no template print a text that passed no filter."""
    with pytest.raises(TypeError, match="neutralised"):
        environment(GITHUB).from_string("{{ text }}").render(text="@all")
