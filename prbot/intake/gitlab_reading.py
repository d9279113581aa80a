"""What GitLab's webhooks are written in: paths, times, names, and how a body is read as a shape.

Wire facts: https://docs.gitlab.com/user/project/integrations/webhook_events/
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
)

from prbot.errors.webhooks import BadPayload

_SEGMENT = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
_BOT = re.compile(
    r"(project|group)_[0-9]+_bot([0-9]+|_[0-9a-f]+)?"
    r"|service_account(_(group|project)_[0-9]+)?_[0-9a-f]+"
)
"""Bot users of tokens (older ones are numbered), and service accounts that nobody named.
https://docs.gitlab.com/user/project/settings/project_access_tokens/
https://docs.gitlab.com/api/service_accounts/"""


def is_bot(username: str) -> bool:
    """Whether it is a token's own account; a webhook tells it by the name alone."""
    return bool(_BOT.fullmatch(username))


def _plain_path(path: str) -> str:
    parts = path.split("/")
    plain = all(_SEGMENT.fullmatch(part) and part not in (".", "..") for part in parts)
    if len(parts) < 2 or not plain:
        raise ValueError("not a path of groups and a project")
    return path


_ZONE = re.compile(r" (UTC|[+-][0-9]{4})\Z")


def _iso(value: Any) -> Any:
    """Webhooks say `2015-05-17 18:21:36 UTC` where the API has ISO 8601, and ` +0200` where
    an administrator set `time_zone`."""
    if not isinstance(value, str) or (zone := _ZONE.search(value)) is None:
        return value
    return value[: zone.start()] + ("+00:00" if zone[1] == "UTC" else zone[1])


Text = Annotated[str, Field(min_length=1)]
Path = Annotated[str, AfterValidator(_plain_path)]
CommitId = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
Id = Annotated[int, Field(ge=1, lt=2**63)]
Time = Annotated[AwareDatetime, BeforeValidator(_iso)]


Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], body: bytes) -> Model:
    """Raises BadPayload, which names the first field that is odd."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise BadPayload("not JSON") from None
        if not first["loc"]:
            raise BadPayload("not a JSON object") from None
        field = ".".join(str(part) for part in first["loc"])
        raise BadPayload(f"{field}: {first['msg']}") from None
