"""References to secrets: configuration names where a secret is, never what it is.

`env://NAME` is a variable of prbot's own environment, `file:///absolute/path` (or
`file://relative/path`, from the working directory) the content of a file, as mounted
from a Kubernetes secret. Reading the file is the caller's business: see `resolve`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import AfterValidator

from prbot.errors.configuration import LiteralSecret
from prbot.errors.server import EmptySecret

_REFERENCE = re.compile(r"env://[A-Za-z_][A-Za-z0-9_]*|file://[^\x00\s][^\x00\n]*")


def is_reference(text: str) -> bool:
    return _REFERENCE.fullmatch(text) is not None


def check_reference(text: str) -> str:
    """The reference itself, or ValueError(LiteralSecret)."""
    if not is_reference(text):
        raise ValueError(LiteralSecret())
    return text


Reference = Annotated[str, AfterValidator(check_reference)]


def resolve(reference: str, environ: Mapping[str, str], read_file: Callable[[str], str]) -> str:
    """The secret itself, without line ends around it.

    `read_file` gets the path and may raise OSError or UnicodeDecodeError. Raises
    EmptySecret (a MissingSetting) when there is nothing to be had.
    """
    kind, _, rest = reference.partition("://")
    secret = environ.get(rest, "") if kind == "env" else _read(reference, rest, read_file)
    secret = secret.strip("\r\n")
    if not secret.strip():
        raise EmptySecret(reference)
    return secret


def _read(reference: str, path: str, read_file: Callable[[str], str]) -> str:
    try:
        return read_file(path)
    except (OSError, UnicodeDecodeError):
        raise EmptySecret(reference) from None


def variable(reference: str | None) -> str | None:
    """The environment variable a reference names; None for files and for None."""
    if reference is None or not reference.startswith("env://"):
        return None
    return reference.removeprefix("env://")
