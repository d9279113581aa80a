"""The redactor: no secret survives, in any of the encodings it travels in."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import logging
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, quote_plus

import pytest
import structlog
from hypothesis import assume, given
from hypothesis import strategies as st

from prbot.telemetry import MARK, Redactor, bound, set_up_logs

SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40)
AROUND = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)

ENCODERS = {
    "plain": str,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "hex": lambda s: s.encode().hex(),
    "HEX": lambda s: s.encode().hex().upper(),
    "percent": lambda s: quote(s, safe=""),
    "percent in a path": quote,
    "form": quote_plus,
    "JSON": lambda s: json.dumps(s)[1:-1],
    "JSON in UTF-8": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "HTML": html.escape,
    "Python": lambda s: repr(s)[1:-1],
}


def redactor_of(*secrets: str) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.register(secret)
    return redactor


@pytest.mark.parametrize("encoding", ENCODERS)
@given(secret=SECRETS, before=AROUND, after=AROUND)
def test_encodings(encoding: str, secret: str, before: str, after: str) -> None:
    """It leaves no trace of a secret in any usual encoding, whatever stands around it."""
    assume(secret.strip())
    shown = ENCODERS[encoding](secret)
    found = redactor_of(secret).redact(before + shown + after)
    assert MARK in found
    assert shown not in found.replace(MARK, "\x00\ue000")


class Word(StrEnum):
    OURS = "hunter22"


@dataclass(frozen=True)
class Record:
    """What the core hands over."""

    text: str
    word: Word
    inner: tuple[Record, ...] = ()
    number: int = 1


def test_records() -> None:
    """It redacts the texts of a record and of all within, and leaves our own words alone."""
    record = Record("a hunter22", Word.OURS, (Record("hunter22", Word.OURS),))
    found = redactor_of("hunter22").redact_values(record)
    inner = Record("[redacted]", Word.OURS)
    assert found == Record("a [redacted]", Word.OURS, (inner,))
    assert type(found.word) is Word


@given(secret=SECRETS, before=st.binary(max_size=8), after=st.binary(max_size=8))
def test_inside_longer_base64(secret: str, before: bytes, after: bytes) -> None:
    """It finds a secret inside a longer base64 text, at each of the three alignments."""
    whole = base64.b64encode(before + secret.encode() + after).decode()
    left, *right = redactor_of(secret).redact(whole).split(MARK)
    assert right, "nothing was found"
    # what is left holds the surroundings, and less than one character's bits of the secret
    # on either side (six bits a character; the last one may be filled up with zeros)
    assert len(left) * 6 < len(before) * 8 + 6
    assert len(right[-1].rstrip("=")) * 6 < len(after) * 8 + 6 + 6


@given(secrets=st.lists(SECRETS, min_size=1, max_size=5), text=AROUND, data=st.data())
def test_several_secrets(secrets: list[str], text: str, data: st.DataObject) -> None:
    """It removes secrets that contain, touch or overlap one another."""
    order = data.draw(st.permutations(secrets))
    found = redactor_of(*secrets).redact(text.join(order) + "".join(order))
    rest = found.replace(MARK, "\x00\ue000")
    assert not [secret for secret in secrets if secret in rest]


def test_overlap() -> None:
    """It removes two secrets of which one begins inside the other, as a whole."""
    assert redactor_of("abcdX", "dXYZ").redact("<abcdXYZ>") == f"<{MARK}>"


@given(text=AROUND)
def test_nothing_registered(text: str) -> None:
    """It changes nothing while it knows no secret."""
    assert Redactor().redact(text) == text


@pytest.mark.parametrize("secret", ["", "a", "abc", "   ", "\n\n\n\n\n"])
def test_too_short(secret: str) -> None:
    """It ignores what is too short to be told from chance: three characters, and blanks."""
    redactor = Redactor()
    redactor.register(secret)
    assert redactor.redact("abc abc") == "abc abc"


PEM = """-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASC
BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj
ab==
-----END PRIVATE KEY-----
"""


def test_lines_of_a_key() -> None:
    """It removes a PEM key line by line, and leaves the armour, which is no secret."""
    indented = "".join(f"    | {line}\n" for line in PEM.splitlines())
    found = redactor_of(PEM).redact(indented)
    assert "MIIE" not in found
    assert "BKcw" not in found
    assert "-----BEGIN PRIVATE KEY-----" in found


def test_surrounding_blanks() -> None:
    """It knows a secret that was registered with a line end also without it."""
    assert redactor_of("hunter2-hunter2\n").redact("is hunter2-hunter2.") == f"is {MARK}."


def test_values() -> None:
    """It reaches into dicts, lists and tuples, and leaves other values as they are."""
    value = {"hunter22": ["a hunter22", ("hunter22", 7)], "n": None}
    expected = {MARK: [f"a {MARK}", (MARK, 7)], "n": None}
    assert redactor_of("hunter22").redact_values(value) == expected


def test_threads() -> None:
    """It knows every secret after many threads registered some at once."""
    redactor = Redactor()
    secrets = [f"secret-{number:04}-x" for number in range(200)]

    def register(part: list[str]) -> None:
        for secret in part:
            redactor.register(secret)

    threads = [threading.Thread(target=register, args=(secrets[i::8],)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert redactor.redact("".join(secrets)) == MARK


def test_repr_tells_nothing() -> None:
    """It does not show its secrets when it is printed."""
    assert "hunter22" not in repr(redactor_of("hunter22"))


class Logs:
    """Logs set up into a string, and put back afterwards."""

    def __init__(self, as_json: bool) -> None:
        self.stream = io.StringIO()
        self.redactor = redactor_of("hunter22", 'qu"ote&me')
        set_up_logs(self.redactor, as_json=as_json, stream=self.stream)

    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


@pytest.fixture
def _logging_restored():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_logging_restored")
class TestLogs:
    def test_json(self) -> None:
        """It writes one JSON object per event, with the bound ids, level and UTC time."""
        logs = Logs(as_json=True)
        with bound(run="r-1"):
            structlog.get_logger("prbot.test").info("planned", action="plan", count=3)
        structlog.get_logger("prbot.test").info("later")
        first, second = (json.loads(line) for line in logs.lines())
        stamp = first.pop("timestamp")
        assert stamp.endswith("Z")
        assert first == {
            "event": "planned",
            "action": "plan",
            "count": 3,
            "run": "r-1",
            "level": "info",
            "logger": "prbot.test",
        }
        assert "run" not in second

    def test_libraries(self) -> None:
        """It takes what libraries log the same way, redacted."""
        logs = Logs(as_json=True)
        logging.getLogger("some.library").warning("token is %s", "hunter22")
        (event,) = (json.loads(line) for line in logs.lines())
        assert (event["event"], event["level"]) == (f"token is {MARK}", "warning")

    @pytest.mark.parametrize("as_json", [True, False])
    def test_nothing_slips_through(self, as_json: bool) -> None:
        """It redacts values, keys, ids, objects and tracebacks alike."""
        logs = Logs(as_json=as_json)
        log = structlog.get_logger("prbot.test")
        with bound(run="hunter22"):
            log.info("hunter22", where={"hunter22": ["hunter22"]}, quoted='qu"ote&me')
        try:
            raise ValueError('hunter22 qu"ote&me')
        except ValueError:
            log.exception("failed", error=ValueError("hunter22"))
        text = logs.stream.getvalue()
        assert "failed" in text
        assert "hunter22" not in text
        assert "ote&me" not in text

    def test_levels(self) -> None:
        """It leaves out what is below its level."""
        logs = Logs(as_json=True)
        structlog.get_logger("prbot.test").debug("chatter")
        assert logs.lines() == []


def test_many_secrets() -> None:
    """It takes in thousands of secrets, as a large plan has, while webhooks wait for it."""
    secrets = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(5_000)]
    began = time.monotonic()
    redactor = redactor_of(*secrets)
    told = redactor.redact("\n".join(["nothing to hide here"] * 2_000 + secrets[:50]))
    assert told.count(MARK) == 50
    assert time.monotonic() - began < 20  # it took minutes when each secret sorted all others
