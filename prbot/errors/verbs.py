"""What prbot says to whoever uses its command line."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class FileThere(PrbotError):
    """{path} is there already, and nothing was written."""

    path: str
    hint = "Look at it, and give --force if it may be replaced."


@dataclass(eq=False)
class NothingToMigrate(PrbotError):
    """There is no atlantis.yaml in {path}, and neither --repos nor --flags nor --env-file was given."""

    path: str
    hint = "Name the directory it is in, or the files of Atlantis's server."


@dataclass(eq=False)
class NoText(PrbotError):
    """{path} could not be read: {cause}."""

    path: str
    cause: str
    hint = "Check its name and its permissions; it must be text in UTF-8."


@dataclass(eq=False)
class NoRepository(PrbotError):
    """{directory} is not inside a git repository."""

    directory: str
    hint = "Name one with --repo."


@dataclass(eq=False)
class UnknownRevision(PrbotError):
    """The repository has no commit {revision}."""

    revision: str
    hint = "Name an existing branch, tag or commit with --base and --head."


@dataclass(eq=False)
class NoSuchProject(PrbotError):
    """No directory with Terraform files matches {wanted}."""

    wanted: str
    hint = "Name a directory relative to the repository's root, or a glob of such."


@dataclass(eq=False)
class NoDefaultBranch(PrbotError):
    """The repository's default branch could not be found."""

    hint = "Name what to compare with: --base REV."


@dataclass(eq=False)
class NoFreezeReason(PrbotError):
    """A freeze needs a reason: everybody whose apply it stops is told."""

    hint = "Give one in a few words, such as --reason 'release week'."


@dataclass(eq=False)
class NoSuchFreeze(PrbotError):
    """No freeze is called {freeze_id}."""

    freeze_id: str
    hint = "`prbot freeze list` shows those in force with their ids."


@dataclass(eq=False)
class NobodyLooks(PrbotError):
    """No running prbot looks for drift in this database{since}, so there is nobody to wait for."""

    since: str = ""
    hint = "Start `prbot serve` with `drift.enabled: true`: what was asked for is looked at first then."


class NothingWatched(PrbotError):
    """No project of that name is looked at for drift."""

    hint = (
        "`prbot drift status` lists them. The server looks where its file says `drift.enabled`, "
        "and has to run once to find them."
    )


@dataclass(eq=False)
class NothingToLookAt(PrbotError):
    """Commit {commit} has no directory with Terraform files, so there is nothing to look at."""

    commit: str
    hint = (
        "Check out the commit whose projects are to be looked at, or list them in its prbot.yaml."
    )


@dataclass(eq=False)
class NoCheckout(PrbotError):
    """{directory} is not inside a git repository, so nothing can be looked at here."""

    directory: str
    hint = "Change into a checkout, or name the operator's file with --config to ask the running service."


@dataclass(eq=False)
class NothingCommitted(PrbotError):
    """The repository has no commit yet, and only what is committed is looked at."""

    hint = "Commit what is to be looked at."


@dataclass(eq=False)
class LookInterrupted(PrbotError):
    """The look was interrupted before it ended: nothing was changed, and no lock is held."""

    hint = "Begin it again; -d names fewer projects."


@dataclass(eq=False)
class NoSuchRun(PrbotError):
    """No run is called {run_id}."""

    run_id: str
    hint = "A comment that tells why something is not applied ends with its run; the log and `prbot journal --json` name runs, too."


@dataclass(eq=False)
class NothingJudged(PrbotError):
    """Run {run_id} (`{kind}`, {state}) judged no apply."""

    run_id: str
    kind: str
    state: str
    hint = "There is something to explain where an apply or a merge was refused, held or waits, or was allowed."


@dataclass(eq=False)
class SceneGone(PrbotError):
    """What run {run_id} judged is not kept any more."""

    run_id: str
    hint = "It goes with the plans of its pull request, unless it applied something. Say the command again, and ask for the new run."


@dataclass(eq=False)
class NobodyFreezes(PrbotError):
    """This system has no name for who runs this command, and a freeze is told with its author."""

    hint = "Name yourself: --by NAME."


@dataclass(eq=False)
class UnknownForge(PrbotError):
    """No forge is called {name}; the operator's file has: {known}."""

    name: str
    known: str
    hint = "Write owner/name for repositories of every forge, or FORGE:owner/name with one of these names."


@dataclass(eq=False)
class BadMoment(PrbotError):
    """{text!r} is no time to go by: {cause}."""

    text: str
    cause: str
    hint = "Give a time with its zone (2026-03-05T08:00+01:00, or Z for UTC), or a span (90m, 8h, 2d12h, 1w)."
