"""Who sent a GitLab webhook, and which delivery it is: (headers, body, secrets), sans I/O.

GitLab signs nothing: it sends the hook's secret token along, over TLS
(https://docs.gitlab.com/user/project/integrations/webhooks/#validate-payloads-by-using-a-secret-token).
A webhook that it sends again has the same `Idempotency-Key`; older versions have no such
header, and their event UUID is shared by all that one request set off, so that the body
counts as well.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from prbot.errors.webhooks import BadToken


def verify(headers: Mapping[str, str], secrets: Sequence[tuple[str, bytes]]) -> str:
    """Return the name of the forge entry whose secret token was sent.

    `secrets` are (forge entry, secret) pairs. Takes as long whichever of them fits.
    Raises BadToken; an empty secret lets nobody in.
    """
    found = {name.lower(): value for name, value in headers.items()}
    sent = found.get("x-gitlab-token")
    if not sent:
        raise BadToken("missing")
    token = sent.encode("utf-8", "surrogateescape")
    fitting = [name for name, secret in secrets if hmac.compare_digest(secret, token) and secret]
    if not fitting:
        raise BadToken("wrong")
    return fitting[0]


def delivery_id(headers: Mapping[str, str], body: bytes) -> str:
    """The same for the same delivery, and for no other: 40 hex digits behind `gitlab-`."""
    found = {name.lower(): value for name, value in headers.items()}
    key = found.get("idempotency-key")
    named = ("key", key) if key else ("uuid", found.get("x-gitlab-event-uuid", ""))
    parts = [part.encode("utf-8", "surrogateescape") for part in named]
    digest = hashlib.sha256(b"\0".join([*parts, b"" if key else body])).hexdigest()
    return f"gitlab-{digest[:40]}"
