"""A module can be read in one sitting, a function on one screen."""

import ast
import statistics

MODULE_LINES = 400
FUNCTION_LINES = 60
MEDIAN_FUNCTION_LINES = 10

FORBIDDEN_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers", "base", "common"}


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_modules(sources) -> None:
    """It has no module that is too long to be read in one sitting."""
    lengths = {source.name: source.text.count("\n") for source in sources}
    assert {n: k for n, k in lengths.items() if k > MODULE_LINES} == {}


def test_functions(sources) -> None:
    """It has no function that does not fit on a screen, and most are far shorter."""
    lengths = {
        f"{source.name}.{function.name}": length(function)
        for source in sources
        for function in functions(source.tree)
    }
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION_LINES


def test_names(sources) -> None:
    """It has no module whose name says nothing."""
    assert [s.name for s in sources if s.name.rpartition(".")[2] in FORBIDDEN_NAMES] == []


def test_docstrings(sources) -> None:
    """It says at the top of each module what the module is for."""
    silent = [source.name for source in sources if not ast.get_docstring(source.tree)]
    assert silent == []


def test_errors_are_worded_in_one_place(sources) -> None:
    """It defines what people read when something is wrong in prbot.errors alone."""
    elsewhere = [
        f"{source.name}.{node.name}"
        for source in sources
        if not source.name.startswith("prbot.errors")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
        if any(isinstance(parent, ast.Name) and parent.id == "PrbotError" for parent in node.bases)
    ]
    assert elsewhere == []
