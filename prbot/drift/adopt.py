"""Live values written into the code: what somebody changed by hand becomes what is declared.

Of a project's files and what a plan tells of drift to the same files with other literals, or
to the reason why not, with the line that stands against it and what to do there. Nothing is
evaluated and nothing guessed: the pull request's own plan proves that it worked.

Not promised: `.tf.json`, modules from elsewhere, and what one block makes several of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from prbot.drift.laying import Edit, Unwritable
from prbot.drift.rewriting import Rewriting, edited
from prbot.plans.address import Step, steps
from prbot.plans.plan import Action, Change, Json, Plan, not_too_deep
from prbot.plans.sensitive import any_mark, sensitive_strings, veil
from prbot.plans.threeway import Verdict, drift, same
from prbot.projects.listing import directory_of, is_code, joined
from prbot.projects.places import Attribute, Literal, Place, places
from prbot.projects.scan import line_of
from prbot.projects.syntax import Doubt

MARK = "\ufeff"
META = frozenset({"count", "for_each", "provider", "depends_on", "lifecycle", "provisioner"})
"""Names in a resource's block that no attribute has."""


@dataclass(frozen=True)
class Wish:
    """A live value to be written into the code. `wanted` is what the code makes of the attribute
    now, by the plan. `unfit`: why it may not be written at all, whatever the code looks like."""

    address: str
    attribute: str | None
    wanted: Json = None
    live: Json = None
    unfit: str = ""


@dataclass(frozen=True)
class Refusal:
    """Why a wish is not fulfilled. `path` and `line` are where, None where that is nowhere."""

    address: str
    attribute: str | None
    why: str
    by_hand: str
    path: str | None = None
    line: int | None = None

    @property
    def where(self) -> str:
        return "" if self.path is None else f"{self.path}:{self.line or 1}"


@dataclass(frozen=True)
class Code:
    """All code of one project: of its directory and of the local modules it calls, by path.
    `users` are other projects that use a directory, by their names."""

    files: Mapping[str, bytes]
    directory: str
    users: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Adopted:
    """`files` that changed, whole. `done` are the wishes that were fulfilled; `following` are
    attributes that no code names: they are expected to follow from what was done."""

    files: Mapping[str, bytes]
    done: tuple[Wish, ...]
    following: tuple[Wish, ...]
    refused: tuple[Refusal, ...]


# --- what a plan asks for ------------------------------------------------------------------


@not_too_deep
def wishes(plan: Plan) -> tuple[Wish, ...]:
    """What would be written to make this plan's drift the code's: all that others changed and
    the plan would take back, in its order. Raises BadPlan for endless nesting."""
    live = {one.address: one.change for one in plan.resource_drift if one.managed}
    changes = {one.address: one.change for one in plan.resource_changes if one.managed}
    hide = veil(sensitive_strings(plan))
    found = []
    for one in drift(plan):
        if one.verdict in (Verdict.REVERTS, Verdict.CONFLICT, Verdict.GONE):
            change = changes.get(one.address) or live[one.address]
            wish = _wish(one.address, one.attribute, one.verdict, change)
            shown = any(hide.hides(text) for text in _texts(wish.live))
            secret = shown or _is_marked(one.attribute, (change, live[one.address]))
            found.append(Wish(one.address, one.attribute, unfit=SENSITIVE) if secret else wish)
    return tuple(found)


SENSITIVE = "the value is sensitive"


def _wish(address: str, attribute: str | None, verdict: Verdict, change: Change) -> Wish:
    if attribute is None or verdict is Verdict.GONE:
        return Wish(address, attribute, unfit="the object is gone")
    if verdict is Verdict.CONFLICT:
        return Wish(address, attribute, unfit="the code wants a value that was never applied")
    before, after = _object(change.before), _object(change.after)
    if any_mark(_object(change.after_unknown).get(attribute, False)):
        return Wish(
            address, attribute, unfit="what the code wants is known only when it is applied"
        )
    return Wish(address, attribute, after.get(attribute), before.get(attribute))


def _is_marked(attribute: str | None, changes: Iterable[Change]) -> bool:
    marks = [m for one in changes for m in (one.before_sensitive, one.after_sensitive)]
    return any(any_mark(m.get(attribute, False) if isinstance(m, dict) else m) for m in marks)


@not_too_deep
def unproven(plan: Plan, done: Iterable[Wish]) -> tuple[Wish, ...]:
    """Of what was written, what the pull request's own plan would still change."""
    changes = {one.address: one.change for one in plan.resource_changes if one.managed}
    return tuple(wish for wish in done if _changes(changes.get(wish.address), wish.attribute))


