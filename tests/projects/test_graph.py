"""Order and circles, in any graph."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from prbot.projects.graph import circle, knots, ranks

NODES = 12
pairs = st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1))


@st.composite
def acyclic(draw: st.DrawFn) -> dict[int, list[int]]:
    """Edges lead to smaller nodes only."""
    drawn = draw(st.lists(pairs, max_size=40))
    edges: dict[int, list[int]] = {node: [] for node in range(NODES)}
    for a, b in drawn:
        if a != b:
            edges[max(a, b)].append(min(a, b))
    return edges


@given(acyclic(), st.lists(st.integers(0, 9), min_size=NODES, max_size=NODES))
def test_ranks_respect_edges(edges: dict[int, list[int]], groups: list[int]) -> None:
    """It numbers each node above those it points to, never below its group."""
    found = ranks(edges, dict(enumerate(groups)))
    assert set(found) == set(range(NODES))
    for node, ends in edges.items():
        assert found[node] >= groups[node]
        assert all(found[end] < found[node] for end in ends)
        if not ends:
            assert found[node] == groups[node]


@given(acyclic())
def test_no_circle(edges: dict[int, list[int]]) -> None:
    """It finds none where there is none."""
    assert circle(edges) == ()


def reached(edges: dict[int, list[int]], start: int) -> set[int]:
    """All ends of ways from `start`, step by step until nothing new is met."""
    found: set[int] = set()
    while more := {end for node in (start, *found) for end in edges[node]} - found:
        found |= more
    return found


@given(st.lists(pairs, max_size=40))
def test_knots(drawn: list[tuple[int, int]]) -> None:
    """It gives two nodes one number exactly where each reaches the other."""
    edges: dict[int, list[int]] = {node: [] for node in range(NODES)}
    for a, b in drawn:
        edges[a].append(b)
    found = knots(edges)
    for a in range(NODES):
        for b in range(a):
            together = b in reached(edges, a) and a in reached(edges, b)
            assert (found[a] == found[b]) is together


def test_a_long_way() -> None:
    """It follows ways of any length."""
    edges = {node: [node + 1] for node in range(50_000)} | {50_000: [25_000]}
    found = knots(edges)
    assert len(set(found.values())) == 25_001


@given(st.lists(pairs, max_size=40))
def test_circle(drawn: list[tuple[int, int]]) -> None:
    """It finds a circle exactly where a node reaches itself, and shows one that is there."""
    edges: dict[int, list[int]] = {node: [] for node in range(NODES)}
    for a, b in drawn:
        edges[a].append(b)
    found = circle(edges)
    assert bool(found) == any(node in reached(edges, node) for node in edges)
    if found:
        assert found[0] == found[-1]
        assert all(b in edges[a] for a, b in pairwise(found))
