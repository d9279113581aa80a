"""What prbot says of its database and its keys."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class StoreUnavailable(PrbotError):
    """The database {where} cannot be used: {cause}."""

    where: str
    cause: str
    hint = "Check that the database's directory exists, is writable and has room, and that no other program holds the database locked."


@dataclass(eq=False)
class StoreTooNew(PrbotError):
    """The database {where} was written by a newer prbot: it is at revision {found}, this prbot knows {known}."""

    where: str
    found: str
    known: str
    hint = "Start the newer prbot again, or restore the backup made before it was first started."


@dataclass(eq=False)
class StoreTooOld(PrbotError):
    """The database {where} was not brought up to date yet: it is at revision {found}, this prbot needs {known}."""

    where: str
    found: str
    known: str
    hint = "Start `prbot serve` of this version once with the same file, or run this with the prbot that serves."


@dataclass(eq=False)
class NoDatabase(PrbotError):
    """There is no database {where} yet."""

    where: str
    hint = "Name the operator's file with --config, or run this from where `prbot serve` runs: `state_dir` may be relative."


@dataclass(eq=False)
class PlanIdTaken(PrbotError):
    """The plan id {plan_id} was given before."""

    plan_id: str


@dataclass(eq=False)
class KeyFileTooOpen(PrbotError):
    """The installation key {path} may be read or written by others (mode {mode})."""

    path: str
    mode: str
    hint = "If nobody else can have read it: chmod 600 {path}. Otherwise replace it: docs/operations.md, 'A lost key'."


@dataclass(eq=False)
class KeyFileDamaged(PrbotError):
    """The installation key {path} holds {size} bytes instead of {expected}."""

    path: str
    size: int
    expected: int
    hint = "Restore it from the backup, or replace it: docs/operations.md, 'A lost key'."


@dataclass(eq=False)
class KeyUnreadable(PrbotError):
    """`installation_key`, {reference}, does not hold 32 bytes in base64 or hexadecimal."""

    reference: str
    hint = "Write the key of the other machines there (base64 FILE prints one); a new one is made by: openssl rand -base64 32."


@dataclass(eq=False)
class KeyOfAnother(PrbotError):
    """The database ({database}) belongs to the installation key {theirs}, and this prbot has {mine}."""

    database: str
    theirs: str
    mine: str
    hint = "Give this machine the key of the others (`installation_key`). If nobody has it any more: `installation_key_lost: {theirs}`, see docs/operations.md."
