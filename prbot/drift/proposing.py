"""What a pull request of prbot's own about drift is called, and what it tells.

One branch for each project and direction, so that a second wish changes the open pull request
instead of making another one. A `revert` changes no code: it is an empty commit, whose own plan
is what brings back what was declared.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prbot.config.drift import DriftRule, Proposal, Reaction
from prbot.drift.adopt import Adopted, Refusal, Wish
from prbot.drift.aftermath import Known
from prbot.drift.issue import Found, Section
from prbot.drift.rules import AT_REST
from prbot.drift.state import Standing
from prbot.drift.verdict import ProjectVerdict
from prbot.model import Login, ProjectKey, PullRequest

BRANCHES = "prbot/drift/"
"""All branches of ours that are about drift begin so."""
LONGEST_TITLE = 200
PROPOSED = "proposed"
"""How a correction ends that is a pull request: people go on from there."""


@dataclass(frozen=True)
class Proposed:
    """`found` are the rows that drifted, fit to be shown; `by` asked for it, None: a rule did.
    Of an `adopt`, `written` names what the code says by it, `following` what should follow, and
    `refused` what has to be done by hand."""

    how: Proposal
    project: ProjectKey
    found: tuple[Found, ...]
    by: Login | None = None
    written: tuple[str, ...] = ()
    following: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


def proposed_revert(
    project: ProjectKey, found: tuple[Found, ...], by: Login | None = None
) -> Proposed:
    return Proposed(Proposal.REVERT, project, found, by)


def proposed_adopt(
    project: ProjectKey, found: tuple[Found, ...], adopted: Adopted, by: Login | None = None
) -> Proposed:
    """Rows of which nothing was adopted are told with their refusal alone."""
    return Proposed(
        Proposal.ADOPT,
        project,
        found,
        by,
        tuple(map(_name, adopted.done)),
        tuple(map(_name, adopted.following)),
        adopted.refused,
    )


def _name(wish: Wish) -> str:
    return wish.address if wish.attribute is None else f"{wish.address}, {wish.attribute}"


def branch_of(how: Proposal, project: ProjectKey) -> str:
    """Readable, safe as a ref, and no other project's."""
    words = f"{project.dir} {project.workspace}"
    readable = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:40] or "root"
    exact = json.dumps([project.dir, project.workspace])
    return f"{BRANCHES}{how}/{readable}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"


def reverted_by(pull: PullRequest, bot: Login, projects: Iterable[ProjectKey]) -> ProjectKey | None:
    """Which of these projects the pull request puts back: its branch says so, and prbot opened
    it from the repository itself. Nothing that anybody could write counts."""
    if pull.fork or pull.author.lower() != bot.lower():
        return None
    found = (one for one in projects if branch_of(Proposal.REVERT, one) == pull.head_branch)
    return next(found, None)


def is_of_drift(branch: str) -> bool:
    return branch.startswith(BRANCHES)


def title_of(told: Proposed) -> str:
    """Plain text, as titles are."""
    what = {
        Proposal.REVERT: f"Drift: put back what was changed by hand in {told.project}",
        Proposal.ADOPT: f"Drift: write what was changed by hand in {told.project} into the code",
    }[told.how]
    line = "".join(sign if sign.isprintable() else " " for sign in what)
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1]}…"


# --- by rule -------------------------------------------------------------------------------


def adopt_is_wanted(section: Section, rules: Sequence[DriftRule]) -> bool:
    """Rules say `open_pr` with `adopt` of all that a plan would take back, and nothing else is
    unapplied. The weakest wish is the project's, as with every correction."""
    adopting = {f"drift.rules[{n}]" for n, r in enumerate(rules) if r.proposal is Proposal.ADOPT}
    acting = [one for one in section.found if one.verdict not in AT_REST]
    wanted = all(one.action is Reaction.OPEN_PR and one.rule in adopting for one in acting)
    return section.verdict is ProjectVerdict.DRIFTED and bool(acting) and wanted


def revert_is_wanted(section: Section, rules: Sequence[DriftRule]) -> bool:
    """The same of `revert`, which is what `open_pr` does where no rule says another thing. What
    a rule would correct by itself a pull request corrects, too."""
    adopting = {f"drift.rules[{n}]" for n, r in enumerate(rules) if r.proposal is Proposal.ADOPT}
    acting = [one for one in section.found if one.verdict not in AT_REST]
    weakest = {one.action for one in acting}
    putting_back = not any(one.rule in adopting for one in acting)
    wanted = Reaction.OPEN_PR in weakest and weakest <= {Reaction.OPEN_PR, Reaction.AUTO}
    return section.verdict is ProjectVerdict.DRIFTED and wanted and putting_back


def wanted_by_rule(section: Section, rules: Sequence[DriftRule]) -> Proposal | None:
    """What a pull request does to all that drifted, if rules want one."""
    if adopt_is_wanted(section, rules):
        return Proposal.ADOPT
    return Proposal.REVERT if revert_is_wanted(section, rules) else None


def may_propose(standing: Standing, known: Known) -> bool:
    """Not before the baseline is complete, unless issues are wanted then, too; nothing that
    people accepted or put off; and no more in a day than there may be issues."""
    settings = known.settings
    begun = settings.issues or not settings.baseline or known.watch.baseline_at is not None
    answered = any(each.project == standing.project for each in known.answers)
    made = sum(each.outcome == PROPOSED for each in known.corrections)
    return begun and not answered and made < settings.max_issues
