"""Notes on merge requests, award emoji to them, and our own issues on GitLab.

GitLab carries out lines of a note that begin with a slash (`/merge`, `/approve`), with the
rights of who wrote it, so nothing we write begins a line with one
(https://docs.gitlab.com/user/project/quick_actions/). It cannot fold a note: an outdated one
of ours is put into a fold of its own.
Wire facts: https://docs.gitlab.com/api/notes/, https://docs.gitlab.com/api/issues/
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from prbot.adapters.gitlab_limits import Request
from prbot.adapters.gitlab_shapes import (
    ISSUE,
    ISSUES,
    NOTE,
    NOTE_ID,
    NOTES,
    IssueShape,
    Note,
    spoken,
)
from prbot.adapters.gitlab_wire import Wire
from prbot.adapters.markers import is_marked
from prbot.errors.forge import NotFound
from prbot.model import Login, PullRef, RepoRef

_SLASH = re.compile(r"^(?=/)", re.MULTILINE)
_MARKER = re.compile(r"\s*(<!-- [^\n]* -->)\s*\Z")
OUTDATED = "<details><summary>Outdated</summary>"
_APPROVED = "approved this merge request"


def inert(body: str) -> str:
    """The same to read, without a line that GitLab would carry out."""
    return _SLASH.sub(" ", body.replace("\r", ""))


def folded(body: str) -> str:
    """The same in a fold, its marker behind it; as it is when it is folded already."""
    if body.startswith(OUTDATED):
        return body
    found = _MARKER.search(body)
    text, marker = (body[: found.start()], found[1]) if found else (body, "")
    return f"{OUTDATED}\n\n{text.strip()}\n\n</details>\n\n{marker}".strip()


@dataclass(frozen=True)
class Notes:
    """`bot_login` tells whose notes are ours."""

    wire: Wire
    bot_login: Callable[[], Awaitable[Login]]

    async def upsert(self, pull: PullRef, marker: str, body: str, known_id: int | None) -> int:
        """One request when `known_id` still stands; else the notes are searched."""
        body = inert(body)
        if known_id is not None and await self._edit(pull, known_id, body):
            return known_id
        found = await self._own(pull, marker)
        if found is not None and await self._edit(pull, found, body):
            return found
        create = Request(
            "write", f"a note on {spoken(pull)}", "POST", _notes(pull), body={"body": body}
        )
        return (await self.wire.read(create, NOTE_ID)).id

    async def _edit(self, pull: PullRef, note: int, body: str) -> bool:
        """False when the note is gone."""
        path, what = f"{_notes(pull)}/{note}", f"note {note} on {spoken(pull)}"
        try:
            await self.wire.ask(Request("write", what, "PUT", path, body={"body": body}))
        except NotFound:
            return False
        return True

    async def _own(self, pull: PullRef, marker: str) -> int | None:
        """The oldest one marked so: whoever can comment can copy a marker, but not our name."""
        bot = await self.bot_login()
        async for page in self.wire.pages(self._all(pull), NOTES):
            for note in page:
                if note.writer == bot and not note.system and is_marked(note.body, marker):
                    return note.id
        return None

    async def approval_times(self, pull: PullRef) -> dict[str, datetime]:
        """When each person approved last, as GitLab's own notes say it."""
        times: dict[str, datetime] = {}
        async for page in self.wire.pages(self._all(pull), NOTES):
            told = (note for note in page if note.system and note.body == _APPROVED)
            times |= {note.writer: note.created_at for note in told}
        return times

    def _all(self, pull: PullRef) -> Request:
        order = {"sort": "asc", "order_by": "created_at"}
        return Request("read", f"notes on {spoken(pull)}", "GET", _notes(pull), parameters=order)

    async def fold(self, pull: PullRef, note_id: int) -> None:
        """Two requests; one for a note that is folded or not ours."""
        path, what = f"{_notes(pull)}/{note_id}", f"note {note_id} on {spoken(pull)}"
        try:
            note: Note = await self.wire.read(Request("read", what, "GET", path), NOTE)
        except NotFound:
            return
        body = folded(note.body)
        if note.writer == await self.bot_login() and body != note.body:
            await self._edit(pull, note_id, inert(body))

    async def react(self, pull: PullRef, comment_id: int) -> None:
        """GitLab says 404 to a second one, as to a note that is gone."""
        path, what = (
            f"{_notes(pull)}/{comment_id}/award_emoji",
            f"note {comment_id} on {spoken(pull)}",
        )
        try:
            await self.wire.ask(Request("react to", what, "POST", path, body={"name": "eyes"}))
        except NotFound:
            return


