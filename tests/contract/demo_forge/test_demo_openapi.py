"""Every answer of the demo forge's REST routes, held against GitHub's own description."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from prbot.demo.forge import DemoForge
from prbot.demo.rest.table import CHECK_RUN, COMMENT, ISSUE, PULL, REPO, ROUTES
from prbot.demo.state import Protection

if TYPE_CHECKING:
    from conftest import Client, Descriptions

INFRA = {"owner": "acme", "repo": "infra"}
SECRET = {"owner": "acme", "repo": "secret"}
TOKENS = "/app/installations/{installation_id}/access_tokens"
MEMBERS = "/orgs/{org}/teams/{team_slug}/members"
COMMENTS = f"{REPO}/issues/{{issue_number}}/comments"
STATUSES = f"{REPO}/statuses/{{sha}}"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Case:
    """A request to a route and the status it must get. `fill` adds to (or overrides) the
    scene's names in the path; `by` is a person, None, `app` with its JWT, or its
    `installation` with a token."""

    method: str
    path: str
    status: int
    body: dict[str, Any] | None = None
    by: str | None = "bob"
    fill: dict[str, str] = field(default_factory=dict)
    query: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status} {self.by} {self.body or ''}"[:110]


GONE = {"issue_number": "99", "pull_number": "99", "comment_id": "99"}
NOWHERE = "0" * 40
PROPOSED = {"title": "t", "head": "topic", "base": "late"}
RUN: dict[str, Any] = {"name": "prbot/plan", "head_sha": "{sha}"}
NOTE = {
    "path": "main.tf",
    "start_line": 1,
    "end_line": 1,
    "annotation_level": "failure",
    "message": "no such thing",
}
FAILED = {
    "conclusion": "failure",
    "external_id": "1",
    "output": {"title": "failed", "summary": "**why**", "annotations": [NOTE]},
}
ACTION = {"label": "x" * 20, "identifier": "x" * 20, "description": "x" * 40}


def _noting(times: int) -> dict[str, Any]:
    return {"output": {"title": "t", "summary": "s", "annotations": [NOTE] * times}}


def _labelled(label: str) -> dict[str, Any]:
    return {"actions": [ACTION | {"label": label}]}


def _summed(summary: str) -> dict[str, Any]:
    return {"output": {"title": "t", "summary": summary}}


CASES = [
    Case("GET", "/rate_limit", 200),
    Case("GET", "/rate_limit", 200, by=None),
    Case("GET", "/rate_limit", 401, by="nobody"),
    Case("GET", "/user", 200),
    Case("GET", "/user", 401, by=None),
    Case("GET", "/user", 401, by="nobody"),
    Case("GET", "/user/repos", 200),
    Case("GET", "/user/repos", 401, by=None),
    Case("GET", "/app/installations", 200, by="app"),
    Case("GET", "/app/installations", 401),
    Case("GET", "/installation/repositories", 200, by="installation"),
    Case("GET", "/installation/repositories", 403),
    Case("GET", "/app", 200, by="app"),
    Case("GET", "/app", 401),
    Case("GET", f"{REPO}/installation", 200, by="app"),
    Case("GET", f"{REPO}/installation", 404, by="app", fill=SECRET),
    Case("POST", TOKENS, 201, by="app"),
    Case("POST", TOKENS, 401),
    Case("POST", TOKENS, 404, by="app", fill={"installation_id": "99"}),
    Case("GET", REPO, 200),
    Case("GET", REPO, 200, by=None),
    Case("GET", REPO, 200, fill=SECRET),
    Case("GET", REPO, 404, by="carol", fill=SECRET),
    Case("GET", REPO, 404, fill={"repo": "unknown"}),
    Case("GET", f"{REPO}/branches/{{branch}}", 200),
    Case("GET", f"{REPO}/branches/{{branch}}", 200, fill={"branch": "topic"}),
    Case("GET", f"{REPO}/branches/{{branch}}", 404, fill={"branch": "none/such"}),
    Case("GET", f"{REPO}/rules/branches/{{branch}}", 200),
    Case("GET", f"{REPO}/rules/branches/{{branch}}", 200, fill={"branch": "topic"}),
    Case("GET", f"{REPO}/rules/branches/{{branch}}", 404, fill={"repo": "unknown"}),
    Case("GET", MEMBERS, 200, fill={"org": "acme", "team_slug": "sre"}),
    Case("GET", MEMBERS, 404, fill={"org": "acme", "team_slug": "none"}),
    Case("GET", MEMBERS, 401, by=None, fill={"org": "acme", "team_slug": "sre"}),
    Case("GET", MEMBERS, 403, by="installation", fill={"org": "acme", "team_slug": "sre"}),
    Case("GET", f"{REPO}/collaborators/{{username}}", 204),
    Case("GET", f"{REPO}/collaborators/{{username}}", 404, fill={"username": "carol"}),
    Case("GET", f"{REPO}/collaborators/{{username}}", 403, by="carol"),
    Case("GET", f"{REPO}/collaborators/{{username}}/permission", 200),
    Case("GET", f"{REPO}/collaborators/{{username}}/permission", 200, fill={"username": "carol"}),
    Case("GET", f"{REPO}/collaborators/{{username}}/permission", 404, fill={"username": "who"}),
    Case("GET", f"{REPO}/pulls", 200),
    Case("GET", f"{REPO}/pulls", 200, query="?state=all&sort=updated&direction=asc"),
    Case("GET", f"{REPO}/pulls", 422, query="?state=strange"),
    Case("POST", f"{REPO}/pulls", 201, PROPOSED),
    Case("POST", f"{REPO}/pulls", 201, PROPOSED | {"body": "b"}),
    Case("POST", f"{REPO}/pulls", 422, {"title": "t", "head": "topic", "base": "main"}),
    Case("POST", f"{REPO}/pulls", 422, {"title": "t", "head": "none", "base": "main"}),
    Case("POST", f"{REPO}/pulls", 422, {"title": "t", "head": "main", "base": "main"}),
    Case("POST", f"{REPO}/pulls", 422, {"title": "t"}),
    Case("POST", f"{REPO}/pulls", 403, PROPOSED, by="carol"),
    Case("PATCH", PULL, 200, {"title": "better", "body": "b"}),
    Case("PATCH", PULL, 200, {"state": "closed"}),
    Case("PATCH", PULL, 403, {"body": "mine"}, by="carol"),
    Case("PATCH", PULL, 422, {"state": "odd"}),
    Case("PATCH", PULL, 422, {"title": "x" * 257}),
    Case("PATCH", PULL, 404, {"body": "b"}, fill=GONE),
    Case("GET", PULL, 200),
    Case("GET", PULL, 200, fill={"pull_number": "2"}),
    Case("GET", PULL, 404, fill=GONE),
    Case("GET", PULL, 404, fill={"pull_number": "one"}),
    Case("GET", f"{PULL}/files", 200),
    Case("GET", f"{PULL}/files", 404, fill=GONE),
    Case("GET", f"{PULL}/commits", 200),
    Case("GET", f"{PULL}/commits", 404, fill=GONE),
    Case("GET", f"{PULL}/reviews", 200),
    Case("GET", f"{PULL}/reviews", 404, fill=GONE),
    Case("POST", f"{PULL}/reviews", 200, {"event": "APPROVE"}),
    Case("POST", f"{PULL}/reviews", 422, {"event": "APPROVE"}, by="alice"),
    Case("POST", f"{PULL}/reviews", 422, {"event": "REQUEST_CHANGES"}),
    Case("POST", f"{PULL}/reviews", 422, {"event": "PRAISE"}),
    Case("GET", f"{REPO}/git/matching-refs/{{ref}}", 200, fill={"ref": "heads/"}),
    Case("GET", f"{REPO}/git/matching-refs/{{ref}}", 200, fill={"ref": "heads/none/such"}),
    Case(
        "GET",
        f"{REPO}/git/matching-refs/{{ref}}",
        404,
        by="carol",
        fill=SECRET | {"ref": "heads/"},
    ),
    Case("DELETE", f"{REPO}/git/refs/{{ref}}", 204, fill={"ref": "heads/topic"}),
    Case("DELETE", f"{REPO}/git/refs/{{ref}}", 422, fill={"ref": "heads/none/such"}),
    Case("DELETE", f"{REPO}/git/refs/{{ref}}", 422, fill={"ref": "heads/main"}),
    Case("DELETE", f"{REPO}/git/refs/{{ref}}", 422, fill={"ref": "tags/main"}),
    Case("PUT", f"{PULL}/merge", 200, {"merge_method": "squash"}),
    Case("PUT", f"{PULL}/merge", 403, by="carol"),
    Case("PUT", f"{PULL}/merge", 404, fill=GONE),
    Case("PUT", f"{PULL}/merge", 405, fill={"pull_number": "2"}),
    Case("PUT", f"{PULL}/merge", 409, {"sha": NOWHERE}),
    Case("PUT", f"{PULL}/merge", 422, {"merge_method": "octopus"}),
    Case("GET", COMMENTS, 200),
    Case("GET", COMMENTS, 404, fill=GONE),
    Case("GET", COMMENTS, 200, fill={"issue_number": "4"}),
    Case("POST", COMMENTS, 201, {"body": "hello"}, fill={"issue_number": "4"}),
    Case("POST", COMMENTS, 201, {"body": "hello"}),
    Case("POST", COMMENTS, 201, {"body": "x" * 65_536}),
    Case("POST", COMMENTS, 422, {"body": "x" * 65_537}),
    Case("POST", COMMENTS, 422, {"body": " "}),
    Case("POST", COMMENTS, 422, {"body": 7}),
    Case("POST", COMMENTS, 401, {"body": "hello"}, by=None),
    Case("POST", COMMENTS, 404, {"body": "hello"}, fill=GONE),
    Case("GET", f"{REPO}/issues/comments", 200),
    Case("GET", f"{REPO}/issues/comments", 200, query="?sort=updated&since=2026-01-01T00:00:00Z"),
    Case("GET", f"{REPO}/issues/comments", 422, query="?since=yesterday"),
    Case("GET", f"{REPO}/issues", 200),
    Case("GET", f"{REPO}/issues", 200, query="?state=all&creator=bob&labels=drift&direction=asc"),
    Case("GET", f"{REPO}/issues", 422, query="?state=strange"),
    Case("POST", f"{REPO}/issues", 201, {"title": "t", "body": "b", "labels": ["drift"]}),
    Case("POST", f"{REPO}/issues", 201, {"title": "t"}, by="carol"),
    Case("POST", f"{REPO}/issues", 422, {"title": "x" * 257}),
    Case("POST", f"{REPO}/issues", 422, {"title": "t", "body": "x" * 65_537}),
    Case("POST", f"{REPO}/issues", 422, {"title": "t", "labels": [7]}),
    Case("POST", f"{REPO}/issues", 422, {}),
    Case("GET", ISSUE, 200, fill={"issue_number": "4"}),
    Case("GET", ISSUE, 200),
    Case("GET", ISSUE, 404, fill=GONE),
    Case("PATCH", ISSUE, 200, {"title": "u", "state": "closed"}, fill={"issue_number": "4"}),
    Case("PATCH", ISSUE, 200, {"labels": []}, fill={"issue_number": "4"}),
    Case("PATCH", ISSUE, 422, {"state": "odd"}, fill={"issue_number": "4"}),
    Case("PATCH", ISSUE, 403, {"body": "mine"}, by="carol", fill={"issue_number": "4"}),
    Case("PATCH", ISSUE, 404, {"body": "b"}, fill=GONE),
    Case("GET", COMMENT, 200),
    Case("GET", COMMENT, 404, fill=GONE),
    Case("PATCH", COMMENT, 200, {"body": "better"}),
    Case("PATCH", COMMENT, 403, {"body": "mine now"}, by="carol"),
    Case("PATCH", COMMENT, 422, {"body": "x" * 65_537}),
    Case("DELETE", COMMENT, 204),
    Case("DELETE", COMMENT, 403, by="carol"),
    Case("GET", f"{COMMENT}/reactions", 200),
    Case("GET", f"{COMMENT}/reactions", 404, fill=GONE),
    Case("POST", f"{COMMENT}/reactions", 201, {"content": "eyes"}),
    Case("POST", f"{COMMENT}/reactions", 200, {"content": "rocket"}),
    Case("POST", f"{COMMENT}/reactions", 422, {"content": "shrug"}),
    Case("POST", STATUSES, 201, {"state": "success", "context": "a", "description": "d" * 140}),
    Case("POST", STATUSES, 422, {"state": "success", "description": "d" * 141}),
    Case("POST", STATUSES, 422, {"state": "great"}),
    Case("POST", STATUSES, 422, {"state": "success", "target_url": "javascript:alert(1)"}),
    Case("POST", STATUSES, 422, {"state": "success"}, fill={"sha": NOWHERE}),
    Case("POST", STATUSES, 403, {"state": "success"}, by="carol"),
    Case("GET", f"{REPO}/commits/{{ref}}/status", 200),
    Case("GET", f"{REPO}/commits/{{ref}}/status", 200, fill={"ref": "main"}),
    Case("GET", f"{REPO}/commits/{{ref}}/status", 404, fill={"ref": "none"}),
    Case("GET", f"{REPO}/commits/{{ref}}/statuses", 200),
    Case("GET", f"{REPO}/commits/{{ref}}/statuses", 404, fill={"ref": "none"}),
    Case("POST", f"{REPO}/check-runs", 201, RUN, by="installation"),
    Case("POST", f"{REPO}/check-runs", 201, RUN | FAILED, by="installation"),
    Case("POST", f"{REPO}/check-runs", 201, RUN | _noting(50), by="installation"),
    Case("POST", f"{REPO}/check-runs", 422, RUN | _noting(51), by="installation"),
    Case("POST", f"{REPO}/check-runs", 422, RUN | {"status": "completed"}, by="installation"),
    Case("POST", f"{REPO}/check-runs", 422, RUN | {"actions": [ACTION] * 4}, by="installation"),
    Case("POST", f"{REPO}/check-runs", 422, RUN | _labelled("x" * 21), by="installation"),
    Case("POST", f"{REPO}/check-runs", 201, RUN | _summed("x" * 65_535), by="installation"),
    Case("POST", f"{REPO}/check-runs", 422, RUN | _summed("x" * 65_536), by="installation"),
    Case("POST", f"{REPO}/check-runs", 422, {"name": "a"}, by="installation"),
    Case("POST", f"{REPO}/check-runs", 422, {"name": "a", "head_sha": NOWHERE}, by="installation"),
    Case("POST", f"{REPO}/check-runs", 403, RUN),
    Case("GET", CHECK_RUN, 200),
    Case("GET", CHECK_RUN, 404, fill={"check_run_id": "99"}),
    Case("PATCH", CHECK_RUN, 200, FAILED, by="installation"),
    Case("PATCH", CHECK_RUN, 422, {"conclusion": "great"}, by="installation"),
    Case("PATCH", CHECK_RUN, 403, FAILED),
    Case("GET", f"{REPO}/commits/{{ref}}/check-runs", 200),
    Case("GET", f"{REPO}/commits/{{ref}}/check-runs", 200, query="?filter=all&check_name=a"),
    Case("GET", f"{REPO}/commits/{{ref}}/check-runs", 404, fill={"ref": "none"}),
]


def _public_key() -> bytes:
    return KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def app_jwt(app_id: int, **claims: int) -> str:
    now = int(time.time())
    private = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    payload = {"iat": now - 30, "exp": now + 540, "iss": str(app_id)} | claims
    return jwt.encode(payload, private, algorithm="RS256")


@pytest.fixture
async def names(forge: DemoForge) -> dict[str, str]:
    """A scene with something of everything, and the names of it."""
    forge.protect("acme/infra", "main", Protection())
    forge.repository("acme/infra").rulesets["topic"] = ("ci/lint",)
    forge.create_team("acme/sre", ["bob"])
    rights = {"issues": "write", "checks": "write"}
    app = forge.create_app("helper", "acme", _public_key(), rights)
    installation = forge.install(app, ["acme/infra"])
    pull = await forge.open_pull("acme/infra", head="topic", title="Topic", author="alice")
    clash = await forge.open_pull("acme/infra", head="clash", title="Clash", author="alice")
    late = await forge.open_pull("acme/infra", head="late", title="Late", author="alice")
    await forge.merge(late, "bob")
    comment = await forge.comment(pull, "bob", "first")
    await forge.open_issue(pull.repo, "bob", "An issue", "words", ["drift"])
    await forge.react(comment, "bob", "rocket")
    await forge.review(pull, "carol", "REQUEST_CHANGES", "why?")
    repo = forge.repository("acme/infra")
    await forge.set_status(repo, pull.head_sha, "prbot", "pending", "prbot/plan", "running")
    await forge.set_status(repo, pull.head_sha, "prbot", "failure", "prbot/plan", None, forge.url)
    begun = {"name": "a", "head_sha": pull.head_sha, "status": "in_progress"}
    check = await forge.create_check_run(repo, app, begun)
    await forge.create_check_run(repo, app, begun | FAILED)
    assert clash.number == 2
    return {
        "check_run_id": str(check.id),
        **INFRA,
        "pull_number": "1",
        "issue_number": "1",
        "comment_id": str(comment.id),
        "username": "alice",
        "branch": "main",
        "sha": pull.head_sha,
        "ref": pull.head_sha,
        "installation_id": str(installation.id),
        "token": forge.create_installation_token(installation).value,
        "app_id": str(app.id),
    }


async def _faults(
    case: Case, ask: Client, names: dict[str, str], descriptions: Descriptions
) -> list[str]:
    path = case.path.format(**(names | case.fill)) + case.query
    token = names["token"] if case.by == "installation" else None
    token = app_jwt(int(names["app_id"])) if case.by == "app" else token
    at_head = {"head_sha": names["sha"]} if (case.body or {}).get("head_sha") == "{sha}" else {}
    body = None if case.body is None else case.body | at_head
    reply = await ask(case.method, path, body, by=case.by, token=token)
    if reply.status != case.status:
        return [f"answered {reply.status}: {reply.body}"]
    if reply.status >= 400 and not reply.body["message"]:
        return ["an error without a message"]
    return descriptions.answer_faults(case.method, case.path, reply.status, reply.body)


async def test_reading_is_shaped_as_github_describes_it(
    ask: Client, names: dict[str, str], descriptions: Descriptions
) -> None:
    """It answers every GET as expected, in the shape GitHub's OpenAPI description demands."""
    reads = [case for case in CASES if case.method == "GET"]
    found = {str(case): await _faults(case, ask, names, descriptions) for case in reads}
    assert {case: faults for case, faults in found.items() if faults} == {}


