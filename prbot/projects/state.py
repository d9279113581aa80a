"""Where a project's state is, and whose state a project reads.

An address is known only where every part of it is a literal: what is given to `init` on
the command line, or must be evaluated, is not. The parts are those of Terraform's backend
documentation that make two states different.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from prbot.model import ProjectKey
from prbot.projects.facts import Backend, Cloud, Origin, Settings, StateRead
from prbot.projects.listing import joined

Address = tuple[str, ...]
"""The backend's type and its parts, the last of which is where the workspace's state is, or
the workspace."""

_PARTS: dict[str, tuple[tuple[str, str | None], ...]] = {
    "s3": (("bucket", None), ("key", None), ("workspace_key_prefix", "env:"), ("endpoint", "")),
    "gcs": (("bucket", None), ("prefix", "")),
    "azurerm": (("storage_account_name", None), ("container_name", None), ("key", None)),
    "http": (("address", None),),
    "consul": (("path", None), ("address", "")),
    "kubernetes": (("secret_suffix", None), ("namespace", "default"), ("host", "")),
    "oss": (("bucket", None), ("prefix", "env:"), ("key", "terraform.tfstate")),
    "cos": (("bucket", None), ("prefix", ""), ("key", "terraform.tfstate")),
    "pg": (("conn_str", None), ("schema_name", "terraform_remote_state")),
}
"""By type: the attributes, and what they are when they are left out (None: not known)."""
CLOUD = "app.terraform.io"


def told(address: Address) -> str:
    """For people, for example `s3 bucket/env:/prod/key`."""
    return f"{address[0]} {'/'.join(part for part in address[1:] if part)}"


def address(backend: Backend | None, cloud: Cloud | None, project: ProjectKey) -> Address | None:
    """None when it cannot be known from the code."""
    if cloud is not None:
        if cloud.organization is None or cloud.workspace is None:
            return None
        return ("cloud", cloud.hostname or CLOUD, cloud.organization, cloud.workspace)
    if backend is None:
        return _local((), project.dir, project.workspace)
    return _address(backend.type, backend.settings, project.dir, project.workspace)


def read_address(read: StateRead, module: str, project: ProjectKey) -> Address | None:
    """The state that a data source in the directory `module` of a project reads."""
    workspace = project.workspace if read.workspace is None else read.workspace
    if not workspace:
        return None
    settings = dict(read.settings)
    origins = {Origin.MODULE: module, Origin.ROOT: project.dir}
    path = settings.get("path")
    if path is not None:
        for origin, directory in origins.items():
            prefix = f"${{path.{origin}}}/"
            if path.startswith(prefix):
                settings["path"] = joined(directory, path[len(prefix) :])
                return _address(read.backend, tuple(settings.items()), ".", workspace)
    return _address(read.backend, read.settings, project.dir, workspace)


def _address(type_: str, settings: Settings, directory: str, workspace: str) -> Address | None:
    if type_ == "local":
        return _local(settings, directory, workspace)
    if type_ == "remote":
        return _remote(dict(settings), workspace)
    found = dict(settings)
    if type_ not in _PARTS:
        return None
    values = [found.get(name, default) for name, default in _PARTS[type_]]
    if any(value is None for value in values):
        return None
    parts = [value for value in values if value is not None]
    if type_ in _PLACES:
        return (type_, *_PLACES[type_](parts, workspace))
    return (type_, *parts, workspace)


def _s3(parts: list[str], workspace: str) -> tuple[str, ...]:
    bucket, key, prefix, endpoint = parts
    host = endpoint.partition("://")[2] or endpoint
    elsewhere = "" if AMAZON.search(host) else endpoint
    named = workspace != "default"
    return (bucket, _clean(f"{prefix}/{workspace}/{key}") if named else key, elsewhere)


def _gcs(parts: list[str], workspace: str) -> tuple[str, ...]:
    bucket, prefix = parts
    return (bucket, _clean(f"{prefix.lstrip('/')}/{workspace}.tfstate").lstrip("/"))


def _azurerm(parts: list[str], workspace: str) -> tuple[str, ...]:
    *container, key = parts
    return (*container, key if workspace == "default" else f"{key}env:{workspace}")


_PLACES: dict[str, Callable[[list[str], str], tuple[str, ...]]] = {
    "s3": _s3,
    "gcs": _gcs,
    "azurerm": _azurerm,
}
"""Where one type's parts and workspace put a state, as the backends themselves reckon it, so
that two spellings of one place are one: https://github.com/hashicorp/terraform, `path` of
internal/backend/remote-state/s3, `stateFile` of gcs, `path` of azure."""
AMAZON = re.compile(r"^s3[.-][a-z0-9.-]*amazonaws\.com(\.cn)?/?$", re.IGNORECASE)


def _clean(path: str) -> str:
    """As Go's `path.Join`; never two slashes at the beginning."""
    whole = posixpath.normpath(path)
    return f"/{whole.lstrip('/')}" if whole.startswith("/") else whole


def _local(settings: Settings, directory: str, workspace: str) -> Address | None:
    found = dict(settings)
    if workspace != "default":
        place = found.get("workspace_dir", "terraform.tfstate.d")
        path = None if place is None else f"{place}/{workspace}/terraform.tfstate"
    else:
        path = found.get("path", "terraform.tfstate")
    if path is None:
        return None
    whole = _clean(path) if path.startswith("/") else joined(directory, path)
    return None if whole is None else ("local", whole)


def _remote(settings: dict[str, str | None], workspace: str) -> Address | None:
    organization, name = settings.get("organization"), settings.get("workspaces.name")
    if organization is None or name is None:
        return None
    return ("cloud", settings.get("hostname") or CLOUD, organization, name)
