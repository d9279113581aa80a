"""GitLab's webhooks: merge requests, notes, pushes; what the whole forge calls news.

Payloads: https://docs.gitlab.com/user/project/integrations/webhook_events/. Statuses set from
outside are told as the pipeline they make up, once that has ended. Nothing is sent when a
hook is added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prbot.demo.git import ABSENT, ChangedFile, CommitInfo
from prbot.demo.gitlab.merge_shapes import (
    MergeShapes,
    merge_commit,
    merge_status,
    noteable,
    reviewers,
    state_of,
    title_of,
    train_pipeline,
)
from prbot.demo.gitlab.shapes import PIPELINES, Json, stamp
from prbot.demo.hooks import Hook
from prbot.demo.payloads import PushedCommit
from prbot.demo.state import Comment, Issue, Pull, Repository, Review, Status, User

if TYPE_CHECKING:
    from prbot.demo.world import World

ACTIONS = {"opened": "open", "reopened": "reopen", "closed": "close"}
ISSUE_ACTIONS = {"opened": "open", "reopened": "reopen", "closed": "close", "edited": "update"}


class GitLabNews:
    """Meets `News`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._shapes = MergeShapes(world.urls)

    def pull(self, action: str, pull: Pull, by: User, **more: object) -> None:
        word = "merge" if pull.merged else ACTIONS.get(action, "update")
        attributes: Json = {"action": word}
        if action == "synchronize":
            attributes["oldrev"] = more["before"]
        self._merge_request(pull, by, attributes, _changes(action, pull, more))

    def review(self, action: str, review: Review, by: User) -> None:
        """A request for changes shows as an update of the reviewers."""
        if review.state == "COMMENTED":
            return
        word = {"APPROVED": "approved", "DISMISSED": "unapproved"}.get(review.state, "update")
        attributes: Json = {"action": word}
        if review.state == "DISMISSED" and by is not review.user:
            attributes |= {"system": True, "system_action": "approvals_reset_on_push"}
        self._merge_request(review.pull, by, attributes, {})

    def comment(self, action: str, comment: Comment, by: User, before: str | None) -> None:
        if action == "deleted":
            return
        repo, about = comment.pull.repo, comment.pull
        payload = self._about(repo, by) | {
            "object_kind": "note",
            "event_type": "confidential_note" if comment.internal else "note",
            "object_attributes": self._note(comment, action),
            **self._noted(about),
        }
        self._send("Confidential Note Hook" if comment.internal else "Note Hook", payload, repo)

    def _noted(self, about: Pull | Issue) -> Json:
        """What the note is about."""
        if isinstance(about, Pull):
            return {"merge_request": self._attributes(about)}
        return {"issue": self._issue_attributes(about)}

    def _issue_attributes(self, issue: Issue) -> Json:
        page = self._world.urls.issue_page(issue.repo.full_name, issue.number)
        return self._shapes.issue(issue) | {
            "url": page,
            "author_id": issue.author.id,
            "assignee_id": None,
            "assignee_ids": [],
            "milestone_id": None,
            "labels": [],
        }

    def issue(self, action: str, issue: Issue, by: User, **more: object) -> None:
        shape = self._issue_attributes(issue) | {"action": ISSUE_ACTIONS[action]}
        payload = self._about(issue.repo, by) | {
            "object_kind": "issue",
            "event_type": "issue",
            "object_attributes": shape,
            "labels": [],
            "changes": {},
        }
        self._send("Issue Hook", payload, issue.repo)

    def status(self, repo: Repository, status: Status, commit: CommitInfo) -> None:
        if any(pull.train == status.sha for pull in repo.pulls.values()):
            return  # a job of the train's pipeline, which is told by itself
        latest = [one.state for one in repo.latest_statuses(status.sha)]
        if "pending" in latest or "running" in latest:
            return
        failed = any(state in ("failure", "error") for state in latest)
        pulls = [p for p in repo.pulls.values() if p.open and p.head_sha == status.sha]
        told = {
            "id": repo.id * PIPELINES,
            "detailed_status": "failed" if failed else "passed",
            "ref": pulls[0].head_branch if pulls else repo.default_branch,
            "source": "external",
            "status": "failed" if failed else "success",
            "stages": ["external"],
            "created_at": _plain(stamp(status.created_at)),
            "finished_at": _plain(stamp(status.created_at)),
            "duration": 0,
        }
        self._pipeline(repo, commit, told, status.creator, pulls[0] if pulls else None)

    def pipeline(self, pull: Pull, commit: CommitInfo, state: str) -> None:
        """Of a train's pipeline GitLab tells the commit, and the source branch as its `ref`."""
        now = _plain(stamp(self._world.now()))
        ended = state not in ("pending", "running")
        told = {
            "id": train_pipeline(pull),
            "detailed_status": "passed" if state == "success" else state,
            "ref": pull.head_branch,
            "source": "merge_request_event",
            "status": state,
            "stages": ["test"],
            "created_at": now,
            "finished_at": now if ended else None,
            "duration": 0 if ended else None,
        }
        self._pipeline(pull.repo, commit, told, pull.author, pull)

    def _pipeline(
        self, repo: Repository, commit: CommitInfo, told: Json, by: User, pull: Pull | None
    ) -> None:
        attributes: Json = {
            "iid": 1,
            "name": None,
            "url": f"{self._world.urls.page(repo.full_name)}/-/pipelines/{told['id']}",
            "protected_ref": False,
            "tag": False,
            "sha": commit.sha,
            "before_sha": ABSENT,
            "variables": [],
        }
        payload = self._about(repo, by) | {
            "object_kind": "pipeline",
            "object_attributes": attributes | told,
            "merge_request": self._brief(pull) if pull else None,
            "commit": self._commit(repo, commit),
            "builds": [],
        }
        self._send("Pipeline Hook", payload, repo)

    def push(
        self,
        repo: Repository,
        branch: str,
        ends: tuple[str, str],
        commits: tuple[PushedCommit, ...],
        forced: bool,
        by: User,
    ) -> None:
        before, after = ends
        payload = {
            "object_kind": "push",
            "event_name": "push",
            "before": before,
            "after": after,
            "ref": f"refs/heads/{branch}",
            "ref_protected": branch in repo.protections,
            "checkout_sha": None if after == ABSENT else after,
            "message": None,
            "user_id": by.id,
            "user_name": by.login.capitalize(),
            "user_username": by.login,
            "user_email": "",
            "user_avatar": f"{self._world.urls.site}/avatars/{by.login}",
            "project_id": repo.id,
            "project": self._project(repo),
            "commits": [self._pushed(repo, *one) for one in commits],
            "total_commits_count": len(commits),
            "push_options": {},
            "repository": self._repository(repo)
            | {
                "git_http_url": self._world.urls.clone(repo.full_name),
                "git_ssh_url": f"git@forge.invalid:{repo.full_name}.git",
                "visibility_level": 0 if repo.private else 20,
            },
        }
        self._send("Push Hook", payload, repo)

    def hook_added(self, hook: Hook, repo: Repository | None) -> None:
        """GitLab sends nothing until something happens."""

    # --- parts of payloads -----------------------------------------------------------------

    def _send(self, event: str, payload: Json, repo: Repository) -> None:
        self._world.courier.send(event, payload, repo.id)

    def _merge_request(self, pull: Pull, by: User, attributes: Json, changes: Json) -> None:
        payload = self._about(pull.repo, by) | {
            "object_kind": "merge_request",
            "event_type": "merge_request",
            "object_attributes": self._attributes(pull) | attributes,
            "labels": [],
            "changes": changes,
            "reviewers": [self._user(user) for user in reviewers(pull)],
        }
        self._send("Merge Request Hook", payload, pull.repo)

    def _about(self, repo: Repository, by: User) -> Json:
        return {
            "user": self._user(by),
            "project_id": repo.id,
            "project": self._project(repo),
            "repository": self._repository(repo),
        }

    def _user(self, user: User) -> Json:
        shape = self._shapes.user(user)
        kept = {name: shape[name] for name in ("id", "name", "username", "avatar_url")}
        return kept | {"email": "[REDACTED]"}

    def _project(self, repo: Repository) -> Json:
        page, clone = self._world.urls.page(repo.full_name), self._world.urls.clone(repo.full_name)
        ssh = f"git@forge.invalid:{repo.full_name}.git"
        return {
            "id": repo.id,
            "name": repo.name,
            "description": None,
            "web_url": page,
            "avatar_url": None,
            "git_ssh_url": ssh,
            "git_http_url": clone,
            "namespace": repo.owner.login.rpartition("/")[2],
            "visibility_level": 0 if repo.private else 20,
            "path_with_namespace": repo.full_name,
            "default_branch": repo.default_branch,
            "ci_config_path": None,
            "homepage": page,
            "url": clone,
            "ssh_url": ssh,
            "http_url": clone,
        }

    def _repository(self, repo: Repository) -> Json:
        page, clone = self._world.urls.page(repo.full_name), self._world.urls.clone(repo.full_name)
        return {"name": repo.name, "url": clone, "description": None, "homepage": page}

    def _attributes(self, pull: Pull) -> Json:
        source = self._project(pull.head_repo) if pull.head_repo else None
        page = self._world.urls.page(pull.repo.full_name, pull.number)
        return {
            "id": pull.id,
            "iid": pull.number,
            "target_branch": pull.base_branch,
            "source_branch": pull.head_branch,
            "source_project_id": pull.head_repo.id if pull.head_repo else None,
            "target_project_id": pull.repo.id,
            "author_id": pull.author.id,
            "assignee_ids": [],
            "assignee_id": None,
            "reviewer_ids": [user.id for user in reviewers(pull)],
            "title": title_of(pull),
            "description": pull.body,
            "created_at": _plain(stamp(pull.created_at)),
            "updated_at": _plain(stamp(pull.updated_at)),
            "last_edited_at": None,
            "last_edited_by_id": None,
            "milestone_id": None,
            "state": state_of(pull),
            "state_id": {"opened": 1, "closed": 2, "merged": 3}[state_of(pull)],
            "merge_status": merge_status(pull, None),
            "detailed_merge_status": "checking",
            "merge_commit_sha": merge_commit(pull),
            "merge_error": None,
            "merge_when_pipeline_succeeds": False,
            "merge_user_id": pull.merged_by.id if pull.merged_by else None,
            "work_in_progress": pull.draft,
            "draft": pull.draft,
            "first_contribution": False,
            "blocking_discussions_resolved": True,
            "head_pipeline_id": None,
            "prepared_at": _plain(stamp(pull.created_at)),
            "time_estimate": 0,
            "total_time_spent": 0,
            "time_change": 0,
            "human_total_time_spent": None,
            "human_time_change": None,
            "human_time_estimate": None,
            "labels": [],
            "url": page,
            "source": source,
            "target": self._project(pull.repo),
            "last_commit": pull.head_commit and self._commit(pull.repo, pull.head_commit),
        }

    def _brief(self, pull: Pull) -> Json:
        whole = self._attributes(pull)
        names = ("id", "iid", "title", "source_branch", "source_project_id", "target_branch")
        more = ("target_project_id", "state", "merge_status", "detailed_merge_status", "url")
        return {name: whole[name] for name in (*names, *more)}

    def _note(self, comment: Comment, action: str) -> Json:
        about, urls = comment.pull, self._world.urls
        page_of = urls.issue_page if isinstance(about, Issue) else urls.page
        page = page_of(about.repo.full_name, about.number)
        return {
            "id": comment.id,
            "note": comment.body,
            "description": comment.body,
            "noteable_type": noteable(about),
            "noteable_id": comment.pull.id,
            "author_id": comment.user.id,
            "created_at": _plain(stamp(comment.created_at)),
            "updated_at": _plain(stamp(comment.updated_at)),
            "project_id": comment.pull.repo.id,
            "attachment": None,
            "line_code": None,
            "commit_id": None,
            "discussion_id": f"{comment.id:040x}",
            "type": None,
            "system": False,
            "internal": comment.internal,
            "st_diff": None,
            "action": "create" if action == "created" else "update",
            "url": f"{page}#note_{comment.id}",
        }

    def _commit(self, repo: Repository, commit: CommitInfo) -> Json:
        return {
            "id": commit.sha,
            "message": commit.message,
            "title": commit.message.partition("\n")[0],
            "timestamp": commit.committer.date,
            "url": f"{self._world.urls.page(repo.full_name)}/-/commit/{commit.sha}",
            "author": {"name": commit.author.name, "email": commit.author.email},
        }

    def _pushed(self, repo: Repository, commit: CommitInfo, files: tuple[ChangedFile, ...]) -> Json:
        paths: dict[str, list[str]] = {"added": [], "modified": [], "removed": []}
        for file in files:
            paths.get(file.status, paths["modified"]).append(file.path)
        return self._commit(repo, commit) | paths


def _changes(action: str, pull: Pull, more: dict[str, object]) -> Json:
    """What an update changed; a draft shows in its title, too."""
    if action in ("ready_for_review", "converted_to_draft"):
        titles = [title_of(pull), pull.title if pull.draft else f"Draft: {pull.title}"]
        return {
            "draft": {"previous": not pull.draft, "current": pull.draft},
            "title": {"previous": titles[1], "current": titles[0]},
        }
    if action == "edited":
        changes: Json = more["changes"]  # type: ignore[assignment]  # as the acts put it
        if "base" in changes:
            before = changes["base"]["ref"]["from"]
            return {"target_branch": {"previous": before, "current": pull.base_branch}}
        now = {"title": ("title", title_of(pull)), "body": ("description", pull.body)}
        return {
            now[key][0]: {"previous": told["from"], "current": now[key][1]}
            for key, told in changes.items()
        }
    return {}


def _plain(at: str | None) -> str | None:
    """Hooks say `2015-05-17 18:21:36 UTC` where the API says ISO 8601."""
    return None if at is None else f"{at[:10]} {at[11:19]} UTC"
