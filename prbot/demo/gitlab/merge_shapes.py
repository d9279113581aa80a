"""Records as GitLab's JSON, second half: merge requests and what is said about them.

Shapes: https://docs.gitlab.com/api/merge_requests/, https://docs.gitlab.com/api/notes/,
https://docs.gitlab.com/api/merge_request_approvals/, https://docs.gitlab.com/api/events/.
System notes are those of reviews, the only ones that clients read here.
"""

from __future__ import annotations

from prbot.demo.gitlab.shapes import PIPELINES, Json, Shapes, stamp
from prbot.demo.rules import deciding_reviews
from prbot.demo.state import Comment, Issue, Pull, Reaction, Review, User

REVIEW_NOTES = {
    "APPROVED": "approved this merge request",
    "CHANGES_REQUESTED": "requested changes",
    "DISMISSED": "unapproved this merge request",
}
SAME: Json = {
    "upvotes": 0,
    "downvotes": 0,
    "assignees": [],
    "assignee": None,
    "labels": [],
    "imported": False,
    "imported_from": "none",
    "milestone": None,
    "merge_after": None,
    "discussion_locked": None,
    "should_remove_source_branch": None,
    "time_stats": {
        "time_estimate": 0,
        "total_time_spent": 0,
        "human_time_estimate": None,
        "human_total_time_spent": None,
    },
    "squash": False,
    "squash_on_merge": False,
    "task_completion_status": {"count": 0, "completed_count": 0},
    "has_conflicts": False,
    "blocking_discussions_resolved": True,
}
"""What is alike in every merge request here."""
REVIEWER_STATES = {"APPROVED": "approved", "CHANGES_REQUESTED": "requested_changes"}


def title_of(pull: Pull) -> str:
    """A draft says so in its title."""
    return f"Draft: {pull.title}" if pull.draft else pull.title


def state_of(pull: Pull) -> str:
    return "merged" if pull.merged else "opened" if pull.open else "closed"


def merge_status(pull: Pull, mergeable: bool | None) -> str:
    if not pull.open:
        return "can_be_merged" if pull.merged else "unchecked"
    return {None: "checking", True: "can_be_merged", False: "cannot_be_merged"}[mergeable]


def coming(pull: Pull) -> bool:
    """Whether it is merged by itself: GitLab says so of merge trains, too."""
    return pull.open and pull.to_come is not None and pull.to_come.head == pull.head_sha


def merge_commit(pull: Pull) -> str | None:
    """Only a merge by a commit has one: a fast-forward and a squash put none on top."""
    return pull.merge_sha if pull.merge_kind == "merge" else None


def squash_commit(pull: Pull) -> str | None:
    return pull.merge_sha if pull.merge_kind == "squash" else None


