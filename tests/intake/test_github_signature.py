"""The door: who signed this delivery."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.errors.webhooks import BadSignature
from prbot.intake.github import verify

BODY = b'{"zen": "Keep it logically awesome."}'
SECRETS = (("github", b"first secret"), ("enterprise", b"second secret"))


def signature(secret: bytes, body: bytes = BODY, algorithm: str = "sha256") -> str:
    return f"{algorithm}={hmac.new(secret, body, getattr(hashlib, algorithm)).hexdigest()}"


def test_known_answer() -> None:
    """It agrees with the example in GitHub's docs ("Validating webhook deliveries")."""
    headers = {
        "X-Hub-Signature-256": "sha256="
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    }
    assert (
        verify(headers, b"Hello, World!", [("github", b"It's a Secret to Everybody")]) == "github"
    )


@pytest.mark.parametrize(
    ("secret", "forge"), [(b"first secret", "github"), (b"second secret", "enterprise")]
)
@pytest.mark.parametrize("header", ["X-Hub-Signature-256", "x-hub-signature-256"])
def test_names_the_forge(secret: bytes, forge: str, header: str) -> None:
    """It returns the entry whose secret signs the body, however the header is spelt."""
    assert verify({header: signature(secret)}, BODY, SECRETS) == forge


GOOD = signature(b"first secret")


@pytest.mark.parametrize(
    ("headers", "body", "problem"),
    [
        ({}, BODY, "missing"),
        ({"X-Hub-Signature": signature(b"first secret", algorithm="sha1")}, BODY, "SHA-1 only"),
        ({"X-Hub-Signature-256": ""}, BODY, "malformed"),
        ({"X-Hub-Signature-256": GOOD.removeprefix("sha256=")}, BODY, "malformed"),
        ({"X-Hub-Signature-256": GOOD[:-1]}, BODY, "malformed"),
        ({"X-Hub-Signature-256": GOOD + "0"}, BODY, "malformed"),
        ({"X-Hub-Signature-256": "sha256=" + "g" * 64}, BODY, "malformed"),
        ({"X-Hub-Signature-256": "sha256=" + "ä" * 64}, BODY, "malformed"),
        ({"X-Hub-Signature-256": "sha256=" + "٣" * 64}, BODY, "malformed"),
        ({"X-Hub-Signature-256": GOOD + "\n"}, BODY, "malformed"),
        ({"X-Hub-Signature-256": signature(b"other")}, BODY, "wrong"),
        ({"X-Hub-Signature-256": GOOD}, BODY + b" ", "wrong"),
        ({"X-Hub-Signature-256": GOOD}, b"", "wrong"),
    ],
)
def test_refuses(headers: dict[str, str], body: bytes, problem: str) -> None:
    """It says what is the matter with the signature."""
    with pytest.raises(BadSignature) as caught:
        verify(headers, body, SECRETS)
    assert caught.value.problem == problem


def test_an_empty_secret_signs_nothing() -> None:
    """It never accepts a signature anybody could make, even if the settings let it in."""
    with pytest.raises(BadSignature):
        verify({"X-Hub-Signature-256": signature(b"")}, BODY, [("github", b"")])


def test_no_forges() -> None:
    """It refuses everything when no forge is configured."""
    with pytest.raises(BadSignature):
        verify({"X-Hub-Signature-256": GOOD}, BODY, [])


@given(st.text(), st.binary())
def test_any_header(value: str, body: bytes) -> None:
    """It raises BadSignature, and nothing else, for whatever a stranger sends."""
    with pytest.raises(BadSignature):
        verify({"X-Hub-Signature-256": value}, body, SECRETS)
