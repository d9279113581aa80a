"""What looks like a secret, whatever anybody marked: it is never written into code.

A guess on purpose wide: what it takes for a secret by mistake is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from prbot.plans.plan import Json

_NAMES = re.compile(
    r"password|passwd|passphrase|passcode|secret|token|credential|private|auth_?key|api_?key"
    r"|access_?key|account_?key|shared_?key|encryption_?key|signing_?key|master_?key|ssh_?key"
    r"|connection_?string|\bpwd\b|_pwd|certificate|\bdsn\b|sas_url|webhook_url",
    re.IGNORECASE,
)
_BORDERS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]")
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
    r"|\bxox[abeoprs]-[\w-]{10,}|hooks\.slack\.com/services/"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}"
    r"|\bAIza[\w-]{30,}|\bya29\.[\w-]{20,}|\b[sr]k_(?:live|test)_\w{16,}|\bsk-[\w-]{20,}"
    r"|\bhv[sbr]\.[\w-]{20,}|\bnpm_[A-Za-z0-9]{30,}|\bpypi-[\w-]{30,}|\bSG\.[\w-]{16,}\."
    r"|://[^/\s:@]*:[^/\s:@]+@"
    r"|(?i:accountkey|sharedaccesskey|password|pwd)\s*="
)
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{32,}")


def secret_like(name: str, value: Json) -> str | None:
    """Why this value, given under this name, may be a secret: a part of a sentence without the
    value; None where nothing speaks for it. Keys and texts within it are looked at as well."""
    for key in (name, *_keys(value)):
        if _NAMES.search(_BORDERS.sub("_", key)):
            return "a name in it is that of a secret"
    for text in _texts(value):
        if _SHAPES.search(text):
            return "it has the shape of a key or token"
        if any(map(_looks_random, _RANDOM.findall(text))):
            return "it looks random, as keys do"
    return None


def _looks_random(text: str) -> bool:
    """Large and small letters and digits in one another; ids and digests have one case."""
    kinds = sum(bool(re.search(kind, text)) for kind in ("[a-z]", "[A-Z]", r"\d"))
    return kinds == 3 and len(set(text)) >= 16


def _keys(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _keys(inner)
    elif isinstance(value, list):
        for each in value:
            yield from _keys(each)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
