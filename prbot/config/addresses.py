"""Addresses that the operator's file may hold: encrypted, and without credentials in them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from prbot.errors.forge import BadReceiver
from prbot.errors.server import UnencryptedForge


def _forge_url(url: str) -> str:
    parts = urlsplit(url)
    bare = not (parts.username or parts.password or parts.query or parts.fragment)
    private = parts.scheme == "http" and _is_this_machine(parts.hostname or "")
    if not parts.hostname or not bare or not (parts.scheme == "https" or private):
        raise ValueError(UnencryptedForge())
    return url.rstrip("/")


def check_receiver(url: str) -> str:
    """Where what people should read may be sent; a path or a query may be part of it. Raises
    ValueError(BadReceiver)."""
    parts = urlsplit(url)
    private = parts.scheme == "http" and _is_this_machine(parts.hostname or "")
    bare = not (parts.username or parts.password or parts.fragment)
    if not parts.hostname or not bare or not (parts.scheme == "https" or private):
        raise ValueError(BadReceiver())
    return url


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


ForgeUrl = Annotated[str, AfterValidator(_forge_url)]
