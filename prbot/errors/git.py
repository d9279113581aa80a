"""What prbot says of commits, branches and checkouts."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class CannotPush(PrbotError):
    """The branch {branch} of {repo} could not be pushed: {cause}"""

    repo: str
    branch: str
    cause: str
    hint = "prbot's account may push branches named `prbot/…` (GitHub App: Contents, read and write; GitLab: at least Developer, and a token with `write_repository`)."


@dataclass(eq=False)
class CannotFetch(PrbotError):
    """The repository {repo} could not be fetched: {cause}."""

    repo: str
    cause: str
    hint = "Check that the repository exists and that prbot's token may read its contents, then comment `prbot plan`."


@dataclass(eq=False)
class BranchIsGone(PrbotError):
    """{repo} has no branch {branch}."""

    repo: str
    branch: str
    hint = "Restore the branch, or give the pull request another base."


@dataclass(eq=False)
class MergeCommitIsGone(PrbotError):
    """The commit that merged the pull request into {repo} can no longer be fetched."""

    repo: str
    hint = "Was the base branch rewritten? Bring the merged change in by a new pull request."


@dataclass(eq=False)
class MergedAsAnother(PrbotError):
    """Commit {commit}, by which the pull request was merged into {repo} as the forge tells, is not in the branch {branch}: it was rebased while it was merged, or the branch was rewritten."""

    repo: str
    branch: str
    commit: str
    hint = "Nothing of it is applied by itself. Bring the merged change in by a new pull request, or rebase before you merge."


@dataclass(eq=False)
class GitFailed(PrbotError):
    """`git {verb}` failed: {cause}."""

    verb: str
    cause: str
    hint = "Check that the server has room left and that its state directory is writable."


@dataclass(eq=False)
class GitMissing(PrbotError):
    """prbot needs git {wanted} or newer and found {found}."""

    wanted: str
    found: str
    hint = "Install it on the server's PATH."


@dataclass(eq=False)
class GitTimedOut(GitFailed):
    """`git {verb}` was stopped after {cause} s."""

    hint = "Check the network and the forge; a very large repository needs a longer time-out."


@dataclass(eq=False)
class HeadIsGone(PrbotError):
    """The head commit {sha} of the pull request can no longer be fetched."""

    sha: str
    hint = "Push the branch again, or close the pull request."


@dataclass(eq=False)
class MergeConflict(PrbotError):
    """The pull request conflicts with its base branch in {files}."""

    files: str
    hint = "Merge or rebase the base branch into the pull request and push."


@dataclass(eq=False)
class UnrelatedHistories(PrbotError):
    """The pull request and its base branch have no commit in common, so they cannot be merged."""

    hint = "Start the branch again from the base branch."


@dataclass(eq=False)
class UnsafePath(PrbotError):
    """The path {path} leads outside the repository."""

    path: str
    hint = "Use a directory of the repository, relative to its root, without `..`."