@pytest.mark.parametrize("case", [case for case in CASES if case.method != "GET"], ids=str)
async def test_writing_is_shaped_as_github_describes_it(
    case: Case, ask: Client, names: dict[str, str], descriptions: Descriptions
) -> None:
    """It answers every other method as expected, in that shape too."""
    assert await _faults(case, ask, names, descriptions) == []


def test_every_route_is_checked_with_success_and_failure() -> None:
    """It has, for each route, a case that succeeds and one that is refused."""
    good = {(case.method, case.path) for case in CASES if case.status < 400}
    bad = {(case.method, case.path) for case in CASES if case.status >= 400}
    routes = {(route.method, route.path) for route in ROUTES}
    assert (routes - good, routes - bad, (good | bad) - routes) == (set(), set(), set())


@pytest.mark.parametrize(
    "claims",
    [{"exp": 1}, {"iat": 4_000_000_000}, {"exp": 4_000_000_000}, {"iss": 99}],
    ids=["expired", "from the future", "too long", "another App"],
)
async def test_app_tokens_are_refused(
    claims: dict[str, int], ask: Client, names: dict[str, str]
) -> None:
    """It refuses an App whose JWT's claims GitHub would refuse."""
    issuer = str(claims.pop("iss", names["app_id"]))
    reply = await ask("GET", "/app", token=app_jwt(int(issuer), **claims))
    assert reply.status == 401


async def test_forged_app_tokens_are_refused(ask: Client, names: dict[str, str]) -> None:
    """It refuses a JWT whose claims were changed after signing."""
    head, _, signature = app_jwt(1).split(".")
    claims = app_jwt(int(names["app_id"])).split(".")[1]
    reply = await ask("GET", "/app", token=f"{head}.{claims}.{signature}")
    assert reply.status == 401


async def test_installation_tokens_may_do_what_the_app_may(
    ask: Client, names: dict[str, str]
) -> None:
    """It lets an installation write comments but no statuses, as its App was given."""
    signed = app_jwt(int(names["app_id"]))
    path = TOKENS.format(**names)
    token = (await ask("POST", path, token=signed)).body["token"]
    comment = await ask("POST", COMMENTS.format(**names), {"body": "hello"}, token=token)
    status = await ask("POST", STATUSES.format(**names), {"state": "success"}, token=token)
    assert (comment.status, comment.body["user"]["login"]) == (201, "helper[bot]")
    assert (status.status, status.body["message"]) == (
        403,
        "Resource not accessible by integration",
    )
