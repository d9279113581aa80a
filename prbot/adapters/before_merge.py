"""What a base branch was before a pull request was merged into it, read from the commits.

The first parent of a merge commit and of a squashed one. A rebase leaves several commits, known
again by author, date and subject, which it keeps. Where the branch was moved forward to the head
itself, the forge knows what it was before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from prbot.adapters.git import Git, text
from prbot.errors.git import MergeCommitIsGone, MergedAsAnother
from prbot.model import PullRequest, Sha

MOST_REBASED = 250
"""How far back the commits of a rebased pull request are looked for (GitHub rebases no
more than 100)."""
_SAME = "--format=%at %ae %f"
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


async def before_merge(git: Git, mirror: Path, pull: PullRequest, merged: Sha, branch: str) -> Sha:
    """`branch` is the mirror's ref of the base branch.

    Raises MergeCommitIsGone, and MergedAsAnother where the head is said to have become the branch
    and has not: GitLab's fast-forward trains, and its rebase while it merges, make commits that
    it tells nobody, and the head's files lack what others merged meanwhile.
    """
    if merged == pull.head_sha != pull.base_sha and not await _holds(git, mirror, branch, merged):
        raise MergedAsAnother(str(pull.ref.repo), pull.base_branch, merged[:7])
    fork = await _fork(git, mirror, pull, merged, branch)
    if fork is not None:
        return fork
    own = await _lines(git, mirror, ["log", _SAME, f"{merged}..{pull.head_sha}"])
    walk = ["log", "--first-parent", f"--max-count={MOST_REBASED}", _SAME, merged]
    landed = takewhile(own.__contains__, await _lines(git, mirror, walk))
    steps = max(1, min(len(own), sum(1 for _ in landed)))
    words = ["rev-parse", "--verify", "--quiet", f"{merged}~{steps}^{{commit}}"]
    done = await git.run(words, cwd=mirror)
    if done.code != 0 and merged == pull.head_sha:  # the first commit of all
        return merged
    if done.code != 0:
        raise MergeCommitIsGone(str(pull.ref.repo))
    return Sha(text(done.stdout))


async def _holds(git: Git, mirror: Path, branch: str, commit: Sha) -> bool:
    done = await git.run(["merge-base", "--is-ancestor", commit, branch], cwd=mirror)
    return done.code == 0


async def _fork(git: Git, mirror: Path, pull: PullRequest, merged: Sha, branch: str) -> Sha | None:
    """Where a head began that became the branch as it is, or that a merge queue made; None
    where it did not, or that cannot be told."""
    if merged != pull.head_sha:
        return None
    before = await _before(git, mirror, pull, merged, branch)
    done = await git.run(["merge-base", before, merged], cwd=mirror)
    found = Sha(text(done.stdout))
    return found if done.code == 0 and found != merged else None


async def _before(git: Git, mirror: Path, pull: PullRequest, merged: Sha, branch: str) -> str:
    """Something that the branch held then. Of a queue's commit that is no merge, which may be
    one of several, it is what the branch holds now; so it is of a head that itself merged the
    branch before, and became the queue's commit as it is."""
    if pull.base_sha != merged:
        return pull.base_sha if _SHA.fullmatch(pull.base_sha) else merged
    words = ["rev-parse", "--verify", "--quiet", f"{merged}^2"]
    done = await git.run(words, cwd=mirror)
    merge = done.code == 0 and not await _holds(git, mirror, branch, Sha(text(done.stdout)))
    return f"{merged}^1" if merge else branch


async def _lines(git: Git, mirror: Path, words: Sequence[str]) -> list[str]:
    """Nothing when git cannot say: the head of a merged pull request may be gone."""
    done = await git.run([*words, "--"], cwd=mirror)
    return text(done.stdout).splitlines() if done.code == 0 else []
