"""What the webhooks say that the REST shapes do not: pushes, reviews, pings.

Checked against https://github.com/octokit/webhooks, whose schemas allow no other key.
"""

from __future__ import annotations

from prbot.demo.git import ABSENT, ChangedFile, CommitInfo, Person
from prbot.demo.hooks import Hook
from prbot.demo.pull_shapes import PullShapes
from prbot.demo.shapes import Json, stamp
from prbot.demo.state import Repository, Review, Status, User

PushedCommit = tuple[CommitInfo, tuple[ChangedFile, ...]]
COMMITS_IN_A_PUSH = 20
"""The newest ones; GitHub lists more (2,048), but nobody reads them here."""


def review_event(shapes: PullShapes, review: Review) -> Json:
    shape = shapes.review(review)
    return {
        "review": shape | {"state": review.state.lower(), "body": review.body or None},
        "pull_request": shapes.simple_pull(review.pull),
    }


def push_event(
    shapes: PullShapes,
    repo: Repository,
    branch: str,
    before: str,
    after: str,
    commits: tuple[PushedCommit, ...],
    forced: bool,
    pusher: User,
) -> Json:
    page = shapes.urls.page(repo.full_name)
    listed = [_pushed(page, *commit) for commit in commits]
    return {
        "ref": f"refs/heads/{branch}",
        "before": before,
        "after": after,
        "created": before == ABSENT,
        "deleted": after == ABSENT,
        "forced": forced,
        "base_ref": None,
        "compare": f"{page}/compare/{before[:12]}...{after[:12]}",
        "commits": listed,
        "head_commit": listed[-1] if listed else None,
        "pusher": {"name": pusher.login, "email": pusher.email},
    }


def _pushed(page: str, commit: CommitInfo, files: tuple[ChangedFile, ...]) -> Json:
    def paths(*statuses: str) -> list[str]:
        return [file.path for file in files if file.status in statuses]

    gone = [file.previous for file in files if file.previous]
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit.message,
        "timestamp": commit.committer.date,
        "url": f"{page}/commit/{commit.sha}",
        "author": _person(commit.author),
        "committer": _person(commit.committer),
        "added": paths("added", "renamed"),
        "removed": [*paths("removed"), *gone],
        "modified": paths("modified", "changed"),
    }


def _person(person: Person) -> Json:
    return {"name": person.name, "email": person.email, "date": person.date}


def status_event(shapes: PullShapes, repo: Repository, status: Status, commit: CommitInfo) -> Json:
    root = shapes.urls.repo(repo.full_name)
    heads = [name for name, sha in repo.branches.items() if sha == status.sha]
    return {
        "id": status.id,
        "sha": status.sha,
        "name": repo.full_name,
        "avatar_url": f"{shapes.urls.site}/avatars/{status.creator.login}",
        "target_url": status.target_url,
        "context": status.context,
        "description": status.description,
        "state": status.state,
        "commit": shapes.commit(repo, commit),
        "branches": [
            {
                "name": name,
                "commit": {"sha": status.sha, "url": f"{root}/commits/{status.sha}"},
                "protected": name in repo.protections,
            }
            for name in sorted(heads)[:10]
        ],
        "created_at": stamp(status.created_at),
        "updated_at": stamp(status.created_at),
    }


def ping_event(shapes: PullShapes, hook: Hook, repo: Repository | None, at: str) -> Json:
    owner = shapes.urls.repo(repo.full_name) if repo else shapes.urls.api
    root = f"{owner}/hooks/{hook.id}"
    return {
        "zen": "Design for failure.",
        "hook_id": hook.id,
        "hook": {
            "type": "Repository" if repo else "Organization",
            "id": hook.id,
            "name": "web",
            "active": True,
            "events": sorted(hook.events) if hook.events else ["*"],
            "config": {
                "content_type": "json",
                "insecure_ssl": "0",
                "url": hook.url,
                "secret": "********",
            },
            "updated_at": at,
            "created_at": at,
            "url": root,
            "ping_url": f"{root}/pings",
            "deliveries_url": f"{root}/deliveries",
        },
    }
