"""The command line: parse arguments, call one function, print, exit code.

Each verb has a file of its own and imports what it needs inside its function, so that
`prbot --help` answers at once. An error a person can meet is a sentence and a hint on
stderr, never a traceback (`PRBOT_DEBUG=1` shows it, for a report).

Exit codes: 0 done, or nothing found; 1 it could not be done; 2 changes or findings;
64 the command line was wrong; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, Any

import typer

from prbot import __version__
from prbot.cli.demo import demo
from prbot.cli.drift import drift
from prbot.cli.explain import explain
from prbot.cli.freeze import freeze
from prbot.cli.journal import journal
from prbot.cli.migrate import migrate
from prbot.cli.plan import plan
from prbot.cli.schema import schema
from prbot.cli.serve import serve
from prbot.cli.validate import validate
from prbot.cli.worker import worker
from prbot.errors import PrbotError, Unforeseen


class Exit(IntEnum):
    """What prbot's exit codes mean."""

    OK = 0
    FAILED = 1
    FOUND = 2
    USAGE = 64
    INTERRUPTED = 130


app = typer.Typer(
    name="prbot",
    help="A Terraform and OpenTofu pull-request bot.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve)
app.command()(worker)
app.command()(plan)
app.command()(demo)
app.add_typer(drift)
app.add_typer(freeze)
app.command()(journal)
app.command()(validate)
app.command()(migrate)
app.add_typer(explain)
app.command()(schema)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"prbot {__version__}")
        raise typer.Exit


@app.callback(
    epilog="Exit codes: 0 done, 1 could not, 2 changes or findings, 64 wrong command line."
)
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A Terraform and OpenTofu pull-request bot."""


def main() -> None:
    """The `prbot` command."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line and return its exit code; errors go to stderr."""
    try:
        return app(list(arguments), prog_name="prbot", standalone_mode=False) or Exit.OK
    except _USAGE_ERROR as error:
        error.show()
        return Exit.USAGE
    except BrokenPipeError:
        _close_stdout()
        return Exit.FAILED
    except PrbotError as error:
        return _tell(error)
    except Exception as error:
        return _tell(Unforeseen(type(error).__name__, str(error)))


_USAGE_ERROR: type[Any] = typer.BadParameter.__mro__[1]
"""What typer raises for any wrong command line; it exports only this subclass of it."""


def _tell(error: PrbotError) -> int:
    if os.environ.get("PRBOT_DEBUG"):
        traceback.print_exc()
    print(f"prbot: {error}", file=sys.stderr)
    if error.next_step:
        print(f"hint: {error.next_step}", file=sys.stderr)
    return Exit.FAILED


def _close_stdout() -> None:
    """The reader is gone (`prbot plan | head`): keep the interpreter's last flush quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
