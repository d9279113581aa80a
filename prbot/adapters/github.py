"""GitHub as a forge: reads pull requests, writes comments, statuses and reactions.

Meets ForgeReader and ForgeWriter; `docs/forge-port.md` names the calls, `github_wire.py`
sends them, `github_auth.py` signs them. As few requests as the question needs: most
methods send one, and nothing is cached but our own name.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import structlog

from prbot.adapters.github_auth import GitHubApp, GitHubToken, git_header
from prbot.adapters.github_checks import Checks
from prbot.adapters.github_guards import Guards
from prbot.adapters.github_issues import Issues
from prbot.adapters.github_limits import Request
from prbot.adapters.github_lists import Lists
from prbot.adapters.github_merge import Merges
from prbot.adapters.github_proposals import Proposals
from prbot.adapters.github_queue import Queues
from prbot.adapters.github_shapes import (
    APP,
    COMMENT_ID,
    COMMENT_NODE,
    COMMENTS,
    PERMISSION,
    PULL,
    REVIEWS,
    USER,
    ReviewShape,
    permission_of,
    pull_of,
)
from prbot.adapters.github_wire import Wire
from prbot.adapters.markers import is_marked
from prbot.errors.forge import ForgeRefused, NotFound
from prbot.model import Login, Permission, PullRef, PullRequest, RepoRef, Review, ReviewState, Sha
from prbot.ports.forge import CheckReport, CloneAccess, StatusState

log = structlog.get_logger()

__all__ = ["GitHubApp", "GitHubForge", "GitHubToken"]

_DESCRIPTION_LIMIT = 140
MINIMISE = """\
mutation($id: ID!) {
  minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) {
    minimizedComment { isMinimized }
  }
}"""
"""https://docs.github.com/en/graphql/reference/mutations#minimizecomment"""


