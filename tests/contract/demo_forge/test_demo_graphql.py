"""What is sent and answered as GraphQL, held against GitHub's own schema."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from graphql import (
    ExecutionResult,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from prbot.adapters.github import MINIMISE
from prbot.demo.forge import DemoForge
from prbot.demo.graphql import CLASSIFIERS, PATH
from prbot.demo.shapes import node_id
from prbot.demo.state import Comment, Pull

Ask = Callable[[str, str], Awaitable[Any]]

UNFOLD = """\
mutation($id: ID!) {
  unminimizeComment(input: {subjectId: $id}) {
    unminimizedComment { isMinimized }
  }
}"""


@pytest.fixture(scope="session")
def schema(octokit: Path) -> GraphQLSchema:
    text = (octokit / "graphql-schema" / "schema.graphql").read_text()
    return build_schema(text, assume_valid=True)


@pytest.fixture
async def comment(forge: DemoForge, pull: Pull) -> Comment:
    return await forge.comment(pull, "bob", "hello")


@pytest.fixture
def ask(forge: DemoForge, session: ClientSession) -> Ask:
    async def ask(query: str, node: str) -> Any:
        sent = {"Authorization": "Bearer bob-token"}
        body = {"query": query, "variables": {"id": node}}
        async with session.post(forge.url + PATH, json=body, headers=sent) as answer:
            assert answer.status == 200
            return await answer.json()

    return ask


def faults(schema: GraphQLSchema, query: str) -> list[str]:
    return [error.message for error in validate(schema, parse(query))]


def as_typed(schema: GraphQLSchema, query: str, variables: Any, data: Any) -> ExecutionResult:
    """What is left of an answer when each of its values must have the type that the schema
    says: the query carried out over the answer itself."""
    return execute_sync(
        schema,
        parse(query),
        root_value=data,
        variable_values=variables,
        type_resolver=lambda value, info, kind: "IssueComment",
    )


def test_what_we_send(schema: GraphQLSchema) -> None:
    """It sends a mutation that GitHub's schema knows, in the words of it."""
    assert faults(schema, MINIMISE) == []
    (operation,) = parse(MINIMISE).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.operation.value == "mutation"
    assert [each.variable.name.value for each in operation.variable_definitions] == ["id"]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("OUTDATED", "OLD"),
        ("$id: ID!", "$id: Int!"),
        ("isMinimized", "minimised"),
        ("minimizeComment(", "foldComment("),
    ],
)
def test_the_schema_tells(schema: GraphQLSchema, right: str, wrong: str) -> None:
    """It would hear of a word that GitHub does not know."""
    assert faults(schema, MINIMISE.replace(right, wrong)) != []


def test_the_reasons(schema: GraphQLSchema) -> None:
    """It knows the reasons for folding that GitHub knows, and no other."""
    kind: Any = schema.get_type("ReportedContentClassifiers")
    assert set(CLASSIFIERS) == set(kind.values)


async def test_what_is_answered(schema: GraphQLSchema, ask: Ask, comment: Comment) -> None:
    """It answers with exactly what was asked for, of the types that the schema says."""
    node = node_id("IssueComment", comment.id)
    for query, field in ((MINIMISE, "minimizeComment"), (UNFOLD, "unminimizeComment")):
        assert faults(schema, query) == []
        answer = await ask(query, node)
        assert set(answer) == {"data"}
        typed = as_typed(schema, query, {"id": node}, answer["data"])
        assert (typed.errors, typed.data) == (None, answer["data"])
        assert set(answer["data"]) == {field}


@pytest.mark.parametrize("folded", ["yes", [True], {}, None])
def test_another_type_is_seen(schema: GraphQLSchema, folded: object) -> None:
    """It would see an answer whose value is of another type."""
    data = {"minimizeComment": {"minimizedComment": {"isMinimized": folded}}}
    assert as_typed(schema, MINIMISE, {"id": "x"}, data).errors


@pytest.mark.parametrize("query", [MINIMISE, UNFOLD, MINIMISE.replace("OUTDATED", "OLD")])
async def test_what_is_refused(schema: GraphQLSchema, ask: Ask, query: str) -> None:
    """It refuses as GraphQL does: answered, without data, each error with a message; it
    understands what GitHub's schema does."""
    answer = await ask(query, node_id("IssueComment", 99))
    assert answer["data"] is None
    assert all(error["message"] for error in answer["errors"])
    understood = [error.get("type") for error in answer["errors"]] == ["NOT_FOUND"]
    assert understood is not bool(faults(schema, query))
