"""What an apply asks of GitHub beside the pull request: teams, authors, required checks.

Shapes: https://docs.github.com/en/rest/teams/members#list-team-members,
https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request,
https://docs.github.com/en/rest/branches/branches#get-a-branch and
https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, TypeAdapter

from prbot.adapters.github_limits import Request
from prbot.adapters.github_shapes import User
from prbot.adapters.github_wire import Wire
from prbot.model import PullRef, PullRequest, RepoRef

MOST_COMMITS = 250
"""GitHub lists no more of a pull request."""
GREEN = ("success", "neutral", "skipped")


class Account(BaseModel):
    login: str | None = None


class AuthoredCommit(BaseModel):
    """Both are null, or an empty object, where no account has the commit's address."""

    author: Account | None = None
    committer: Account | None = None

    @property
    def logins(self) -> frozenset[str]:
        people = (self.author, self.committer)
        return frozenset(each.login.lower() for each in people if each and each.login)


class RequiredChecks(BaseModel):
    contexts: list[str] = []


class Protection(BaseModel):
    required_status_checks: RequiredChecks = RequiredChecks()


class Branch(BaseModel):
    protection: Protection = Protection()


class RequiredCheck(BaseModel):
    context: str


class RuleParameters(BaseModel):
    required_status_checks: list[RequiredCheck] = []


class BranchRule(BaseModel):
    """Of rules that ask for something else, the parameters are other ones."""

    type: str
    parameters: RuleParameters | None = None


class StatusShape(BaseModel):
    context: str
    state: str


class Combined(BaseModel):
    statuses: list[StatusShape]


class RunShape(BaseModel):
    name: str
    conclusion: str | None = None


def _check_runs(answer: Any) -> Any:
    """The list inside `{"total_count": …, "check_runs": […]}`."""
    return answer.get("check_runs") if isinstance(answer, dict) else answer


MEMBERS = TypeAdapter(list[User])
COMMITS = TypeAdapter(list[AuthoredCommit])
BRANCH = TypeAdapter(Branch)
RULES = TypeAdapter(list[BranchRule])
COMBINED = TypeAdapter(Combined)
RUNS: TypeAdapter[list[RunShape]] = TypeAdapter(
    Annotated[list[RunShape], BeforeValidator(_check_runs)]
)


class Guards:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def team_members(self, repo: RepoRef, team: str) -> frozenset[str]:
        """One conditional request for a hundred members: asked again it costs nothing."""
        organisation, _, slug = team.removeprefix("@").partition("/")
        path = f"/orgs/{quote(organisation, safe='')}/teams/{quote(slug, safe='')}/members"
        request = Request("read", f"members of {team}", "GET", path, repo.path)
        pages = self._wire.known_pages(request, MEMBERS)
        return frozenset([user.login.lower() async for page in pages for user in page])

    async def committers(self, pull: PullRef) -> frozenset[str] | None:
        """One request for a hundred commits."""
        path = f"/repos/{quote(pull.repo.path)}/pulls/{pull.number}/commits"
        request = Request("read", f"commits of {pull}", "GET", path, pull.repo.path)
        commits = [one async for page in self._wire.pages(request, COMMITS) for one in page]
        if len(commits) >= MOST_COMMITS:
            return None
        return frozenset().union(*(commit.logins for commit in commits))

    async def failing_checks(self, pull: PullRequest, own: Collection[str]) -> tuple[str, ...]:
        """Two requests; four where something is required beside our own."""
        required = await self._required(pull) - set(own)
        if not required:
            return ()
        states: dict[str, list[bool]] = {}
        for name, green in await self._states(pull):
            states.setdefault(name, []).append(green)
        # a check and a status of one name are both required
        return tuple(sorted(name for name in required if not all(states.get(name, [False]))))

    async def _required(self, pull: PullRequest) -> set[str]:
        """By the branch's protection, and by rulesets."""
        root, name = f"/repos/{quote(pull.ref.repo.path)}", quote(pull.base_branch)
        of = f"branch {pull.base_branch} of {pull.ref.repo}"
        repo = pull.ref.repo.path
        branch = self._wire.read(
            Request("read", of, "GET", f"{root}/branches/{name}", repo), BRANCH
        )
        rules = Request("read", f"rules of {of}", "GET", f"{root}/rules/branches/{name}", repo)
        protected, pages = await asyncio.gather(branch, self._all(rules))
        asked = (rule.parameters for rule in pages if rule.type == "required_status_checks")
        contexts = {c.context for each in asked if each for c in each.required_status_checks}
        return contexts | set(protected.protection.required_status_checks.contexts)

    async def _all(self, request: Request) -> list[BranchRule]:
        return [rule async for page in self._wire.pages(request, RULES) for rule in page]

    async def _states(self, pull: PullRequest) -> list[tuple[str, bool]]:
        """Each status and each check of the head: its name, and whether it is green."""
        root = f"/repos/{quote(pull.ref.repo.path)}/commits/{pull.head_sha}"
        of, repo = f"{pull.ref} at {pull.head_sha[:7]}", pull.ref.repo.path
        found = []
        statuses = Request("read", f"statuses of {of}", "GET", f"{root}/status", repo)
        async for combined in self._wire.pages(statuses, COMBINED):
            found += [(each.context, each.state == "success") for each in combined.statuses]
        runs = Request("read", f"checks of {of}", "GET", f"{root}/check-runs", repo)
        async for page in self._wire.pages(runs, RUNS):
            found += [(each.name, each.conclusion in GREEN) for each in page]
        return found
