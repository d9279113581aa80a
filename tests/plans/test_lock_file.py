"""Which versions a lock file names, whoever wrote it."""

from __future__ import annotations

import pytest

from prbot.plans.lock_file import MOST, Versions, provider_versions

AWS = "registry.terraform.io/hashicorp/aws"
WRITTEN = b"""# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/null" {
  version = "3.2.2"
  hashes = [
    "h1:zT1ZbegaAYHwQa+QwIFugArWikRJI9dqohj8xb0GY88=",
  ]
}

provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.31.0-beta.1+x"
  constraints = ">= 4.0.0, ~> 5.31"
  hashes = [
    "h1:ltxyuBWIy9cq0kIKDJH1jeWJy/y7XJLjS4QrsQK4plA=",
    "zh:0cdb9c2083bf0902442384f7309367791e4640581652dda456f2d6d7abf0de8d",
  ]
}
"""
NULL = ("registry.terraform.io/hashicorp/null", "3.2.2")


def of(name: str, version: str) -> bytes:
    return f'provider "{name}" {{\n  version = "{version}"\n}}\n'.encode()


ROWS: dict[str, tuple[bytes, Versions]] = {
    "as init writes it": (WRITTEN, ((AWS, "5.31.0-beta.1+x"), NULL)),
    "with the line ends of Windows": (
        WRITTEN.replace(b"\n", b"\r\n"),
        ((AWS, "5.31.0-beta.1+x"), NULL),
    ),
    "no providers": (b"# This file is maintained automatically\n", ()),
    "no file": (b"", ()),
    "a registry on a port": (of("mirror:8443/a/b", "1.0"), (("mirror:8443/a/b", "1.0"),)),
    "no version": (b'provider "a/b/c" {\n  hashes = []\n}\n', ()),
    "a version outside": (b'provider "a/b/c" {\n}\n  version = "1.0"\n', ()),
    "no text": (b"\xff\xfe\x00provider", ()),
    "a name with a line in it": (b'provider "a\nb" {\n  version = "1.0"\n}\n', ()),
    "a name that writes": (of("a/b/<img src=x>", "1.0"), ()),
    "a version that writes": (of("a/b/c", "1.0`</code>"), ()),
    "a name without end": (of("a" * 201, "1.0"), ()),
    "a version without end": (of("a/b/c", "1" * 65), ()),
    "as many as are read": (
        b"".join(of(f"r/n/p{number:03}", "1.0") for number in range(MOST)),
        tuple((f"r/n/p{number:03}", "1.0") for number in range(MOST)),
    ),
    "more than are read": (b"".join(of(f"r/n/p{n}", "1.0") for n in range(MOST + 1)), ()),
}


@pytest.mark.parametrize(("text", "versions"), ROWS.values(), ids=ROWS.keys())
def test_versions(text: bytes, versions: Versions) -> None:
    """It reads what init writes, and takes nothing from what somebody else wrote."""
    assert provider_versions(text) == versions
