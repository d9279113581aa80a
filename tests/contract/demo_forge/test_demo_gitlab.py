"""The demo forge's GitLab half: every route, pages, limits, scopes, and its webhooks against
models that were written from GitLab's documentation by others."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from gitlab_api import answer_faults, request_faults
from pydantic_gitlab_webhooks import events
from yarl import URL

from prbot.demo.forge import DemoForge
from prbot.demo.gitlab.table import (
    BRANCH,
    ISSUE,
    MERGE_REQUEST,
    NOTE,
    PROJECT,
    ROUTES,
    TRAIN,
    TRAINS,
)
from prbot.demo.state import MergeToCome, Protection, Pull

if TYPE_CHECKING:
    from conftest import Client, Tools

NAME = "acme/platform/infra"
GONE = "0" * 40
STATUSES = f"{PROJECT}/statuses/{{sha}}"
OF_COMMIT = f"{PROJECT}/repository/commits/{{sha}}/statuses"


@pytest.fixture
async def forge(tmp_path: Path, source: Path) -> AsyncIterator[DemoForge]:
    """alice and bob may write, root administers, carol reads, mallory is nobody."""
    forge = DemoForge(tmp_path / "forge", kind="gitlab")
    await forge.start()
    for login in ("alice", "bob", "carol", "mallory", "root", "prbot"):
        forge.create_user(login, token=f"{login}-token")
    levels = {"alice": "write", "bob": "write", "carol": "read", "root": "admin"}
    levels["prbot"] = "write"
    await forge.create_repository(NAME, source, private=True, collaborators=levels)
    forge.create_group("acme/sre", {"bob": "admin", "carol": "write"})
    yield forge
    await forge.stop()


@pytest.fixture
async def pull(forge: DemoForge) -> Pull:
    return await forge.open_pull(NAME, head="topic", title="A topic", author="alice")


@dataclass(frozen=True)
class Case:
    """A request to a route, and the status and some of the keys that it must get."""

    method: str
    path: str
    status: int
    body: dict[str, Any] | None = None
    by: str | None = "bob"
    fill: dict[str, str] = field(default_factory=dict)
    query: str = ""
    keys: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}{self.query} {self.status} {self.by}"[:110]


NO_PULL = {"merge_request_iid": "99"}
NO_NOTE = {"note_id": "99"}
NO_PROJECT = {"id": "acme%2Fnothing"}
LONG = "x" * 1_000_001
PROPOSED = {"title": "t", "source_branch": "topic", "target_branch": "late"}
CASES = [
    Case("GET", "/user", 200, keys="id username name state web_url"),
    Case("GET", "/user", 401, by=None),
    Case("GET", "/user", 401, by="nobody"),
    Case("GET", "/users/{user_id}", 200, keys="id username bot"),
    Case("GET", "/users/{user_id}", 404, fill={"user_id": "99"}),
    Case("GET", "/users/{user_id}", 401, by=None),
    Case("GET", "/projects", 200, query="?membership=true", keys="id path_with_namespace archived"),
    Case("GET", "/projects", 200, query="?simple=true", keys="id path_with_namespace"),
    Case("GET", "/projects", 200, query="?pagination=keyset&order_by=id&sort=asc"),
    Case("GET", "/projects", 405, query="?pagination=keyset&order_by=name"),
    Case("GET", "/projects", 401, by=None),
    Case("GET", "/groups/{id}/members/all", 200, fill={"id": "acme%2Fsre"}, keys="access_level"),
    Case("GET", "/groups/{id}/members/all", 404, fill={"id": "acme%2Fnone"}),
    Case("GET", PROJECT, 200, keys="default_branch http_url_to_repo namespace permissions"),
    Case("GET", PROJECT, 200, fill={"id": "acme%2Fplatform%2Finfra"}),
    Case("GET", PROJECT, 404, fill=NO_PROJECT),
    Case("GET", PROJECT, 404, by="mallory"),
    Case("GET", f"{PROJECT}/members/all", 200, query="?query=ali", keys="access_level state"),
    Case("GET", f"{PROJECT}/members/all", 404, by="mallory"),
    Case("GET", f"{PROJECT}/events", 200, query="?target_type=note", keys="note author"),
    Case("GET", f"{PROJECT}/events", 400, query="?after=yesterday"),
    Case("GET", BRANCH, 200, keys="name commit protected default"),
    Case("GET", BRANCH, 404, fill={"branch": "none"}),
    Case("DELETE", BRANCH, 204, fill={"branch": "late"}),
    Case("DELETE", BRANCH, 400),
    Case("DELETE", BRANCH, 403, by="carol"),
    Case("GET", f"{PROJECT}/merge_requests", 200, query="?state=opened", keys="iid sha draft"),
    Case("GET", f"{PROJECT}/merge_requests", 400, query="?state=strange"),
    Case("GET", f"{PROJECT}/merge_requests", 400, query="?updated_after=yesterday"),
    Case("GET", f"{PROJECT}/merge_requests", 200, query="?source_branch=topic", keys="iid"),
    Case("POST", f"{PROJECT}/merge_requests", 201, PROPOSED, keys="iid source_branch description"),
    Case("POST", f"{PROJECT}/merge_requests", 409, PROPOSED | {"target_branch": "main"}),
    Case("POST", f"{PROJECT}/merge_requests", 400, {"title": "t"}),
    Case("POST", f"{PROJECT}/merge_requests", 403, PROPOSED, by="carol"),
    Case("PUT", MERGE_REQUEST, 200, {"description": "words"}, keys="description"),
    Case("GET", MERGE_REQUEST, 200, keys="diff_refs merge_status detailed_merge_status user"),
    Case("GET", MERGE_REQUEST, 404, fill=NO_PULL),
    Case("GET", MERGE_REQUEST, 400, fill={"merge_request_iid": "one"}),
    Case("PUT", MERGE_REQUEST, 200, {"title": "Draft: less"}, by="alice", keys="draft"),
    Case("PUT", MERGE_REQUEST, 200, {"state_event": "close"}),
    Case("PUT", MERGE_REQUEST, 403, {"title": "mine"}, by="carol"),
    Case("GET", f"{MERGE_REQUEST}/commits", 200, keys="id author_email committer_email"),
    Case("GET", f"{MERGE_REQUEST}/commits", 404, fill=NO_PULL),
    Case("GET", f"{MERGE_REQUEST}/status_checks", 200, keys="id name external_url status"),
    Case("GET", f"{MERGE_REQUEST}/status_checks", 404, fill=NO_PULL),
    Case("GET", f"{MERGE_REQUEST}/versions", 200, keys="head_commit_sha created_at"),
    Case("GET", f"{MERGE_REQUEST}/versions", 404, fill=NO_PULL),
    Case("GET", f"{MERGE_REQUEST}/approvals", 200, keys="approved approved_by"),
    Case("GET", f"{MERGE_REQUEST}/approvals", 404, fill=NO_PULL),
    Case("GET", f"{MERGE_REQUEST}/reviewers", 200, keys="user state created_at"),
    Case("GET", f"{MERGE_REQUEST}/reviewers", 404, fill=NO_PULL),
    Case("POST", f"{MERGE_REQUEST}/approve", 201, {}, keys="approved_by"),
    Case("POST", f"{MERGE_REQUEST}/approve", 409, {"sha": GONE}),
    Case("POST", f"{MERGE_REQUEST}/approve", 401, {}, by="root"),
    Case("POST", f"{MERGE_REQUEST}/unapprove", 201, {}, by="root"),
    Case("POST", f"{MERGE_REQUEST}/unapprove", 404, {}),
    Case("PUT", f"{MERGE_REQUEST}/merge", 200, {}, keys="merge_commit_sha state"),
    Case("PUT", f"{MERGE_REQUEST}/merge", 200, {"squash": True}, keys="squash_commit_sha"),
    Case("PUT", f"{MERGE_REQUEST}/merge", 409, {"sha": GONE}),
    Case("PUT", f"{MERGE_REQUEST}/merge", 403, {}, by="carol"),
    Case("PUT", f"{MERGE_REQUEST}/merge", 405, {}, fill={"merge_request_iid": "2"}),
    Case("GET", TRAINS, 200, query="?scope=active&sort=asc"),
    Case("GET", TRAINS, 400, query="?scope=late"),
    Case("GET", TRAINS, 403, by="carol"),
    Case("POST", TRAIN, 201, {"squash": True}, keys="merge_request status target_branch"),
    Case("POST", TRAIN, 409, {"sha": GONE}),
    Case("POST", TRAIN, 400, {}, fill={"merge_request_iid": "2"}),
    Case("POST", TRAIN, 403, {}, by="carol"),
    Case("GET", f"{MERGE_REQUEST}/notes", 200, keys="body author system created_at updated_at"),
    Case("GET", f"{MERGE_REQUEST}/notes", 404, fill=NO_PULL),
    Case("POST", f"{MERGE_REQUEST}/notes", 201, {"body": "hello"}, keys="id noteable_iid"),
    Case("POST", f"{MERGE_REQUEST}/notes", 201, {"body": "x" * 1_000_000}),
    Case("POST", f"{MERGE_REQUEST}/notes", 202, {"body": "/close"}),
    Case("POST", f"{MERGE_REQUEST}/notes", 400, {"body": LONG}),
    Case("POST", f"{MERGE_REQUEST}/notes", 400, {"body": " "}),
    Case("POST", f"{MERGE_REQUEST}/notes", 400, {"body": 7}),
    Case("POST", f"{MERGE_REQUEST}/notes", 404, {"body": "x"}, by="mallory"),
    Case("GET", NOTE, 200, keys="body"),
    Case("GET", NOTE, 404, fill=NO_NOTE),
    Case("PUT", NOTE, 200, {"body": "better"}),
    Case("PUT", NOTE, 403, {"body": "mine now"}, by="carol"),
    Case("PUT", NOTE, 400, {"body": LONG}),
    Case("DELETE", NOTE, 204),
    Case("DELETE", NOTE, 403, by="carol"),
    Case("GET", f"{NOTE}/award_emoji", 200, keys="name user awardable_id"),
    Case("GET", f"{NOTE}/award_emoji", 404, fill=NO_NOTE),
    Case("POST", f"{NOTE}/award_emoji", 201, {"name": "eyes"}, keys="name"),
    Case("POST", f"{NOTE}/award_emoji", 404, {"name": "rocket"}),
    Case("POST", f"{NOTE}/award_emoji", 400, {"name": "nonsense"}),
    Case("POST", STATUSES, 201, {"state": "success", "name": "a", "description": "d" * 255}),
    Case("POST", STATUSES, 201, {"state": "running"}, keys="status name author"),
    Case("POST", STATUSES, 400, {"state": "pending", "name": "stuck"}, by="prbot"),
    Case("POST", STATUSES, 400, {"state": "success", "description": "d" * 256}),
    Case("POST", STATUSES, 400, {"state": "great"}),
    Case("POST", STATUSES, 400, {}),
    Case("POST", STATUSES, 404, {"state": "success"}, fill={"sha": GONE}),
    Case("POST", STATUSES, 403, {"state": "success"}, by="carol"),
    Case("GET", OF_COMMIT, 200, keys="status name target_url"),
    Case("GET", OF_COMMIT, 200, query="?all=true"),
    Case("GET", OF_COMMIT, 404, fill={"sha": GONE}),
    Case("GET", f"{PROJECT}/issues", 200, query="?author_username=alice", keys="iid labels"),
    Case("GET", f"{PROJECT}/issues", 404, by="mallory"),
    Case("POST", f"{PROJECT}/issues", 201, {"title": "t", "labels": "a,b"}, keys="iid state"),
    Case("POST", f"{PROJECT}/issues", 400, {"title": "x" * 256}),
    Case("POST", f"{PROJECT}/issues", 400, {}),
    Case("GET", ISSUE, 200, keys="description state"),
    Case("GET", ISSUE, 404, fill={"issue_iid": "99"}),
    Case("PUT", ISSUE, 200, {"state_event": "close", "add_labels": "c"}, keys="closed_at"),
    Case("PUT", ISSUE, 400, {"state_event": "burn"}),
    Case("GET", f"{ISSUE}/notes", 200, query="?sort=asc", keys="body author system"),
    Case("GET", f"{ISSUE}/notes", 404, fill={"issue_iid": "99"}),
    Case("POST", f"{ISSUE}/notes", 201, {"body": "hello"}, keys="id noteable_iid"),
    Case("POST", f"{ISSUE}/notes", 400, {"body": " "}),
    Case("POST", f"{ISSUE}/notes", 404, {"body": "x"}, by="mallory"),
    Case("PUT", ISSUE, 403, {"title": "mine"}, by="carol"),
]


@pytest.fixture
async def names(forge: DemoForge, pull: Pull) -> dict[str, str]:
    """A scene with something of everything, and the names of it."""
    await forge.open_pull(NAME, head="clash", title="Clash", author="alice")
    late = await forge.open_pull(NAME, head="late", title="Late", author="alice")
    await forge.merge(late, "bob")
    pull.repo.external_checks["records"] = "pending"
    pull.repo.merge_trains = True
    comment = await forge.comment(pull, "bob", "first")
    await forge.react(comment, "bob", "rocket")
    await forge.review(pull, "root", "APPROVE")
    await forge.set_status(pull.repo, pull.head_sha, "prbot", "pending", "stuck")
    issue = await forge.open_issue(pull.repo, "alice", "An issue", "words")
    await forge.comment(issue, "bob", "words")
    return {
        "id": str(pull.repo.id),
        "user_id": str(pull.author.id),
        "merge_request_iid": "1",
        "note_id": str(comment.id),
        "issue_iid": str(issue.number),
        "branch": "main",
        "sha": pull.head_sha,
    }


async def faults(case: Case, ask: Client, names: dict[str, str]) -> list[str]:
    path = case.path.format(**(names | case.fill)) + case.query
    reply = await ask(case.method, path, case.body, by=case.by)
    if reply.status != case.status:
        return [f"answered {reply.status}: {reply.body}"]
    if reply.status >= 400:
        return [] if {"message", "error"} & set(reply.body) else ["an error without words"]
    first = reply.body[0] if isinstance(reply.body, list) and reply.body else reply.body
    lacking = [f"lacks {key}" for key in case.keys.split() if key not in first]
    asked = [*(case.body or {}), *URL(case.query).query]
    described = request_faults(case.method, case.path, asked)
    return lacking + described + answer_faults(case.method, case.path, reply.status, reply.body)


async def test_reading(ask: Client, names: dict[str, str]) -> None:
    """It answers every GET with its status and what clients read of it."""
    reads = [case for case in CASES if case.method == "GET"]
    found = {str(case): await faults(case, ask, names) for case in reads}
    assert {case: wrong for case, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("case", [case for case in CASES if case.method != "GET"], ids=str)
async def test_writing(case: Case, ask: Client, names: dict[str, str]) -> None:
    """It answers every other method likewise."""
    assert await faults(case, ask, names) == []


def test_every_route() -> None:
    """It has, for each route, a case that succeeds and one that is refused."""
    good = {(case.method, case.path) for case in CASES if case.status < 400}
    bad = {(case.method, case.path) for case in CASES if case.status >= 400}
    routes = {(route.method, route.path) for route in ROUTES}
    assert (routes - good, routes - bad, (good | bad) - routes) == (set(), set(), set())


async def test_pages(forge: DemoForge, pull: Pull, ask: Client) -> None:
    """It cuts lists by offset, and tells of the rest in headers."""
    for number in range(5):
        await forge.comment(pull, "bob", f"{number}")
    path = f"/projects/{pull.repo.id}/merge_requests/1/notes?sort=asc&per_page=2"
    first, last = await ask("GET", path), await ask("GET", f"{path}&page=3")
    assert [note["body"] for note in first.body] == ["0", "1"]
    assert (first.headers["X-Next-Page"], first.headers["X-Total"]) == ("2", "5")
    assert 'rel="next"' in first.headers["Link"]
    assert [note["body"] for note in last.body] == ["4"]
    assert (last.headers["X-Next-Page"], last.headers["X-Prev-Page"]) == ("", "2")


async def test_keyset(forge: DemoForge, ask: Client) -> None:
    """It cuts projects by id, and says where the next part begins."""
    for name in ("acme/one", "acme/two"):
        await forge.create_repository(name, collaborators={"bob": "write"})
    path = "/projects?membership=true&pagination=keyset&order_by=id&sort=asc&per_page=2"
    first = await ask("GET", path)
    last = await ask("GET", f"{path}&id_after={first.body[-1]['id']}")
    names = [one["path_with_namespace"] for one in (*first.body, *last.body)]
    assert names == [NAME, "acme/one", "acme/two"]
    assert f"id_after={first.body[-1]['id']}" in first.headers["Link"]
    assert "Link" not in last.headers


async def test_limits(forge: DemoForge, ask: Client) -> None:
    """It counts calls, and refuses in GitLab's words once none are left."""
    good = await ask("GET", "/user")
    left = int(good.headers["RateLimit-Remaining"])
    assert int((await ask("GET", "/user")).headers["RateLimit-Remaining"]) == left - 1
    forge.exhaust_rate_limit("bob")
    async with aiohttp.ClientSession() as session:
        secret = {"PRIVATE-TOKEN": "bob-token"}
        async with session.get(f"{forge.api_url}/user", headers=secret) as refused:
            assert (refused.status, await refused.text()) == (429, "Retry later\n")
            assert int(refused.headers["Retry-After"]) > 0
            assert refused.headers["RateLimit-Remaining"] == "0"


