"""Structured logs, the ids bound to them, and the one redactor before every sink.

Each log line is one event with key=value pairs: JSON for machines, coloured text for a
terminal. What libraries say through `logging` takes the same way. Whatever writes text
that may come from a tool, a forge or a configuration asks `Redactor.redact` first.

Not promised: a program that holds a secret can always disguise it (split it, reverse
it, wrap its base64 in lines). Redaction is the net; weak credentials are the wall.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from heapq import merge
from itertools import chain
from typing import Any, TextIO
from urllib.parse import quote, quote_plus
from weakref import WeakValueDictionary

import structlog

MARK = "[redacted]"
SHORTEST = 4
"""Shorter secrets are not looked for: they occur by chance in every text."""
_LONG, _FEW = 10_000, 30
"""A text of so many characters is searched for one beginning after another, up to so many."""
_RECENT = 500
"""Subjects whose secrets are remembered although nobody speaks of them at the moment."""
SHORTEST_LINE = 8
"""Of a secret with several lines, such as a PEM key, lines shorter than this may show."""


# --- the redactor --------------------------------------------------------------------


class Redactor:
    """Knows secrets, and removes them from text, also in the encodings they travel in.

    Looked for are the secret as it is, and as base64 (also inside a longer base64 text,
    such as an `Authorization: Basic` header), hex, percent-encoding, and the escapes of
    JSON, Python and HTML; of a secret with several lines each line as well. Overlapping
    finds are removed together. Safe to use from several threads.

    What prbot itself resolved is looked for everywhere. What a pull request's plans and steps
    call secret is looked for in what is said `about` that pull request alone, its log lines
    included: else anybody could hide words in the comments of others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._everywhere = Known()
        self._known: WeakValueDictionary[str, Known] = WeakValueDictionary()
        self._recent: deque[Known] = deque(maxlen=_RECENT)
        self._here: ContextVar[Known | None] = ContextVar("about", default=None)

    def register(self, secret: str) -> None:
        """Look for this secret from now on, in every text; ignored when shorter than SHORTEST."""
        self._add([secret], self._everywhere)

    @contextmanager
    def about(self, subject: str) -> Iterator[None]:
        """What is redacted inside, in its tasks and threads too, is about `subject`.

        What was hidden is forgotten when a few hundred other subjects came since.
        """
        token = self._here.set(self._of(subject))
        try:
            yield
        finally:
            self._here.reset(token)

    def hide(self, secrets: Iterable[str], source: str | None = None) -> None:
        """Look for these in what is about the present subject; everywhere if there is none.

        `source` names what told them, so that nobody need ask it again.
        """
        known = self._present
        self._add(secrets, known)
        if source is not None:
            known.sources.add(source)

    def sought(self) -> frozenset[str]:
        """What is looked for in texts about the present subject: for those who cut texts before
        we see them."""
        with self._lock:
            return frozenset(chain(self._everywhere.forms, self._present.forms))

    def has_heard(self, source: str) -> bool:
        """Whether `hide` was told what this source calls secret, about the present subject."""
        return source in self._present.sources

    @property
    def _present(self) -> Known:
        return self._here.get() or self._everywhere

    def _of(self, subject: str) -> Known:
        with self._lock:
            known = self._known.setdefault(subject, Known())
            if known not in self._recent:
                self._recent.append(known)
            return known

    def _add(self, secrets: Iterable[str], known: Known) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        with self._lock:
            for form in forms:
                known.forms.add(form)

    def redact(self, text: str) -> str:
        """`text` with MARK wherever a secret stood."""
        here = self._here.get()
        places = [self._everywhere] if here is None else [self._everywhere, here]
        with self._lock:
            spans = _joined(chain.from_iterable(known.forms.finds(text) for known in places))
        kept, end = [], 0
        for start, stop in spans:
            kept.append(text[end:start])
            end = stop
        return MARK.join([*kept, text[end:]])

    def redact_values(self, value: Any) -> Any:
        """The same for every text inside dicts (keys included), lists, tuples and records.

        Words of an enum are ours and stay.
        """
        match value:
            case Enum():
                return value
            case str():
                return self.redact(value)
            case dict():
                return {
                    self.redact_values(key): self.redact_values(item) for key, item in value.items()
                }
            case list():
                return [self.redact_values(item) for item in value]
            case tuple():
                return tuple(self.redact_values(item) for item in value)
        if is_dataclass(value) and not isinstance(value, type):
            parts = {each.name: getattr(value, each.name) for each in fields(value)}
            return replace(value, **{n: self.redact_values(part) for n, part in parts.items()})
        return value

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._everywhere.forms)} forms>"


