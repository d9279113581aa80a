"""What all readers of GitHub's webhooks share: the common fields, and how bytes are read."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from prbot.errors.webhooks import BadPayload
from prbot.model import Actor, Ignored, Login, PullRef, RepoRef


def _plain_path(path: str) -> str:
    owner, _, name = path.partition("/")
    if not _OWNER.fullmatch(owner) or not _NAME.fullmatch(name) or name in (".", ".."):
        raise ValueError("not an owner/name")
    return path


_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")

Text = Annotated[str, Field(min_length=1)]
FullName = Annotated[str, AfterValidator(_plain_path)]
CommitId = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
# what the store's 64-bit columns hold
Id = Annotated[int, Field(ge=1, lt=2**63)]


class Glance(BaseModel):
    """What decides whether more is read; whatever stands there."""

    action: Any = None
    changes: Any = None


class Action(BaseModel):
    action: Text


class User(BaseModel):
    login: Text
    type: str = "User"

    @property
    def actor(self) -> Actor:
        return Actor(Login(self.login), self.type == "Bot")


GHOST = User(login="ghost")
"""Who GitHub shows where it names nobody; a sender need not be there."""


class Repository(BaseModel):
    full_name: FullName
    default_branch: Text


def pull_ref(forge: str, repository: Repository, number: int) -> PullRef:
    return PullRef(RepoRef(forge, repository.full_name), number)


# --- reading ---------------------------------------------------------------------------

_Model = TypeVar("_Model", bound=BaseModel)


def read(model: type[_Model], body: bytes) -> _Model:
    """Straight from the bytes: what `model` does not name never becomes an object, and
    payloads are long. Reading twice costs less than reading all of it once."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise BadPayload(_fault(error, body)) from None


def _fault(error: ValidationError, body: bytes) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return "form-encoded, not JSON" if body.startswith(b"payload=") else "not JSON"
    if not first["loc"]:
        return "not a JSON object"
    field = ".".join(str(part) for part in first["loc"])
    return f"{field}: {first['msg']}"


def unhandled(event_name: str, body: bytes) -> Ignored:
    name, action = _short(event_name), _short(read(Glance, body).action)
    return Ignored(f"{name or 'an event without a name'} {action}".strip())


def _short(text: object) -> str:
    """Plain enough for a log line, whatever a stranger named it; empty if not a text."""
    if not isinstance(text, str):
        return ""
    return "".join(char for char in text[:80] if char.isprintable()).strip()[:40]