@dataclass(frozen=True)
class Issues:
    """`bot_login` tells whose issues are ours. GitLab counts them apart from merge requests."""

    wire: Wire
    bot_login: Callable[[], Awaitable[Login]]

    async def upsert(
        self,
        repo: RepoRef,
        marker: str,
        title: str,
        body: str,
        labels: Sequence[str],
        is_open: bool | None,
        known: int | None,
    ) -> int | None:
        """Two requests when `known` still stands, else the issues are searched."""
        words: dict[str, Any] = {"title": _cut(title), "description": inert(body)}
        found = await self._known(repo, marker, known) or await self._search(repo, marker)
        if found is None:
            return None if is_open is False else await self._create(repo, words, labels)
        if is_open not in (None, found.is_open):
            words["state_event"] = "reopen" if is_open else "close"
        if labels:
            words["add_labels"] = ",".join(labels)  # what people labelled it stays
        path, what = f"{_issues(repo)}/{found.iid}", f"issue {found.iid} of {repo}"
        await self.wire.ask(Request("write", what, "PUT", path, body=words))
        return found.iid

    async def comment(self, repo: RepoRef, number: int, marker: str, body: str) -> None:
        """Two requests while there are few notes."""
        path, what = f"{_issues(repo)}/{number}/notes", f"issue {number} of {repo}"
        bot = await self.bot_login()
        order = {"sort": "asc", "order_by": "created_at"}
        read = Request("read", f"notes on {what}", "GET", path, parameters=order)
        async for page in self.wire.pages(read, NOTES):
            ours = (note for note in page if note.writer == bot and not note.system)
            if any(is_marked(note.body, marker) for note in ours):
                return
        write = Request("write", f"a note on {what}", "POST", path, body={"body": inert(body)})
        await self.wire.ask(write)

    async def is_open(self, repo: RepoRef, number: int, marker: str) -> bool | None:
        found = await self._known(repo, marker, number)
        return None if found is None else found.is_open

    async def _create(self, repo: RepoRef, words: dict[str, Any], labels: Sequence[str]) -> int:
        body = words | ({"labels": ",".join(labels)} if labels else {})
        create = Request("write", f"an issue of {repo}", "POST", _issues(repo), body=body)
        return (await self.wire.read(create, ISSUE)).iid

    async def _known(self, repo: RepoRef, marker: str, number: int | None) -> IssueShape | None:
        if number is None:
            return None
        path, what = f"{_issues(repo)}/{number}", f"issue {number} of {repo}"
        try:
            found = await self.wire.read(Request("read", what, "GET", path), ISSUE)
        except NotFound:
            return None
        return found if _is_ours(found, await self.bot_login(), marker) else None

    async def _search(self, repo: RepoRef, marker: str) -> IssueShape | None:
        bot = await self.bot_login()
        asked = {"author_username": bot, "scope": "all", "sort": "asc", "order_by": "created_at"}
        request = Request("read", f"issues of {repo}", "GET", _issues(repo), parameters=asked)
        async for page in self.wire.pages(request, ISSUES):
            for issue in page:
                if _is_ours(issue, bot, marker):
                    return issue
        return None


def _cut(title: str) -> str:
    """To the 255 characters that GitLab takes."""
    return title if len(title) <= 255 else f"{title[:254]}…"


def _is_ours(issue: IssueShape, bot: Login, marker: str) -> bool:
    mine = issue.author is not None and issue.author.username == bot
    return mine and is_marked(issue.text, marker)


def _notes(pull: PullRef) -> str:
    return f"/projects/{quote(pull.repo.path, safe='')}/merge_requests/{pull.number}/notes"


def _issues(repo: RepoRef) -> str:
    return f"/projects/{quote(repo.path, safe='')}/issues"
