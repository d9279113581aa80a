"""Check runs: what an App says about a commit, with buttons that people press.

As on GitHub only an App makes them, an edit adds its annotations to those that stand, and
the newest of a name is what a branch's protection looks at:
https://docs.github.com/rest/guides/using-the-rest-api-to-interact-with-checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prbot.demo.check_rules import check_run_body
from prbot.demo.check_shapes import check_run_event, check_suite_event
from prbot.demo.rules import demand, not_found, unprocessable
from prbot.demo.state import App, CheckRun, Level, Repository
from prbot.demo.talk import Talk
from prbot.errors.demo import DemoForgeRefused


class Checks(Talk):
    async def create_check_run(
        self, repo: Repository, app: App, body: Mapping[str, Any]
    ) -> CheckRun:
        """`body` as REST takes it; `name` and `head_sha` are needed."""
        name, sha = body.get("name"), body.get("head_sha")
        if not isinstance(name, str) or not name or not isinstance(sha, str):
            raise unprocessable("name and head_sha are required")
        check_run_body(body)
        if await repo.git.resolve(sha) != sha:
            raise DemoForgeRefused(422, f"No commit found for SHA: {sha}")
        suite = next((c.suite for c in repo.checks_of(sha) if c.app is app), None)
        run = CheckRun(self.next_id(), name, sha, app, suite or self.next_id(), self.now())
        repo.check_runs[run.id] = run
        self._write(run, body)
        self._tell_check("created", repo, run)
        return run

    async def update_check_run(
        self, repo: Repository, run: CheckRun, app: App, body: Mapping[str, Any]
    ) -> CheckRun:
        if run.app is not app:
            raise DemoForgeRefused(
                403, "Invalid app_id - check run can only be modified by its App"
            )
        check_run_body(body)
        self._write(run, body)
        self._tell_check("completed" if run.conclusion else "created", repo, run)
        return run

    def _write(self, run: CheckRun, body: Mapping[str, Any]) -> None:
        run.external_id = body.get("external_id", run.external_id)
        run.conclusion = body.get("conclusion")
        run.status = "completed" if run.conclusion else body.get("status", run.status)
        run.completed_at = self.now() if run.conclusion else None
        output = body.get("output") or {}
        run.title, run.summary = output.get("title", run.title), output.get("summary", run.summary)
        run.text = output.get("text", run.text)
        run.annotations += output.get("annotations", [])
        run.actions = body.get("actions", [])

    async def press(self, repo: Repository, run: CheckRun, by: str, identifier: str) -> None:
        """Press a button of a check; `rerequest` is the forge's own "Re-run"."""
        demand(repo, by, Level.READ)
        known = {action["identifier"] for action in run.actions} if run.conclusion else set()
        if identifier == "rerequest":
            demand(repo, by, Level.WRITE)  # GitHub shows that one to writers only
            self._tell_check("rerequested", repo, run, by)
        elif identifier in known:
            asked = {"requested_action": {"identifier": identifier}}
            self._tell_check("requested_action", repo, run, by, asked)
        else:
            raise not_found()

    async def rerequest_suite(self, repo: Repository, run: CheckRun, by: str) -> None:
        """Press "Re-run all checks" of the App that made this one."""
        demand(repo, by, Level.WRITE)
        commit = await repo.git.commit(run.sha)
        payload = check_suite_event(self.shapes, repo, run, commit)
        self.notify("check_suite", repo, self.user(by), {"action": "rerequested", **payload})

    def check_run(self, repo: Repository, number: int) -> CheckRun:
        if run := repo.check_runs.get(number):
            return run
        raise not_found()

    def _tell_check(
        self,
        action: str,
        repo: Repository,
        run: CheckRun,
        by: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        payload = {"action": action, **check_run_event(self.shapes, repo, run), **(more or {})}
        self.notify("check_run", repo, self.user(by) if by else run.app.bot, payload)
