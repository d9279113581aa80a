"""The document that `prbot explain apply` reads: a scene, written by hand or exported.

Times are ISO 8601 with an offset. What stands for commits may be any word. What is left out
has the value of an ordinary day. `docs/explain-apply.md` says what each key means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from prbot.config.check import Section, check
from prbot.config.document import parse
from prbot.config.environments import EnvironmentEntry, Minimum, OverrideEntry
from prbot.config.per_repository import Allowed
from prbot.config.repo import Defaults, Limits
from prbot.config.server import ApplyOnMerge, Mode
from prbot.model import Permission, ReviewState

Words = tuple[str, ...]


def _tuple(value: object) -> object:
    return [] if value is None else value


Plain = Annotated[Words, BeforeValidator(_tuple)]


class CommandPart(Section):
    kind: Literal["apply", "merge"] = Field(default="apply", description="`apply` or `merge`.")
    actor: str = Field(min_length=1, description="who asked; of a merge, the merger.")
    permission: Permission = Field(
        default=Permission.WRITE, description="`none`, `read`, `write` or `admin`."
    )
    said_at: AwareDatetime | None = Field(
        default=None, description="when the comment was written; null: it was none."
    )
    heard_at: AwareDatetime | None = Field(
        default=None, description="when prbot heard of it; null: now."
    )
    waited: bool = Field(default=False, description="whether it waited and goes on now.")
    late: bool = Field(
        default=False, description="of a merge: whether prbot heard of it too late to act alone."
    )
    asked_before: Plain = Field(
        default=(), description="of a merge: who said `apply` of the same head before."
    )
    button: str | None = Field(
        default=None, description="of a pressed button: what its check was marked with."
    )
    laid_out: bool = Field(
        default=True, description="whether its commit was looked at; else little is judged."
    )
    head: str | None = Field(
        default=None, description="the commit that was looked at; null: the newest."
    )
    dirs: Plain = Field(default=(), description="`-d`, as typed.")
    workspaces: Plain = Field(default=(), description="`-w`, as typed.")
    projects: Plain = Field(default=(), description="`-p`, as typed.")
    plan_id: str | None = Field(default=None, description="`apply p-…`.")
    accept_changes: bool = Field(default=False, description="`--accept-changes`.")
    accept_orphans: bool = Field(default=False, description="`--accept-orphans`.")
    no_merge: bool = Field(default=False, description="`--no-merge`; it decides nothing here.")
    override: str | None = Field(default=None, description="the reason behind `--override`.")


class PullPart(Section):
    number: int = Field(default=1, ge=1, description="its number.")
    author: str = Field(min_length=1, description="who opened it.")
    committers: Plain | None = Field(
        default=(), description="who wrote its commits; null: the forge does not tell all."
    )
    head: str = Field(default="head", min_length=1, description="the newest commit.")
    base: str = Field(default="main", description="the branch it goes into.")
    default_branch: str = Field(default="main", description="the repository's default branch.")
    open: bool = Field(default=True, description="whether it is open.")
    merged: bool = Field(default=False, description="whether it was merged.")
    merged_at: AwareDatetime | None = Field(
        default=None,
        description="when prbot heard of the merge; null: after all plans stood there.",
    )
    draft: bool = Field(default=False, description="whether it is a draft.")
    fork: bool = Field(default=False, description="whether its head lies in a fork.")
    mergeable: bool | None = Field(
        default=True, description="false: it conflicts; null: the forge does not know yet."
    )
    behind: bool = Field(
        default=False, description="whether the branch's rules want its newest commits first."
    )
    failing_checks: Plain = Field(
        default=(), description="others' required checks that are not green."
    )


class ServerPart(Section):
    mode: Mode = Field(default=Mode.APPLY, description="`comment` or `apply`.")
    apply_on_merge_allowed: frozenset[ApplyOnMerge] | None = Field(
        default=None, description="as in the operator's file."
    )
    allow: frozenset[Allowed] | None = Field(
        default=None, description="as in `per_repository`; null: all of it."
    )
    override: OverrideEntry = Field(
        default=OverrideEntry(), description="as in the operator's file."
    )
    minimum: Minimum = Field(default=Minimum(), description="as in `per_repository`.")


class RulesPart(Section):
    defaults: Defaults = Field(default=Defaults(), description="as in `prbot.yaml`.")
    environments: Mapping[str, EnvironmentEntry] = Field(
        default={}, description="as in `prbot.yaml`."
    )
    limits: Limits = Field(default=Limits(), description="as in `prbot.yaml`.")


class ReviewPart(Section):
    author: str = Field(min_length=1, description="who reviewed.")
    state: ReviewState = Field(description="`approved`, `changes_requested` or `dismissed`.")
    at: AwareDatetime = Field(description="when.")
    commit: str | None = Field(default=None, description="the head that was reviewed.")
    permission: Permission = Field(
        default=Permission.WRITE, description="the reviewer's, on the repository."
    )


class PlanPart(Section):
    id: str = Field(min_length=1, description="its id, `p-…`.")
    head: str = Field(default="head", description="the head it was made of.")
    hash: str = Field(default="", description="equal plans have equal ones.")
    arguments: str = Field(default="", description="what was added on the command line.")
    shown_at: AwareDatetime | None = Field(
        default=None, description="when its comment was written; null: it is not yet."
    )
    made_at: AwareDatetime | None = Field(
        default=None, description="when it was made; null: when it was shown."
    )
    applied_at: AwareDatetime | None = Field(default=None, description="when it was applied.")
    tried: bool = Field(default=False, description="whether an apply of it was started before.")
    changes: bool = Field(default=True, description="whether applying it does anything.")
    errored: bool = Field(default=False, description="whether planning broke off.")
    targeted: bool = Field(default=False, description="whether it is only a part (`-target`).")
    destroy: bool = Field(default=False, description="whether it destroys everything.")
    state_in_checkout: bool = Field(default=False, description="whether its state would be lost.")
    of_merge: bool | None = Field(
        default=None,
        description="whether it was made after the merge; null: the newest of several of one"
        " head on a merged pull request was.",
    )
    made_again: bool = Field(
        default=False,
        description="whether the command itself made it, to compare it with the next one.",
    )
    failed: bool = Field(default=False, description="of one made again: whether that failed.")


class ProjectPart(Section):
    dir: str = Field(min_length=1, description="its directory.")
    workspace: str = Field(default="default", description="its Terraform workspace.")
    name: str | None = Field(default=None, description="its name, if it has one.")
    state_known_as: str | None = Field(
        default=None,
        description="the directory that the default branch knows its state with, if another.",
    )
    state_known_in: str | None = Field(
        default=None, description="the workspace it knows it in, if another."
    )
    depends_on: Plain = Field(
        default=(), description="what it waits for: directories, `DIR (WORKSPACE)`, or names."
    )
    settled: bool = Field(
        default=False, description="whether another's apply brought in what was merged of it."
    )
    status: Literal["planned", "planning", "failed", "applying", "interrupted", "expired"] = Field(
        default="planned", description="what became of it last."
    )
    base_moved: bool = Field(
        default=False, description="whether files it reads changed in the base since its plan."
    )
    files: Plain = Field(default=(), description="the changed files that affect it.")
    plans: tuple[PlanPart, ...] = Field(default=(), description="its plans, newest first.")


class LockPart(Section):
    dir: str = Field(description="the directory that is held.")
    workspace: str = Field(default="default", description="its workspace.")
    pull: int = Field(description="the pull request that holds it.")
    since: AwareDatetime | None = Field(default=None, description="since when.")


class FirstPart(Section):
    pull: int = Field(description="the pull request that was merged before this one.")
    dir: str = Field(description="the directory it is not done with.")
    workspace: str = Field(default="default", description="its workspace.")


class LeftPart(Section):
    dir: str = Field(description="the directory whose state is left to nobody.")
    workspace: str = Field(default="default", description="its workspace.")
    address: str = Field(default="", description="where that state is.")
    now_at: str = Field(default="", description="where its project has another one now.")
    shown_at: AwareDatetime | None = Field(
        default=None, description="when a comment told what it holds; null: none did."
    )


class FreezePart(Section):
    id: str | None = Field(default=None, description="what `prbot freeze list` calls it.")
    scope: Literal["everywhere", "repository", "environment"] = Field(
        default="everywhere", description="`everywhere`, `repository`, `environment`."
    )
    environment: str | None = Field(default=None, description="which one.")
    reason: str = Field(default="", description="why.")
    by: str = Field(default="somebody", description="who declared it.")
    since: AwareDatetime | None = Field(default=None, description="since when.")
    until: AwareDatetime | None = Field(default=None, description="until when, if that is known.")


class SceneFile(Section):
    now: AwareDatetime = Field(description="when the decision is taken.")
    command: CommandPart = Field(description="what is asked: `actor`, `kind`, …")
    pull: PullPart = Field(description="the pull request: `author`, `head`, …")
    server: ServerPart = Field(default=ServerPart(), description="the operator's file.")
    rules: RulesPart = Field(default=RulesPart(), description="`prbot.yaml` of the default branch.")
    teams: Mapping[str, Words | None] = Field(
        default={}, description="members by team; null: they could not be learned."
    )
    codeowners: str | None = Field(
        default=None, description="the text of CODEOWNERS on the default branch."
    )
    reviews: tuple[ReviewPart, ...] = Field(
        default=(), description="each person's latest deciding review."
    )
    projects: tuple[ProjectPart, ...] = Field(default=(), description="the projects it touches.")
    locks: tuple[LockPart, ...] = Field(default=(), description="who holds what.")
    freezes: tuple[FreezePart, ...] = Field(default=(), description="the freezes there are.")
    merged_before: tuple[FirstPart, ...] = Field(
        default=(), description="merges that this one waits for."
    )
    left_behind: tuple[LeftPart, ...] = Field(
        default=(), description="states that would be left to nobody, and nobody accepted."
    )
    policies: tuple[object, ...] = Field(default=(), description="reserved; none is judged yet.")


def read_scene(text: str, path: str) -> SceneFile:
    """Raises BadConfiguration, with line and near miss."""
    # YAML reads JSON, all but tabs between values; inside of JSON's strings there are none
    document = parse(text.replace("\t", " "), path)
    return check(SceneFile, document.value, document.problem)
