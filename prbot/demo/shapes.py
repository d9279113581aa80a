"""Records as GitHub's JSON, first half: accounts, repositories, commits, statuses.

The shapes are those of the `components` in https://github.com/octokit/openapi. One
shape serves REST and webhooks wherever both descriptions allow it; what only REST
knows is added by the method whose name says so.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from prbot.demo.git import ChangedFile, CommitInfo, Person
from prbot.demo.state import (
    App,
    CheckRun,
    Installation,
    Level,
    Protection,
    Reaction,
    Repository,
    Status,
    User,
)
from prbot.demo.urls import Urls

Json = dict[str, Any]
EVENTS = (
    "check_run",
    "check_suite",
    "issue_comment",
    "issues",
    "pull_request",
    "pull_request_review",
    "push",
)
"""What Apps here subscribe to."""


def stamp(at: datetime | None) -> str | None:
    """GitHub's time: UTC, whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def node_id(kind: str, number: int) -> str:
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


class Shapes:
    """`account_of` knows whose e-mail address it is; None for nobody's."""

    def __init__(self, urls: Urls, account_of: Callable[[str], User | None]) -> None:
        self.urls = urls
        self._account_of = account_of

    def user(self, user: User) -> Json:
        return self.urls.user_links(user.login) | {
            "login": user.login,
            "id": user.id,
            "node_id": node_id("User", user.id),
            "avatar_url": f"{self.urls.site}/avatars/{user.login}",
            "gravatar_id": "",
            "html_url": f"{self.urls.site}/{user.login}",
            "type": user.kind,
            "site_admin": False,
        }

    def private_user(self, user: User) -> Json:
        """What `GET /user` adds about the caller."""
        unknown = ("name", "company", "blog", "location", "email", "hireable", "bio")
        counts = ("public_repos", "public_gists", "followers", "following", "private_gists")
        more = ("total_private_repos", "owned_private_repos", "disk_usage", "collaborators")
        return (
            self.user(user)
            | dict.fromkeys(unknown)
            | dict.fromkeys((*counts, *more), 0)
            | {
                "created_at": stamp(user.created_at),
                "updated_at": stamp(user.created_at),
                "two_factor_authentication": True,
            }
        )

    def collaborator(self, repo: Repository, user: User) -> Json:
        """The answer to `GET /repos/{o}/{r}/collaborators/{login}/permission`."""
        level = repo.level(user.login)
        person = self.user(user) | {"role_name": level.word, "permissions": _rights(level)}
        return {"permission": level.word, "role_name": level.word, "user": person}

    def repository(self, repo: Repository) -> Json:
        open_pulls = sum(pull.open for pull in repo.pulls.values())
        zero = ("size", "stargazers_count", "watchers_count", "forks_count", "forks", "watchers")
        absent = ("description", "homepage", "language", "mirror_url", "license")
        features = ("has_projects", "has_downloads", "has_wiki", "has_pages", "has_discussions")
        flags = ("disabled", "is_template", "web_commit_signoff_required")
        return (
            self.urls.repository_links(repo.full_name)
            | dict.fromkeys(zero, 0)
            | dict.fromkeys(absent)
            | dict.fromkeys((*features, *flags), False)
            | {
                "archived": repo.archived,
                "id": repo.id,
                "node_id": node_id("Repository", repo.id),
                "name": repo.name,
                "full_name": repo.full_name,
                "owner": self.user(repo.owner),
                "private": repo.private,
                "visibility": "private" if repo.private else "public",
                "fork": repo.parent is not None,
                "created_at": stamp(repo.created_at),
                "updated_at": stamp(repo.pushed_at or repo.created_at),
                "pushed_at": stamp(repo.pushed_at),
                "has_issues": True,
                "open_issues": open_pulls,
                "open_issues_count": open_pulls,
                "topics": [],
                "default_branch": repo.default_branch,
                "custom_properties": {},
            }
        )

    def own_repository(self, repo: Repository, caller: Level) -> Json:
        """As a list of the caller's repositories shows it."""
        return self.repository(repo) | {"permissions": _rights(caller)}

    def full_repository(self, repo: Repository, caller: Level) -> Json:
        parent = repo.parent and self.repository(repo.parent)
        return (
            self.repository(repo)
            | {"network_count": 0, "subscribers_count": 0, "permissions": _rights(caller)}
            | ({"parent": parent, "source": parent} if parent else {})
        )

    def app(self, app: App) -> Json:
        return {
            "id": app.id,
            "slug": app.slug,
            "node_id": node_id("App", app.id),
            "owner": self.user(app.owner),
            "name": app.slug,
            "description": "",
            "external_url": self.urls.site,
            "html_url": f"{self.urls.site}/apps/{app.slug}",
            "created_at": stamp(app.created_at),
            "updated_at": stamp(app.created_at),
            "permissions": dict(app.permissions),
            "events": list(EVENTS),
        }

    def installation(self, installation: Installation) -> Json:
        root = f"{self.urls.api}/app/installations/{installation.id}"
        return {
            "id": installation.id,
            "account": self.user(installation.account),
            "access_tokens_url": f"{root}/access_tokens",
            "repositories_url": f"{self.urls.api}/installation/repositories",
            "html_url": f"{self.urls.site}/settings/installations/{installation.id}",
            "app_id": installation.app.id,
            "app_slug": installation.app.slug,
            "target_id": installation.account.id,
            "target_type": installation.account.kind,
            "permissions": dict(installation.app.permissions),
            "events": list(EVENTS),
            "single_file_name": None,
            "repository_selection": "selected",
            "created_at": stamp(installation.created_at),
            "updated_at": stamp(installation.created_at),
            "suspended_by": None,
            "suspended_at": None,
        }

    def listed_installation(self, installation: Installation) -> Json:
        """In a list GitHub's description wants an enterprise's fields beside a user's."""
        owner = installation.account
        at = stamp(owner.created_at)
        more = {"name": owner.login, "slug": owner.login, "created_at": at, "updated_at": at}
        return self.installation(installation) | {"account": self.user(owner) | more}

    def commit(self, repo: Repository, commit: CommitInfo) -> Json:
        root = self.urls.repo(repo.full_name)
        page = self.urls.page(repo.full_name)
        return {
            "sha": commit.sha,
            "node_id": node_id("Commit", repo.id) + commit.sha,
            "url": f"{root}/commits/{commit.sha}",
            "html_url": f"{page}/commit/{commit.sha}",
            "comments_url": f"{root}/commits/{commit.sha}/comments",
            "author": None,
            "committer": None,
            "commit": {
                "url": f"{root}/git/commits/{commit.sha}",
                "message": commit.message,
                "author": _signature(commit.author),
                "committer": _signature(commit.committer),
                "tree": {"sha": commit.tree, "url": f"{root}/git/trees/{commit.tree}"},
                "comment_count": 0,
                "verification": {
                    "verified": False,
                    "reason": "unsigned",
                    "signature": None,
                    "payload": None,
                },
            },
            "parents": [
                {
                    "sha": sha,
                    "url": f"{root}/commits/{sha}",
                    "html_url": f"{page}/commit/{sha}",
                }
                for sha in commit.parents
            ],
        }

    def verified_commit(self, repo: Repository, commit: CommitInfo) -> Json:
        """REST's commit: its verification also has a time, and it tells accounts."""
        shape = self.commit(repo, commit)
        for role, person in (("author", commit.author), ("committer", commit.committer)):
            account = self._account_of(person.email)
            shape[role] = self.user(account) if account else None
        shape["commit"]["verification"]["verified_at"] = None
        return shape

    def changed_file(self, repo: Repository, head: str, file: ChangedFile) -> Json:
        page, root = self.urls.page(repo.full_name), self.urls.repo(repo.full_name)
        return {
            "sha": file.blob,
            "filename": file.path,
            "status": file.status,
            "additions": file.additions,
            "deletions": file.deletions,
            "changes": file.additions + file.deletions,
            "blob_url": f"{page}/blob/{head}/{file.path}",
            "raw_url": f"{page}/raw/{head}/{file.path}",
            "contents_url": f"{root}/contents/{file.path}?ref={head}",
            **({} if file.patch is None else {"patch": file.patch}),
            **({} if file.previous is None else {"previous_filename": file.previous}),
        }

    def plain_status(self, repo: Repository, status: Status) -> Json:
        """A status without its creator, as the combined status lists it."""
        return {
            "url": f"{self.urls.repo(repo.full_name)}/statuses/{status.sha}",
            "avatar_url": f"{self.urls.site}/avatars/{status.creator.login}",
            "id": status.id,
            "node_id": node_id("StatusContext", status.id),
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": stamp(status.created_at),
            "updated_at": stamp(status.created_at),
        }

    def status(self, repo: Repository, status: Status) -> Json:
        return self.plain_status(repo, status) | {"creator": self.user(status.creator)}

    def combined_status(self, repo: Repository, sha: str) -> Json:
        latest = repo.latest_statuses(sha)
        root = self.urls.repo(repo.full_name)
        return {
            "state": combined_state(latest),
            "statuses": [self.plain_status(repo, status) for status in latest],
            "sha": sha,
            "total_count": len(latest),
            "repository": self.repository(repo),
            "commit_url": f"{root}/commits/{sha}",
            "url": f"{root}/commits/{sha}/status",
        }

    def branch(self, repo: Repository, name: str, commit: CommitInfo) -> Json:
        root = f"{self.urls.repo(repo.full_name)}/branches/{name}"
        protection = repo.protections.get(name)
        return {
            "name": name,
            "commit": self.verified_commit(repo, commit),
            "_links": {"self": root, "html": f"{self.urls.page(repo.full_name)}/tree/{name}"},
            "protected": protection is not None,
            "protection": _protection(protection),
            "protection_url": f"{root}/protection",
        }

    def ref(self, repo: Repository, name: str, sha: str) -> Json:
        root = f"{self.urls.repo(repo.full_name)}/git"
        commit = {"type": "commit", "sha": sha, "url": f"{root}/commits/{sha}"}
        node = node_id("Ref", repo.id)
        return {"ref": name, "node_id": node, "url": f"{root}/{name}", "object": commit}

    def required_checks(self, repo: Repository, contexts: Sequence[str]) -> Json:
        """A rule of a ruleset."""
        return {
            "type": "required_status_checks",
            "parameters": {
                "required_status_checks": [{"context": context} for context in contexts],
                "strict_required_status_checks_policy": False,
            },
            "ruleset_source_type": "Repository",
            "ruleset_source": repo.full_name,
            "ruleset_id": repo.id,
        }

    def reaction(self, reaction: Reaction) -> Json:
        return {
            "id": reaction.id,
            "node_id": node_id("Reaction", reaction.id),
            "user": self.user(reaction.user),
            "content": reaction.content,
            "created_at": stamp(reaction.created_at),
        }


def combined_state(statuses: Sequence[Status | CheckRun]) -> str:
    """GitHub's rule: failure if any fails, pending if none or any is pending."""
    states = {status.state for status in statuses}
    if states & {"failure", "error"}:
        return "failure"
    return "pending" if not states or "pending" in states else "success"


def _signature(person: Person) -> Json:
    return {"name": person.name, "email": person.email, "date": person.date}


def _rights(level: Level) -> Json:
    return {
        "admin": level >= Level.ADMIN,
        "maintain": level >= Level.ADMIN,
        "push": level >= Level.WRITE,
        "triage": level >= Level.WRITE,
        "pull": level >= Level.READ,
    }


def _protection(protection: Protection | None) -> Json:
    contexts = list(protection.required_checks) if protection else []
    return {
        "enabled": protection is not None,
        "required_status_checks": {
            "enforcement_level": "non_admins" if contexts else "off",
            "contexts": contexts,
            "checks": [{"context": context, "app_id": None} for context in contexts],
        },
    }
