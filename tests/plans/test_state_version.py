"""Whether an apply would write a state that older versions may not read."""

from __future__ import annotations

import pytest

from prbot.plans.state_version import raised


@pytest.mark.parametrize(
    ("written_by", "tool", "expected"),
    [
        ("1.5.0", "terraform 1.11.4", "1.5.0"),
        ("1.11.4", "terraform 1.11.4", ""),
        ("1.11.0", "terraform 1.11.4", ""),
        ("1.12.0", "terraform 1.11.4", ""),
        ("0.12.31", "terraform 1.0.0", "0.12.31"),
        ("1.9.0", "tofu 1.10.0", "1.9.0"),
        ("1.10.0-beta1", "terraform 1.10.0", ""),
        (None, "terraform 1.11.4", ""),
        ("", "terraform 1.11.4", ""),
        ("soon", "terraform 1.11.4", ""),
        ("1.5.0", "terraform", ""),
    ],
)
def test_raised(written_by: str | None, tool: str, expected: str) -> None:
    """It tells the state's version where this tool's is newer by more than a patch."""
    assert raised(written_by, tool) == expected
