"""Errors that many people meet, and what helps: advice beside the tool's own words.

A pure function over the tool's text; the tool breaks its lines anywhere. Terraform's own
words were made with 1.11 (tests/comments/test_lock_errors.py makes some anew) or stand in
its `internal/providercache/package_install.go`. Those of the clouds:

- AWS: https://github.com/hashicorp/aws-sdk-go-base (`internal/config/errors.go`: "No valid
  credential sources found", older "no valid credential sources for … found"),
  https://github.com/aws/aws-sdk-go-v2 (`credentials/ssocreds`: "the SSO session has expired
  or is invalid"), and the error codes of STS;
- Google: https://github.com/golang/oauth2 (`google/default.go`: "could not find default
  credentials") and `invalid_grant` of RFC 6749, 5.2;
- Azure: "Please run 'az login' to setup account" of its CLI, "unable to build authorizer for
  …" of the provider up to 3, and the codes of
  https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes

What is not promised: that the advice is right. It stands below what the tool said, never
instead of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


def _words(*texts: str) -> re.Pattern[str]:
    """Finds any of these, wherever their lines are broken."""
    return re.compile("|".join(texts).replace(" ", r"\s+"), re.IGNORECASE)


_LOCK = re.compile(r"Error (?:acquiring|locking) the state lock|Error locking state", re.I)
_FIELD = re.compile(r"^\s*(ID|Who|Created|Operation):[ ]+(\S[^\n]{0,199})$", re.MULTILINE)
_CREDENTIALS = {
    "AWS": _words(
        r"\bExpiredToken",
        "InvalidClientTokenId",
        "security token included in the request is",
        r"no valid credential sources (?:for .{1,60} )?found",
        "the SSO session has expired or is invalid",
    ),
    "Google Cloud": _words(
        "could not find default credentials",
        "attempted to load application default credentials",
        r"\binvalid_grant\b",
        "invalid_rapt",
    ),
    "Azure": _words(
        r"AADSTS(?:700082|70043|7000222|50173)\b",
        "please run 'az login'",
        "unable to build authorizer for",
    ),
}
_CHECKSUM = _words(
    "(?:doesn't|does not) match any of the checksums", r"checksum list has no .{0,9}hash"
)
_LOCK_FILE = _words("Inconsistent dependency lock file", "Provider dependency changes detected")
_LOCKED = _words(
    r"locked provider (?P<name>[\w./-]{1,200}) (?P<version>[\w.+-]{1,60}) does not match "
    "configured version constraint"
)
_VARIABLE = re.compile(r'root\s+module\s+input\s+variable\s+"([\w-]{1,100})"\s+is\s+not\s+set')
_REGISTRY = re.compile(
    r"could\s+not\s+connect\s+to\s+(?P<host>[\w.:-]{1,200}[\w-])|failed\s+to\s+request\s+discovery"
)
_BACKEND = re.compile(r"Backend (?:initialization required|configuration changed)")


@dataclass(frozen=True)
class Advice:
    """`knows` is what happened, `helps` what to do; sentences with names in back-quotes."""

    knows: str
    helps: str


def advice(output: str) -> Advice | None:
    """For the first of the known errors that the text speaks of."""
    return next(filter(None, (find(output) for find in _FINDERS)), None)


def _state_lock(output: str) -> Advice | None:
    found = _LOCK.search(output)
    if not found:
        return None
    lock = {match[1]: match[2].strip() for match in _FIELD.finditer(output, found.end())}
    return Advice(
        f"The state is locked{''.join(_holder(lock))}.",
        "Wait until that ends, then plan again. If whoever holds it is dead, "
        f"`terraform force-unlock {lock.get('ID', 'ID')}` in the project's directory breaks it.",
    )


def _holder(lock: Mapping[str, str]) -> Iterator[str]:
    if who := lock.get("Who"):
        yield f" by `{who}`"
    if created := lock.get("Created"):
        yield f" since `{created}`"
    if operation := lock.get("Operation"):
        yield f", for `{operation.removeprefix('OperationType').lower()}`"


def _credentials(output: str) -> Advice | None:
    for cloud, words in _CREDENTIALS.items():
        if words.search(output):
            return Advice(
                f"{cloud} did not take the credentials: they are missing or have expired.",
                "They are those of the server, not of the pull request: whoever runs prbot "
                "renews them. Then plan again.",
            )
    return None


def _checksum(output: str) -> Advice | None:
    if not _CHECKSUM.search(output):
        return None
    return Advice(
        "The lock file does not know the provider as it is for the server's platform.",
        "Run `terraform providers lock -platform=linux_amd64` with every other platform that "
        "people use, and commit `.terraform.lock.hcl`. If it should have matched, find out why "
        "the provider is another one.",
    )


def _locked(output: str) -> Advice | None:
    found = _LOCKED.search(output)
    if not found:
        return None
    return Advice(
        f"The lock file holds `{found['name']}` at `{found['version']}`, and the configuration "
        "asks for another version.",
        "Run `terraform init -upgrade` and commit `.terraform.lock.hcl`.",
    )


def _lock_file(output: str) -> Advice | None:
    if not _LOCK_FILE.search(output):
        return None
    return Advice(
        "The lock file does not fit what the configuration asks for.",
        "Run `terraform init` and commit `.terraform.lock.hcl`.",
    )


def _variable(output: str) -> Advice | None:
    names = list(dict.fromkeys(_VARIABLE.findall(output)))[:5]
    if not names:
        return None
    told = ", ".join(f"`{name}`" for name in names)
    return Advice(
        f"Nothing gives {told} a value.",
        "Set it in a `*.auto.tfvars` file beside the code, or name its file under `var_files` "
        "in `prbot.yaml`, or give it a default.",
    )


def _registry(output: str) -> Advice | None:
    found = _REGISTRY.search(output)
    if not found:
        return None
    host = f"`{found['host']}`" if found["host"] else "a registry"
    return Advice(
        f"The server cannot reach {host}.",
        "Plan again in a while. If it never could, whoever runs prbot opens the way to it or "
        "names a mirror.",
    )


def _backend(output: str) -> Advice | None:
    if not _BACKEND.search(output):
        return None
    return Advice(
        "The backend is another one than the state was last used with.",
        "If the state shall move, run `terraform init -migrate-state` once where its owner may, "
        "then plan again.",
    )


_FINDERS: tuple[Callable[[str], Advice | None], ...] = (
    _state_lock,
    _credentials,
    _checksum,
    _locked,
    _lock_file,
    _variable,
    _registry,
    _backend,
)
