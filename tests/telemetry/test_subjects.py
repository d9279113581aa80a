"""What a pull request's plans mark is hidden where that pull request is spoken of, nowhere else."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
from collections.abc import Iterator
from contextvars import copy_context
from threading import Thread

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from prbot.telemetry import MARK, Redactor, bound, set_up_logs

WORDS = st.text("abcdef", min_size=4, max_size=8)


def test_one_subject() -> None:
    """It hides there what was hidden there, today and whenever it is spoken of again."""
    redactor = Redactor()
    with redactor.about("pull 1"):
        redactor.hide(["harbour"])
        assert redactor.redact("the harbour") == f"the {MARK}"
    with redactor.about("pull 1"):
        assert redactor.redact_values({"harbour": ["harbour"]}) == {MARK: [MARK]}


def test_others() -> None:
    """It leaves the word alone in what is about others, and where nothing is the subject."""
    redactor = Redactor()
    with redactor.about("pull 1"):
        redactor.hide(["harbour"])
        with redactor.about("pull 2"):
            assert redactor.redact("the harbour") == "the harbour"
        assert redactor.redact("the harbour") == f"the {MARK}"
    assert redactor.redact("the harbour") == "the harbour"


@pytest.mark.parametrize("inside", [True, False])
def test_everywhere(inside: bool) -> None:
    """It removes what prbot itself resolved in every subject, wherever it was registered."""
    redactor = Redactor()
    with redactor.about("pull 1"):
        if inside:
            redactor.register("token-1234")
    if not inside:
        redactor.register("token-1234")
    for subject in ("pull 1", "pull 2"):
        with redactor.about(subject):
            assert redactor.redact("is token-1234") == f"is {MARK}"
    assert redactor.redact("is token-1234") == f"is {MARK}"


def test_nobodys() -> None:
    """It hides everywhere what was told while nothing was the subject: rather too much."""
    redactor = Redactor()
    redactor.hide(["harbour"])
    with redactor.about("pull 1"):
        assert redactor.redact("harbour") == MARK


def test_both() -> None:
    """It removes as one what begins in a secret of ours and ends in one of the subject."""
    redactor = Redactor()
    redactor.register("abcdX")
    with redactor.about("pull 1"):
        redactor.hide(["dXYZ"])
        assert redactor.redact("<abcdXYZ>") == f"<{MARK}>"


@given(mine=st.lists(WORDS, max_size=4), theirs=st.lists(WORDS, max_size=4), text=WORDS)
def test_apart(mine: list[str], theirs: list[str], text: str) -> None:
    """It says of a subject what it would say if there were no other one."""
    redactor, alone = Redactor(), Redactor()
    with redactor.about("theirs"):
        redactor.hide(theirs)
    with redactor.about("mine"):
        redactor.hide(mine)
        told = redactor.redact(text)
    alone.hide(mine)
    assert told == alone.redact(text)


def test_sources() -> None:
    """It knows of whom it has heard, for each subject by itself."""
    redactor = Redactor()
    with redactor.about("pull 1"):
        redactor.hide([], "p-1.json")
        assert redactor.has_heard("p-1.json")
    with redactor.about("pull 2"):
        assert not redactor.has_heard("p-1.json")
    assert not redactor.has_heard("p-1.json")


def many_others(redactor: Redactor) -> None:
    for number in range(2, 1_000):
        with redactor.about(f"pull {number}"):
            redactor.hide(["harbour"])
    gc.collect()


def test_forgetting() -> None:
    """It forgets secrets and sources together when many others were spoken of since."""
    redactor = Redactor()
    with redactor.about("pull 1"):
        redactor.hide(["harbour"], "p-1.json")
    many_others(redactor)
    with redactor.about("pull 1"):
        assert not redactor.has_heard("p-1.json")
        assert redactor.redact("harbour") == "harbour"


def test_not_forgetting() -> None:
    """It forgets nothing of a subject while somebody speaks of it."""
    redactor = Redactor()
    with redactor.about("pull 1"):
        redactor.hide(["harbour"])
        many_others(redactor)
        with redactor.about("pull 1"):
            assert redactor.redact("harbour") == MARK


async def test_tasks_and_threads() -> None:
    """It goes with the tasks and threads that are begun, however they overlap."""
    redactor = Redactor()
    both = asyncio.Barrier(2)

    async def told(subject: str, secret: str) -> str:
        with redactor.about(subject):
            await asyncio.to_thread(redactor.hide, [secret])
            await both.wait()
            return await asyncio.create_task(asyncio.to_thread(redactor.redact, "one1 two2"))

    found = await asyncio.gather(told("pull 1", "one1"), told("pull 2", "two2"))
    assert found == [f"{MARK} two2", f"one1 {MARK}"]


@pytest.fixture
def _logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_logging_restored")
def test_logs() -> None:
    """It cleans the log lines of the subject, with their ids and tracebacks, a library's in a
    thread too, and no others."""
    stream, redactor = io.StringIO(), Redactor()
    set_up_logs(redactor, as_json=True, stream=stream)
    log = structlog.get_logger("prbot.test")
    with redactor.about("pull 1"), bound(run="harbour-1"):
        redactor.hide(["harbour"])
        log.info("planned", project="harbour")
        try:
            raise ValueError("harbour")
        except ValueError:
            log.exception("failed")
        library = logging.getLogger("some.library")
        words = copy_context()
        thread = Thread(target=lambda: words.run(library.warning, "to %s", "harbour"))
        thread.start()
        thread.join()
    with redactor.about("pull 2"):
        log.info("planned", project="harbour")
    *first, other = stream.getvalue().splitlines()
    assert len(first) == 3
    assert "harbour" not in "".join(first)
    assert json.loads(other)["project"] == "harbour"