async def test_scopes(forge: DemoForge, pull: Pull, ask: Client) -> None:
    """It lets a token that may only read write nothing, and a project's token no further."""
    notes = f"/projects/{pull.repo.id}/merge_requests/1/notes"
    reader = forge.create_project_token(NAME, "write", "read_api").value
    read, wrote = (
        await ask("GET", notes, token=reader),
        await ask("POST", notes, {"body": "x"}, token=reader),
    )
    assert (read.status, wrote.status, wrote.body["error"]) == (200, 403, "insufficient_scope")
    other = await forge.create_repository("acme/other", private=True)
    stranger = forge.create_project_token(NAME, "admin", "api").value
    assert (await ask("GET", f"/projects/{other.id}", token=stranger)).status == 404


async def test_unchanged(ask: Client, pull: Pull) -> None:
    """It answers 304 to whoever knows the answer, which still counts."""
    path = f"/projects/{pull.repo.id}/merge_requests"
    first = await ask("GET", path)
    again = await ask("GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, None)


async def test_a_train(forge: DemoForge, pull: Pull, ask: Client) -> None:
    """It lists what is on a train, takes statuses of its commit, and waits for them."""
    pull.repo.merge_trains = True
    names = {"id": str(pull.repo.id), "merge_request_iid": "1"}
    assert (await ask("POST", TRAIN.format(**names), {})).status == 201
    (car,) = (await ask("GET", TRAINS.format(**names))).body
    assert answer_faults("GET", TRAINS, 200, [car]) == []
    assert (car["pipeline"]["sha"], car["pipeline"]["ref"]) == (
        pull.train,
        "refs/merge-requests/1/train",
    )
    status = STATUSES.format(id=pull.repo.id, sha=pull.train)
    assert (await ask("POST", status, {"state": "pending", "name": "late"})).status == 201
    await forge.end_train(pull, good=True)
    assert pull.open
    await ask("POST", status, {"state": "success", "name": "late"})
    assert pull.merged
    assert (await ask("GET", TRAINS.format(**names))).body == []


# --- webhooks -----------------------------------------------------------------------------

MODELS = {
    "Merge Request Hook": events.MergeRequestEvent,
    "Note Hook": events.MergeRequestNoteEvent,
    "Confidential Note Hook": events.MergeRequestNoteEvent,
    "Push Hook": events.PushEvent,
    "Pipeline Hook": events.PipelineEvent,
    "Issue Hook": events.IssueEvent,
}
SPOKEN = {
    "Confidential Note Hook create",
    "Issue Hook open",
    "Issue Hook close",
    "Merge Request Hook approved",
    "Merge Request Hook close",
    "Merge Request Hook merge",
    "Merge Request Hook open",
    "Merge Request Hook reopen",
    "Merge Request Hook unapproved",
    "Merge Request Hook update",
    "Note Hook create",
    "Note Hook update",
    "Pipeline Hook",
    "Push Hook",
}


async def test_webhooks(forge: DemoForge, tools: Tools, tmp_path: Path) -> None:
    """It sends nothing in a merge request's life that models of GitLab's hooks do not read."""
    repo, work = forge.repository(NAME), tmp_path / "work"
    forge.add_hook("http://127.0.0.1:1/", "secret")
    forge.protect(NAME, "main", Protection(dismiss_stale=True))
    pull = await forge.open_pull(NAME, head="topic", title="T", author="alice", draft=True)
    await forge.ready_for_review(pull, "alice")
    comment = await forge.comment(pull, "bob", "plan")
    await forge.edit_comment(comment, "bob", "plan -d a")
    await forge.comment(pull, "bob", "between us", internal=True)
    await forge.review(pull, "bob", "APPROVE")
    work.mkdir()
    tools.git(work, "clone", "--quiet", "--branch", "topic", str(repo.git.path), ".")
    tools.commit(work, "More", {"more.tf": "c = 1\n", "main.tf": None})
    tools.git(work, "push", "--quiet", "origin", "topic")
    await forge.refresh(NAME, "alice")
    await forge.review(pull, "bob", "REQUEST_CHANGES", "why?")
    await forge.close(pull, "alice")
    await forge.reopen(pull, "alice")
    await forge.change_base(pull, "alice", "late")
    await forge.change_base(pull, "alice", "main")
    await forge.set_status(repo, pull.head_sha, "prbot", "success", "prbot/plan", "1 project")
    issue = await forge.open_issue(repo, "alice", "An issue", "words")
    await forge.set_issue_open(issue, "alice", False)
    await forge.comment(issue, "bob", "prbot recheck")
    repo.merge_trains = True
    for left in (forge.drop_train(pull), forge.end_train(pull, good=True)):
        await forge.board(pull, MergeToCome("bob", pull.head_sha, "merge", by_train=True))
        await left
    sent = forge.deliveries
    for delivery in sent:
        on_issue = b'"noteable_type":"Issue"' in delivery.body
        model = events.IssueNoteEvent if on_issue else MODELS[delivery.event]
        model.model_validate_json(delivery.body)
    words = [
        (d.event, json.loads(d.body)["object_attributes" if "Push" not in d.event else "project"])
        for d in sent
    ]
    assert {f"{event} {said.get('action', '')}".strip() for event, said in words} == SPOKEN


async def test_approvals_are_reset(forge: DemoForge, pull: Pull) -> None:
    """It tells a push that reset approvals from a person who took theirs back."""
    forge.add_hook("http://127.0.0.1:1/", "secret")
    review = await forge.review(pull, "bob", "APPROVE")
    await forge.withdraw(review)
    other = await forge.review(pull, "bob", "APPROVE")
    await forge.dismiss(other, "root")
    said = [d.payload["object_attributes"] for d in forge.deliveries]
    assert [one["action"] for one in said] == ["approved", "unapproved"] * 2
    assert [one.get("system_action") for one in said] == [
        None,
        None,
        None,
        "approvals_reset_on_push",
    ]


async def test_delivery_headers(forge: DemoForge, pull: Pull, receiver: Any) -> None:
    """It sends the secret token along, and the same key when it sends again."""
    forge.add_hook(receiver.url, "a shared secret")
    await forge.comment(pull, "bob", "hello")
    await forge.settled()
    forge.redeliver(forge.deliveries[-1].id)
    await forge.settled()
    (first, _), (again, _) = receiver.got
    assert first["X-Gitlab-Token"] == "a shared secret"
    assert first["X-Gitlab-Event"] == "Note Hook"
    assert first["Idempotency-Key"] == again["Idempotency-Key"]
