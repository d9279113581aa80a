"""What the tool said, cut to what tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prbot.comments.neutral import Safe, code, fence
from prbot.model import PlanId
from prbot.runs.run import Trouble
from prbot.runs.say import ProjectResult

_FIRST_LINES = 25
_FRAME = 700
"""Room for a heading and for fences."""


def tool_words(trouble: Trouble | None, most: int) -> tuple[str, str]:
    """The telling part of the tool's output, and all of it when that is more; both cut."""
    if trouble is None or not trouble.output.strip() or not most:
        return "", ""
    lines = trouble.output.strip("\n").split("\n")
    first = next((at for at, line in enumerate(lines) if "Error:" in line), 0)
    excerpt = "\n".join(lines[first : first + _FIRST_LINES])
    whole = first == 0 and len(lines) <= _FIRST_LINES
    return cut_text(excerpt, min(most, 3_000)), "" if whole else cut_text(trouble.output, most)


def tool_log(results: Iterable[ProjectResult], logs: Mapping[PlanId, str], most: int) -> Safe:
    """What the tool said, project by project, where it failed first: of each the end, in an equal
    share of `most` characters. `logs` are of plans; where there is no room, they go first."""
    known = tuple(results)
    failed = [(r, r.trouble.output) for r in known if r.trouble and r.trouble.output]
    made = [(r, logs.get(r.plan.id, "")) for r in known if r.plan and not r.trouble]
    for said in ([*failed, *(each for each in made if each[1])], failed):
        share = most // max(1, len(said)) - _FRAME
        if share >= _FRAME:
            return Safe("\n\n".join(_titled(result, text, share) for result, text in said))
    return Safe("")


def _titled(result: ProjectResult, text: str, share: int) -> str:
    return f"### What the tool said: {code(str(result.project), 200)}\n\n{_end(text, share)}"


def _end(text: str, most: int) -> Safe:
    """A block of at most so many characters, back-quotes in it included."""
    kept = text[-most:].partition("\n")[2] if len(text) > most else text
    block = fence(kept, "text")
    return block if len(block) <= most + _FRAME // 2 else fence(kept[-most // 3 :], "text")


def cut_text(text: str, most: int) -> str:
    """The beginning, up to the end of a line where there is one, and what is missing."""
    if len(text) <= most:
        return text
    kept = text[:most].rsplit("\n", 1)[0]
    return f"{kept}\n… {len(text) - len(kept):,} more characters"
