"""GitLab as a forge: reads merge requests, writes notes, statuses and award emoji.

Meets ForgeReader and ForgeWriter; `docs/forge-port.md` names the calls, `gitlab_wire.py`
sends them. Works with personal, project and group access tokens, on gitlab.com and where
people run GitLab themselves. Nothing is cached but our own name, the paths of forks, and which
accounts are people's.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import structlog

from prbot.adapters.gitlab_accounts import Accounts
from prbot.adapters.gitlab_guards import Guards
from prbot.adapters.gitlab_limits import Request
from prbot.adapters.gitlab_merge import Merges
from prbot.adapters.gitlab_notes import Issues, Notes
from prbot.adapters.gitlab_proposals import Proposals
from prbot.adapters.gitlab_shapes import (
    APPROVALS,
    EVENTS,
    MEMBERS,
    MERGE_REQUEST,
    MERGE_REQUESTS,
    PROJECT,
    PROJECTS,
    REVIEWERS,
    USER,
    VERSIONS,
    Approval,
    MergeRequest,
    Project,
    blocking,
    commented,
    head_at,
    pull_of,
    spoken,
)
from prbot.adapters.gitlab_statuses import Statuses
from prbot.adapters.gitlab_trains import Trains
from prbot.adapters.gitlab_wire import Wire, both
from prbot.errors.forge import ForgeRefused, ForgeUnavailable, NotFound
from prbot.model import (
    Commented,
    IssueCommented,
    Login,
    Permission,
    PullRef,
    PullRequest,
    RepoRef,
    Review,
    ReviewState,
    Sha,
)
from prbot.ports.forge import CheckReport, CloneAccess, StatusState

log = structlog.get_logger()

API = "/api/v4"


class GitLabForge:
    """One entry of the server's `forges:` list.

    `api_url` is `https://HOST/api/v4`; `clone_url` is where git finds `group/project.git`,
    derived from `api_url` when None. `timeout` is in seconds without an answer, `now` gives
    Unix time, `register` is told the token before it leaves this class. Raises ForgeRefused
    for an empty token.
    """

    def __init__(
        self,
        name: str,
        token: str,
        api_url: str = "https://gitlab.com/api/v4",
        clone_url: str | None = None,
        *,
        timeout: int = 20,
        threads: int = 4,
        now: Callable[[], float] = time.time,
        register: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.name = name
        self._register = register
        self._api_url = api_url.rstrip("/")
        host = self._api_url.removesuffix(API)
        self._clone_url = (clone_url or host).rstrip("/")
        self._wire = Wire(name, host, token, timeout, threads, now)
        self._bot: Login | None = None
        self._paths: dict[int, str | None] = {}
        self._notes = Notes(self._wire, self.bot_login)
        self._is_person = Accounts(self._wire).is_person
        issues = Issues(self._wire, self.bot_login)
        self.react = self._notes.react
        self.minimise = self._notes.fold
        self.upsert_comment = self._notes.upsert
        self.upsert_issue, self.comment_on_issue = issues.upsert, issues.comment
        self.issue_is_open = issues.is_open
        self.set_status = Statuses(self._wire, self.bot_login).set
        guards = Guards(self._wire)
        self.team_members = guards.team_members
        self.committers = guards.committers
        self.failing_checks = guards.failing_checks
        proposals = Proposals(self._wire, self.bot_login)
        self.upsert_pull, self.close_pull = proposals.upsert, proposals.close
        self.merge_queue = Trains(self._wire).merge_queue
        merges = Merges(self._wire)
        self.merge, self.delete_branch = merges.merge, merges.delete_branch

    @property
    def requests_sent(self) -> int:
        return self._wire.sent

    async def close(self) -> None:
        await self._wire.close()

    # --- reading ---

    async def probe(self) -> str:
        self._bot = None
        return f"{self.name}: {await self.bot_login()} at {self._api_url}, with a token"

    async def bot_login(self) -> Login:
        if self._bot is None:
            me = await self._wire.read(Request("read", "our account", "GET", "/user"), USER)
            self._bot = Login(me.username)
        return self._bot

    async def pull_request(self, pull: PullRef) -> PullRequest:
        """Two requests, because the default branch is the project's; three for a fork."""
        path = f"{project_path(pull.repo)}/merge_requests/{pull.number}"
        request = Request("read", f"merge request {spoken(pull)}", "GET", path)
        merge, project = await both(
            self._wire.read(request, MERGE_REQUEST), self._project(pull.repo)
        )
        if not merge.sha or (merge.state == "opened" and merge.diff_refs is None):
            cause = "it is still preparing the merge request"
            raise ForgeUnavailable(self.name, f"read {request.what}", cause, None)
        head_repo = await self._head_repo(pull.repo, merge, fresh=True)
        return pull_of(pull, merge, project, head_repo, listed=False)

    async def _project(self, repo: RepoRef) -> Project:
        request = Request("read", f"project {repo}", "GET", project_path(repo))
        return await self._wire.read(request, PROJECT)

    async def _head_repo(self, repo: RepoRef, merge: MergeRequest, fresh: bool) -> str | None:
        """The path of the project the head lies in; None when it is gone or hidden."""
        source = merge.source_project_id
        if source == merge.target_project_id:
            return repo.path
        if source is None:
            return None
        if fresh or source not in self._paths:
            request = Request("read", f"project {source}", "GET", f"/projects/{source}")
            try:
                found = await self._wire.read(request, PROJECT)
                self._paths[source] = found.path_with_namespace
            except (NotFound, ForgeRefused):
                self._paths[source] = None
        return self._paths[source]

    async def permission(self, repo: RepoRef, login: Login) -> Permission:
        """Inherited memberships count. One request; a look-up that fails raises.

        Everybody reads a public project, so that only members count. Administrators of the
        whole GitLab count only where they are members.
        """
        path = f"{project_path(repo)}/members/all"
        asked = {"query": login}
        what = f"permission of {login} in {repo}"
        request = Request("read", what, "GET", path, parameters=asked)
        found = [Permission.NONE]
        try:
            async for page in self._wire.pages(request, MEMBERS):
                same = (one for one in page if one.username.lower() == login.lower())
                found += [member.permission for member in same]
        except NotFound:
            return Permission.NONE
        return max(found, key=list(Permission).index)

    async def reviews(self, pull: PullRef) -> tuple[Review, ...]:
        """Approvals that stand, each with the head it was given at, and requests for changes.

        Two requests while nobody approved, and one for each approver who is new to us; the head
        is the newest version of the diff that stood there before. What was taken back, or reset
        by a push, is not there any more. What no person's account approved is left out: whoever
        maintains a project can make one, and would be a second person to themselves.
        """
        path, what = (
            f"{project_path(pull.repo)}/merge_requests/{pull.number}",
            f"reviews of {spoken(pull)}",
        )
        approvals, reviewers = await both(
            self._wire.read(Request("read", what, "GET", f"{path}/approvals"), APPROVALS),
            self._reviewers(Request("read", what, "GET", f"{path}/reviewers")),
        )
        people = [one for one in approvals.approved_by if await self._is_person(one.user)]
        given = await self._approved(pull, path, what, people)
        blocked = {review.author for review in reviewers}
        every = [*reviewers, *(review for review in given if review.author not in blocked)]
        every.sort(key=lambda review: review.submitted_at)
        levels = await asyncio.gather(*(self.permission(pull.repo, r.author) for r in every))
        return tuple(
            replace(review, permission=level) for review, level in zip(every, levels, strict=True)
        )

    async def _reviewers(self, request: Request) -> list[Review]:
        """None where GitLab is older than its requests for changes; it does not page them."""
        try:
            return blocking(await self._wire.read(request, REVIEWERS))
        except NotFound:
            return []

    async def _approved(
        self, pull: PullRef, path: str, what: str, approvals: Sequence[Approval]
    ) -> list[Review]:
        if not approvals:
            return []
        request = Request("read", what, "GET", f"{path}/versions")
        versions = [v async for page in self._wire.pages(request, VERSIONS) for v in page]
        times: dict[str, datetime] = {}
        if any(one.approved_at is None for one in approvals):
            times = await self._notes.approval_times(pull)
        found = []
        for one in approvals:
            at = one.approved_at or times.get(one.user.username)
            if at is not None:  # without a time it cannot be told what was approved
                author, head = Login(one.user.username), head_at(versions, at)
                state = ReviewState.APPROVED
                found.append(Review(author, state, head, at, Permission.NONE))
        return found

    async def clone_access(self, repo: RepoRef) -> CloneAccess:
        """https://docs.gitlab.com/topics/git/clone/#clone-using-a-token"""
        token = self._wire.token
        self._register(token)
        pair = base64.b64encode(f"oauth2:{token}".encode()).decode()
        return CloneAccess(f"{self._clone_url}/{repo.path}.git", f"Authorization: Basic {pair}")

    # --- lists ---

    async def repositories(self) -> tuple[RepoRef, ...]:
        asked = {"membership": "true", "archived": "false", "simple": "true"}
        request = Request("read", "our projects", "GET", "/projects", parameters=asked)
        pages = self._wire.known_keyset(request, PROJECTS, lambda project: project.id)
        found = [one async for page in pages for one in page if not one.archived]
        return tuple(RepoRef(self.name, one.path_with_namespace) for one in found)

    async def open_pulls(self, repo: RepoRef) -> tuple[PullRequest, ...]:
        """A merge request that GitLab still prepares stands in the next list."""
        order = {"state": "opened", "order_by": "created_at", "sort": "asc"}
        return await self._listed(repo, [merge async for merge in self._merges(repo, order)])

    async def recently_closed_pulls(
        self, repo: RepoRef, since: datetime
    ) -> tuple[PullRequest, ...]:
        found: list[MergeRequest] = []
        for state in ("merged", "closed"):
            order = {"state": state, "updated_after": _iso(since), "order_by": "updated_at"}
            merges = [merge async for merge in self._merges(repo, order)]
            found += [one for one in merges if one.ended_at and one.ended_at >= since]
        return await self._listed(repo, found)

    async def _listed(
        self, repo: RepoRef, merges: Sequence[MergeRequest]
    ) -> tuple[PullRequest, ...]:
        project = await self._project(repo) if merges else None
        found = []
        for merge in merges:
            if merge.sha and project is not None:
                head_repo = await self._head_repo(repo, merge, fresh=False)
                ref = PullRef(repo, merge.iid)
                found.append(pull_of(ref, merge, project, head_repo, listed=True))
        return tuple(found)

    async def _merges(self, repo: RepoRef, order: dict[str, str]) -> AsyncIterator[MergeRequest]:
        path, what = f"{project_path(repo)}/merge_requests", f"merge requests of {repo}"
        request = Request("read", what, "GET", path, parameters=order)
        async for page in self._wire.known_pages(request, MERGE_REQUESTS):
            for merge in page:
                yield merge

    async def comments_since(
        self, repo: RepoRef, since: datetime
    ) -> tuple[Commented | IssueCommented, ...]:
        """The project's events, newest first, up to the first page that is older; GitLab
        counts in days, and leaves out the one it is given."""
        day = (since.astimezone(UTC) - timedelta(days=1)).date().isoformat()
        asked = {"target_type": "note", "action": "commented", "after": day}
        path, what = f"{project_path(repo)}/events", f"comments of {repo}"
        request = Request("read", what, "GET", path, parameters=asked)
        found: list[Commented | IssueCommented] = []
        async for page in self._wire.known_pages(request, EVENTS):
            told = (commented(repo, event) for event in page if event.created_at >= since)
            found += [comment for comment in told if comment is not None]
            if page and page[-1].created_at < since:
                break
        return tuple(sorted(found, key=lambda one: (one.created_at, one.comment_id)))

    # --- checks ---

    async def show_check(
        self,
        repo: RepoRef,
        sha: Sha,
        name: str,
        state: StatusState,
        line: str,
        report: CheckReport | None = None,
    ) -> None:
        """GitLab has none: what `set_status` sets is all there is."""


def project_path(repo: RepoRef) -> str:
    """https://docs.gitlab.com/api/rest/#namespaced-paths"""
    return f"/projects/{quote(repo.path, safe='')}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
