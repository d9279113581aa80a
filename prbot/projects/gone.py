"""What becomes of the states a base knows: identity is a state's address, not a directory.

A project whose state another directory has now was moved. A state that nothing in the head
has any more is left behind: whether it still holds something, only a look at it can tell.
And no head may give a project the state of another one that is known already.

Not promised: to follow a state whose address the code does not tell (`Address`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prbot.errors.projects import StateTaken
from prbot.model import ProjectKey
from prbot.projects.discovery import Discovery, Home
from prbot.projects.state import Address, told


@dataclass(frozen=True)
class Gone:
    """A state that nothing manages any more, and whose it was.

    `address` is where it is, for people, empty where the code does not tell; line `line` of
    `path` in the base says so. `now_at`: where the same project has its state now, empty
    when there is no such project any more.
    """

    project: ProjectKey
    address: str = ""
    path: str = ""
    line: int = 1
    now_at: str = ""


@dataclass(frozen=True)
class Compared:
    """`moved`: each new key with the old one. `taken`: what must not be."""

    moved: Mapping[ProjectKey, ProjectKey]
    gone: tuple[Gone, ...]
    taken: tuple[StateTaken, ...]


NOTHING_KNOWN = Compared({}, (), ())
"""Where there is no base to compare with."""


def compared(base: Discovery, head: Discovery) -> Compared:
    """What the head does to the states that the base knows, in the order of projects."""
    moved = dict(_moved(base, head))
    return Compared(
        moved=moved,
        gone=tuple(_gone(base, head, set(moved.values()))),
        taken=tuple(_taken(base, head, moved)),
    )


def _moved(base: Discovery, head: Discovery) -> Iterator[tuple[ProjectKey, ProjectKey]]:
    """New projects with the state of exactly one that is no more."""
    owners = _owners(base)
    for key, home in sorted(head.homes.items()):
        before = owners.get(home.address, ()) if home.address else ()
        if key not in base.homes and len(before) == 1 and before[0] not in head.homes:
            yield key, before[0]


def _gone(base: Discovery, head: Discovery, moved: set[ProjectKey]) -> Iterator[Gone]:
    addresses = {home.address for home in head.homes.values()}
    for key, home in sorted(base.homes.items()):
        now = head.homes.get(key)
        if key in moved or (home.address is not None and home.address in addresses):
            continue
        if now is None:
            yield _left(key, home)
        elif home.address is not None and now.address is not None:
            yield _left(key, home, told(now.address))


def _left(key: ProjectKey, home: Home, now_at: str = "") -> Gone:
    address = told(home.address) if home.address else ""
    return Gone(key, address, home.path, home.line, now_at)


def _taken(
    base: Discovery, head: Discovery, moved: Mapping[ProjectKey, ProjectKey]
) -> Iterator[StateTaken]:
    """Projects with a state that was another's. Two that share one now are another matter
    (`Discovery.shared`), and so are two that shared one before."""
    owners, holders = _owners(base), _owners(head)
    for key, home in sorted(head.homes.items()):
        if home.address is None or key in moved or len(holders[home.address]) > 1:
            continue
        before = owners.get(home.address, ())
        if not before or key in before:
            continue
        owner = base.homes[before[0]]
        yield StateTaken(
            path=home.path,
            line=home.line,
            project=str(key),
            address=told(home.address),
            owner=str(before[0]),
            owner_path=owner.path,
            owner_line=owner.line,
        )


def _owners(discovery: Discovery) -> Mapping[Address | None, Sequence[ProjectKey]]:
    found: defaultdict[Address | None, list[ProjectKey]] = defaultdict(list)
    for key, home in sorted(discovery.homes.items()):
        found[home.address].append(key)
    return found