def _changes(change: Change | None, attribute: str | None) -> bool:
    if change is None or change.action is Action.NO_OP:
        return False
    if change.action is not Action.UPDATE:
        return True
    name = attribute or ""
    unknown = any_mark(_object(change.after_unknown).get(name, False))
    before, after = _object(change.before), _object(change.after)
    return unknown or not same(before.get(name), after.get(name))


# --- into the code -------------------------------------------------------------------------


def adopt(code: Code, asked: Iterable[Wish]) -> Adopted:
    """The files with the live values in them; every wish is in just one of the answer's lists."""
    groups: dict[str, list[Wish]] = {}
    for wish in asked:
        groups.setdefault(wish.address, []).append(wish)
    books = _Books(code)
    done: list[Wish] = []
    following: list[Wish] = []
    refused: list[Refusal] = []
    for group in groups.values():
        _adopt_one(books, group, done, following, refused)
    return Adopted(books.changed(), tuple(done), tuple(following), tuple(refused))


def _adopt_one(
    books: _Books,
    group: Sequence[Wish],
    done: list[Wish],
    following: list[Wish],
    refused: list[Refusal],
) -> None:
    """All wishes of one resource. What no code names follows, if something else was done."""
    try:
        found = books.find(group[0].address)
    except _NoPlace as no:
        refused += [_refusal(wish, no) for wish in group]
        return
    loose: list[tuple[Wish, _NoPlace]] = []
    before = len(done)
    for wish in group:
        try:
            books.write(found, wish)
            done.append(wish)
        except _Unnamed as no:
            loose.append((wish, no))
        except _NoPlace as no:
            refused.append(_refusal(wish, no))
    if len(done) > before:
        following += [wish for wish, _ in loose]
    else:
        refused += [_refusal(wish, no) for wish, no in loose]


def _refusal(wish: Wish, no: _NoPlace) -> Refusal:
    why, by_hand = (wish.unfit, UNFIT.get(wish.unfit, "")) if wish.unfit else (no.why, no.by_hand)
    return Refusal(wish.address, wish.attribute, why, by_hand, no.path, no.line)


UNFIT = {
    SENSITIVE: "keep it out of the code: refer to where the secret is kept",
    "the object is gone": "delete its block by hand, or bring it back",
}


class _NoPlace(Exception):
    def __init__(self, why: str, by_hand: str, path: str | None = None, line: int | None = None):
        super().__init__(why)
        self.why, self.by_hand, self.path, self.line = why, by_hand, path, line


class _Unnamed(_NoPlace):
    """The code does not name the attribute, and gives it a value nevertheless."""


@dataclass(frozen=True)
class _Found:
    path: str
    place: Place


