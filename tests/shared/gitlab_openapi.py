"""Reads GitLab's OpenAPI description (Swagger 2): what routes take and answer, and entities' keys.

The description is GitLab's own (`doc/api/openapi/openapi_v2.yaml` of gitlab-org/gitlab) and is not
kept here. Whoever has it names the file in PRBOT_GITLAB_OPENAPI; docs/gitlab.md says more.

A type is `integer`, `boolean`, `number`, `time` (a text of ISO 8601), `object`, `any` (what the
description calls a text by default, whatever it is), an entity's name, or a list of one of these.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

VARIABLE = "PRBOT_GITLAB_OPENAPI"
BASE = "/api/v4"
TYPES = ("integer", "boolean", "number", "object")


@dataclass(frozen=True)
class Description:
    """`entities`: types by key by entity. `routes`: of each "GET /path", names and answers."""

    entities: Mapping[str, Mapping[str, Any]]
    routes: Mapping[str, tuple[frozenset[str], Mapping[str, Any]]]


def given() -> Description | None:
    """What the file says that PRBOT_GITLAB_OPENAPI names, or None where it names none.

    A named file that is not there raises FileNotFoundError: somebody wanted it read.
    """
    named = os.environ.get(VARIABLE)
    return read(Path(named).read_text(encoding="utf-8")) if named else None


def read(text: str) -> Description:
    """All texts stay texts: an answer's number and a key called `on`, too."""
    document = yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: S506 - makes texts alone
    definitions = document["definitions"]
    entities = {_short(name): _keys(one, definitions) for name, one in definitions.items()}
    return Description(entities, dict(_routes(document["paths"], definitions)))


def _routes(paths: Any, definitions: Any) -> Iterator[tuple[str, Any]]:
    for path, methods in paths.items():
        for method, route in methods.items():
            name = f"{method.upper()} {path.removeprefix(BASE)}"
            asked = frozenset(_asked(route.get("parameters", ()), definitions))
            yield name, (asked, _answered(route["responses"], definitions))


def _asked(parameters: Iterable[Any], definitions: Any) -> Iterator[str]:
    """Names in the query and in the body; those in the path are the path's."""
    for one in parameters:
        if one["in"] == "body":
            schema = one["schema"]
            body = definitions[_name(schema)] if "$ref" in schema else schema
            yield from body.get("properties", {})
        elif one["in"] in ("query", "formData"):
            yield one["name"]


def _answered(responses: Any, definitions: Any) -> dict[str, Any]:
    """Types by number, of those that are no refusal; None where nothing is answered."""
    return {
        number: _type(one["schema"], definitions) if "schema" in one else None
        for number, one in responses.items()
        if number < "300"
    }


def _keys(definition: Any, definitions: Any) -> dict[str, Any]:
    properties = definition.get("properties", {})
    return {key: _type(value, definitions) for key, value in properties.items()}


def _type(schema: Any, definitions: Any) -> Any:
    if "$ref" in schema:
        name = _name(schema)
        return _short(name) if name in definitions else "object"
    match schema.get("type"):
        case "array":
            return [_type(schema.get("items", {}), definitions)]
        case "string" if schema.get("format") == "date-time":
            return "time"
        case kind:
            return kind if kind in TYPES else "any"


def _name(schema: Any) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _short(name: str) -> str:
    return name.removeprefix("API_Entities_")
