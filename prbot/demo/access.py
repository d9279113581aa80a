"""Who is asking: tokens and App JWTs out of an Authorization header.

Token and basic forms as in https://docs.github.com/rest/authentication, the JWT's
claims as in https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from prbot.demo.accounts import Accounts
from prbot.demo.rest.call import Caller
from prbot.demo.state import App
from prbot.errors.demo import DemoForgeRefused

LONGEST_JWT = 600
"""Seconds from `iat` to `exp` that GitHub accepts."""
CLOCK_SKEW = 60


def caller(forge: Accounts, header: str | None) -> Caller:
    """Raises DemoForgeRefused (401) when there is a header that proves nothing."""
    if header is None:
        return Caller()
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        return _token(forge, _basic_password(value))
    if scheme.lower() in ("bearer", "token"):
        value = value.strip()
        return Caller(app=_app(forge, value)) if value.count(".") == 2 else _token(forge, value)
    raise bad_credentials()


def bad_credentials() -> DemoForgeRefused:
    return DemoForgeRefused(401, "Bad credentials")


def _token(forge: Accounts, value: str) -> Caller:
    token = forge.tokens.get(value)
    if token is None or (token.expires_at is not None and token.expires_at <= forge.now()):
        raise bad_credentials()
    return Caller(token)


def _basic_password(value: str) -> str:
    """The password, whatever the name (`x-access-token` or a login)."""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError) as error:
        raise bad_credentials() from error


def _app(forge: Accounts, jwt: str) -> App:
    head, claims, signature = jwt.split(".")
    payload = _read(claims)
    if _read(head).get("alg") != "RS256":
        raise DemoForgeRefused(401, "A JSON web token could not be decoded")
    issuer = str(payload.get("iss", ""))
    app = forge.apps.get(int(issuer)) if issuer.isdigit() else None
    if app is None:
        raise DemoForgeRefused(401, "Integration not found")
    _check_signature(app, f"{head}.{claims}".encode(), _decode(signature))
    _check_times(forge, payload)
    return app


def _check_signature(app: App, signed: bytes, signature: bytes) -> None:
    key = load_pem_public_key(app.public_key)
    try:
        if not isinstance(key, RSAPublicKey):
            raise InvalidSignature
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise DemoForgeRefused(401, "A JSON web token could not be decoded") from error


def _check_times(forge: Accounts, payload: dict[str, Any]) -> None:
    now = forge.now().timestamp()
    issued, expires = payload.get("iat"), payload.get("exp")
    if not isinstance(issued, int | float) or issued > now + CLOCK_SKEW:
        raise DemoForgeRefused(401, "'Issued at' claim ('iat') must be an Integer in the past")
    if not isinstance(expires, int | float) or expires <= now:
        raise DemoForgeRefused(401, "'Expiration time' claim ('exp') is in the past")
    if expires > now + LONGEST_JWT + CLOCK_SKEW:
        raise DemoForgeRefused(401, "'Expiration time' claim ('exp') is too far in the future")


def _read(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_decode(part))
    except ValueError as error:
        raise DemoForgeRefused(401, "A JSON web token could not be decoded") from error
    return value if isinstance(value, dict) else {}


def _decode(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise DemoForgeRefused(401, "A JSON web token could not be decoded") from error
