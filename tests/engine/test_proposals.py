"""A pull request of our own is pushed and opened, in this order, whatever happens between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from prbot.config.drift import DriftSettings
from prbot.drift.adopt import SENSITIVE, Wish
from prbot.drift.aftermath import Known
from prbot.drift.proposing import PROPOSED
from prbot.drift.state import Correction, Standing, Watch
from prbot.drift.trying import REFUSED
from prbot.engine.alarm import Alarm
from prbot.engine.drift_adopting import fit_to_write
from prbot.engine.drift_opened import opened
from prbot.engine.drift_proposals import DriftProposals, Ready
from prbot.engine.postman import FAILURES, LAST_RETRY, Postman
from prbot.engine.world import Forge
from prbot.errors.forge import ForgeRefused, ForgeUnavailable
from prbot.errors.git import CannotPush
from prbot.model import Login, ProjectKey, PullRef, PullRequest, RepoRef, Sha
from prbot.ports.forge import CloneAccess
from prbot.ports.outbox import Below, IssueCommentLetter, ProposalLetter, WithdrawLetter
from prbot.ports.tree import BranchCommit

REPO = RepoRef("gh", "acme/infra")
COMMIT = BranchCommit(
    "prbot/drift/adopt/live", Sha("a" * 40), "m", datetime(2026, 3, 4, tzinfo=UTC)
)
OURS = PullRequest(
    PullRef(REPO, 7),
    "Title",
    Login("prbot[bot]"),
    Sha("b" * 40),
    COMMIT.branch,
    REPO.path,
    "main",
    Sha("a" * 40),
    "main",
)
LETTER = ProposalLetter(COMMIT, "main", "Title", "words")


@dataclass
class Yard:
    """The things of a forge that a proposal needs; `troubles` are raised one by one. `opened`
    is the pull request as it is there."""

    done: list[str] = field(default_factory=list)
    troubles: dict[str, list[Exception]] = field(default_factory=dict)
    theirs: bool = False
    opened: PullRequest = OURS

    async def pull_request(self, pull: PullRef) -> PullRequest:
        return self.opened

    async def bot_login(self) -> Login:
        return OURS.author

    async def is_ours(self, repo: RepoRef, access: CloneAccess, branch: str) -> bool:
        return not self.theirs

    async def upsert_comment(self, pull: PullRef, marker: str, body: str, known: Any) -> int:
        self._do(f"say {body}")
        return 1

    async def close_pull(self, pull: PullRef) -> None:
        self._do("close")

    async def clone_access(self, repo: RepoRef) -> CloneAccess:
        return CloneAccess("https://forge.test/x.git")

    async def push(self, repo: RepoRef, access: CloneAccess, change: BranchCommit) -> Sha | None:
        self._do("push")
        return None if self.theirs else Sha("b" * 40)

    async def upsert_pull(
        self, repo: RepoRef, branch: str, base: str, title: str, body: str
    ) -> int:
        self._do("open")
        return 7

    def _do(self, what: str) -> None:
        self.done.append(what)
        if self.troubles.get(what):
            raise self.troubles[what].pop(0)


@pytest.fixture
def yard(office: Any) -> Yard:
    made = Yard()
    mine: Any = made
    absent: Any = None
    forge = Forge(mine, mine, mine, absent, absent, absent)
    office.world = replace(office.world, forges={"gh": forge})
    office.postman = Postman(office.world, Alarm())
    return made


async def test_pushed_then_opened(office: Any, yard: Yard) -> None:
    """It pushes before it opens."""
    await office.put(0, LETTER)
    assert await office.round() is None
    assert yard.done == ["push", "open"]


async def test_again_from_the_beginning(office: Any, yard: Yard) -> None:
    """It pushes again, which does nothing, where the pull request could not be opened."""
    yard.troubles["open"] = [ForgeUnavailable("gh", "open", "HTTP 502")]
    await office.put(0, LETTER)
    assert await office.round() is not None
    office.clock.time += LAST_RETRY
    assert await office.round() is None
    assert yard.done == ["push", "open", "push", "open"]


async def test_theirs_by_now(office: Any, yard: Yard) -> None:
    """It rewords nothing where people went on with the branch."""
    yard.theirs = True
    await office.put(0, LETTER)
    assert await office.round() is None
    assert yard.done == ["push"]


async def test_no_right_to_push(office: Any, yard: Yard, logs: list[Any]) -> None:
    """It tries for some minutes and gives up; what is behind it goes out."""
    yard.troubles["push"] = [CannotPush("acme/infra", COMMIT.branch, "denied")] * FAILURES
    await office.put(0, LETTER)
    for _ in range(FAILURES):
        await office.round()
        office.clock.time += LAST_RETRY
    assert await office.round() is None
    assert yard.done == ["push"] * FAILURES
    given_up = next(line for line in logs if line["event"] == "letter given up")
    assert "denied" in given_up["error"]


ASKED = Correction("w-1", REPO, ProjectKey("live"), "adopt", COMMIT.at, Login("ann"))
BELOW = Below(REPO, "<!-- issue -->", "adopt", Login("ann"))


async def told(office: Any) -> list[str]:
    """What is still to be said below the issue."""
    now = office.clock.now()
    async with office.world.store.begin() as unit:
        rows = await unit.outbox.due(now, "w-2", now + LAST_RETRY)
    return [row.letter.body for row in rows if isinstance(row.letter, IssueCommentLetter)]


async def noted(office: Any) -> Correction:
    async with office.world.store.begin() as unit:
        (found,) = await unit.corrections.since(REPO, COMMIT.at)
    return found


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (REPO, "pull request 7 does it: review"),
        (RepoRef("gh", "acme/board"), "pull request 7 of `acme/infra` does it: review"),
    ],
)
async def test_whoever_asked_is_told(office: Any, yard: Yard, place: RepoRef, words: str) -> None:
    """It notes which pull request it became, and tells them on the issue, wherever that is."""
    below = replace(BELOW, place=place, more="Two are left to you.")
    await office.put(0, replace(LETTER, correction=ASKED, below=below))
    await office.round()
    assert (await noted(office)).pull == PullRef(REPO, 7)
    (said,) = await told(office)
    assert f"`prbot adopt`, as `ann` asked: {words}" in said
    assert "Two are left to you." in said


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (True, "**branch**: people pushed to `prbot/drift/adopt/live`."),
        (False, "HTTP 403"),
    ],
)
async def test_whoever_asked_is_told_why_not(
    office: Any, yard: Yard, theirs: bool, words: str
) -> None:
    """It says so where people went on with the branch, and where the forge says no."""
    yard.theirs = theirs
    yard.troubles["open"] = [ForgeRefused("gh", "open", "HTTP 403")]
    await office.put(0, replace(LETTER, correction=ASKED, below=BELOW))
    await office.round()
    (said,) = await told(office)
    assert words in said
    assert (await noted(office)).outcome == REFUSED


WITHDRAWN: dict[str, tuple[PullRequest, bool, list[str]]] = {
    "ours, and open": (OURS, False, ["say words", "close"]),
    "people pushed to its branch": (OURS, True, []),
    "closed or merged by now": (replace(OURS, open=False), False, []),
    "not by us": (replace(OURS, author=Login("mallory")), False, []),
    "from another branch": (replace(OURS, head_branch="topic"), False, []),
}


@pytest.mark.parametrize(("opened", "theirs", "done"), WITHDRAWN.values(), ids=WITHDRAWN)
async def test_withdrawn(
    office: Any, yard: Yard, opened: PullRequest, theirs: bool, done: list[str]
) -> None:
    """It says why and closes it, but leaves what is not ours alone."""
    yard.opened, yard.theirs = opened, theirs
    await office.put(7, WithdrawLetter(COMMIT.branch, "<!-- m -->", "words"))
    assert await office.round() is None
    assert yard.done == done


async def test_equal_drift_keeps_its_pull_request(office: Any) -> None:
    """A rule that wants the same the next night takes nothing from what is noted of it."""
    noted = replace(ASKED, id="branch digest", by=None, outcome=PROPOSED)
    ready = Ready(noted.id, replace(LETTER, correction=noted))
    standing = Standing(REPO, noted.project)
    known = Known(Watch(REPO), DriftSettings(issues=True), (standing,), office.clock.now())
    proposals = DriftProposals(office.world)
    async with office.world.store.begin() as unit:
        await proposals.put(unit, (ready,), standing, known)
        await opened(office.world, unit, ready.letter, 7)
    async with office.world.store.begin() as unit:
        await proposals.put(unit, (ready,), standing, known)
    async with office.world.store.begin() as unit:
        assert await unit.corrections.proposed(REPO) == (replace(noted, pull=PullRef(REPO, 7)),)


@pytest.mark.parametrize("live", ["hunter2secret", {"env": ["PASS=hunter2secret"]}, "plain", 5])
async def test_what_was_resolved_is_not_written(office: Any, live: Any) -> None:
    """It takes a value out of a commit that it takes out of every text, whatever the plan says."""
    office.world.redactor.register("hunter2secret")
    wish = Wish("aws_lambda_function.f", "description", "before", live)
    secret = "hunter2" in str(live)
    written = Wish(wish.address, wish.attribute, unfit=SENSITIVE) if secret else wish
    assert fit_to_write(office.world, wish) == written