class Needles:
    """Many texts looked for at once, each at least SHORTEST characters long.

    Kept by their first SHORTEST characters and by length, so that a search costs what the
    searched text is long, however many are looked for. Why it matters: whoever writes a
    plan decides how many sensitive values it has. Not safe to change while it is searched.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._by_start: dict[str, dict[int, set[str]]] = {}
        self._count = 0
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        lengths = self._by_start.setdefault(text[:SHORTEST], {})
        alike = lengths.setdefault(len(text), set())
        self._count += text not in alike
        alike.add(text)

    def finds(self, text: str) -> Iterator[tuple[int, int]]:
        """(start, end) of the longest find at each place where there is one, in order."""
        for start in self._candidates(text):
            lengths = self._by_start.get(text[start : start + SHORTEST])
            if lengths is not None:
                found = [n for n, alike in lengths.items() if text[start : start + n] in alike]
                if found:
                    yield start, start + max(found)

    def _candidates(self, text: str) -> Iterable[int]:
        """Places at which a find may begin, in order: all of them, or where few beginnings are
        looked for in a long text, those at which one stands."""
        if len(text) < _LONG or len(self._by_start) > _FEW:
            return range(len(text) - SHORTEST + 1)
        return merge(*(_places(start, text) for start in self._by_start))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        for lengths in self._by_start.values():
            yield from chain.from_iterable(lengths.values())


@dataclass(eq=False)
class Known:
    """What is looked for in the texts about one subject, and who told of it."""

    forms: Needles = field(default_factory=Needles)
    sources: set[str] = field(default_factory=set)


def _places(start: str, text: str) -> Iterator[int]:
    """Where it stands, overlapping ones too."""
    at = text.find(start)
    while at >= 0:
        yield at
        at = text.find(start, at + 1)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping and touching spans as one, in order."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined


def _forms(secret: str) -> Iterator[str]:
    """Every text under which the secret may appear."""
    whole = {secret, secret.strip()}
    lines = {line.strip() for line in secret.splitlines()} if "\n" in secret.strip() else set()
    parts = [part for part in whole if len(part) >= SHORTEST]
    parts += [line for line in lines if len(line) >= SHORTEST_LINE and not _is_armour(line)]
    for part in parts:
        yield from (form for form in _encodings(part) if len(form) >= SHORTEST)


def _is_armour(line: str) -> bool:
    """`-----BEGIN RSA PRIVATE KEY-----` is no secret."""
    return line.startswith("-----") and line.endswith("-----")


def _encodings(secret: str) -> Iterator[str]:
    data = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield from (data.hex(), data.hex().upper())
    yield from _base64(data)
    for encoded in (quote(data, safe=""), quote(data, safe="/"), quote_plus(data)):
        yield encoded
        yield _lower_percent(encoded)
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield escaped
        yield _go_escaped(escaped)
    yield from (html.escape(secret), html.escape(secret, quote=False), _jinja_escaped(secret))
    yield repr(secret)[1:-1]


def _base64(data: bytes) -> Iterator[str]:
    """Standing alone, and at each of the three alignments inside a longer text.

    Six bits a character: the characters that also hold bits of a neighbour are left out.
    """
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        alone = encode(data).decode()
        yield from (alone, alone.rstrip("="))
        for before in (0, 1, 2):
            first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
            yield encode(bytes(before) + data).decode()[first:last]


def _lower_percent(encoded: str) -> str:
    """`%2F` as `%2f`, the rest unchanged."""
    head, *rest = encoded.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in rest)])


def _go_escaped(text: str) -> str:
    """Go's JSON, Terraform's included, also escapes what HTML would read."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _jinja_escaped(text: str) -> str:
    return html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


# --- which variables are secret ---------------------------------------------------------

TELLING = ("SECRET", "TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "PRIVATE", "CREDENTIAL", "KEY")
SHORTEST_CREDENTIAL = 8


def credentials_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The values that their variables' names call secret; paths of files are none.

    A plan can print the tool's own environment, and no mark tells that it is sensitive.
    """
    return tuple(
        value
        for name, value in environment.items()
        if any(word in name.upper() for word in TELLING)
        and len(value) >= SHORTEST_CREDENTIAL
        and not value.startswith("/")
    )


# --- logs ----------------------------------------------------------------------------


def bound(**ids: str | int) -> AbstractContextManager[None]:
    """Every event logged inside carries these ids: `with bound(run=run.id): ...`."""
    return structlog.contextvars.bound_contextvars(**ids)


def set_up_logs(
    redactor: Redactor, *, as_json: bool, level: int = logging.INFO, stream: TextIO | None = None
) -> None:
    """Send structlog's and logging's events to `stream` (stderr), one line each.

    Replaces what was set up before. Every line passes the redactor twice: its values
    before they are rendered, and the line with its traceback after.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_RedactingFormatter(redactor, as_json))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    structlog.configure(
        processors=[*_shared(redactor), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    def __init__(self, redactor: Redactor, as_json: bool) -> None:
        super().__init__(
            foreign_pre_chain=_shared(redactor),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(as_json),
            ],
        )
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(super().format(record))


def _shared(redactor: Redactor) -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        RedactEvents(redactor),
    ]


def _renderers(as_json: bool) -> list[structlog.typing.Processor]:
    if as_json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]


class RedactEvents:
    """A structlog processor that redacts every value of an event."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(
        self, logger: Any, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        return {key: self._redactor.redact_values(value) for key, value in event.items()}
