"""What the demo forge's API does beyond shapes: pages, ETags, limits, rights, faults."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest

from prbot.demo.forge import DemoForge
from prbot.demo.state import Protection, Pull

if TYPE_CHECKING:
    from conftest import Client

COMMENTS = "/repos/acme/infra/issues/1/comments"
PULL = "/repos/acme/infra/pulls/1"


async def test_lists_come_in_pages(forge: DemoForge, ask: Client, pull: Pull) -> None:
    """It cuts lists into pages of at most 100 and links them as GitHub does."""
    for n in range(105):
        await forge.comment(pull, "bob", f"word {n}")
    first = await ask("GET", f"{COMMENTS}?per_page=1000")
    assert len(first.body) == 100
    assert first.headers["Link"] == (
        f'<{forge.api_url}{COMMENTS}?per_page=1000&page=2>; rel="next", '
        f'<{forge.api_url}{COMMENTS}?per_page=1000&page=2>; rel="last"'
    )
    second = await ask("GET", f"{COMMENTS}?per_page=1000&page=2")
    assert [c["body"] for c in second.body] == [f"word {n}" for n in range(100, 105)]
    assert 'rel="prev"' in second.headers["Link"]
    assert 'rel="next"' not in second.headers["Link"]
    assert len((await ask("GET", COMMENTS)).body) == 30
    assert (await ask("GET", f"{COMMENTS}?page=9")).body == []


async def test_lists_inside_objects_come_in_pages(forge: DemoForge, ask: Client) -> None:
    """It cuts the list an object holds, and counts all of it."""
    app = forge.create_app("helper", "acme", b"", {})
    token = forge.create_installation_token(forge.install(app, ["acme/infra", "acme/secret"]))
    first = await ask("GET", "/installation/repositories?per_page=1", token=token.value)
    assert first.body["total_count"] == 2
    assert [repo["full_name"] for repo in first.body["repositories"]] == ["acme/infra"]
    assert 'rel="next"' in first.headers["Link"]


async def test_own_repositories_are_those_one_was_let_into(forge: DemoForge, ask: Client) -> None:
    """It lists a private repository to its collaborators, and a public one to no stranger."""
    names = {
        by: [repo["full_name"] for repo in (await ask("GET", "/user/repos", by=by)).body]
        for by in ("alice", "carol")
    }
    assert names == {"alice": ["acme/infra", "acme/secret"], "carol": []}


async def test_comments_since(forge: DemoForge, ask: Client, pull: Pull) -> None:
    """It lists the comments of all pull requests, those changed since a moment, in order."""
    other = await forge.open_pull("acme/infra", head="late", title="L", author="alice")
    comments = [await forge.comment(on, "bob", "hi") for on in (pull, other, pull)]
    for minutes, comment in enumerate(comments):
        comment.created_at = comment.updated_at = forge.now() - timedelta(minutes=minutes)
    path = "/repos/acme/infra/issues/comments"
    since = comments[1].updated_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    by_update = await ask("GET", f"{path}?sort=updated&since={since}")
    assert [c["id"] for c in by_update.body] == [comments[1].id, comments[0].id]
    falling = await ask("GET", f"{path}?sort=created&direction=desc")
    assert [c["id"] for c in falling.body] == [c.id for c in comments]


async def test_unchanged_answers_are_not_sent_again(
    forge: DemoForge, ask: Client, pull: Pull
) -> None:
    """It answers 304 to a matching ETag, free of charge, and 200 once something changed."""
    first = await ask("GET", COMMENTS)
    known = {"If-None-Match": first.headers["ETag"]}
    again = await ask("GET", COMMENTS, headers=known)
    assert (again.status, again.body) == (304, None)
    assert again.headers["X-RateLimit-Remaining"] == first.headers["X-RateLimit-Remaining"]
    await forge.comment(pull, "bob", "news")
    assert (await ask("GET", COMMENTS, headers=known)).status == 200


async def test_the_rate_limit_runs_out_and_comes_back(
    forge: DemoForge, ask: Client, pull: Pull
) -> None:
    """It refuses a caller without calls left, tells when to come back, and spares others."""
    forge.exhaust_rate_limit("bob", timedelta(minutes=5))
    refused = await ask("GET", PULL)
    wait = int(refused.headers["X-RateLimit-Reset"]) - forge.now().timestamp()
    assert (refused.status, refused.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert 290 < wait <= 300
    assert (await ask("GET", "/rate_limit")).body["rate"]["remaining"] == 0
    assert (await ask("GET", PULL, by="alice")).status == 200
    forge.restore_rate_limit("bob")
    assert (await ask("GET", PULL)).status == 200


async def test_the_secondary_limit_says_how_long_to_wait(
    forge: DemoForge, ask: Client, pull: Pull
) -> None:
    """It answers 403 with Retry-After when told to slow somebody down."""
    forge.slow_down("bob", 7)
    refused = await ask("POST", COMMENTS, {"body": "hello"})
    assert (refused.status, refused.headers["Retry-After"]) == (403, "7")
    assert "secondary rate limit" in refused.body["message"]
    assert pull.comments == []


async def test_mergeability_is_known_only_later(forge: DemoForge, ask: Client, pull: Pull) -> None:
    """It answers null first, then the truth, and null again after the base moved."""
    clash = await forge.open_pull("acme/infra", head="clash", title="C", author="alice")
    late = await forge.open_pull("acme/infra", head="late", title="L", author="alice")
    seen = [(await ask("GET", PULL)).body["mergeable"] for _ in range(3)]
    assert seen == [None, True, True]
    await forge.merge(late, "bob")
    path = f"/repos/acme/infra/pulls/{clash.number}"
    reads = [(await ask("GET", path)).body for _ in range(2)]
    assert [read["mergeable"] for read in reads] == [None, False]
    assert [read["mergeable_state"] for read in reads] == ["unknown", "dirty"]


async def test_an_open_pull_shows_its_test_merge(forge: DemoForge, ask: Client, pull: Pull) -> None:
    """It shows a merge commit before the merge, as GitHub does, and the real one after."""
    await ask("GET", PULL)
    before = (await ask("GET", PULL)).body
    merged = await forge.merge(pull, "bob")
    after = (await ask("GET", PULL)).body
    assert (before["merged"], after["merged"]) == (False, True)
    assert before["merge_commit_sha"] not in (None, merged)
    assert after["merge_commit_sha"] == merged


@pytest.mark.parametrize(
    ("granted", "method", "path", "status"),
    [
        ({"issues": "write"}, "POST", COMMENTS, 201),
        ({"issues": "read"}, "POST", COMMENTS, 403),
        ({"issues": "read"}, "GET", COMMENTS, 200),
        ({}, "GET", COMMENTS, 403),
        ({"pull_requests": "read"}, "GET", PULL, 200),
        ({"pull_requests": "read"}, "PUT", f"{PULL}/merge", 403),
        ({}, "GET", "/repos/acme/infra", 200),
    ],
)
async def test_fine_grained_tokens_do_what_they_list(
    granted: dict[str, str],
    method: str,
    path: str,
    status: int,
    forge: DemoForge,
    ask: Client,
    pull: Pull,
) -> None:
    """It holds a token to its own permissions, whatever its user may do."""
    token = forge.create_token("bob", granted)
    body = {"body": "hello"} if method == "POST" else None
    assert (await ask(method, path, body, token=token)).status == status


async def test_tokens_of_one_repository_do_not_see_another(forge: DemoForge, ask: Client) -> None:
    """It hides a private repository that the token does not name."""
    token = forge.create_token("bob", {}, ["acme/infra"])
    assert (await ask("GET", "/repos/acme/infra", token=token)).status == 200
    assert (await ask("GET", "/repos/acme/secret", token=token)).status == 404


async def test_protection_refuses_a_merge_until_it_is_met(
    forge: DemoForge, ask: Client, pull: Pull
) -> None:
    """It demands checks and approvals, counts only writers, and says what is missing."""
    rules = Protection(required_checks=("prbot/plan",), required_approvals=1)
    forge.protect("acme/infra", "main", rules)
    await forge.review(pull, "carol", "APPROVE")
    refused = await ask("PUT", f"{PULL}/merge")
    assert refused.status == 405
    assert 'Required status check "prbot/plan" is expected.' in refused.body["message"]
    assert "At least 1 approving review is required" in refused.body["message"]
    await forge.set_status(pull.repo, pull.head_sha, "prbot", "pending", "prbot/plan")
    await forge.review(pull, "bob", "APPROVE")
    pending = await ask("PUT", f"{PULL}/merge")
    assert pending.body["message"] == 'Required status check "prbot/plan" is pending.'
    await forge.set_status(pull.repo, pull.head_sha, "prbot", "success", "prbot/plan")
    await forge.review(pull, "bob", "REQUEST_CHANGES", "wait")
    assert (await ask("PUT", f"{PULL}/merge")).body["message"] == "Changes have been requested."
    await forge.review(pull, "bob", "APPROVE")
    assert (await ask("PUT", f"{PULL}/merge")).status == 200


async def test_administrators_pass_protections_unless_included(
    forge: DemoForge, ask: Client, pull: Pull
) -> None:
    """It lets an administrator merge past a protection that does not include them."""
    forge.protect("acme/infra", "main", Protection(required_approvals=1, enforce_admins=True))
    assert (await ask("PUT", f"{PULL}/merge", by="root")).status == 405
    forge.protect("acme/infra", "main", Protection(required_approvals=1))
    assert (await ask("PUT", f"{PULL}/merge", by="root")).status == 200


async def test_ordered_faults_happen_once(forge: DemoForge, ask: Client, pull: Pull) -> None:
    """It fails as ordered, so often and only there."""
    forge.fail_next("POST", r"/comments$", 502, times=2)
    said = [(await ask("POST", COMMENTS, {"body": "hello"})).status for _ in range(3)]
    assert said == [502, 502, 201]
    assert len(pull.comments) == 1


async def test_an_answer_can_be_lost_after_the_deed(
    forge: DemoForge, ask: Client, pull: Pull
) -> None:
    """It can do what was asked and cut the connection instead of saying so."""
    forge.fail_next("POST", r"/comments$", 0, after=True)
    with pytest.raises(aiohttp.ClientError):
        await ask("POST", COMMENTS, {"body": "hello"})
    assert [comment.body for comment in pull.comments] == ["hello"]


async def test_a_hanging_request_does_not_keep_the_forge_from_stopping(
    forge: DemoForge, ask: Client, pull: Pull
) -> None:
    """It lets hanging requests go when it stops."""
    forge.fail_next("GET", r"/pulls/1$", hang=True)
    asking = asyncio.create_task(ask("GET", PULL))
    await forge.wait_for(lambda: forge.faults.hanging)
    await forge.stop()
    assert (await asking).status == 500


async def test_bad_json_is_refused(
    forge: DemoForge, session: aiohttp.ClientSession, pull: Pull
) -> None:
    """It answers 400 to a body that is no JSON object."""
    headers = {"Authorization": "token bob-token"}
    for body in ("{", "[1]", "null"):
        async with session.post(forge.api_url + COMMENTS, data=body, headers=headers) as answer:
            assert answer.status == 400


@pytest.mark.parametrize("header", ["Basic !!", "Basic Ym9i", "Digest x", "Bearer", "Bearer a.b.c"])
async def test_bad_credentials_are_refused(
    header: str, forge: DemoForge, session: aiohttp.ClientSession
) -> None:
    """It answers 401 to credentials it cannot read, even for what everybody may see."""
    url = f"{forge.api_url}/repos/acme/infra"
    async with session.get(url, headers={"Authorization": header}) as answer:
        assert answer.status == 401
