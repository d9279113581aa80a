"""What is read of GitHub's answers, and the nouns it becomes.

Shapes: https://docs.github.com/en/rest; fields that are not read may be missing.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, TypeAdapter

from prbot.adapters.markers import is_marked
from prbot.model import Login, Permission, PullRef, PullRequest, RepoRef, Sha

GHOST = Login("ghost")
"""The name GitHub shows for accounts that were deleted."""


GUARDED = ("blocked", "behind", "unknown")
"""States in which a required check may be missing: https://docs.github.com/en/graphql/reference/enums#mergestatestatus
has them, in capitals. `unstable` is a check that is not required, `dirty` a conflict."""


def permission_of(word: str) -> Permission:
    """GitHub's four words; one that nobody knows grants nothing."""
    known = {permission.value: permission for permission in Permission}
    return known.get(word, Permission.NONE)


class User(BaseModel):
    login: str
    type: str = "User"


class App(BaseModel):
    slug: str


class Collaborator(BaseModel):
    permission: str


class Repository(BaseModel):
    full_name: str


class BaseRepository(Repository):
    default_branch: str


class OwnRepository(Repository):
    archived: bool = False


class Installation(BaseModel):
    id: int
    suspended_at: AwareDatetime | None = None


class Head(BaseModel):
    ref: str
    sha: str
    repo: Repository | None


class Base(BaseModel):
    ref: str
    sha: str
    repo: BaseRepository


class AnyPull(BaseModel):
    title: str
    html_url: str
    state: str
    draft: bool = False
    merge_commit_sha: str | None
    closed_at: AwareDatetime | None
    user: User | None
    head: Head
    base: Base


class Pull(AnyPull):
    """As it is told when it is asked for by itself."""

    merged: bool
    merged_by: User | None
    mergeable: bool | None
    mergeable_state: str = "unknown"


class ListedPull(AnyPull):
    """As it stands in a list, which knows less of it."""

    number: int
    merged_at: AwareDatetime | None
    updated_at: AwareDatetime
    mergeable: None = None
    merged_by: None = None
    mergeable_state: str = ""

    @property
    def merged(self) -> bool:
        return self.merged_at is not None


class ReviewShape(BaseModel):
    user: User | None
    state: str
    commit_id: str | None
    submitted_at: AwareDatetime | None = None

    @property
    def decides(self) -> bool:
        """Not a mere comment, not still being written, not by an account that is gone."""
        deciding = self.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
        return deciding and self.user is not None and self.submitted_at is not None

    @property
    def author(self) -> str:
        return self.user.login if self.user else GHOST

    @property
    def at(self) -> AwareDatetime:
        assert self.submitted_at is not None  # noqa: S101 - only asked of deciding reviews
        return self.submitted_at


class PullNumber(BaseModel):
    number: int


class CommentId(BaseModel):
    id: int


class CommentNode(CommentId):
    """A comment by the id that GraphQL knows it by."""

    node_id: str
    user: User | None

    @property
    def author(self) -> str:
        return self.user.login if self.user else GHOST


class Comment(CommentId):
    body: str | None = None
    user: User | None
    html_url: str
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @property
    def author(self) -> str:
        return self.user.login if self.user else GHOST

    @property
    def edited(self) -> bool:
        return self.updated_at != self.created_at

    @property
    def pull_number(self) -> int | None:
        """The address is the one thing that tells a pull request's from an issue's."""
        found = re.search(r"/pull/(\d+)#", self.html_url)
        return int(found[1]) if found else None

    @property
    def issue_number(self) -> int | None:
        """None where it is a pull request's."""
        found = re.search(r"/issues/(\d+)#", self.html_url)
        return int(found[1]) if found else None


class Label(BaseModel):
    name: str


class IssueShape(BaseModel):
    """`pull_request` is there only in an issue that is one."""

    number: int
    body: str | None
    user: User | None
    labels: list[Label]
    state: str
    pull_request: dict[str, Any] | None = None

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @property
    def names(self) -> list[str]:
        return [label.name for label in self.labels]

    def is_ours(self, bot: str, marker: str) -> bool:
        mine = self.user is not None and self.user.login == bot and self.pull_request is None
        return mine and is_marked(self.body or "", marker)


class GraphQLError(BaseModel):
    """`type` is GitHub's word for what went wrong; some errors have none."""

    message: str = ""
    type: str = ""


class GraphQLAnswer(BaseModel):
    """https://spec.graphql.org: errors come with status 200, too."""

    errors: list[GraphQLError] = []


def _repositories(answer: Any) -> Any:
    """The list inside `{"total_count": …, "repositories": […]}`."""
    if not isinstance(answer, dict):
        raise ValueError("not an object")
    return answer.get("repositories")


APP = TypeAdapter(App)
USER = TypeAdapter(User)
PULL = TypeAdapter(Pull)
PERMISSION = TypeAdapter(Collaborator)
REVIEWS = TypeAdapter(list[ReviewShape])
COMMENTS = TypeAdapter(list[Comment])
COMMENT_ID = TypeAdapter(CommentId)
COMMENT_NODE = TypeAdapter(CommentNode)
ISSUE = TypeAdapter(IssueShape)
ISSUES = TypeAdapter(list[IssueShape])
GRAPHQL = TypeAdapter(GraphQLAnswer)
PULL_NUMBER = TypeAdapter(PullNumber)
LISTED_PULLS = TypeAdapter(list[ListedPull])
REPOSITORIES = TypeAdapter(list[OwnRepository])
INSTALLATIONS = TypeAdapter(list[Installation])
INSTALLED: TypeAdapter[list[OwnRepository]] = TypeAdapter(
    Annotated[list[OwnRepository], BeforeValidator(_repositories)]
)


def listed_pull_of(repo: RepoRef, pull: ListedPull) -> PullRequest:
    return pull_of(PullRef(repo, pull.number), pull)


def pull_of(ref: PullRef, pull: Pull | ListedPull) -> PullRequest:
    # before the merge, merge_commit_sha is a commit GitHub made only to try it
    merge = Sha(pull.merge_commit_sha) if pull.merged and pull.merge_commit_sha else None
    return PullRequest(
        ref=ref,
        title=pull.title,
        author=Login(pull.user.login) if pull.user else GHOST,
        head_sha=Sha(pull.head.sha),
        head_branch=pull.head.ref,
        head_repo=pull.head.repo.full_name if pull.head.repo else None,
        base_branch=pull.base.ref,
        base_sha=Sha(pull.base.sha),
        default_branch=pull.base.repo.default_branch,
        draft=pull.draft,
        open=pull.state == "open",
        merged=pull.merged,
        merged_by=Login(pull.merged_by.login) if pull.merged_by else None,
        merge_sha=merge,
        closed_at=pull.closed_at,
        mergeable=pull.mergeable,
        behind=pull.mergeable_state == "behind",
        guarded=pull.mergeable_state in GUARDED,
        url=pull.html_url,
    )
