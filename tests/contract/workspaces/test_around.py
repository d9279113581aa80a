"""How commits lie to one another: what a commit holds, and what holds it."""

from __future__ import annotations

import pytest

from prbot.adapters.workspaces import GitWorkspaces
from prbot.errors.git import BranchIsGone
from prbot.model import RepoRef, Sha
from prbot.runs.landings import Around

REPO = RepoRef("test", "acme/infra")
NOWHERE = Sha("f" * 40)


@pytest.fixture
async def line(workspaces: GitWorkspaces, forge) -> dict[str, Sha]:
    """`first`, `squashed` and `merged` on main, one after another; `aside` on no branch of it."""
    first = forge.commit({"b.tf": "b"})
    forge.git("checkout", "--quiet", "main")
    forge.git("merge", "--quiet", "--no-ff", "-m", "one", "feature")
    merged = Sha(forge.git("rev-parse", "HEAD"))
    squashed = forge.commit({"c.tf": "c"}, "squashed")
    forge.git("checkout", "--quiet", "-b", "later")
    later = forge.commit({"d.tf": "d"})
    forge.git("checkout", "--quiet", "main")
    forge.git("merge", "--quiet", "--no-ff", "-m", "two", "later")
    last = Sha(forge.git("rev-parse", "HEAD"))
    forge.push()
    forge.git("checkout", "--quiet", "-b", "aside", squashed)
    aside = forge.commit({"e.tf": "e"})
    pull = forge.pull(branch="aside")
    await workspaces.fetch(pull, forge.access)
    names = ("first", "merged", "squashed", "later", "last", "aside")
    return dict(zip(names, (first, merged, squashed, later, last, aside), strict=True))


CASES = [
    ("squashed", "merged last aside", "squashed merged", "last aside"),
    ("last", "first merged squashed later aside", "first merged squashed later", ""),
    ("first", "merged last", "", "merged last"),
    ("merged", "merged", "merged", ""),
    ("aside", "last squashed", "squashed", ""),
]


@pytest.mark.parametrize(("at", "others", "before", "after"), CASES)
async def test_around(
    workspaces: GitWorkspaces, line: dict[str, Sha], at: str, others: str, before: str, after: str
) -> None:
    """It tells what a commit holds, itself too, and what holds it; the rest is neither."""
    wanted = {line[name] for name in {at, *others.split()}}
    found = await workspaces.around(REPO, line[at], wanted)
    mine = {line[name] for name in {at, *before.split()}}
    assert found == Around(frozenset(mine), frozenset(line[name] for name in after.split()))


async def test_unknown_commits(workspaces: GitWorkspaces, line: dict[str, Sha]) -> None:
    """It leaves out what the mirror does not have."""
    found = await workspaces.around(REPO, line["last"], {NOWHERE, line["first"]})
    assert found == Around(frozenset({line["first"]}), frozenset())
    assert await workspaces.around(REPO, NOWHERE, {line["first"]}) == Around()


async def test_the_default_branch(workspaces: GitWorkspaces, forge) -> None:
    """It is what `HEAD` names at the forge, with its newest commit, whatever it is called."""
    forge.git("symbolic-ref", "HEAD", "refs/heads/main", cwd=forge.origin)
    main = Sha(forge.git("rev-parse", "main"))
    assert await workspaces.default_branch(REPO, forge.access) == ("main", main)
    trunk = forge.commit({"b.tf": "two\n"})
    forge.push("HEAD", "refs/heads/team/trunk")
    forge.git("symbolic-ref", "HEAD", "refs/heads/team/trunk", cwd=forge.origin)
    assert await workspaces.default_branch(REPO, forge.access) == ("team/trunk", trunk)
    assert await workspaces.read(REPO, trunk, "b.tf") == b"two\n"


async def test_no_default_branch(workspaces: GitWorkspaces, forge) -> None:
    """It says so where `HEAD` names a branch that is not there."""
    forge.git("symbolic-ref", "HEAD", "refs/heads/nowhere", cwd=forge.origin)
    with pytest.raises(BranchIsGone):
        await workspaces.default_branch(REPO, forge.access)


async def test_the_first_commit_of_all(workspaces: GitWorkspaces, forge) -> None:
    """It is laid out, compared with itself: nothing came before it."""
    first = Sha(forge.git("rev-parse", "main"))
    pull = forge.pull(merged=True, open=False, merge_sha=first, head_sha=first)
    await workspaces.fetch(pull, forge.access)
    checkout = await workspaces.lay_out(pull)
    assert (checkout.commit, checkout.base, checkout.changed) == (first, first, ())
