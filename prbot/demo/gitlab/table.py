"""Every REST route of the GitLab half. The contract suite demands an example of each."""

from __future__ import annotations

from prbot.demo.gitlab import merge_requests, notes, projects, statuses
from prbot.demo.gitlab.call import Route
from prbot.demo.state import Level

PROJECT = "/projects/{id}"
MERGE_REQUEST = f"{PROJECT}/merge_requests/{{merge_request_iid}}"
NOTE = f"{MERGE_REQUEST}/notes/{{note_id}}"
ISSUE = f"{PROJECT}/issues/{{issue_iid}}"
BRANCH = f"{PROJECT}/repository/branches/{{branch}}"
TRAINS = f"{PROJECT}/merge_trains"
TRAIN = f"{TRAINS}/merge_requests/{{merge_request_iid}}"
READ, WRITE = Level.READ, Level.WRITE

ROUTES: tuple[Route, ...] = (
    Route("GET", "/user", projects.current_user, None),
    Route("GET", "/users/{user_id}", projects.user, None),
    Route("GET", "/projects", projects.projects, None, keyset=True),
    Route("GET", "/groups/{id}/members/all", projects.group_members, None),
    Route("GET", PROJECT, projects.project),
    Route("GET", f"{PROJECT}/members/all", projects.members),
    Route("GET", f"{PROJECT}/events", merge_requests.events),
    Route("GET", BRANCH, projects.branch),
    Route("DELETE", BRANCH, projects.delete_branch, WRITE),
    Route("GET", f"{PROJECT}/merge_requests", merge_requests.merge_requests),
    Route("POST", f"{PROJECT}/merge_requests", merge_requests.create),
    Route("GET", MERGE_REQUEST, merge_requests.merge_request),
    Route("PUT", MERGE_REQUEST, merge_requests.update, WRITE),
    Route("GET", f"{MERGE_REQUEST}/commits", merge_requests.commits),
    Route("GET", f"{MERGE_REQUEST}/status_checks", merge_requests.status_checks),
    Route("GET", f"{MERGE_REQUEST}/versions", merge_requests.versions),
    Route("GET", f"{MERGE_REQUEST}/approvals", merge_requests.approvals),
    Route("GET", f"{MERGE_REQUEST}/reviewers", merge_requests.reviewers, paged=False),
    Route("POST", f"{MERGE_REQUEST}/approve", merge_requests.approve),
    Route("POST", f"{MERGE_REQUEST}/unapprove", merge_requests.unapprove),
    Route("PUT", f"{MERGE_REQUEST}/merge", merge_requests.merge),
    Route("GET", TRAINS, merge_requests.trains, WRITE),
    Route("POST", TRAIN, merge_requests.board, WRITE, paged=False),
    Route("GET", f"{MERGE_REQUEST}/notes", notes.notes),
    Route("POST", f"{MERGE_REQUEST}/notes", notes.create),
    Route("GET", NOTE, notes.note),
    Route("PUT", NOTE, notes.edit),
    Route("DELETE", NOTE, notes.delete),
    Route("GET", f"{NOTE}/award_emoji", notes.awards),
    Route("POST", f"{NOTE}/award_emoji", notes.award),
    Route("POST", f"{PROJECT}/statuses/{{sha}}", statuses.create, WRITE),
    Route("GET", f"{PROJECT}/repository/commits/{{sha}}/statuses", statuses.statuses),
    Route("GET", f"{PROJECT}/issues", notes.issues),
    Route("POST", f"{PROJECT}/issues", notes.create_issue),
    Route("GET", ISSUE, notes.issue),
    Route("PUT", ISSUE, notes.update_issue),
    Route("GET", f"{ISSUE}/notes", notes.issue_notes),
    Route("POST", f"{ISSUE}/notes", notes.create_on_issue),
)
