"""The projects of a commit are found once, as long as what is known of it stays the same."""

from __future__ import annotations

from prbot.adapters.hcl_cache import _UNFINISHED
from prbot.config.project_rules import ProjectRules
from prbot.engine.survey import KEPT, Discoveries
from prbot.model import RepoRef, Sha
from prbot.projects.hcl import facts_of
from prbot.projects.listing import Listing

REPO = RepoRef("gh", "acme/infra")
LISTING = Listing({"a/main.tf": "1" * 40})
WHOLE = {"a/main.tf": facts_of("a.tf", b'terraform {\n  backend "s3" {}\n}\n')}
RULES = ProjectRules()


def commit(number: int) -> Sha:
    return Sha(f"{number:040x}")


def test_found_once() -> None:
    """Equal facts are the same, whoever read them; other rules, or another place, are not."""
    known = Discoveries()
    found = known.of(REPO, commit(1), RULES, LISTING, WHOLE)
    assert known.of(REPO, commit(1), ProjectRules(), LISTING, dict(WHOLE)) is found
    assert known.of(RepoRef("gl", "acme/infra"), commit(1), RULES, LISTING, WHOLE) is not found
    assert known.of(REPO, commit(1), ProjectRules(ignore=("a",)), LISTING, WHOLE).projects == ()


def test_what_could_not_be_read() -> None:
    """A file that took too long to read is no reason to miss its project for ever: what it says
    is asked again each time, and counts as soon as it is known."""
    known, unread = Discoveries(), {"a/main.tf": _UNFINISHED}
    assert known.of(REPO, commit(1), RULES, LISTING, unread).projects == ()
    assert len(known.of(REPO, commit(1), RULES, LISTING, WHOLE).projects) == 1


def test_the_oldest_go() -> None:
    """It remembers so many commits, and no more."""
    known = Discoveries()
    first = known.of(REPO, commit(0), RULES, LISTING, WHOLE)
    for number in range(1, KEPT):
        known.of(REPO, commit(number), RULES, LISTING, WHOLE)
    assert known.of(REPO, commit(0), RULES, LISTING, WHOLE) is first
    known.of(REPO, commit(KEPT), RULES, LISTING, WHOLE)
    assert known.of(REPO, commit(0), RULES, LISTING, WHOLE) is not first
