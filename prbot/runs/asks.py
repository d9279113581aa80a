"""From what happened to what is asked: an event, seen by this server, becomes an Ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from prbot.intake.commanded import (
    ApplyCommand,
    CancelCommand,
    Conversation,
    HelpCommand,
    ImportCommand,
    NotUnderstood,
    PlanCommand,
    StateRmCommand,
    UnlockCommand,
    VersionCommand,
)
from prbot.intake.commands import parse
from prbot.model import (
    CheckPressed,
    Commented,
    Event,
    Ignored,
    IssueCommented,
    IssueMoved,
    Login,
    PipelineBegan,
    ProjectKey,
    PullChanged,
    PullClosed,
    PullMerged,
    PullRef,
    Pushed,
    QueueMoved,
    RepoRef,
    Reviewed,
    Selector,
    Sha,
)
from prbot.runs.checks import APPLY, RERUN, project_of_mark
from prbot.runs.queued import place_of
from prbot.runs.run import Ask, AskKind

_PATTERNS = frozenset("*?[]{}!\\")
"""Signs of patterns."""


@dataclass(frozen=True)
class Listening:
    """What this server listens to, and under which names it is spoken to.

    `serves` and `serves_branch(branch, default_branch)` are the server's lists.
    """

    serves: Callable[[RepoRef], bool]
    serves_branch: Callable[[str, str], bool]
    bot: Login
    aliases: tuple[str, ...] = ()
    bare_commands: bool = True


@dataclass(frozen=True)
class Asked:
    pull: PullRef
    ask: Ask


@dataclass(frozen=True)
class Nudged:
    """Nothing is asked; what waits in the pull request looks again. `dropped` is a commit that
    no merge train waits for any more."""

    pull: PullRef
    reason: str
    dropped: Sha | None = None


def ask_of(event: Event, listening: Listening) -> Asked | Nudged | Ignored:
    """What to run for this event, or why nothing is run."""
    match event:
        case Ignored():
            return event
        case (
            IssueCommented() | IssueMoved() | PipelineBegan()
        ):  # what these start is told elsewhere
            return Ignored(event.reason)
        case Pushed():
            return Ignored("a push; configuration is read when it is needed")
        case QueueMoved():
            return _of_queue(event, listening)
    if not listening.serves(event.pull.repo):
        return Ignored("the repository is not served")
    if isinstance(event, Reviewed):
        return Nudged(event.pull, event.reason, event.dropped)
    if isinstance(event, Commented):
        return _of_comment(event, listening)
    if isinstance(event, CheckPressed):
        return _of_button(event, listening.bot)
    if not listening.serves_branch(event.base_branch, event.default_branch):
        return Ignored("the base branch is not served")
    kind = {
        PullChanged: AskKind.PLAN,
        PullMerged: AskKind.MERGE,
        PullClosed: AskKind.CLOSE,
    }[type(event)]
    ask = Ask(kind, event.actor.login, event.reason, event.head_sha)
    if isinstance(event, PullChanged):
        ask = replace(ask, base_branch=event.base_branch, draft=event.draft)
    return Asked(event.pull, ask)


def _of_queue(event: QueueMoved, listening: Listening) -> Asked | Ignored:
    if not listening.serves(event.repo):
        return Ignored("the repository is not served")
    if not listening.serves_branch(event.base_branch, event.default_branch):
        return Ignored("the base branch is not served")
    ask = Ask(
        AskKind.UNQUEUED if event.left else AskKind.QUEUED,
        event.actor.login,
        event.reason,
        event.commit,
        base_branch=event.base_branch,
        default_branch=event.default_branch,
    )
    return Asked(place_of(event.repo, event.commit), ask)


def _of_button(event: CheckPressed, bot: Login) -> Asked | Ignored:
    """Only buttons of our own checks, and only people press them."""
    if f"{event.app}[bot]".lower() != bot.lower():
        return Ignored("another App's check")
    if event.actor.is_bot or event.actor.login.lower() == bot.lower():
        return Ignored("a bot's button")
    kinds = {RERUN.id: AskKind.PLAN, APPLY.id: AskKind.APPLY}
    if event.button not in kinds:
        return Ignored("a button that is not ours")
    ask = Ask(
        kinds[event.button],
        event.actor.login,
        event.reason,
        commented_at=event.at,
        check_id=event.check_id,
        mark=event.mark,
    )
    if ask.kind is AskKind.PLAN:
        ask = replace(ask, select=_only(project_of_mark(event.mark)))
    return Asked(event.pull, ask)


def _only(project: ProjectKey | None) -> Selector:
    """That project, or all; one whose name would be read as a pattern is not named alone."""
    if project is None or not _PATTERNS.isdisjoint(project.dir + project.workspace):
        return Selector()
    return Selector(dirs=(project.dir,), workspaces=(project.workspace,))


def _of_comment(event: Commented, listening: Listening) -> Asked | Ignored:
    if event.actor.login.lower() == listening.bot.lower():
        return Ignored("our own comment")
    if event.actor.is_bot:
        return Ignored("another bot's comment")
    command = parse(event.body, listening.bot, listening.aliases, listening.bare_commands)

    def asked(kind: AskKind, **details: object) -> Asked:
        ask = Ask(
            kind,
            event.actor.login,
            event.reason,
            comment_id=event.comment_id,
            commented_at=event.created_at,
            **details,  # type: ignore[arg-type]  # fields of Ask, named below
        )
        return Asked(event.pull, ask)

    match command:
        case PlanCommand():
            return asked(
                AskKind.PLAN,
                select=command.select,
                everything=command.everything,
                extra=command.extra,
                destroy=command.destroy,
                refresh_only=command.refresh_only,
                verbose=command.verbose,
            )
        case ApplyCommand():
            return asked(
                AskKind.APPLY,
                select=command.select,
                plan_id=command.plan_id,
                accept_changes=command.accept_changes,
                accept_orphans=command.accept_orphans,
                no_merge=command.no_merge,
                override=command.override,
            )
        case ImportCommand(address, object_id, select, extra):
            named = (address, object_id)
            return asked(AskKind.IMPORT, select=select, extra=extra, objects=named)
        case StateRmCommand(addresses, select, extra):
            return asked(AskKind.STATE_RM, select=select, extra=extra, objects=addresses)
        case VersionCommand():
            return asked(AskKind.VERSION, select=command.select)
        case UnlockCommand():
            return asked(AskKind.UNLOCK, select=command.select)
        case CancelCommand():
            return asked(AskKind.CANCEL, select=command.select)
        case HelpCommand():
            return asked(AskKind.HELP)
        case NotUnderstood():
            return asked(AskKind.HINT, message=command.message)
        case Conversation():
            return Ignored("conversation")
        case _:
            assert_never(command)