class _Books:
    """The project's files as they are read and written."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.edits: dict[str, list[Edit]] = {}
        self._trees: dict[str, Place] = {}

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """Of all code that is text, without marks; one that is not is found nowhere."""
        found = {}
        for path, data in self.code.files.items():
            if is_code(path) and not path.endswith(".json"):
                try:
                    found[path] = data.decode("utf-8").removeprefix(MARK)
                except UnicodeDecodeError:
                    continue
        return found

    def tree(self, path: str) -> Place:
        if path not in self._trees:
            text = self.texts[path]
            try:
                self._trees[path] = places(text)
            except Doubt as doubt:
                line = line_of(text, doubt.position)
                raise _NoPlace("the file cannot be read", "mend it first", path, line) from None
        return self._trees[path]

    def line(self, path: str, position: int) -> int:
        return line_of(self.texts[path], position)

    def changed(self) -> Mapping[str, bytes]:
        found = {}
        for path, edits in sorted(self.edits.items()):
            mark = MARK if self.code.files[path].startswith(MARK.encode()) else ""
            found[path] = (mark + edited(self.texts[path], edits)).encode()
        return found

    # --- where a resource stands -------------------------------------------------------------

    def find(self, address: str) -> _Found:
        """The block of a resource's only instance. Raises _NoPlace."""
        path = steps(address)
        if not path:
            raise _NoPlace("its address cannot be read", "change the code by hand")
        directory = self.code.directory
        for step in path[:-1]:
            directory = self._module(directory, step)
        others = self.code.users.get(directory, ())
        if others:
            names = ", ".join(f"`{name}`" for name in list(others)[:3])
            raise _NoPlace(
                f"`{directory}` is used by other projects, too: {names}",
                "change what each of them gives it by hand",
            )
        return self._resource(directory, path[-1])

    def _module(self, directory: str, step: Step) -> str:
        found = self._single(directory, "module", (step.module or "",))
        self._just_once(found, step)
        source = found.place.attributes.get("source")
        value = source.value.value if source and isinstance(source.value, Literal) else None
        local = isinstance(value, str) and value.startswith(("./", "../"))
        inner = joined(directory, value) if local and isinstance(value, str) else None
        line = self.line(found.path, found.place.start)
        if inner is None:
            elsewhere = "the module's code is not in this repository, or its source is computed"
            raise _NoPlace(elsewhere, "change the module where it is kept", found.path, line)
        if self._calls(inner) > 1:
            several = f"the module `{inner}` is called more than once"
            raise _NoPlace(several, "give it a variable by hand", found.path, line)
        return inner

    def _calls(self, directory: str) -> int:
        """How many blocks of this project call the module."""
        count = 0
        for path in self.texts:
            for block in self.tree(path).of("module"):
                source = block.attributes.get("source")
                if source is not None and isinstance(source.value, Literal):
                    place = joined(directory_of(path), str(source.value.value))
                    count += place == directory
        return count

    def _resource(self, directory: str, step: Step) -> _Found:
        kind, _, name = step.name.partition(".")
        found = self._single(directory, "resource", (kind, name))
        self._just_once(found, step)
        return found

    def _just_once(self, found: _Found, step: Step) -> None:
        makers = (found.place.attributes.get(name) for name in ("count", "for_each"))
        maker = next((one for one in makers if one is not None), None)
        if maker is None and not step.key:
            return
        name = f" (`{maker.name}`)" if maker else ""
        at = self.line(found.path, maker.start if maker else found.place.start)
        way = "change what it counts or iterates over by hand"
        raise _NoPlace(f"one block makes several objects{name}", way, found.path, at)

    def _single(self, directory: str, kind: str, labels: tuple[str, ...]) -> _Found:
        """The only block of its kind and labels in a directory; one that overrides another
        counts as well."""
        found = [
            _Found(path, block)
            for path in sorted(self.texts)
            if directory_of(path) == directory
            for block in self.tree(path).of(kind)
            if block.labels == labels
        ]
        name = ".".join(labels)
        if not found:
            missing = f"no `{kind}` block of `{name}` is found in `{directory}`"
            raise _NoPlace(missing, "change it by hand where it is declared")
        if len(found) > 1:
            at = self.line(found[1].path, found[1].place.start)
            twice = f"`{name}` is declared more than once"
            raise _NoPlace(twice, "change it by hand", found[1].path, at)
        return found[0]

    # --- what is written ---------------------------------------------------------------------

    def write(self, found: _Found, wish: Wish) -> None:
        """Note the edits of one attribute, all or none. Raises _NoPlace."""
        name, place, path = wish.attribute or "", found.place, found.path
        named = place.attributes.get(name)
        at = self.line(path, named.start if named else place.start)
        if wish.unfit or name in META:
            raise _NoPlace(wish.unfit or "it is no attribute", "change it by hand", path, at)
        text = self.texts[path]
        try:
            more = list(Rewriting(text).block(place, {name: wish.wanted}, {name: wish.live}))
        except Unwritable as no:
            line = self.line(path, no.position)
            raise (_Unnamed if self._unnamed(place, name, named, wish) else _NoPlace)(
                no.why, no.by_hand, path, line
            ) from None
        known = self.edits.get(path, [])
        self._still_reads(path, edited(text, [*known, *more]), at)
        self.edits[path] = [*known, *more]

    def _unnamed(self, place: Place, name: str, named: Attribute | None, wish: Wish) -> bool:
        blocks = any(name in (block.type, *block.labels) for block in place.blocks)
        return named is None and not blocks and wish.wanted not in (None, "", [], {})

    def _still_reads(self, path: str, text: str, line: int) -> None:
        try:
            places(text)
        except Doubt:
            broken = "the file could not be read any more with this value in it"
            raise _NoPlace(broken, "write it by hand", path, line) from None


def _texts(one: Json) -> Iterator[str]:
    if isinstance(one, str):
        yield one
    elif isinstance(one, dict):
        for inner in one.values():
            yield from _texts(inner)
    elif isinstance(one, list):
        for inner in one:
            yield from _texts(inner)


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