class GitHubForge:
    """One entry of the server's `forges:` list.

    `api_url` is `https://api.github.com` or `https://HOST/api/v3`; `clone_url` is where
    git finds `owner/name.git`, derived from `api_url` when None. `timeout` is in seconds
    without an answer, `now` gives Unix time, `register` is told each token before it
    leaves this class (an App's live for an hour only). Raises ForgeRefused for an empty token
    or a bad private key.
    """

    def __init__(
        self,
        name: str,
        auth: GitHubToken | GitHubApp,
        api_url: str = "https://api.github.com",
        clone_url: str | None = None,
        *,
        timeout: int = 20,
        threads: int = 4,
        now: Callable[[], float] = time.time,
        register: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.name = name
        self._register = register
        self._auth = auth
        self._api_url = api_url
        self._clone_url = (clone_url or _clone_url(api_url)).rstrip("/")
        self._wire = Wire(name, api_url, auth, timeout, threads, now)
        lists = Lists(name, self._wire, installed=isinstance(auth, GitHubApp))
        self.repositories = lists.repositories
        self.open_pulls = lists.open_pulls
        self.recently_closed_pulls = lists.recently_closed_pulls
        self.comments_since = lists.comments_since
        self.merge_queue = Queues(self._wire).merge_queue
        guards = Guards(self._wire)
        self.team_members = guards.team_members
        self.committers = guards.committers
        self.failing_checks = guards.failing_checks
        issues = Issues(self._wire, self.bot_login)
        self.upsert_issue, self.comment_on_issue = issues.upsert, issues.comment
        self.issue_is_open = issues.is_open
        proposals = Proposals(self._wire, self.bot_login)
        self.upsert_pull, self.close_pull = proposals.upsert, proposals.close
        merges = Merges(self._wire)
        self.merge, self.delete_branch = merges.merge, merges.delete_branch
        self._bot: Login | None = None

    @property
    def requests_sent(self) -> int:
        """How many requests were sent so far, those for an App's tokens aside."""
        return self._wire.sent

    async def close(self) -> None:
        await self._wire.close()

    # --- reading ---

    async def probe(self) -> str:
        self._bot = None
        kind = "a GitHub App" if isinstance(self._auth, GitHubApp) else "a token"
        return f"{self.name}: {await self.bot_login()} at {self._api_url}, with {kind}"

    async def bot_login(self) -> Login:
        if self._bot is None:
            self._bot = await self._ask_who_we_are()
        return self._bot

    async def _ask_who_we_are(self) -> Login:
        if isinstance(self._auth, GitHubApp):
            app = await self._wire.read(Request("read", "our App", "GET", "/app", None), APP)
            return Login(f"{app.slug}[bot]")
        me = await self._wire.read(Request("read", "our account", "GET", "/user", None), USER)
        return Login(me.login)

    async def pull_request(self, pull: PullRef) -> PullRequest:
        path = f"{_repo_path(pull.repo)}/pulls/{pull.number}"
        request = Request("read", f"pull request {pull}", "GET", path, pull.repo.path)
        answer = await self._wire.read(request, PULL)
        return pull_of(pull, answer)

    async def permission(self, repo: RepoRef, login: Login) -> Permission:
        """One request; two for those who only read.

        Everybody reads a public repository, so that a reader counts only as a
        collaborator. A look-up that fails raises: it must never count as an answer.
        """
        path = f"{_repo_path(repo)}/collaborators/{quote(login, safe='')}"
        what = f"permission of {login} in {repo}"
        request = Request("read", what, "GET", f"{path}/permission", repo.path)
        try:
            answer = await self._wire.read(request, PERMISSION)
            level = permission_of(answer.permission)
            if level is Permission.READ:
                await self._wire.ask(Request("read", what, "GET", path, repo.path))
        except NotFound:
            return Permission.NONE
        return level

    async def reviews(self, pull: PullRef) -> tuple[Review, ...]:
        """The permission is looked up for what counts (approvals, requests for changes),
        and NONE for dismissed ones."""
        path = f"{_repo_path(pull.repo)}/pulls/{pull.number}/reviews"
        request = Request("read", f"reviews of {pull}", "GET", path, pull.repo.path)
        latest: dict[str, ReviewShape] = {}
        async for page in self._wire.pages(request, REVIEWS):
            latest |= {review.author: review for review in page if review.decides}
        chosen = sorted(latest.values(), key=lambda review: review.at)
        return tuple(await asyncio.gather(*(self._judged(pull, one) for one in chosen)))

    async def _judged(self, pull: PullRef, review: ReviewShape) -> Review:
        author, permission = Login(review.author), Permission.NONE
        state = ReviewState(review.state.lower())
        if state in (ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED):
            permission = await self.permission(pull.repo, author)
        commit = None if review.commit_id is None else Sha(review.commit_id)
        return Review(author, state, commit, review.at, permission)

    async def clone_access(self, repo: RepoRef) -> CloneAccess:
        token = await self._wire.token(repo.path)
        self._register(token)
        return CloneAccess(f"{self._clone_url}/{repo.path}.git", git_header(token))

    # --- writing ---

    async def upsert_comment(
        self, pull: PullRef, marker: str, body: str, known_id: int | None
    ) -> int:
        """One request when `known_id` still stands; else the comments are searched."""
        if known_id is not None and await self._edit(pull, known_id, body):
            return known_id
        found = await self._own_comment(pull, marker)
        if found is not None and await self._edit(pull, found, body):
            return found
        path = f"{_repo_path(pull.repo)}/issues/{pull.number}/comments"
        create = _write(pull, f"on {pull}", "POST", path, body)
        return (await self._wire.read(create, COMMENT_ID)).id

    async def _edit(self, pull: PullRef, comment_id: int, body: str) -> bool:
        """False when the comment is gone."""
        path = f"{_repo_path(pull.repo)}/issues/comments/{comment_id}"
        try:
            await self._wire.ask(_write(pull, f"{comment_id} on {pull}", "PATCH", path, body))
        except NotFound:
            return False
        return True

    async def _own_comment(self, pull: PullRef, marker: str) -> int | None:
        """The oldest one marked so: whoever can comment can copy a marker, but not our name."""
        bot = await self.bot_login()
        path = f"{_repo_path(pull.repo)}/issues/{pull.number}/comments"
        request = Request("read", f"comments of {pull}", "GET", path, pull.repo.path)
        async for page in self._wire.pages(request, COMMENTS):
            for comment in page:
                if comment.author == bot and is_marked(comment.body or "", marker):
                    return comment.id
        return None

    async def minimise(self, pull: PullRef, comment_id: int) -> None:
        """Two requests: GraphQL knows comments by other ids than REST."""
        path = f"{_repo_path(pull.repo)}/issues/comments/{comment_id}"
        what = f"comment {comment_id} on {pull}"
        request = Request("read", what, "GET", path, pull.repo.path)
        try:
            comment = await self._wire.read(request, COMMENT_NODE)
            if comment.author == await self.bot_login():
                await self._wire.mutate("fold", what, pull.repo.path, MINIMISE, comment.node_id)
        except NotFound:
            return

    async def set_status(
        self,
        repo: RepoRef,
        sha: Sha,
        context: str,
        state: StatusState,
        description: str,
        report: CheckReport | None = None,
    ) -> None:
        """With an App a check run; a status where the App may not write checks."""
        if isinstance(self._auth, GitHubApp):
            checks = Checks(self._wire, self._auth.id)
            try:
                await checks.show(repo, sha, context, state, description, report)
                return
            except (ForgeRefused, NotFound) as error:  # the commit must have its end state
                log.warning("status instead of a check", action="write", error=str(error))
        await self._set_status(repo, sha, context, state, description)

    async def show_check(
        self,
        repo: RepoRef,
        sha: Sha,
        name: str,
        state: StatusState,
        line: str,
        report: CheckReport | None = None,
    ) -> None:
        if not isinstance(self._auth, GitHubApp):
            return
        try:
            await Checks(self._wire, self._auth.id).show(repo, sha, name, state, line, report)
        except (ForgeRefused, NotFound) as error:
            log.info("check not shown", action="write", error=str(error))

    async def _set_status(
        self, repo: RepoRef, sha: Sha, context: str, state: StatusState, description: str
    ) -> None:
        what = f"status {context} of {repo} at {sha[:7]}"
        text = _cut(description)
        body = {"state": state.value, "context": context, "description": text}
        path = f"{_repo_path(repo)}/statuses/{sha}"
        await self._wire.ask(Request("set", what, "POST", path, repo.path, body=body))

    async def react(self, pull: PullRef, comment_id: int) -> None:
        path = f"{_repo_path(pull.repo)}/issues/comments/{comment_id}/reactions"
        what = f"comment {comment_id} on {pull}"
        body = {"content": "eyes"}
        try:
            await self._wire.ask(Request("react to", what, "POST", path, pull.repo.path, body=body))
        except NotFound:
            return


def _write(pull: PullRef, what: str, verb: str, path: str, text: str) -> Request:
    return Request("write", f"comment {what}", verb, path, pull.repo.path, body={"body": text})


def _repo_path(repo: RepoRef) -> str:
    return f"/repos/{quote(repo.path)}"


def _clone_url(api_url: str) -> str:
    """`https://api.NAME` serves `https://NAME`, `https://HOST/api/v3` serves `https://HOST`."""
    parts = urlsplit(api_url)
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"


def _cut(description: str) -> str:
    if len(description) <= _DESCRIPTION_LIMIT:
        return description
    return description[: _DESCRIPTION_LIMIT - 1] + "…"
