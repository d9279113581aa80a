"""What is read of GitLab's answers, and the nouns it becomes.

Shapes: https://docs.gitlab.com/api/api_resources/; fields that are not read may be missing.
"""

from __future__ import annotations

import re
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, TypeAdapter

from prbot.intake.gitlab_reading import is_bot
from prbot.model import (
    Actor,
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

GHOST = Login("ghost")
"""Whom GitLab shows for accounts that were deleted (its "Ghost User")."""


def spoken(pull: PullRef) -> str:
    """A merge request as people of GitLab name it: `lab:acme/infra!5`."""
    return f"{pull.repo}!{pull.number}"


def permission_of(level: int) -> Permission:
    """https://docs.gitlab.com/api/members/#roles; 5 is minimal access, which reads nothing."""
    if level >= 40:
        return Permission.ADMIN
    if level >= 30:
        return Permission.WRITE
    return Permission.READ if level >= 10 else Permission.NONE


class User(BaseModel):
    username: str


class Member(User):
    access_level: int
    state: str = "active"
    membership_state: str = "active"

    @property
    def permission(self) -> Permission:
        """A blocked account, and one that waits to be let in, may do nothing."""
        active = self.state == "active" and self.membership_state == "active"
        return permission_of(self.access_level) if active else Permission.NONE


class Person(User):
    """An account with the name it goes by."""

    id: int | None = None
    name: str = ""


class Account(User):
    """`bot`: it is no person's, also where somebody named it."""

    bot: bool = False


class Project(BaseModel):
    """What may stand against a merge is told of a single one, by its edition."""

    id: int
    path_with_namespace: str
    default_branch: str | None = None
    archived: bool = False
    only_allow_merge_if_pipeline_succeeds: bool | None = None
    only_allow_merge_if_all_status_checks_passed: bool | None = None
    merge_trains_enabled: bool | None = None


class DiffRefs(BaseModel):
    start_sha: str | None = None


class Pipeline(BaseModel):
    """`yaml_errors`: why GitLab could not read its configuration; such a one has no jobs."""

    sha: str
    project_id: int | None = None
    yaml_errors: str | None = None


TRAIN = re.compile(r"refs/merge-requests/[0-9]+/train")
OVER = ("success", "failed", "canceling", "canceled", "skipped")


COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class TrainPipeline(BaseModel):
    sha: str | None = None
    ref: str | None = None
    status: str | None = None


class Car(BaseModel):
    """A merge request on a merge train. The pipeline is missing until GitLab has made it. One of
    which less is told is left out: it must keep nobody from the others."""

    target_branch: str | None = None
    user: User | None = None
    pipeline: TrainPipeline | None = None

    @property
    def tried(self) -> Sha | None:
        """The commit that is tried now."""
        made = self.pipeline
        if made is None or made.status in OVER or not self.target_branch:
            return None
        known = TRAIN.fullmatch(made.ref or "") and COMMIT.fullmatch(made.sha or "")
        return Sha(made.sha or "") if known else None


class MergeRequest(BaseModel):
    """As it stands in a list; `diff_refs`, `head_pipeline` and `merge_status` are told of a
    single one."""

    iid: int
    title: str
    web_url: str
    state: str
    draft: bool | None = None
    work_in_progress: bool = False
    author: User | None
    source_branch: str
    target_branch: str
    source_project_id: int | None
    target_project_id: int
    sha: str | None
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None
    merge_status: str = ""
    detailed_merge_status: str = ""
    merge_when_pipeline_succeeds: bool = False
    merge_user: User | None = None
    merged_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    updated_at: AwareDatetime
    diff_refs: DiffRefs | None = None
    head_pipeline: Pipeline | None = None

    @property
    def ended_at(self) -> AwareDatetime | None:
        return self.merged_at or self.closed_at

    @property
    def merged_as(self) -> str | None:
        """The commit on the target branch: a merge commit, a squashed one, or, after a
        fast-forward, the head itself."""
        if self.state != "merged":
            return None
        return self.merge_commit_sha or self.squash_commit_sha or self.sha

    @property
    def mergeable(self) -> bool | None:
        """None while GitLab finds out; whether it conflicts, whatever else is in the way."""
        known = {"can_be_merged": True, "cannot_be_merged": False}
        return known.get(self.merge_status) if self.state == "opened" else None

    @property
    def guarded(self) -> bool:
        """GitLab names one reason at a time, so that each may hide a pipeline's.
        https://docs.gitlab.com/api/merge_requests/#merge-status"""
        return self.state == "opened" and self.detailed_merge_status != "mergeable"


class Approval(BaseModel):
    user: Person
    approved_at: AwareDatetime | None = None
    """Older versions of GitLab do not tell it."""


class Approvals(BaseModel):
    approved_by: list[Approval] = []


class Reviewer(BaseModel):
    user: User
    state: str = ""
    created_at: AwareDatetime


class Version(BaseModel):
    head_commit_sha: str
    created_at: AwareDatetime


class NoteId(BaseModel):
    id: int


class Note(NoteId):
    body: str = ""
    author: User | None
    system: bool = False
    internal: bool | None = None
    confidential: bool | None = None
    noteable_type: str = ""
    noteable_iid: int | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @property
    def writer(self) -> Login:
        return Login(self.author.username) if self.author else GHOST

    @property
    def hidden(self) -> bool:
        """An answer to one would be public."""
        return bool(self.internal or self.confidential)

    @property
    def edited(self) -> bool:
        return self.updated_at != self.created_at


class EventShape(BaseModel):
    created_at: AwareDatetime
    note: Note | None = None


class IssueShape(BaseModel):
    iid: int
    description: str | None = None
    author: User | None
    state: str = "opened"

    @property
    def is_open(self) -> bool:
        return self.state == "opened"

    @property
    def text(self) -> str:
        return self.description or ""


USER = TypeAdapter(User)
ACCOUNT = TypeAdapter(Account)
MEMBERS = TypeAdapter(list[Member])
PROJECT = TypeAdapter(Project)
PROJECTS = TypeAdapter(list[Project])
MERGE_REQUEST = TypeAdapter(MergeRequest)
MERGE_REQUESTS = TypeAdapter(list[MergeRequest])
APPROVALS = TypeAdapter(Approvals)
REVIEWERS = TypeAdapter(list[Reviewer])
VERSIONS = TypeAdapter(list[Version])
NOTE = TypeAdapter(Note)
NOTE_ID = TypeAdapter(NoteId)
NOTES = TypeAdapter(list[Note])
EVENTS = TypeAdapter(list[EventShape])
ISSUE = TypeAdapter(IssueShape)
ISSUES = TypeAdapter(list[IssueShape])
CARS = TypeAdapter(list[Car])


def pull_of(
    ref: PullRef, merge: MergeRequest, project: Project, head_repo: str | None, listed: bool
) -> PullRequest:
    """`project` is the target's, `head_repo` the source's path."""
    base = merge.diff_refs.start_sha if merge.diff_refs else None
    made = merge.merged_as
    return PullRequest(
        ref=ref,
        title=merge.title,
        author=Login(merge.author.username) if merge.author else GHOST,
        head_sha=Sha(merge.sha or ""),
        head_branch=merge.source_branch,
        head_repo=head_repo,
        base_branch=merge.target_branch,
        base_sha=Sha(base or ""),
        default_branch=project.default_branch or "",
        draft=merge.work_in_progress if merge.draft is None else merge.draft,
        open=merge.state in ("opened", "locked"),
        merged=merge.state == "merged",
        merged_by=Login(merge.merge_user.username) if merge.merge_user and not listed else None,
        merge_sha=Sha(made) if made else None,
        mergeable=None if listed else merge.mergeable,
        behind=merge.detailed_merge_status == "need_rebase",
        guarded=merge.guarded and not listed,
        url=merge.web_url,
        closed_at=merge.ended_at,
    )


def commented(repo: RepoRef, event: EventShape) -> Commented | IssueCommented | None:
    """None for what the webhook of a new note would not have led to either: one on
    a commit or a snippet, GitLab's own, an internal one, an edited one."""
    note = event.note
    if note is None or note.system or note.hidden or note.edited or note.author is None:
        return None
    if note.noteable_iid is None:
        return None
    actor = Actor(note.writer, is_bot(note.writer))
    said = (note.id, note.body, actor, note.created_at, "found")
    if note.noteable_type == "MergeRequest":
        return Commented(PullRef(repo, note.noteable_iid), *said)
    on_issue = note.noteable_type == "Issue"
    return IssueCommented(repo, note.noteable_iid, *said) if on_issue else None


def head_at(versions: list[Version], at: datetime) -> Sha | None:
    """The head that stood there before that moment; an older one where they are as one."""
    earlier = [version for version in versions if version.created_at < at]
    newest = max(earlier, key=lambda version: version.created_at, default=None)
    return Sha(newest.head_commit_sha) if newest else None


def blocking(reviewers: list[Reviewer]) -> list[Review]:
    """Reviewers that ask for changes; the permission is looked up elsewhere."""
    return [
        Review(
            Login(one.user.username),
            ReviewState.CHANGES_REQUESTED,
            None,
            one.created_at,
            Permission.NONE,
        )
        for one in reviewers
        if one.state == "requested_changes"
    ]
