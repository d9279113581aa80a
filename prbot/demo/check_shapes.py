"""Check runs as GitHub's JSON, for REST and for webhooks."""

from __future__ import annotations

from prbot.demo.git import CommitInfo
from prbot.demo.pull_shapes import PullShapes
from prbot.demo.shapes import Json, node_id, stamp
from prbot.demo.state import CheckRun, Pull, Repository


def check_run(shapes: PullShapes, repo: Repository, run: CheckRun) -> Json:
    """As REST tells it."""
    root, page = shapes.urls.repo(repo.full_name), shapes.urls.page(repo.full_name)
    own = f"{root}/check-runs/{run.id}"
    return {
        "id": run.id,
        "node_id": node_id("CheckRun", run.id),
        "name": run.name,
        "head_sha": run.sha,
        "external_id": run.external_id,
        "url": own,
        "html_url": f"{page}/runs/{run.id}",
        "details_url": f"{page}/runs/{run.id}",
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started_at),
        "completed_at": stamp(run.completed_at),
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": run.text,
            "annotations_count": len(run.annotations),
            "annotations_url": f"{own}/annotations",
        },
        "check_suite": {"id": run.suite},
        "app": shapes.app(run.app),
        "pull_requests": _pulls(shapes, repo, run),
    }


def check_run_event(shapes: PullShapes, repo: Repository, run: CheckRun) -> Json:
    suite = _suite(shapes, repo, run)
    shape = check_run(shapes, repo, run)
    return {"check_run": shape | {"external_id": run.external_id or "", "check_suite": suite}}


def check_suite_event(
    shapes: PullShapes, repo: Repository, run: CheckRun, commit: CommitInfo
) -> Json:
    suite = _suite(shapes, repo, run)
    people = {"author": commit.author, "committer": commit.committer}
    return {
        "check_suite": suite
        | {
            "node_id": node_id("CheckSuite", run.suite),
            "latest_check_runs_count": len(repo.checks_of(run.sha)),
            "check_runs_url": f"{suite['url']}/check-runs",
            "head_commit": {
                "id": commit.sha,
                "tree_id": commit.tree,
                "message": commit.message,
                "timestamp": commit.committer.date,
                **{key: {"name": p.name, "email": p.email} for key, p in people.items()},
            },
        }
    }


def _suite(shapes: PullShapes, repo: Repository, run: CheckRun) -> Json:
    pulls = _pulls(shapes, repo, run)
    return {
        "id": run.suite,
        "node_id": node_id("CheckSuite", run.suite),
        "head_branch": pulls[0]["head"]["ref"] if pulls else None,
        "head_sha": run.sha,
        "status": run.status,
        "conclusion": run.conclusion,
        "url": f"{shapes.urls.repo(repo.full_name)}/check-suites/{run.suite}",
        "before": None,
        "after": run.sha,
        "pull_requests": pulls,
        "app": shapes.app(run.app),
        "created_at": stamp(run.started_at),
        "updated_at": stamp(run.completed_at or run.started_at),
    }


def _pulls(shapes: PullShapes, repo: Repository, run: CheckRun) -> list[Json]:
    """The open ones from this repository at the commit; none of a fork, as on GitHub."""
    mine = (p for p in repo.pulls.values() if p.open and p.head_repo is repo)
    return [_pull(shapes, pull) for pull in mine if pull.head_sha == run.sha]


def _pull(shapes: PullShapes, pull: Pull) -> Json:
    root = shapes.urls.repo(pull.repo.full_name)
    repo = {"id": pull.repo.id, "url": root, "name": pull.repo.name}
    return {
        "url": f"{root}/pulls/{pull.number}",
        "id": pull.id,
        "number": pull.number,
        "head": {"ref": pull.head_branch, "sha": pull.head_sha, "repo": repo},
        "base": {"ref": pull.base_branch, "sha": pull.base_sha, "repo": repo},
    }
