"""What the tool said, cut to what tells."""

from __future__ import annotations

from prbot.runs.run import Trouble

_FIRST_LINES = 25


def tool_words(trouble: Trouble | None, most: int) -> tuple[str, str]:
    """The telling part of the tool's output, and all of it when that is more; both cut."""
    if trouble is None or not trouble.output.strip() or not most:
        return "", ""
    lines = trouble.output.strip("\n").split("\n")
    first = next((at for at, line in enumerate(lines) if "Error:" in line), 0)
    excerpt = "\n".join(lines[first : first + _FIRST_LINES])
    whole = first == 0 and len(lines) <= _FIRST_LINES
    return cut_text(excerpt, min(most, 3_000)), "" if whole else cut_text(trouble.output, most)


def cut_text(text: str, most: int) -> str:
    """The beginning, up to the end of a line where there is one, and what is missing."""
    if len(text) <= most:
        return text
    kept = text[:most].rsplit("\n", 1)[0]
    return f"{kept}\n… {len(text) - len(kept):,} more characters"
