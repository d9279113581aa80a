"""What prbot says of events that it cannot take."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class BadSignature(PrbotError):
    """The webhook's signature is {problem}."""

    problem: str
    hint = "Use the same webhook secret in the forge's settings and in prbot's, and leave SHA-256 signatures on."


@dataclass(eq=False)
class BadToken(BadSignature):
    """The webhook's secret token is {problem}."""

    hint = "Enter the same secret token in the webhook's settings on GitLab and as prbot's `webhook_secret`."


@dataclass(eq=False)
class BadPayload(PrbotError):
    """The webhook's body is not what its event promises: {problem}."""

    problem: str
    hint = "Set the webhook's content type to application/json."


@dataclass(eq=False)
class NotAPayload(PrbotError):
    """{path}, line {line}, column {column}: this is not JSON ({problem})."""

    path: str
    line: int
    column: int
    problem: str
    hint = "Give a webhook's body as the forge sent it; its settings show the last deliveries."


@dataclass(eq=False)
class NoPayload(PrbotError):
    """{path} holds no webhook's body: {problem}."""

    path: str
    problem: str
    hint = "Give a webhook's body as the forge sent it; its settings show the last deliveries."


@dataclass(eq=False)
class PayloadTooLarge(PrbotError):
    """The webhook's body is larger than {limit} bytes."""

    limit: int
    hint = "GitHub never sends more than 25 MB; raise `max_payload` if your forge does."


@dataclass(eq=False)
class NotStored(PrbotError):
    """The webhook could not be stored: {problem}."""

    problem: str
    hint = "Send it again in a while (on GitHub: Redeliver). If this goes on, look for `deliveries not stored` in prbot's log."
