"""What prbot says of forges and of whoever receives its messages."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class ForgeRefused(PrbotError):
    """{forge} refused to {what}: {cause}."""

    forge: str
    what: str
    cause: str
    hint = "Check the token's or the App's permissions."


@dataclass(eq=False)
class NotMergeable(PrbotError):
    """{forge} does not merge {what}: {cause}."""

    forge: str
    what: str
    cause: str
    hint = "See to it and merge the pull request yourself."


@dataclass(eq=False)
class ForgeUnavailable(PrbotError):
    """{forge} did not answer when prbot tried to {what}: {cause}."""

    forge: str
    what: str
    cause: str
    retry_after: float | None = None
    hint = "prbot tries again by itself."


@dataclass(eq=False)
class ReceiverUnavailable(PrbotError):
    """{host} did not take what prbot tells of drift: {cause}."""

    host: str
    cause: str
    retry_after: float | None = None
    hint = "prbot tries again by itself for about a day."


@dataclass(eq=False)
class ReceiverRefused(PrbotError):
    """{host} refused what prbot tells of drift: {cause}."""

    host: str
    cause: str
    hint = "Check the address and the secret in `drift.webhook`."


@dataclass(eq=False)
class BadReceiver(PrbotError):
    """`drift.webhook` leads to no address that drift may be told to."""

    hint = "Name an https:// address without a user in it; http:// is for this machine alone."


@dataclass(eq=False)
class BadSigningSecret(PrbotError):
    """The secret of `drift.webhook` cannot sign: it is too short, or its `whsec_` no base64."""

    hint = "Make one with `openssl rand -base64 32`, and put `whsec_` before it."


@dataclass(eq=False)
class NotFound(PrbotError):
    """{forge} knows no {what}."""

    forge: str
    what: str
    hint = "It may have been deleted, or the token cannot see it."
