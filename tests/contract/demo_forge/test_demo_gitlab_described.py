"""What prbot reads and asks of GitLab, and what the demo forge answers, held against GitLab's
own descriptions: entities of REST, the schema of GraphQL, and the judge by them itself.

What needs GitLab's description of REST runs where somebody gives it; docs/gitlab.md says how."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gitlab_api import (
    BEYOND,
    DESCRIPTION,
    DOCS,
    ENTITIES,
    FULL,
    KEYS,
    NUMBERS,
    OWN,
    PARAMETERS,
    ROUTES,
    answer_faults,
    request_faults,
)
from gitlab_openapi import VARIABLE
from graphql import GraphQLSchema, build_schema, execute_sync, parse, validate
from pydantic import BaseModel

from prbot.adapters import gitlab_guards, gitlab_shapes
from prbot.adapters.gitlab_guards import PEOPLE
from prbot.demo.forge import DemoForge
from prbot.demo.gitlab.graphql import PATH
from prbot.demo.gitlab.table import ROUTES as SERVED
from prbot.demo.state import Pull

if TYPE_CHECKING:
    from aiohttp import ClientSession

NAME = "acme/platform/infra"
MERGE_REQUEST = "/projects/{id}/merge_requests/{merge_request_iid}"
FIXTURES = Path(__file__).parents[2] / "fixtures" / "gitlab"
READ = {
    gitlab_shapes.User: "UserPublic",
    gitlab_shapes.Person: "UserBasic",
    gitlab_shapes.Account: "User",
    gitlab_shapes.Member: "Member",
    gitlab_shapes.Project: "ProjectWithAccess",
    gitlab_shapes.DiffRefs: "DiffRefs",
    gitlab_shapes.Pipeline: "Ci_Pipeline",
    gitlab_shapes.TrainPipeline: "Ci_PipelineBasic",
    gitlab_shapes.Car: "TrainCar",
    gitlab_shapes.MergeRequest: "MergeRequest",
    gitlab_shapes.Approval: "Approvals",
    gitlab_shapes.Approvals: "MergeRequestApprovals",
    gitlab_shapes.Reviewer: "MergeRequestReviewer",
    gitlab_shapes.Version: "MergeRequestDiff",
    gitlab_shapes.NoteId: "Note",
    gitlab_shapes.Note: "Note",
    gitlab_shapes.EventShape: "Event",
    gitlab_shapes.IssueShape: "Issue",
    gitlab_guards.StatusShape: "CommitStatus",
    gitlab_guards.ExternalCheck: "StatusCheck",
}
described = pytest.mark.skipif(
    DESCRIPTION is None, reason=f"{VARIABLE} names no file: GitLab's openapi_v2.yaml"
)
GRAPHQL = {"Account", "PageInfo", "Committers", "Commit", "Commits", "People", "InProject"} | {
    *("Data", "Fault", "Answered")
}


def models(module: Any) -> set[type[BaseModel]]:
    return {
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, BaseModel)
        and value.__module__ == module.__name__
    }


def test_every_shape_is_one_of_gitlab() -> None:
    """It knows of each shape that the adapter reads which of GitLab's entities it is."""
    every = models(gitlab_shapes) | models(gitlab_guards)
    assert {one.__name__ for one in every - set(READ)} == GRAPHQL


def judged(shape: type[BaseModel]) -> Any:
    """What stands in OWN needs no description."""
    marks = () if READ[shape] in OWN else (described,)
    return pytest.param(shape, marks=marks, id=shape.__name__)


@pytest.mark.parametrize("shape", [judged(shape) for shape in READ])
def test_what_is_read(shape: type[BaseModel]) -> None:
    """It reads no key that GitLab's entity does not have."""
    assert set(shape.model_fields) - set(ENTITIES[READ[shape]]) == set()


def served() -> set[str]:
    return {f"{route.method} {route.path}" for route in SERVED}


@described
def test_routes() -> None:
    """It serves no route that GitLab does not have, and describes none that it does not serve."""
    assert served() ^ set(ROUTES) == set()


def test_exceptions_are_served() -> None:
    """It keeps no exception for what the demo forge does not serve, and each tells its page."""
    assert {*BEYOND, *PARAMETERS, *FULL, *NUMBERS} - served() == set()
    pages = [page for table in (PARAMETERS, KEYS, FULL, NUMBERS) for _, page in table.values()]
    pages += [route.page for route in BEYOND.values()]
    assert [page for page in pages if not page.startswith(DOCS)] == []


def test_pages() -> None:
    """It cuts no list that GitLab gives as a whole."""
    cut = {f"{route.method} {route.path}" for route in SERVED if route.paged}
    lists = {name for name, route in ROUTES.items() if "page" in route.asked}
    whole = {f"GET {MERGE_REQUEST}/reviewers"}
    assert lists & whole == set()
    assert lists - cut == set()
    assert whole & cut == set()


