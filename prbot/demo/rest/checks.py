"""Check runs: only Apps write them."""

from __future__ import annotations

from prbot.demo import check_shapes
from prbot.demo.rest.call import Answer, Call
from prbot.demo.rest.commits import commit_of
from prbot.demo.state import App, CheckRun
from prbot.errors.demo import DemoForgeRefused


async def create(call: Call) -> Answer:
    run = await call.forge.create_check_run(call.repo, _app(call), call.body)
    return Answer(_shape(call, run), 201)


async def update(call: Call) -> Answer:
    run = await call.forge.update_check_run(call.repo, _run(call), _app(call), call.body)
    return Answer(_shape(call, run))


async def read(call: Call) -> Answer:
    return Answer(_shape(call, _run(call)))


async def of_commit(call: Call) -> Answer:
    """Filtered by `check_name` and `app_id`; `filter=latest` keeps the newest of each name."""
    sha, app = await commit_of(call), call.query.get("app_id")
    found = call.repo.checks_of(sha)
    found = [run for run in found if call.query.get("check_name", run.name) == run.name]
    found = [run for run in found if app is None or str(run.app.id) == app]
    if call.query.get("filter", "latest") == "latest":
        found = list({(run.app.id, run.name): run for run in found}.values())
    shapes = [_shape(call, run) for run in reversed(found)]
    return Answer({"total_count": len(shapes), "check_runs": shapes}, listed="check_runs")


def _shape(call: Call, run: CheckRun) -> dict[str, object]:
    return check_shapes.check_run(call.forge.shapes, call.repo, run)


def _run(call: Call) -> CheckRun:
    return call.forge.check_run(call.repo, call.number(call.path["check_run_id"]))


def _app(call: Call) -> App:
    token = call.caller.token
    installed = token and token.installation and call.forge.installations.get(token.installation)
    if not installed:
        raise DemoForgeRefused(403, "You must authenticate via a GitHub App.")
    return installed.app
