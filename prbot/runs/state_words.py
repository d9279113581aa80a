"""What a change of the state said, in the journal: what was done stands there, too."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from prbot.runs.journal import JournalEntry
from prbot.runs.run import Job
from prbot.runs.told import parsed

CHANGED = "state changed"
"""The journal's word; the subject is the job."""
MOST = 4_000
"""Characters of the tool's words that are kept: their end."""


def changed(kind: str, objects: Sequence[str], said: str) -> str:
    """The journal's line, as JSON; `said` is redacted."""
    return json.dumps({"command": kind, "objects": list(objects), "said": said[-MOST:]})


def said_by(journal: Iterable[JournalEntry], job: Job) -> str:
    """The tool's words; empty when there are none."""
    mine = (line for line in journal if (line.subject, line.action) == (job.id, CHANGED))
    found = next(mine, None)
    return str(parsed(found.detail).get("said", "")) if found else ""
