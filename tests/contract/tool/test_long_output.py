"""More words than are kept are cut between lines, so that no half of a secret is left."""

from __future__ import annotations

import json

import pytest

from prbot.adapters.terraform_output import TEXT_LIMIT, diagnostics, messages, plain

LINE = "token=correct-horse-battery"


def stream(text: str) -> list[str]:
    return [json.dumps({"@message": line}) for line in text.split("\n")]


def broken(text: str) -> list[str]:
    diagnostic = {"severity": "error", "summary": "no", "detail": text}
    return [json.dumps({"diagnostic": diagnostic})]


@pytest.mark.parametrize("pad", range(len(LINE) + 1))
def test_lines_stay_whole(pad: int) -> None:
    """It keeps the end of what was said, and the beginning of an error, in whole lines."""
    text = f"{'x' * pad}\n" + "\n".join([LINE] * 4_000)
    assert len(text) > TEXT_LIMIT
    for kept in (plain(text.encode()), messages(stream(text)), diagnostics(broken(text))):
        assert TEXT_LIMIT - 2 * len(LINE) < len(kept) <= TEXT_LIMIT
        rest = {line for line in kept.split("\n") if line} - {LINE, "Error: no", "x" * pad}
        assert rest == set()


def test_one_line_without_end() -> None:
    """It keeps nothing of a line that is longer than all that is kept."""
    text = LINE * 4_000
    assert plain(text.encode()) == messages(stream(text)) == ""
    assert diagnostics(broken(text)) == "Error: no\n"
