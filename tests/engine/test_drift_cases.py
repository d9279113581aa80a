"""The table of drift's hard cases: each is played, and what is found is what was expected."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from looks import Case, played, projects_of

from prbot.demo.state import Comment, Issue
from prbot.engine import drift_issues

ROWS: list[Mapping[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "drift_cases.yaml").read_text()
)
PLAYED = [(row, kind) for row in ROWS for kind in row.get("forges", ["github"])]


@pytest.mark.parametrize(
    ("row", "kind"), PLAYED, ids=[f"{row['case']}-{kind}" for row, kind in PLAYED]
)
async def test_case(
    row: Mapping[str, Any], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds, tells and leaves unsaid what the row says, look by look."""
    async with played(row, kind, tmp_path, monkeypatch) as case:
        left_over: set[str] = set()
        for number, look in enumerate(row["looks"], start=1):
            reached = await case.look(look)
            found = await differences(case, look, reached, left_over)
            assert found == [], f"look {number}:\n{shown(case)}"
            left_over = set(projects_of(row)) - reached
        assert list(unwanted(case)) == []


async def test_no_words_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: list[Any]
) -> None:
    """It ends a look whose finding cannot be put into words, and looks at the others; it is told
    once there are words."""
    row = {"projects": ["net", "web"], "drift": {"issues": True}, "parallel": 1}
    found = {"tool": {"net": "02"}}
    async with played(row, "github", tmp_path, monkeypatch) as case:
        with monkeypatch.context() as speechless:
            speechless.setattr(drift_issues, "drift_letter", lambda *_: {}["no words"])
            assert await case.look(found) == {"net", "web"}
        assert {each.run for each in await case.standings()} == {None}
        assert [line["event"] for line in logs].count("drift not told") == 1
        assert case.issues() == []
        await case.look(found)
        (issue,) = case.issues()
        assert "delay_seconds" in issue.body


async def differences(
    case: Case, look: Mapping[str, Any], reached: set[str], left_over: set[str]
) -> list[str]:
    """What is not as the look expects it."""
    found = [*await _standing(case, look), *_counted(case, look)]
    if len(reached) != look.get("reached", len(reached)):
        found.append(f"reached {sorted(reached)}")
    if look.get("first") == "left over" and not left_over <= reached:
        found.append(f"left over again: {sorted(left_over - reached)}")
    for wanted in look.get("issues", ()):
        alike = [issue for issue in case.issues() if matches(case, issue, wanted)]
        if len(alike) != wanted.get("count", 1):
            found.append(f"{len(alike)} issues are {wanted}")
    return found


async def _standing(case: Case, look: Mapping[str, Any]) -> Iterator[str]:
    standings = await case.standings()
    verdicts, found = look.get("verdicts", {}), []
    for each in standings:
        said = each.section.verdict.value if each.section else "none"
        if said != verdicts.get(each.project.dir, verdicts.get("rest", said)):
            found.append(f"{each.project} is {said}")
    held = {each.project.dir: each.held for each in standings if each.held}
    if held != look.get("held", held):
        found.append(f"held: {held}")
    skipped = (await case.watch()).skipped
    if "skipped" in look and (
        look["skipped"] not in skipped or bool(skipped) != bool(look["skipped"])
    ):
        found.append(f"skipped: {skipped}")
    return iter(found)


def _counted(case: Case, look: Mapping[str, Any]) -> Iterator[str]:
    for word, is_open in (("open", True), ("closed", False)):
        count = sum(issue.open is is_open for issue in case.issues())
        if count != look.get(word, count):
            yield f"{count} {word}"


def matches(case: Case, issue: Issue, wanted: Mapping[str, Any]) -> bool:
    comments = said_below(issue)
    return (
        fnmatch.fnmatchcase(issue.title, wanted["title"])
        and issue.open is wanted.get("open", issue.open)
        and len(comments) == wanted.get("comments", len(comments))
        and all(word in issue.body for word in wanted.get("says", ()))
        and not any(word in issue.body for word in wanted.get("not", ()))
        and wanted.get("comment", "") in (comments[-1].body if comments else "")
    )


def said_below(issue: Issue) -> list[Comment]:
    return [comment for comment in issue.comments if comment.user.login == "prbot"]


def unwanted(case: Case) -> Iterator[str]:
    """What was written, and should not have been: anything but issues of our own included."""
    repo = case.town.forge.repository("acme/infra")
    ours = [c for c in repo.comments.values() if c.user.login == "prbot"]
    texts = [issue.title + issue.body for issue in case.issues()] + [c.body for c in ours]
    for words in case.row.get("never", ()):
        yield from (f"{words!r} in {text}" for text in texts if words in text)
    yield from (f"a comment elsewhere: {c.body}" for c in ours if c.pull not in case.issues())
    yield from (f"a status: {status}" for status in repo.statuses)
    yield from (f"a check: {run}" for run in repo.check_runs.values())
    for issue in case.issues("mallory"):
        if any(word in issue.body for word in ("aws_ssm_parameter",)) or said_below(issue):
            yield f"written into somebody else's issue: {issue.body}"


def shown(case: Case) -> str:
    lines = (
        f"--- {issue.title} ({'open' if issue.open else 'closed'},"
        f" {len(said_below(issue))} comments)\n{issue.body[:1500]}"
        for issue in case.issues()[:6]
    )
    return "\n".join(lines)
