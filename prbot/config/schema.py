"""JSON Schemas of both configuration files, generated from the models that read them.

Editors complete and check with them. They say less than the models: what two keys must
agree on, and which expressions are refused, only prbot itself checks.
"""

from __future__ import annotations

import json
from typing import Any

from prbot.config.check import Section
from prbot.config.repo import RepoConfig
from prbot.config.server import ServerConfig

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MODELS: dict[str, tuple[type[Section], str]] = {
    "repo": (RepoConfig, "prbot.yaml: what a repository wants"),
    "server": (ServerConfig, "prbot.server.yaml: what the operator allows"),
}


def schema_of(which: str) -> str:
    """The schema of `repo` or `server` as text, with a line end."""
    model, title = MODELS[which]
    schema = {"$schema": DIALECT, **model.model_json_schema(), "title": title}
    return json.dumps(_bare(schema, "root"), indent=2, ensure_ascii=False) + "\n"


def _bare(value: Any, above: str) -> Any:
    """Without the titles that pydantic makes of field names; keys named `title` stay."""
    if isinstance(value, list):
        items = [_bare(item, above) for item in value]
        return sorted(items, key=str) if above == "default" else items  # a set has no order
    if not isinstance(value, dict):
        return value
    kept = (key for key in value if key != "title" or above in ("properties", "root"))
    return {key: _bare(value[key], above if above == "default" else key) for key in kept}