@described
def test_exceptions_are_needed() -> None:
    """It keeps no exception for what the description does say."""
    assert DESCRIPTION is not None
    assert set(BEYOND) & set(DESCRIPTION.routes) == set()
    assert set(OWN) & set(DESCRIPTION.entities) == set()
    for name, (parameter, _) in PARAMETERS.items():
        assert parameter not in DESCRIPTION.routes[name][0]
    for entity, (keys, _) in KEYS.items():
        assert not set(keys.split()) & set(ENTITIES[entity])


WRONG: list[tuple[str, str, int, Any, str]] = [
    ("GET", "/nowhere", 200, {}, "does not exist"),
    ("GET", MERGE_REQUEST, 206, {}, "never answers 206"),
    ("GET", MERGE_REQUEST, 200, "text", "is no MergeRequest"),
    ("GET", MERGE_REQUEST, 200, {"number": 5}, "no MergeRequest has number"),
    ("GET", MERGE_REQUEST, 200, {"iid": "5"}, "iid is no integer"),
    ("GET", MERGE_REQUEST, 200, {"iid": True}, "iid is no integer"),
    ("GET", MERGE_REQUEST, 200, {"created_at": "today"}, "created_at is no time"),
    ("GET", MERGE_REQUEST, 200, {"author": {"login": "a"}}, "no UserBasic has login"),
    ("GET", MERGE_REQUEST, 200, {"reviewers": [{"login": "a"}]}, "no UserBasic has login"),
    ("GET", "/projects/{id}/members/all", 200, {"id": 1}, "is no list"),
    ("GET", "/projects/{id}", 200, {"archived": 1}, "archived is no boolean"),
    ("DELETE", "/projects/{id}/repository/branches/{branch}", 204, {}, "where there is none"),
]


@described
@pytest.mark.parametrize(("method", "path", "status", "body", "said"), WRONG)
def test_wrong_answers_are_seen(method: str, path: str, status: int, body: Any, said: str) -> None:
    """It would see an answer that GitLab does not give."""
    (fault,) = answer_faults(method, path, status, body)
    assert said in fault


@described
def test_wrong_requests_are_seen() -> None:
    """It would see a route and a parameter that GitLab does not know."""
    assert request_faults("GET", "/nowhere", []) == ["GET /nowhere does not exist"]
    assert request_faults("PUT", f"{MERGE_REQUEST}/merge", ["sha", "method"]) == [
        f"PUT {MERGE_REQUEST}/merge takes no method"
    ]
    assert request_faults("PUT", f"{MERGE_REQUEST}/merge", ["sha", "squash"]) == []


def test_wrong_requests_beyond_the_description_are_seen() -> None:
    """It would see a parameter that GitLab's documentation does not know, always."""
    notes = f"{MERGE_REQUEST}/notes"
    assert request_faults("POST", notes, ["body", "text"]) == [f"POST {notes} takes no text"]
    assert request_faults("POST", notes, ["body", "internal"]) == []


# --- GraphQL --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def schema() -> GraphQLSchema:
    return build_schema((FIXTURES / "people.graphql").read_text())


def faults(schema: GraphQLSchema, query: str) -> list[str]:
    return [error.message for error in validate(schema, parse(query))]


def test_the_question(schema: GraphQLSchema) -> None:
    """It asks who wrote the commits in words that GitLab's types know."""
    assert faults(schema, PEOPLE) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("$number: String!", "$number: Int!"),
        ("committers(first", "commiters(first"),
        ("authorName", "author_name"),
        ("username", "login"),
        ("commitCount", "commitsCount"),
    ],
)
def test_the_schema_tells(schema: GraphQLSchema, right: str, wrong: str) -> None:
    """It would hear of a word that GitLab does not know."""
    assert faults(schema, PEOPLE.replace(right, wrong)) != []


@pytest.fixture
async def forge(tmp_path: Path, source: Path) -> AsyncIterator[DemoForge]:
    forge = DemoForge(tmp_path / "forge", kind="gitlab")
    await forge.start()
    forge.create_user("alice", token="alice-token")
    await forge.create_repository(NAME, source, collaborators={"alice": "write"})
    yield forge
    await forge.stop()


async def answered(forge: DemoForge, session: ClientSession, variables: Any) -> Any:
    sent = {"Authorization": "Bearer alice-token"}
    body = {"query": PEOPLE, "variables": variables}
    async with session.post(forge.url + PATH, json=body, headers=sent) as answer:
        assert answer.status == 200
        return await answer.json()


async def test_what_is_answered(
    schema: GraphQLSchema, forge: DemoForge, session: ClientSession
) -> None:
    """It answers with exactly what was asked for, of the types that the schema says."""
    pull: Pull = await forge.open_pull(NAME, head="topic", title="A topic", author="alice")
    asked: Mapping[str, Any] = {"project": NAME, "number": str(pull.number), "after": None}
    data = (await answered(forge, session, asked))["data"]
    assert data["project"]["mergeRequest"]["commitCount"] == 1
    typed = execute_sync(schema, parse(PEOPLE), root_value=data, variable_values=dict(asked))
    assert (typed.errors, typed.data) == (None, data)
    nothing = (await answered(forge, session, {**asked, "number": "99"}))["data"]
    assert nothing == {"project": {"mergeRequest": None}}
