"""What a pull request's head may say about projects, beside the default branch.

Its author could otherwise take a project out of everybody's sight, or out of its
environment, in the very pull request that changes it. So the head may add projects, never
remove, rename or move one that the default branch declares; and of those it keeps whatever
decides whether a change is seen and what is run for it. What the plan itself shows
(variables, order, version) comes from the head, as it will be after the merge.

Not promised: projects that the default branch only finds. They stay because entries that
the head added (`added`) never take the place of what is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from prbot.config.document import located
from prbot.config.globs import matches_any
from prbot.config.project_rules import DeclaredProject, ProjectRules
from prbot.errors import PrbotError
from prbot.errors.configuration import BadConfiguration, HeadChanges, HeadDiscovers, HeadHides


@dataclass(frozen=True)
class Merged:
    """The rules that count for a pull request, and what its head may not say."""

    rules: ProjectRules
    refusals: tuple[BadConfiguration, ...] = ()


def merged_rules(default: ProjectRules, head: ProjectRules) -> Merged:
    """The default branch's rules with what the head may add; pure."""
    where = head.source or default.source or ""
    known, theirs = _by_identity(default), _by_identity(head)
    kept = tuple(
        replace(
            _as_far_as_allowed(old, theirs.get(_identity(old))),
            tool_before=old.tool or default.tool,
        )
        for old in default.declared
    )
    added = tuple(
        replace(new, added=True, tool_before=default.tool)
        for new in head.declared
        if _identity(new) not in known and not any(_taken(new, default, theirs))
    )
    rules = replace(
        default,
        declared=kept + added,
        tool=head.tool,
        version=head.version,
        tool_before=default.tool,
        source=head.source if added else default.source,
    )
    told = (*_told_of_projects(default, head), *_told_of_discovery(default, head))
    return Merged(rules, tuple(located(where, (line or 1, 1), problem) for line, problem in told))


Identity = tuple[str, str, str | None]


def _identity(entry: DeclaredProject) -> Identity:
    return entry.dir, entry.workspace, entry.name


def _by_identity(rules: ProjectRules) -> Mapping[Identity, DeclaredProject]:
    """The first of each."""
    return {_identity(entry): entry for entry in reversed(rules.declared)}


def _called(entry: DeclaredProject) -> str:
    return entry.name or entry.dir


def _taken(
    new: DeclaredProject, default: ProjectRules, theirs: Mapping[Identity, DeclaredProject]
) -> Iterator[tuple[DeclaredProject, str]]:
    """Each project of the default branch whose place or name an entry would take, and how."""
    for old in default.declared:
        gone = _identity(old) not in theirs
        if old.name is not None and old.name == new.name and gone:
            yield old, "moved"
        elif _covers(old, new) and (gone or old.dir != new.dir):
            yield old, "renamed"


def _covers(old: DeclaredProject, new: DeclaredProject) -> bool:
    if old.workspace != new.workspace:
        return False
    if old.dir == new.dir:
        return True
    return any(sign in old.dir for sign in "*?[") and matches_any((old.dir,), new.dir)


def _as_far_as_allowed(old: DeclaredProject, new: DeclaredProject | None) -> DeclaredProject:
    """A known project with the head's word on it, as far as that counts already."""
    if new is None:
        return old
    return replace(
        new,
        workflow=old.workflow,
        autoplan=old.autoplan or new.autoplan,
        when_modified=_both(old.when_modified, new.when_modified)[0],
    )


def _both(
    old: tuple[str, ...] | None, new: tuple[str, ...] | None
) -> tuple[tuple[str, ...] | None, bool]:
    """Patterns that match what either matches, and whether all of `new` is in them.

    Later patterns win, so appending is only safe without excludes.
    """
    if old is None or new is None:
        return old, old == new
    further = tuple(pattern for pattern in new if pattern not in old)
    if any(pattern.startswith("!") for pattern in further):
        return old, False
    return old + further, True


def _told_of_projects(
    default: ProjectRules, head: ProjectRules
) -> Iterator[tuple[int, PrbotError]]:
    taken = set()
    known, theirs = _by_identity(default), _by_identity(head)
    for new in head.declared:
        if _identity(new) in known:
            continue
        for old, how in _taken(new, default, theirs):
            taken.add(_identity(old))
            yield new.line, HeadChanges(_called(old), how)
    for old in default.declared:
        same = theirs.get(_identity(old))
        if same is not None:
            yield from ((same.line, HeadHides(key, _called(old))) for key in _hidden(old, same))
        elif _identity(old) not in taken:
            yield 1, HeadChanges(_called(old), "removed")


def _hidden(old: DeclaredProject, new: DeclaredProject) -> Iterator[str]:
    if old.workflow != new.workflow:
        yield "workflow"
    if old.autoplan and not new.autoplan:
        yield "autoplan"
    if not _both(old.when_modified, new.when_modified)[1]:
        yield "when_modified"


def _told_of_discovery(
    default: ProjectRules, head: ProjectRules
) -> Iterator[tuple[int, PrbotError]]:
    for key in ("mode", "ignore", "order_by_state"):
        if getattr(default, key) != getattr(head, key):
            yield 1, HeadDiscovers(f"discovery.{key}")
