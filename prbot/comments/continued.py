"""What a comment had no room for goes on in numbered ones, and then on the check's page.

The first comment holds what people decide by, cut to its budget; here are the ends of its
lists, in the order of their weight: projects, what is lost, then the rest of each project.
Names and reasons only: the attributes of what did not fit stand in `prbot plan`.

Not promised: what the summary itself left out. That is counted in the first comment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from prbot.comments.budget import Budget
from prbot.comments.by_hand import HandRow
from prbot.comments.neutral import Safe, code, prose
from prbot.comments.view import ProjectView
from prbot.comments.words import plural
from prbot.model import ProjectKey
from prbot.plans.summary import Action, Drifted, FailingCheck, Rename, ShownChange, ShownOutput

Line = Callable[[int], Safe]
"""One entry of a list, with names of at most so many characters."""
LENGTHS = (300, 80, 24, 6)
NAMES_IN_A_LINE = 10
NOTHING = Budget(0, 0, 0, 0, 0, 0, 0)
_ALL = 1_000_000_000
EVERYTHING = Budget(*[_ALL] * 7)


@dataclass(frozen=True)
class Block:
    """The rest of one list, under its title."""

    title: Line
    lines: Sequence[Line]


@dataclass(frozen=True)
class Lists:
    """Of one message: `rows` of its table if it has one (`table`), the `sections` that some of
    them have, and bare `projects`."""

    rows: Sequence[ProjectView] = ()
    table: bool = True
    sections: Callable[[ProjectView], bool] = lambda view: not view.quiet
    projects: Sequence[ProjectKey] = ()


def size(text: str) -> int:
    """UTF-16 units: what the strictest forge could count."""
    return len(text.encode("utf-16-le", "replace")) // 2


# --- what is left ------------------------------------------------------------------------


def left(lists: Lists, budget: Budget) -> Iterator[Block]:
    """What a comment of this budget does not list; empty blocks are left out."""
    blocks = (block for kind in (_projects, _lost, _rest) for block in kind(lists, budget))
    return (block for block in blocks if block.lines)


def _projects(lists: Lists, budget: Budget) -> Iterator[Block]:
    title = _titled("Projects")
    yield Block(title, [_named(project) for project in lists.projects[budget.rows :]])
    if lists.table:
        yield Block(title, [_row(view) for view in lists.rows[budget.rows :]])


def _lost(lists: Lists, budget: Budget) -> Iterator[Block]:
    for view, shown in _with_budget(lists, budget):
        losses = view.lost.shown[shown.lost :]
        yield Block(_of(view, "to delete or replace"), [_loss(change) for change in losses])


def _rest(lists: Lists, budget: Budget) -> Iterator[Block]:
    for view, shown in _with_budget(lists, budget):
        summary, folded = view.summary, shown.items if shown.items > 1 else 0
        trouble = view.result.trouble
        if trouble is not None and shown is NOTHING:
            yield Block(_of(view, "failed"), [_sentence(trouble.sentence)])
        yield Block(_of(view, "differences"), _each(_text, view.differences.shown[shown.items :]))
        yield Block(_of(view, "changed by hand"), _each(_hand, view.by_hand.shown[shown.items :]))
        kept = view.kept.shown[min(shown.items, 20) :]
        yield Block(_of(view, "changed by hand and left as it is"), _each(_kept, kept))
        renames = view.renames.shown[shown.items // 2 :]
        yield Block(_of(view, "likely renames"), _each(_rename, renames))
        yield Block(_of(view, "failing checks"), _each(_check, view.checks.shown[shown.items :]))
        if summary is not None and not view.result.applied:
            for action in (Action.UPDATE, Action.CREATE):
                acting = [change for change in summary.changes if change.action is action]
                yield Block(_of(view, f"to {action.value}"), _each(_change, acting[folded:]))
            yield Block(_of(view, "outputs"), _each(_output, summary.output_changes[folded:]))
        aside = view.aside.shown[shown.items :]
        yield Block(_of(view, "moves, imports and forgets"), _each(_aside, aside))
        if view.alike:
            names = [str(result.project) for result in view.alike[shown.names :]]
            yield Block(_of(view, "projects with the same change"), _in_lines(names))


def _with_budget(lists: Lists, budget: Budget) -> Iterator[tuple[ProjectView, Budget]]:
    """Each project with everything in it, and what the first comment showed of that."""
    for at, view in enumerate(lists.rows):
        whole = replace(view, budget=EVERYTHING)
        shown = budget if at < budget.sections else NOTHING
        if lists.sections(view):
            yield whole, shown


# --- as lines ----------------------------------------------------------------------------


def _titled(words: str) -> Line:
    return lambda _: Safe(words)


def _of(view: ProjectView, words: str) -> Line:
    return lambda name: Safe(f"{code(view.name, name)}: {words}")


def _each(line: Callable[..., Line], items: Iterable[object]) -> list[Line]:
    return [line(item) for item in items]


def _in_lines(names: Sequence[str]) -> list[Line]:
    groups = [names[at : at + NAMES_IN_A_LINE] for at in range(0, len(names), NAMES_IN_A_LINE)]
    return [_several(group) for group in groups]


def _several(names: Sequence[str]) -> Line:
    return lambda name: Safe(", ".join(code(each, max(4, name // 4)) for each in names))


def _text(text: str) -> Line:
    return lambda name: code(text, name)


def _named(project: ProjectKey) -> Line:
    return _text(str(project))


def _sentence(text: str) -> Line:
    return lambda name: prose(text, name)


def _row(view: ProjectView) -> Line:
    plan = view.result.plan
    named = view.words if plan is None or view.alike else Safe(f"{view.words}, {code(plan.id, 20)}")
    more = Safe(f" and {plural(view.size - 1, 'more project')}") if view.alike else Safe("")
    return lambda name: Safe(f"{code(view.name, name)}{more}: {named}")


def _loss(change: ShownChange) -> Line:
    verb = Safe(f"**{change.action.value}**")
    return lambda name: Safe(f"{verb} {code(change.address, name)}{_because(change, name)}")


def _because(change: ShownChange, name: int) -> Safe:
    return Safe(f": {prose('; '.join(change.reasons), name)}" if change.reasons else "")


def _change(change: ShownChange) -> Line:
    return _text(change.address)


def _output(output: ShownOutput) -> Line:
    return _text(output.name)


def _hand(row: HandRow) -> Line:
    path = f".{row.path}" if row.path else ""
    word = Safe(f"**{row.word or 'gone'}**")
    return lambda name: Safe(f"{code(row.address + path, name)}: {word}")


def _kept(one: Drifted) -> Line:
    return lambda name: code(f"{one.address}.{one.attribute or ''}", name)


def _rename(rename: Rename) -> Line:
    return lambda name: Safe(f"{code(rename.old, name)} to {code(rename.new, name)}")


def _check(check: FailingCheck) -> Line:
    words = "; ".join(check.problems)
    return lambda name: Safe(
        f"{code(check.name, name)}{f': {prose(words, name)}' if words else ''}"
    )


def _aside(change: ShownChange) -> Line:
    if change.previous_address:
        before = change.previous_address
        return lambda name: Safe(f"**move** {code(before, name)} to {code(change.address, name)}")
    verb = Safe("import" if change.import_id else "forget")
    return lambda name: Safe(f"**{verb}** {code(change.address, name)}")


# --- as pages ----------------------------------------------------------------------------


@dataclass
class Pages:
    """`texts` are full pages of at most `room` units, at most `most`; `more` entries had no
    room in them."""

    room: int
    most: int
    texts: list[Safe] = field(default_factory=list)
    more: int = 0
    _open: list[str] = field(default_factory=list)
    _used: int = 0

    def fill(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            titled, at = False, 0
            while at < len(block.lines) and not self.full:
                if self._add(block, block.lines[at], titled):
                    titled, at = True, at + 1
                else:
                    self._turn()
                    titled = False
            self.more += len(block.lines) - at
        self._turn()

    @property
    def full(self) -> bool:
        return len(self.texts) >= self.most

    def _add(self, block: Block, line: Line, titled: bool) -> bool:
        """Whether there was room; on an empty page there is, by shorter names if need be."""
        for length in LENGTHS:
            title = "" if titled else f"\n**{block.title(length)}**\n\n"
            piece = f"{title}- {line(length)}\n"
            if self._used + size(piece) <= self.room:
                self._open.append(piece)
                self._used += size(piece)
                return True
            if self._open:
                return False
        raise AssertionError("one entry fits every page")

    def _turn(self) -> None:
        if self._open:
            self.texts.append(Safe("".join(self._open).strip("\n")))
        self._open, self._used = [], 0


def pages(blocks: Iterable[Block], room: int, most: int) -> Pages:
    filled = Pages(room, most)
    filled.fill(blocks)
    return filled


def any_left(lists: Lists, budget: Budget) -> bool:
    return bool(list(islice(left(lists, budget), 1)))
