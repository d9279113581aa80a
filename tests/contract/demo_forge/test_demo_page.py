"""The demo forge's pages: readable, harmless whatever they show, deaf to other sites."""

from __future__ import annotations

from html.parser import HTMLParser

import aiohttp
import pytest

from prbot.demo.forge import DemoForge
from prbot.demo.markdown import render
from prbot.demo.state import Protection, Pull
from prbot.errors.demo import DemoForgeRefused

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)><a href='javascript:alert(3)'>x</a>"


class Tags(HTMLParser):
    """Every start tag of a page, with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


async def _read(session: aiohttp.ClientSession, url: str, **form: str) -> tuple[int, str]:
    method = "POST" if form else "GET"
    async with session.request(method, url, data=form or None) as answer:
        return answer.status, await answer.text()


async def test_hostile_text_is_harmless(forge: DemoForge, session: aiohttp.ClientSession) -> None:
    """It shows hostile titles, comments, reviews and statuses without running anything."""
    pull = await forge.open_pull(
        "acme/infra", head="topic", title=HOSTILE, author="alice", body=HOSTILE
    )
    await forge.comment(pull, "bob", f"{HOSTILE}\n\n```diff\n+{HOSTILE}\n```\n")
    await forge.review(pull, "bob", "REQUEST_CHANGES", HOSTILE)
    repo, sha = pull.repo, pull.head_sha
    await forge.set_status(repo, sha, "bob", "failure", HOSTILE, HOSTILE[:140])
    with pytest.raises(DemoForgeRefused):
        await forge.set_status(repo, sha, "bob", "failure", target_url="javascript:alert(4)")
    issue = await forge.open_issue(repo, "bob", HOSTILE, HOSTILE, [HOSTILE])
    issue_url = forge.urls.issue_page(repo.full_name, issue.number)
    for url in (forge.url, forge.page_url(pull), issue_url):
        status, text = await _read(session, url)
        tags = Tags(text).found
        scripts = [attrs.get("src") for tag, attrs in tags if tag == "script"]
        handlers = [name for _, attrs in tags for name in attrs if name.startswith("on")]
        targets = [attrs.get("href") or "" for _, attrs in tags]
        assert (status, handlers) == (200, [])
        assert scripts in ([], ["/-/static/demo.js"])
        assert not [target for target in targets if "javascript" in target]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** ~~b~~", "<p><strong>a</strong> <s>b</s></p>"),
        ("a\nb", "<p>a<br>\nb</p>"),
        (
            "<details open><summary>s</summary>t</details>",
            '<details open=""><summary>s</summary>t</details>',
        ),
        (
            "```diff\n+a\n-b\n c\n```",
            '<pre><code><span class="added">+a</span>\n'
            '<span class="deleted">-b</span>\n c\n</code></pre>',
        ),
        (
            "> [!CAUTION]\n> lost",
            '<blockquote class="alert caution">\n<p><strong>Caution</strong><br>\nlost</p>\n'
            "</blockquote>",
        ),
        ("> [!OTHER]\n> a", "<blockquote>\n<p>[!OTHER]<br>\na</p>\n</blockquote>"),
        ("<!-- marker -->seen", "seen"),
        ("<span class='muted' style='x'>a</span>", '<p><span class="">a</span></p>'),
    ],
)
def test_markdown_is_read_as_github_reads_it(text: str, html: str) -> None:
    """It renders GitHub's Markdown and keeps the HTML GitHub keeps."""
    assert render(text).strip() == html


def test_tables_are_rendered() -> None:
    """It renders tables and keeps how their cells are aligned."""
    html = render("| a | b |\n|---|--:|\n| 1 | 2 |\n")
    assert '<th>a</th>\n<th align="right">b</th>' in html
    assert '<td>1</td>\n<td align="right">2</td>' in html


async def test_forms_act_as_the_chosen_person(
    forge: DemoForge, session: aiohttp.ClientSession, pull: Pull
) -> None:
    """It comments, approves and merges through plain forms."""
    url = forge.page_url(pull)
    for form in (
        {"do": "comment", "as": "bob", "body": "looks good"},
        {"do": "approve", "as": "bob"},
        {"do": "merge", "as": "bob", "method": "squash"},
    ):
        status, _ = await _read(session, url, **form)
        assert status == 200
    assert [(c.user.login, c.body) for c in pull.comments] == [("bob", "looks good")]
    assert [review.state for review in pull.reviews] == ["APPROVED"]
    assert (pull.merged, pull.merged_by and pull.merged_by.login) == (True, "bob")


async def test_refusals_are_shown_and_the_text_is_kept(
    forge: DemoForge, session: aiohttp.ClientSession, pull: Pull
) -> None:
    """It says why it refused, and does not lose what somebody wrote."""
    forge.protect("acme/infra", "main", Protection(required_approvals=1))
    form = {"do": "merge", "as": "bob", "body": "my <b>words</b>"}
    status, text = await _read(session, forge.page_url(pull), **form)
    assert status == 405
    assert "At least 1 approving review is required" in text
    assert "my &lt;b&gt;words&lt;/b&gt;</textarea>" in text
    assert not pull.merged


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
    ],
    ids=str,
)
async def test_other_sites_cannot_use_the_forms(
    headers: dict[str, str], forge: DemoForge, session: aiohttp.ClientSession, pull: Pull
) -> None:
    """It refuses a form that another site, or another name for this one, has sent."""
    form = {"do": "merge", "as": "bob"}
    async with session.post(forge.page_url(pull), data=form, headers=headers) as answer:
        assert answer.status == 403
    assert not pull.merged


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/acme/infra/pull/9", {}, 404),
        ("/acme/none/pull/1", {}, 404),
        ("/acme/infra/pull/1", {"do": "dance", "as": "bob"}, 400),
        ("/acme/infra/pull/1", {"do": "comment", "as": "nobody", "body": "x"}, 404),
        ("/acme/infra/pull/1", {"do": "comment", "as": "bob", "body": ""}, 422),
    ],
)
async def test_bad_requests_are_refused(
    path: str,
    form: dict[str, str],
    status: int,
    forge: DemoForge,
    session: aiohttp.ClientSession,
    pull: Pull,
) -> None:
    """It answers what it cannot do with a 4xx."""
    assert (await _read(session, forge.url + path, **form))[0] == status


async def test_open_pages_hear_of_changes(
    forge: DemoForge, session: aiohttp.ClientSession, pull: Pull
) -> None:
    """It streams one event for news, and ends the stream when it stops."""
    async with session.get(f"{forge.page_url(pull)}/changes") as stream:
        await forge.comment(pull, "bob", "news")
        assert await stream.content.readline() == b"data: changed\n"
        await forge.stop()
        assert b"changed" not in await stream.content.read()
