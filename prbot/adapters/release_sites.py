"""Where releases of the tools are, and what their files are called.

HashiCorp: `{site}/terraform/index.json`, `{site}/terraform/1.9.8/terraform_1.9.8_…`, as at
https://releases.hashicorp.com and as https://github.com/hashicorp/hc-install asks it.
OpenTofu: https://github.com/opentofu/tofudl/blob/main/MIRROR-SPECIFICATION.md; a mirror
serves `{mirror}/api.json` and `{mirror}/v1.9.0/tofu_1.9.0_…`, as tofudl's own does.
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prbot.adapters import signatures
from prbot.config.versions import Version, version
from prbot.projects.tool_choice import TERRAFORM, TOFU

HASHICORP = "https://releases.hashicorp.com"
OPENTOFU_LIST = "https://get.opentofu.org/tofu/api.json"
OPENTOFU_FILES = "https://github.com/opentofu/opentofu/releases/download"
_SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "FreeBSD": "freebsd"}
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def this_platform() -> str:
    """As releases name it, such as `linux_amd64`."""
    system = _SYSTEMS.get(platform.system(), platform.system().lower())
    machine = platform.machine().lower()
    return f"{system}_{_MACHINES.get(machine, machine)}"


@dataclass(frozen=True)
class Site:
    """`listing` is the address of the list of versions, `files` the one that directories of
    versions are below; `key` is the file with the keys that sign."""

    tool: str
    listing: str
    files: str
    key: Path
    platform: str

    def archive(self, wanted: Version) -> str:
        ending = "zip" if self.tool == TERRAFORM else "tar.gz"
        return f"{self.tool}_{wanted}_{self.platform}.{ending}"

    def sums(self, wanted: Version) -> str:
        return f"{self.tool}_{wanted}_SHA256SUMS"

    def signature(self, wanted: Version) -> str:
        return f"{self.sums(wanted)}.{'sig' if self.tool == TERRAFORM else 'gpgsig'}"

    def address(self, wanted: Version, file: str) -> str:
        directory = f"{wanted}" if self.tool == TERRAFORM else f"v{wanted}"
        return f"{self.files}/{directory}/{file}"

    def versions(self, answer: bytes) -> tuple[Version, ...]:
        """Those of a list that run here. Raises ValueError for what is no such list."""
        try:
            listed = json.loads(answer)["versions"]
            found = _of_hashicorp(listed) if self.tool == TERRAFORM else _of_opentofu(listed)
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError(f"it is no list of versions: {error!r}") from None
        names = ((version(text), files) for text, files in found.items())
        return tuple(
            sorted(known for known, files in names if known and self.archive(known) in files)
        )


def _of_hashicorp(listed: Any) -> dict[str, set[str]]:
    return {
        text: {str(build["filename"]) for build in release.get("builds") or ()}
        for text, release in listed.items()
    }


def _of_opentofu(listed: Any) -> dict[str, set[str]]:
    return {str(each["id"]): {str(file) for file in each.get("files") or ()} for each in listed}


def site_of(tool: str, mirror: str | None = None, key: Path | None = None) -> Site:
    """The tool's own site, or a mirror of it."""
    here = this_platform()
    if tool == TOFU:
        base = mirror or OPENTOFU_FILES
        listing = f"{mirror}/api.json" if mirror else OPENTOFU_LIST
        return Site(tool, listing, base, key or signatures.OPENTOFU, here)
    base = f"{mirror or HASHICORP}/{tool}"
    return Site(tool, f"{base}/index.json", base, key or signatures.HASHICORP, here)
