"""Check runs on GitHub: what an App shows of a commit, with notes and buttons.

A check run that has not ended is edited; one that has ended is left as it is, and what comes
after it is a new one: an edit would add its notes to those that stand there. Which one stands
is asked each time, so that a call whose answer was lost is not carried out twice.
Wire facts: https://docs.github.com/en/rest/checks/runs
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, TypeAdapter

from prbot.adapters.github_limits import Request
from prbot.adapters.github_wire import Wire
from prbot.model import RepoRef, Sha
from prbot.ports.forge import CheckReport, StatusState

SUMMARY_LIMIT, TITLE_LIMIT = 65_535, 255


class _App(BaseModel):
    id: int


class CheckRun(BaseModel):
    """What is read of a check run."""

    id: int
    status: str
    external_id: str | None = None
    app: _App | None = None

    @property
    def ended(self) -> bool:
        return self.status == "completed"


def _check_runs(answer: Any) -> Any:
    """The list inside `{"total_count": …, "check_runs": […]}`."""
    if not isinstance(answer, dict):
        raise ValueError("not an object")
    return answer.get("check_runs")


CHECK_RUNS: TypeAdapter[list[CheckRun]] = TypeAdapter(
    Annotated[list[CheckRun], BeforeValidator(_check_runs)]
)


def place_for(standing: Sequence[CheckRun], external_id: str) -> CheckRun | None:
    """The check run to write to: the newest, if it shows this already or has not ended;
    None when a new one is to be made. `standing` are ours of one name and commit."""
    newest = max(standing, key=lambda run: run.id, default=None)
    if newest is None or (newest.ended and newest.external_id != external_id):
        return None
    return newest


@dataclass(frozen=True)
class Checks:
    """`app` is our App's id."""

    wire: Wire
    app: int

    async def show(
        self,
        repo: RepoRef,
        sha: Sha,
        name: str,
        state: StatusState,
        line: str,
        report: CheckReport | None,
    ) -> None:
        """Two requests; one when it stands there already, or is to be taken back and does
        not stand there."""
        body = _body(name, state, line, report)
        ours = await self._standing(repo, sha, name)
        if state is StatusState.NEUTRAL and not ours:
            return
        standing = place_for(ours, body["external_id"])
        if standing is not None and standing.external_id == body["external_id"]:
            return
        path, what = f"/repos/{quote(repo.path)}/check-runs", f"check {name} of {repo}"
        if standing is None:
            new = {**body, "head_sha": sha}
            request = Request("set", f"{what} at {sha[:7]}", "POST", path, repo.path, body=new)
        else:
            path = f"{path}/{standing.id}"
            request = Request("set", f"{what} at {sha[:7]}", "PATCH", path, repo.path, body=body)
        await self.wire.ask(request)

    async def _standing(self, repo: RepoRef, sha: Sha, name: str) -> list[CheckRun]:
        path = f"/repos/{quote(repo.path)}/commits/{sha}/check-runs"
        asked = {"check_name": name, "app_id": self.app, "filter": "all"}
        what = f"check {name} of {repo} at {sha[:7]}"
        request = Request("read", what, "GET", path, repo.path, parameters=asked)
        pages = self.wire.pages(request, CHECK_RUNS)
        found = [run async for page in pages for run in page]
        return [run for run in found if run.app is not None and run.app.id == self.app]


def _body(name: str, state: StatusState, line: str, report: CheckReport | None) -> dict[str, Any]:
    ended = state is not StatusState.PENDING
    body = {
        "name": name,
        "output": {
            "title": line[:TITLE_LIMIT] or name,
            "summary": (report.summary if report else line)[:SUMMARY_LIMIT] or name,
            "annotations": [
                {
                    "path": note.path,
                    "start_line": note.line,
                    "end_line": note.last_line,
                    "annotation_level": "failure" if note.fatal else "warning",
                    "title": note.title,
                    "message": note.message,
                }
                for note in (report.notes if report else ())
            ],
            **({"text": report.text[:SUMMARY_LIMIT]} if report and report.text else {}),
        },
        "actions": [
            {"label": one.label, "identifier": one.id, "description": one.description}
            for one in (report.buttons if report else ())
        ],
        **({"conclusion": state.value} if ended else {"status": "in_progress"}),
    }
    digest = hashlib.sha256(repr(sorted(body.items())).encode("utf-8", "replace")).hexdigest()
    return {**body, "external_id": f"{report.mark if report else ''}-{digest[:32]}"}
