"""Records as GitLab's JSON: accounts, projects, members, statuses, branches, commits.

Shapes: https://docs.gitlab.com/api/projects/, https://docs.gitlab.com/api/project_members/,
https://docs.gitlab.com/api/commits/. Merge requests stand in merge_shapes.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prbot.demo.git import CommitInfo
from prbot.demo.state import Level, Repository, Status, User
from prbot.demo.urls import Urls

Json = dict[str, Any]

ACCESS = {Level.NONE: 0, Level.READ: 20, Level.WRITE: 30, Level.ADMIN: 40}
"""Reporter, Developer, Maintainer: https://docs.gitlab.com/api/members/#roles"""
PIPELINES = 1000
"""A project's pipelines are numbered from its id times this."""
STATUS_WORDS = {"failure": "failed", "error": "canceled"}
"""GitLab's words where they differ from the records'."""

SIMPLE = (
    *("id", "description", "name", "name_with_namespace", "path", "path_with_namespace"),
    *("created_at", "default_branch", "tag_list", "topics", "ssh_url_to_repo"),
    *("http_url_to_repo", "web_url", "readme_url", "forks_count", "avatar_url", "star_count"),
    *("last_activity_at", "namespace", "visibility"),
)
"""https://docs.gitlab.com/api/projects/#list-all-projects, `simple`."""


def stamp(at: datetime | None) -> str | None:
    """GitLab's time: UTC, milliseconds."""
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Shapes:
    def __init__(self, urls: Urls) -> None:
        self.urls = urls

    def user(self, user: User) -> Json:
        return {
            "id": user.id,
            "username": user.login,
            "public_email": "",
            "name": user.login.capitalize(),
            "state": "active",
            "locked": False,
            "avatar_url": f"{self.urls.site}/avatars/{user.login}",
            "web_url": f"{self.urls.site}/{user.login}",
        }

    def current_user(self, user: User) -> Json:
        """What `GET /user` adds about the caller."""
        empty = ("bio", "location", "linkedin", "twitter", "discord", "website_url", "github")
        return (
            self.user(user)
            | dict.fromkeys(empty, "")
            | {
                "created_at": stamp(user.created_at),
                "email": user.email,
                "bot": user.kind == "Bot",
                "external": False,
                "private_profile": False,
                "two_factor_enabled": True,
                "can_create_group": False,
                "can_create_project": False,
            }
        )

    def account(self, user: User) -> Json:
        """An account as anybody sees it."""
        told = {"created_at": stamp(user.created_at), "bot": user.kind == "Bot", "pronouns": None}
        return self.user(user) | told | {"bio": "", "location": "", "job_title": ""}

    def member(self, user: User, level: Level) -> Json:
        return self.user(user) | {
            "access_level": ACCESS[level],
            "created_at": stamp(user.created_at),
            "expires_at": None,
            "membership_state": "active",
        }

    def namespace(self, repo: Repository) -> Json:
        path = repo.owner.login
        return {
            "id": repo.owner.id,
            "name": path.rpartition("/")[2],
            "path": path.rpartition("/")[2],
            "kind": "user" if repo.owner.kind == "User" else "group",
            "full_path": path,
            "parent_id": None,
            "avatar_url": None,
            "web_url": f"{self.urls.site}/{path}",
        }

    def simple_project(self, repo: Repository) -> Json:
        """What a list that was asked for with `simple` holds."""
        every = self.project(repo, Level.READ)
        return {key: every[key] for key in SIMPLE}

    def project(self, repo: Repository, level: Level) -> Json:
        page, name = self.urls.page(repo.full_name), repo.full_name
        root = f"{self.urls.api}/projects/{repo.id}"
        links = {"self": root, "issues": f"{root}/issues", "members": f"{root}/members"}
        access = {"access_level": ACCESS[level], "notification_level": 3} if level else None
        return {
            "id": repo.id,
            "description": None,
            "name": repo.name,
            "name_with_namespace": name.replace("/", " / "),
            "path": repo.name,
            "path_with_namespace": name,
            "created_at": stamp(repo.created_at),
            "default_branch": repo.default_branch,
            "tag_list": [],
            "topics": [],
            "ssh_url_to_repo": f"git@forge.invalid:{name}.git",
            "http_url_to_repo": self.urls.clone(name),
            "web_url": page,
            "readme_url": None,
            "forks_count": 0,
            "avatar_url": None,
            "star_count": 0,
            "last_activity_at": stamp(repo.pushed_at or repo.created_at),
            "namespace": self.namespace(repo),
            "_links": links,
            "visibility": "private" if repo.private else "public",
            "archived": repo.archived,
            "empty_repo": not repo.branches,
            "issues_enabled": True,
            "merge_requests_enabled": True,
            "merge_method": "merge",
            "only_allow_merge_if_pipeline_succeeds": any(
                protection.required_checks for protection in repo.protections.values()
            ),
            "only_allow_merge_if_all_status_checks_passed": bool(repo.external_checks),
            "merge_trains_enabled": repo.merge_trains,
            "creator_id": repo.owner.id,
            "import_status": "none",
            "open_issues_count": sum(issue.open for issue in repo.issues.values()),
            "permissions": {"project_access": access, "group_access": None},
            **({"forked_from_project": {"id": repo.parent.id}} if repo.parent else {}),
        }

    def status(self, repo: Repository, status: Status) -> Json:
        heads = sorted(name for name, sha in repo.branches.items() if sha == status.sha)
        ended = status.state not in ("pending", "running")
        return {
            "id": status.id,
            "sha": status.sha,
            "ref": heads[0] if heads else "",
            "status": STATUS_WORDS.get(status.state, status.state),
            "name": status.context,
            "target_url": status.target_url,
            "description": status.description,
            "created_at": stamp(status.created_at),
            "started_at": None,
            "finished_at": stamp(status.created_at) if ended else None,
            "allow_failure": False,
            "coverage": None,
            "pipeline_id": repo.id * PIPELINES + status.pipeline,
            "author": self.user(status.creator),
        }

    def commit(self, repo: Repository, commit: CommitInfo) -> Json:
        page = f"{self.urls.page(repo.full_name)}/-/commit/{commit.sha}"
        return {
            "id": commit.sha,
            "short_id": commit.sha[:8],
            "created_at": commit.committer.date,
            "parent_ids": list(commit.parents),
            "title": commit.message.partition("\n")[0],
            "message": commit.message,
            "author_name": commit.author.name,
            "author_email": commit.author.email,
            "authored_date": commit.author.date,
            "committer_name": commit.committer.name,
            "committer_email": commit.committer.email,
            "committed_date": commit.committer.date,
            "trailers": {},
            "extended_trailers": {},
            "web_url": page,
        }

    def branch(self, repo: Repository, name: str, commit: CommitInfo) -> Json:
        guarded = name in repo.protections
        return {
            "name": name,
            "merged": False,
            "protected": guarded,
            "default": name == repo.default_branch,
            "developers_can_push": not guarded,
            "developers_can_merge": True,
            "can_push": True,
            "web_url": f"{self.urls.page(repo.full_name)}/-/tree/{name}",
            "commit": self.commit(repo, commit),
        }