class MergeShapes(Shapes):
    def listed(self, pull: Pull) -> Json:
        """A merge request as it stands in a list."""
        closed = None if pull.merged else pull.closed_at
        merger = self.user(pull.merged_by) if pull.merged_by else None
        full = f"{pull.repo.full_name}!{pull.number}"
        return SAME | {
            "id": pull.id,
            "iid": pull.number,
            "project_id": pull.repo.id,
            "title": title_of(pull),
            "description": pull.body,
            "state": state_of(pull),
            "created_at": stamp(pull.created_at),
            "updated_at": stamp(pull.updated_at),
            "merged_by": merger,
            "merge_user": merger,
            "merged_at": stamp(pull.merged_at),
            "closed_by": None,
            "closed_at": stamp(closed),
            "target_branch": pull.base_branch,
            "source_branch": pull.head_branch,
            "user_notes_count": len(pull.comments),
            "author": self.user(pull.author),
            "reviewers": [self.user(user) for user in reviewers(pull)],
            "source_project_id": pull.head_repo.id if pull.head_repo else None,
            "target_project_id": pull.repo.id,
            "draft": pull.draft,
            "work_in_progress": pull.draft,
            "merge_status": merge_status(pull, None),
            "detailed_merge_status": "unchecked",
            "sha": pull.head_sha,
            "merge_commit_sha": merge_commit(pull),
            "squash_commit_sha": squash_commit(pull),
            "prepared_at": stamp(pull.created_at),
            "merge_when_pipeline_succeeds": coming(pull),
            "force_remove_source_branch": pull.remove_branch,
            "reference": f"!{pull.number}",
            "references": {"short": f"!{pull.number}", "relative": f"!{pull.number}", "full": full},
            "web_url": self.urls.page(pull.repo.full_name, pull.number),
        }

    def single(self, pull: Pull, mergeable: bool | None, detailed: str) -> Json:
        """`detailed` is GitLab's `detailed_merge_status`."""
        refs = {
            "base_sha": pull.fork_point,
            "head_sha": pull.head_sha,
            "start_sha": pull.base_sha,
        }
        return self.listed(pull) | {
            "merge_status": merge_status(pull, mergeable),
            "detailed_merge_status": detailed,
            "has_conflicts": mergeable is False,
            "subscribed": False,
            "changes_count": str(len(pull.files)),
            "latest_build_started_at": None,
            "latest_build_finished_at": None,
            "first_deployed_to_production_at": None,
            "pipeline": None,
            "head_pipeline": None,
            "diff_refs": refs,
            "merge_error": None,
            "first_contribution": False,
            "user": {"can_merge": True},
        }

    def car(self, pull: Pull) -> Json:
        """A merge request in a merge train: https://docs.gitlab.com/api/merge_trains/"""
        listed = self.listed(pull)
        told = "id iid project_id title description state created_at updated_at web_url"
        return {
            "id": pull.id,
            "merge_request": {key: listed[key] for key in told.split()},
            "user": self.user(pull.author),
            "pipeline": self.train_pipeline(pull) if pull.train else None,
            "created_at": stamp(pull.updated_at),
            "updated_at": stamp(pull.updated_at),
            "target_branch": pull.base_branch,
            "status": "fresh" if pull.train else "idle",
            "merged_at": None,
            "duration": None,
        }

    def train_pipeline(self, pull: Pull) -> Json:
        """Of the commit that the train tries."""
        number, page = train_pipeline(pull), self.urls.page(pull.repo.full_name)
        return {
            "id": number,
            "iid": 1,
            "project_id": pull.repo.id,
            "sha": pull.train,
            "ref": f"refs/merge-requests/{pull.number}/train",
            "status": "running",
            "source": "merge_request_event",
            "created_at": stamp(pull.updated_at),
            "updated_at": stamp(pull.updated_at),
            "web_url": f"{page}/-/pipelines/{number}",
        }

    def external_check(self, name: str, status: str, number: int) -> Json:
        """https://docs.gitlab.com/api/status_checks/"""
        address = f"https://checks.invalid/{number}"
        return {"id": number, "name": name, "external_url": address, "status": status}

    def version(self, pull: Pull, number: int) -> Json:
        """One state of the merge request's diff; `number` counts them from 0."""
        head, base, at = pull.heads[number]
        return {
            "id": pull.id * 1000 + number,
            "head_commit_sha": head,
            "base_commit_sha": base,
            "start_commit_sha": base,
            "created_at": stamp(at),
            "merge_request_id": pull.id,
            "state": "collected",
            "real_size": str(len(pull.files)),
            "patch_id_sha": head,
        }

    def approvals(self, pull: Pull, caller: User, timed: bool = True) -> Json:
        given = [r for r in deciding_reviews(pull).values() if r.state == "APPROVED"]
        return {
            "id": pull.id,
            "iid": pull.number,
            "project_id": pull.repo.id,
            "title": title_of(pull),
            "description": pull.body,
            "state": state_of(pull),
            "created_at": stamp(pull.created_at),
            "updated_at": stamp(pull.updated_at),
            "merge_status": merge_status(pull, None),
            "approved": bool(given),
            "approvals_required": 0,
            "approvals_left": 0,
            "user_has_approved": any(review.user is caller for review in given),
            "user_can_approve": True,
            "approved_by": [
                {"user": self.user(review.user)}
                | ({"approved_at": stamp(review.submitted_at)} if timed else {})
                for review in given
            ],
        }

    def reviewer(self, pull: Pull, user: User) -> Json:
        review = deciding_reviews(pull).get(user.login)
        state = REVIEWER_STATES.get(review.state, "unreviewed") if review else "unreviewed"
        at = stamp(review.submitted_at if review else pull.created_at)
        return {"user": self.user(user), "state": state, "created_at": at}

    def note(self, comment: Comment) -> Json:
        at = (stamp(comment.created_at), stamp(comment.updated_at))
        pull = comment.pull
        return self._note(pull, comment.id, comment.user, comment.body, at) | {
            "internal": comment.internal,
            "confidential": comment.internal,
        }

    def review_note(self, review: Review) -> Json:
        """The system note of a review."""
        at, words = stamp(review.submitted_at), REVIEW_NOTES[review.state]
        pull = review.pull
        return self._note(pull, review.id, review.user, words, (at, at)) | {"system": True}

    def _note(
        self,
        pull: Pull | Issue,
        number: int,
        by: User,
        body: str,
        at: tuple[str | None, str | None],
    ) -> Json:
        return {
            "id": number,
            "type": None,
            "body": body,
            "author": self.user(by),
            "created_at": at[0],
            "updated_at": at[1],
            "system": False,
            "noteable_id": pull.id,
            "noteable_type": noteable(pull),
            "project_id": pull.repo.id,
            "resolvable": False,
            "confidential": False,
            "internal": False,
            "imported": False,
            "imported_from": "none",
            "noteable_iid": pull.number,
            "commands_changes": {},
        }

    def event(self, comment: Comment) -> Json:
        """The project's event of a new note."""
        return {
            "id": comment.id,
            "project_id": comment.pull.repo.id,
            "action_name": "commented on",
            "target_id": comment.id,
            "target_iid": comment.id,
            "target_type": "Note",
            "author_id": comment.user.id,
            "target_title": comment.pull.title
            if isinstance(comment.pull, Issue)
            else title_of(comment.pull),
            "created_at": stamp(comment.created_at),
            "imported": False,
            "imported_from": "none",
            "note": self.note(comment),
            "author": self.user(comment.user),
            "author_username": comment.user.login,
        }

    def award(self, reaction: Reaction, comment: Comment) -> Json:
        at = stamp(reaction.created_at)
        return {
            "id": reaction.id,
            "name": reaction.content,
            "user": self.user(reaction.user),
            "created_at": at,
            "updated_at": at,
            "awardable_id": comment.id,
            "awardable_type": "Note",
            "url": None,
        }

    def issue(self, issue: Issue) -> Json:
        page = self.urls.issue_page(issue.repo.full_name, issue.number)
        return {
            "id": issue.id,
            "iid": issue.number,
            "project_id": issue.repo.id,
            "title": issue.title,
            "description": issue.body,
            "state": "opened" if issue.open else "closed",
            "created_at": stamp(issue.created_at),
            "updated_at": stamp(issue.updated_at),
            "closed_at": stamp(issue.closed_at),
            "closed_by": None,
            "labels": list(issue.labels),
            "milestone": None,
            "assignees": [],
            "author": self.user(issue.author),
            "type": "ISSUE",
            "assignee": None,
            "user_notes_count": len(issue.comments),
            "merge_requests_count": 0,
            "upvotes": 0,
            "downvotes": 0,
            "due_date": None,
            "confidential": False,
            "discussion_locked": None,
            "issue_type": "issue",
            "web_url": page,
            "task_completion_status": {"count": 0, "completed_count": 0},
            "has_tasks": False,
        }


def train_pipeline(pull: Pull) -> int:
    """The number of the pipeline of a merge request's train, its commit's first."""
    return pull.repo.id * PIPELINES


def noteable(about: Pull | Issue) -> str:
    """What a note is about, in GitLab's word."""
    return "Issue" if isinstance(about, Issue) else "MergeRequest"


def reviewers(pull: Pull) -> list[User]:
    """Whoever gave a verdict, once."""
    found = {r.user.login: r.user for r in pull.reviews if r.state != "COMMENTED"}
    return list(found.values())
