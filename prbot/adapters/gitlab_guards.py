"""What an apply asks of GitLab beside the merge request: groups, authors, checks.

Shapes: https://docs.gitlab.com/api/members/, https://docs.gitlab.com/api/commits/,
https://docs.gitlab.com/api/status_checks/ and, because REST tells of a commit's people only
what git knows, https://docs.gitlab.com/api/graphql/reference/#mergerequest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, Field, TypeAdapter

from prbot.adapters.gitlab_limits import Request
from prbot.adapters.gitlab_shapes import (
    APPROVALS,
    MEMBERS,
    MERGE_REQUEST,
    PROJECT,
    MergeRequest,
    Person,
    Project,
    spoken,
)
from prbot.adapters.gitlab_wire import Wire, both
from prbot.errors.forge import ForgeRefused, NotFound
from prbot.model import Permission, PullRef, PullRequest, RepoRef

MOST_COMMITS = 1000
"""More than this nobody reads; as many again would have to be asked for each decision."""
GREEN = ("success", "skipped")
PASSED = "passed"
BROKEN = "pipeline: its configuration is invalid"
PEOPLE = """\
query($project: ID!, $number: String!, $after: String) {
  project(fullPath: $project) {
    mergeRequest(iid: $number) {
      commitCount
      committers(first: 100) { nodes { username } pageInfo { hasNextPage } }
      commits(first: 100, after: $after) {
        nodes { authorName authorEmail author { username } committerName committerEmail }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}"""


class Account(BaseModel):
    username: str


class PageInfo(BaseModel):
    has_next: bool = Field(alias="hasNextPage")
    cursor: str | None = Field(default=None, alias="endCursor")


class Committers(BaseModel):
    nodes: list[Account]
    page: PageInfo = Field(alias="pageInfo")


class Commit(BaseModel):
    """`author` is null where GitLab knows no account by the author's address."""

    author: Account | None = None
    author_name: str | None = Field(default=None, alias="authorName")
    author_email: str | None = Field(default=None, alias="authorEmail")
    committer_name: str | None = Field(default=None, alias="committerName")
    committer_email: str | None = Field(default=None, alias="committerEmail")


class Commits(BaseModel):
    nodes: list[Commit]
    page: PageInfo = Field(alias="pageInfo")


class People(BaseModel):
    count: int | None = Field(alias="commitCount")
    committers: Committers
    commits: Commits


class InProject(BaseModel):
    merge_request: People | None = Field(alias="mergeRequest")


class Data(BaseModel):
    project: InProject | None = None


class Fault(BaseModel):
    message: str = ""


class Answered(BaseModel):
    data: Data | None = None
    errors: list[Fault] = []


class StatusShape(BaseModel):
    id: int
    name: str
    status: str
    allow_failure: bool | None = None

    @property
    def green(self) -> bool:
        return self.status in GREEN or bool(self.allow_failure)


class ExternalCheck(BaseModel):
    name: str
    status: str | None = None


ANSWERED = TypeAdapter(Answered)
STATUSES = TypeAdapter(list[StatusShape])
EXTERNAL = TypeAdapter(list[ExternalCheck])


class Guards:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    # --- teams ---

    async def team_members(self, repo: RepoRef, team: str) -> frozenset[str]:
        """A group by its full path; those of the groups above it are members of it, too."""
        path = f"/groups/{quote(team.removeprefix('@'), safe='')}/members/all"
        request = Request("read", f"members of {team}", "GET", path)
        pages = self._wire.known_pages(request, MEMBERS)
        members = [one async for page in pages for one in page]
        return frozenset(
            one.username.lower() for one in members if one.permission is not Permission.NONE
        )

    # --- who wrote it ---

    async def committers(self, pull: PullRef) -> frozenset[str] | None:
        """One request for a hundred commits; one more where GitLab does not know somebody.

        Of an address that GitLab knows by no account, an approver who has the same name
        counts as its owner: rather one approval too few.
        """
        known: set[str] = set()
        commits: list[Commit] = []
        after: str | None = None
        while True:
            people = await self._people(pull, after)
            known |= {one.username.lower() for one in people.committers.nodes}
            commits += people.commits.nodes
            after = people.commits.page.cursor
            if people.committers.page.has_next or (people.count or 0) > MOST_COMMITS:
                return None
            if not people.commits.page.has_next or not people.commits.nodes:
                break
        if len(commits) < (people.count or 0):
            return None
        known |= {one.author.username.lower() for one in commits if one.author}
        strangers = unknown_names(commits)
        return frozenset(known | (await self._alike(pull, strangers) if strangers else set()))

    async def _people(self, pull: PullRef, after: str | None) -> People:
        asked = {"project": pull.repo.path, "number": str(pull.number), "after": after}
        body: dict[str, Any] = {"query": PEOPLE, "variables": asked}
        request = Request("read", f"commits of {spoken(pull)}", "POST", self._wire.graphql, body)
        answer = await self._wire.read(request, ANSWERED)
        if answer.errors:
            raise ForgeRefused(self._wire.name, f"read {request.what}", answer.errors[0].message)
        project = answer.data.project if answer.data else None
        if project is None or project.merge_request is None:
            raise NotFound(self._wire.name, request.what)
        return project.merge_request

    async def _alike(self, pull: PullRef, names: Collection[str]) -> set[str]:
        request = Request("read", f"approvals of {spoken(pull)}", "GET", f"{_path(pull)}/approvals")
        approvals = await self._wire.read(request, APPROVALS)
        return alike((one.user for one in approvals.approved_by), names)

    # --- what else must be green ---

    async def failing_checks(self, pull: PullRequest, own: Collection[str]) -> tuple[str, ...]:
        """One request; two more where pipelines must succeed, and one where external status
        checks must."""
        what = f"project {pull.ref.repo}"
        request = Request("read", what, "GET", f"/projects/{quote(pull.ref.repo.path, safe='')}")
        project = await self._wire.read(request, PROJECT)
        jobs, external = await both(self._jobs(pull, project), self._external(pull, project))
        return tuple(sorted({*jobs, *external} - set(own)))

    async def _jobs(self, pull: PullRequest, project: Project) -> list[str]:
        """Of the newest pipelines of the head: each job and status that is not green."""
        if not project.only_allow_merge_if_pipeline_succeeds:
            return []
        request = Request("read", f"merge request {spoken(pull.ref)}", "GET", _path(pull.ref))
        merge = await self._wire.read(request, MERGE_REQUEST)
        places = [(project.id, str(pull.head_sha))]
        if (other := _tested_as(merge, project)) not in (None, places[0]):
            places.append(other)
        found = await asyncio.gather(*(self._statuses(pull, *place) for place in places))
        jobs = not_green(status for statuses in found for status in statuses)
        return [*jobs, *unreadable(merge)]

    async def _statuses(self, pull: PullRequest, project: int, sha: str) -> list[StatusShape]:
        what = f"statuses of {spoken(pull.ref)} at {sha[:7]}"
        path = f"/projects/{project}/repository/commits/{sha}/statuses"
        pages = self._wire.pages(Request("read", what, "GET", path), STATUSES)
        return [one async for page in pages for one in page]

    async def _external(self, pull: PullRequest, project: Project) -> list[str]:
        if not project.only_allow_merge_if_all_status_checks_passed:
            return []
        path, what = f"{_path(pull.ref)}/status_checks", f"status checks of {spoken(pull.ref)}"
        pages = self._wire.pages(Request("read", what, "GET", path), EXTERNAL)
        return [one.name async for page in pages for one in page if one.status != PASSED]


def unknown_names(commits: Iterable[Commit]) -> frozenset[str]:
    """The names and the addresses' first parts of people whose account GitLab does not tell,
    folded. It tells of a committer's only together with all others'."""
    commits = list(commits)
    accounts = {one.author_email for one in commits if one.author}
    authors = [(one.author_name, one.author_email) for one in commits if one.author is None]
    committers = [(one.committer_name, one.committer_email) for one in commits]
    people = [*authors, *(each for each in committers if each[1] not in accounts)]
    words = [part for name, email in people for part in (name, (email or "").partition("@")[0])]
    return frozenset(word.strip().casefold() for word in words if word and word.strip())


def alike(people: Iterable[Person], names: Collection[str]) -> set[str]:
    """The usernames of those who go by one of these folded names."""
    return {
        one.username.lower()
        for one in people
        if one.username.casefold() in names or one.name.strip().casefold() in names
    }


def not_green(statuses: Iterable[StatusShape]) -> list[str]:
    """Names of which the newest did not end well; what may fail aside."""
    newest: dict[str, StatusShape] = {}
    for status in sorted(statuses, key=lambda one: one.id):
        newest[status.name] = status
    return [name for name, status in newest.items() if not status.green]


def unreadable(merge: MergeRequest) -> list[str]:
    """A pipeline without jobs, because its file is not valid: it has failed, and no job says
    so. Else a broken file would do away with every check."""
    ran = merge.head_pipeline
    return [BROKEN] if ran is not None and ran.yaml_errors else []


def _tested_as(merge: MergeRequest, project: Project) -> tuple[int, str] | None:
    """Where the merge request's pipeline ran: a merged result has a commit of its own, and a
    fork's runs in the fork."""
    ran = merge.head_pipeline
    return None if ran is None else (ran.project_id or project.id, ran.sha)


def _path(pull: PullRef) -> str:
    return f"/projects/{quote(pull.repo.path, safe='')}/merge_requests/{pull.number}"
