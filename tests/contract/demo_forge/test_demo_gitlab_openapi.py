"""The reader of GitLab's OpenAPI description, over a few lines written as it writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from gitlab_openapi import VARIABLE, given, read

TEXT = """
swagger: '2.0'
paths:
  "/api/v4/boats":
    get:
      parameters:
      - {in: query, name: page, type: integer}
      responses:
        '200': {schema: {type: array, items: {$ref: "#/definitions/API_Entities_Boat"}}}
        '404': {description: None}
  "/api/v4/boats/{id}":
    put:
      parameters:
      - {in: path, name: id, type: integer}
      - {in: body, name: putBoat, schema: {$ref: "#/definitions/putBoat"}}
      responses:
        200: {schema: {$ref: "#/definitions/API_Entities_Boat"}}
    post:
      parameters:
      - {in: body, name: body, schema: {type: object, properties: {keel: {type: string}}}}
      - {in: formData, name: file, type: file}
      responses: {201: {description: Built}}
definitions:
  putBoat: {type: object, properties: {on: {type: boolean}, sails: {type: integer}}}
  API_Entities_Mast: {type: object, properties: {height: {type: number}}}
  API_Entities_Boat:
    type: object
    properties:
      id: {type: integer}
      built_at: {type: string, format: date-time}
      name: {type: string, example: 2012-05-28}
      mast: {$ref: "#/definitions/API_Entities_Mast"}
      crew: {type: array, items: {type: string}}
      papers: {type: object}
      owner: {$ref: "#/definitions/API_Entities_Nobody"}
      flag: {}
  API_Entities_Sea: {type: object}
"""


def test_routes() -> None:
    """It reads what is asked in query and body, and what is answered where nothing is refused."""
    assert read(TEXT).routes == {
        "GET /boats": ({"page"}, {"200": ["Boat"]}),
        "PUT /boats/{id}": ({"on", "sails"}, {"200": "Boat"}),
        "POST /boats/{id}": ({"keel", "file"}, {"201": None}),
    }


def test_entities() -> None:
    """It reads the types of keys; an entity that is not described is some object."""
    entities = read(TEXT).entities
    assert entities["Boat"] == {
        "id": "integer",
        "built_at": "time",
        "name": "any",
        "mast": "Mast",
        "crew": ["any"],
        "papers": "object",
        "owner": "object",
        "flag": "any",
    }
    assert (entities["Mast"], entities["Sea"]) == ({"height": "number"}, {})


def test_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It reads the file that is named, none where none is, and misses one that is not there."""
    monkeypatch.delenv(VARIABLE, raising=False)
    assert given() is None
    monkeypatch.setenv(VARIABLE, str(tmp_path / "openapi_v2.yaml"))
    with pytest.raises(FileNotFoundError):
        given()
    (tmp_path / "openapi_v2.yaml").write_text(TEXT)
    assert given() == read(TEXT)
