"""Every REST route there is. The contract suite demands a checked example of each."""

from __future__ import annotations

from prbot.demo.rest import apps, checks, commits, issues, pulls, repos
from prbot.demo.rest.call import Answer, Call, Route
from prbot.demo.state import Level

REPO = "/repos/{owner}/{repo}"
PULL = f"{REPO}/pulls/{{pull_number}}"
COMMENT = f"{REPO}/issues/comments/{{comment_id}}"
CHECK_RUN = f"{REPO}/check-runs/{{check_run_id}}"
ISSUE = f"{REPO}/issues/{{issue_number}}"
READ, WRITE = Level.READ, Level.WRITE


async def _rate_limit(_: Call) -> Answer:
    """Answered by api.py, which keeps the counters; listed here to be a route."""
    return Answer({})


ROUTES: tuple[Route, ...] = (
    Route("GET", "/rate_limit", _rate_limit, None),
    Route("GET", "/user", repos.current_user, None),
    Route("GET", "/user/repos", repos.own_repositories, None),
    Route("GET", "/app", apps.app, None),
    Route("GET", "/app/installations", apps.installations, None),
    Route("GET", "/installation/repositories", apps.repositories, None),
    Route("GET", f"{REPO}/installation", apps.installation, None),
    Route(
        "POST",
        "/app/installations/{installation_id}/access_tokens",
        apps.create_token,
        None,
    ),
    Route("GET", REPO, repos.repository),
    Route("GET", f"{REPO}/branches/{{branch}}", repos.branch, READ, ("contents", "read")),
    Route("GET", f"{REPO}/rules/branches/{{branch}}", repos.rules),
    Route("GET", "/orgs/{org}/teams/{team_slug}/members", repos.team_members, None),
    Route("GET", f"{REPO}/collaborators/{{username}}", repos.is_collaborator),
    Route("GET", f"{REPO}/collaborators/{{username}}/permission", repos.permission),
    Route("GET", f"{REPO}/pulls", pulls.pulls, READ, ("pull_requests", "read")),
    Route("POST", f"{REPO}/pulls", pulls.create, READ, ("pull_requests", "write")),
    Route("PATCH", PULL, pulls.update, READ, ("pull_requests", "write")),
    Route("GET", PULL, pulls.pull, READ, ("pull_requests", "read")),
    Route("GET", f"{PULL}/files", pulls.files, READ, ("pull_requests", "read")),
    Route("GET", f"{PULL}/commits", pulls.commits, READ, ("pull_requests", "read")),
    Route("GET", f"{PULL}/reviews", pulls.reviews, READ, ("pull_requests", "read")),
    Route("POST", f"{PULL}/reviews", pulls.create_review, READ, ("pull_requests", "write")),
    Route("DELETE", f"{REPO}/git/refs/{{ref}}", repos.delete_ref, WRITE, ("contents", "write")),
    Route(
        "GET",
        f"{REPO}/git/matching-refs/{{ref}}",
        repos.matching_refs,
        READ,
        ("contents", "read"),
    ),
    Route("PUT", f"{PULL}/merge", pulls.merge, WRITE, ("contents", "write")),
    Route(
        "GET",
        f"{REPO}/issues/{{issue_number}}/comments",
        issues.comments,
        READ,
        ("issues", "read"),
    ),
    Route(
        "POST",
        f"{REPO}/issues/{{issue_number}}/comments",
        issues.create_comment,
        READ,
        ("issues", "write"),
    ),
    Route("GET", f"{REPO}/issues", issues.issues, READ, ("issues", "read")),
    Route("POST", f"{REPO}/issues", issues.create_issue, READ, ("issues", "write")),
    Route("GET", f"{REPO}/issues/comments", issues.all_comments, READ, ("issues", "read")),
    Route("GET", ISSUE, issues.issue, READ, ("issues", "read")),
    Route("PATCH", ISSUE, issues.edit_issue, READ, ("issues", "write")),
    Route("GET", COMMENT, issues.comment, READ, ("issues", "read")),
    Route("PATCH", COMMENT, issues.edit_comment, READ, ("issues", "write")),
    Route("DELETE", COMMENT, issues.delete_comment, READ, ("issues", "write")),
    Route("GET", f"{COMMENT}/reactions", issues.reactions, READ, ("issues", "read")),
    Route("POST", f"{COMMENT}/reactions", issues.react, READ, ("issues", "write")),
    Route("POST", f"{REPO}/statuses/{{sha}}", commits.create_status, WRITE, ("statuses", "write")),
    Route(
        "GET",
        f"{REPO}/commits/{{ref}}/status",
        commits.combined_status,
        READ,
        ("statuses", "read"),
    ),
    Route("GET", f"{REPO}/commits/{{ref}}/statuses", commits.statuses, READ, ("statuses", "read")),
    Route("POST", f"{REPO}/check-runs", checks.create, WRITE, ("checks", "write")),
    Route("GET", CHECK_RUN, checks.read, READ, ("checks", "read")),
    Route("PATCH", CHECK_RUN, checks.update, WRITE, ("checks", "write")),
    Route("GET", f"{REPO}/commits/{{ref}}/check-runs", checks.of_commit, READ, ("checks", "read")),
)
