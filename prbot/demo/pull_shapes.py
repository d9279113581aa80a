"""Records as GitHub's JSON, second half: pull requests and what is said about them."""

from __future__ import annotations

import zlib
from urllib.parse import quote

from prbot.demo.rules import REACTIONS
from prbot.demo.shapes import Json, Shapes, node_id, stamp
from prbot.demo.state import Comment, Issue, Pull, Repository, Review, User


def association(repo: Repository, user: User) -> str:
    if user is repo.owner:
        return "OWNER"
    return "COLLABORATOR" if repo.is_collaborator(user.login) else "NONE"


class PullShapes(Shapes):
    def simple_pull(self, pull: Pull) -> Json:
        """A pull request as lists and reviews show it."""
        root = self.urls.repo(pull.repo.full_name)
        own, issue = f"{root}/pulls/{pull.number}", f"{root}/issues/{pull.number}"
        page = self.urls.page(pull.repo.full_name, pull.number)
        return {
            "url": own,
            "id": pull.id,
            "node_id": node_id("PullRequest", pull.id),
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "issue_url": issue,
            "commits_url": f"{own}/commits",
            "review_comments_url": f"{own}/comments",
            "review_comment_url": f"{root}/pulls/comments{{/number}}",
            "comments_url": f"{issue}/comments",
            "statuses_url": f"{root}/statuses/{pull.head_sha}",
            "number": pull.number,
            "state": "open" if pull.open else "closed",
            "locked": False,
            "active_lock_reason": None,
            "title": pull.title,
            "user": self.user(pull.author),
            "body": pull.body or None,
            "labels": [],
            "milestone": None,
            "created_at": stamp(pull.created_at),
            "updated_at": stamp(pull.updated_at),
            "closed_at": stamp(pull.closed_at),
            "merged_at": stamp(pull.merged_at),
            "merge_commit_sha": pull.merge_sha or pull.test_merge,
            "assignee": None,
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "head": self._head(pull),
            "base": self._base(pull),
            "_links": self._links(own, issue, page, root, pull.head_sha),
            "author_association": association(pull.repo, pull.author),
            "auto_merge": None,
            "draft": pull.draft,
        }

    def pull(self, pull: Pull, mergeable: bool | None, mergeable_state: str) -> Json:
        return self.simple_pull(pull) | {
            "merged": pull.merged,
            "mergeable": mergeable,
            "rebaseable": mergeable,
            "mergeable_state": mergeable_state,
            "merged_by": self.user(pull.merged_by) if pull.merged_by else None,
            "comments": len(pull.comments),
            "review_comments": 0,
            "maintainer_can_modify": False,
            "commits": len(pull.commits),
            "additions": sum(file.additions for file in pull.files),
            "deletions": sum(file.deletions for file in pull.files),
            "changed_files": len(pull.files),
        }

    def _head(self, pull: Pull) -> Json:
        return {
            "label": f"{pull.head_owner.login}:{pull.head_branch}",
            "ref": pull.head_branch,
            "sha": pull.head_sha,
            "user": self.user(pull.head_owner),
            "repo": self.repository(pull.head_repo) if pull.head_repo else None,
        }

    def _base(self, pull: Pull) -> Json:
        return {
            "label": f"{pull.repo.owner.login}:{pull.base_branch}",
            "ref": pull.base_branch,
            "sha": pull.base_sha,
            "user": self.user(pull.repo.owner),
            "repo": self.repository(pull.repo),
        }

    def _links(self, own: str, issue: str, page: str, root: str, head: str) -> Json:
        targets = {
            "self": own,
            "html": page,
            "issue": issue,
            "comments": f"{issue}/comments",
            "review_comments": f"{own}/comments",
            "review_comment": f"{root}/pulls/comments{{/number}}",
            "commits": f"{own}/commits",
            "statuses": f"{root}/statuses/{head}",
        }
        return {name: {"href": target} for name, target in targets.items()}

    def issue(self, pull: Pull) -> Json:
        """The pull request as an issue, which is what its comments belong to."""
        root = self.urls.repo(pull.repo.full_name)
        page = self.urls.page(pull.repo.full_name, pull.number)
        return self._issue(pull, page) | {
            "node_id": node_id("PullRequest", pull.id),
            "comments": len(pull.comments),
            "draft": pull.draft,
            "pull_request": {
                "url": f"{root}/pulls/{pull.number}",
                "html_url": page,
                "diff_url": f"{page}.diff",
                "patch_url": f"{page}.patch",
                "merged_at": stamp(pull.merged_at),
            },
        }

    def any_issue(self, issue: Issue | Pull) -> Json:
        return self.plain_issue(issue) if isinstance(issue, Issue) else self.issue(issue)

    def plain_issue(self, issue: Issue) -> Json:
        page = self.urls.issue_page(issue.repo.full_name, issue.number)
        labels = [self._label(issue.repo, name) for name in issue.labels]
        return self._issue(issue, page) | {"labels": labels, "comments": len(issue.comments)}

    def _issue(self, issue: Issue | Pull, page: str) -> Json:
        root = self.urls.repo(issue.repo.full_name)
        own = f"{root}/issues/{issue.number}"
        return {
            "url": own,
            "repository_url": root,
            "labels_url": f"{own}/labels{{/name}}",
            "comments_url": f"{own}/comments",
            "events_url": f"{own}/events",
            "timeline_url": f"{own}/timeline",
            "html_url": page,
            "id": issue.id,
            "node_id": node_id("Issue", issue.id),
            "number": issue.number,
            "title": issue.title,
            "user": self.user(issue.author),
            "labels": [],
            "state": "open" if issue.open else "closed",
            "state_reason": None,
            "locked": False,
            "active_lock_reason": None,
            "assignee": None,
            "assignees": [],
            "milestone": None,
            "comments": 0,
            "created_at": stamp(issue.created_at),
            "updated_at": stamp(issue.updated_at),
            "closed_at": stamp(issue.closed_at),
            "author_association": association(issue.repo, issue.author),
            "body": issue.body or None,
            "reactions": self._rollup(f"{own}/reactions", []),
            "performed_via_github_app": None,
        }

    def _label(self, repo: Repository, name: str) -> Json:
        """Labels come to be when they are first given; GitHub draws a colour, here it is grey."""
        return {
            "id": zlib.crc32(name.encode()),
            "node_id": node_id("Label", zlib.crc32(name.encode())),
            "url": f"{self.urls.repo(repo.full_name)}/labels/{quote(name, safe='')}",
            "name": name,
            "description": None,
            "color": "ededed",
            "default": False,
        }

    def comment(self, comment: Comment) -> Json:
        repo = comment.pull.repo
        root = self.urls.repo(repo.full_name)
        own = f"{root}/issues/comments/{comment.id}"
        plain = isinstance(comment.pull, Issue)
        page_of = self.urls.issue_page if plain else self.urls.page
        page = page_of(repo.full_name, comment.pull.number)
        return {
            "url": own,
            "html_url": f"{page}#issuecomment-{comment.id}",
            "issue_url": f"{root}/issues/{comment.pull.number}",
            "id": comment.id,
            "node_id": node_id("IssueComment", comment.id),
            "user": self.user(comment.user),
            "created_at": stamp(comment.created_at),
            "updated_at": stamp(comment.updated_at),
            "body": comment.body,
            "author_association": association(repo, comment.user),
            "reactions": self._rollup(f"{own}/reactions", [r.content for r in comment.reactions]),
            "performed_via_github_app": None,
        }

    def _rollup(self, url: str, contents: list[str]) -> Json:
        counts = {content: contents.count(content) for content in REACTIONS}
        return {"url": url, "total_count": len(contents), **counts}

    def review(self, review: Review) -> Json:
        pull = review.pull
        page = self.urls.page(pull.repo.full_name, pull.number)
        page = f"{page}#pullrequestreview-{review.id}"
        own = f"{self.urls.repo(pull.repo.full_name)}/pulls/{pull.number}"
        return {
            "id": review.id,
            "node_id": node_id("PullRequestReview", review.id),
            "user": self.user(review.user),
            "body": review.body,
            "state": review.state,
            "html_url": page,
            "pull_request_url": own,
            "author_association": association(pull.repo, review.user),
            "_links": {"html": {"href": page}, "pull_request": {"href": own}},
            "submitted_at": stamp(review.submitted_at),
            "commit_id": review.commit,
        }
