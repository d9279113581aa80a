"""One redactor and one neutraliser, and nothing gets past them to a sink.

Shown on the syntax trees: where what leaves is made, and what it passes first. That the
two do what they promise is shown in tests/telemetry and tests/comments.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import nodes

from prbot.comments.customs import GITHUB
from prbot.comments.environment import environment
from prbot.comments.neutral import Safe

LETTERS = {"CommentLetter", "StatusLetter", "CheckReport"}
"""What is handed to a forge and holds text."""
HANDLERS = {"StreamHandler", "FileHandler", "basicConfig", "addHandler"}
TEMPLATES = Path(__file__).resolve().parents[2] / "prbot" / "comments" / "templates"
QUIET = {"length", "list", "selectattr", "rejectattr", "map", "join", "default", "sort", "string"}
"""Jinja's filters that give lists and numbers, or text that is then refused."""


def called(node: ast.AST) -> str:
    """The last name of what is called: `a.b.c(...)` is `c`."""
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in names:
            yield node


def makers(sources, names: set[str]) -> set[str]:
    """The modules that call any of these; patterns of `match` are no calls."""
    return {source.name for source in sources if any(calls(source.tree, names))}


def is_redacted(value: ast.expr, function: ast.AST) -> bool:
    """The value is `redact(…)`, or a name that was given only such values."""
    if called(value) in ("redact", "redact_values"):
        return True
    if not isinstance(value, ast.Name):
        return False
    given = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == value.id for target in node.targets)
    ]
    return bool(given) and all(called(each) == "redact" for each in given)


def test_letters(sources) -> None:
    """It makes what a forge is told in one module, from text that was redacted at last."""
    assert makers(sources, LETTERS) == {"prbot.engine.letters"}
    (letters,) = (source for source in sources if source.name == "prbot.engine.letters")
    functions = [node for node in ast.walk(letters.tree) if isinstance(node, ast.FunctionDef)]
    made = [(call, function) for function in functions for call in calls(function, LETTERS)]
    assert {called(call) for call, _ in made} == LETTERS
    for call, function in made:
        assert is_redacted(call.args[-1], function), ast.unparse(call)


def test_notes_of_checks(sources) -> None:
    """It redacts each text of a note as well, and nothing else of it is free text."""
    (letters,) = (source for source in sources if source.name == "prbot.engine.letters")
    (note,) = calls(letters.tree, {"replace"})
    assert {word.arg: called(word.value) for word in note.keywords} == {
        "title": "_plain",
        "message": "_plain",
    }
    (plain,) = (n for n in ast.walk(letters.tree) if getattr(n, "name", "") == "_plain")
    (given,) = (n.value for n in ast.walk(plain) if isinstance(n, ast.Return))
    assert is_redacted(given, plain)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("L(redactor.redact(text))", True),
        ("text = redact(text)\nL(text)", True),
        ("L(text)", False),
        ("text = redact(text)\ntext = other\nL(text)", False),
        ("L(redact(text) + more)", False),
    ],
)
def test_is_seen(code: str, expected: bool) -> None:
    """It knows redacted text from other text."""
    tree = ast.parse(code)
    (call,) = calls(tree, {"L"})
    assert is_redacted(call.args[-1], tree) is expected


def test_comments_elsewhere(sources) -> None:
    """It renders comments for forges in one place, and for terminals behind the redactor."""
    rendering = {
        source.name
        for source in sources
        if "from prbot.comments.render import" in source.text
        and any(calls(source.tree, {"render"}))
    }
    here = {"prbot.app.local", "prbot.app.explain_plan"}
    assert rendering == {"prbot.engine.letters", *here}
    local = next(source for source in sources if source.name == "prbot.app.local")
    inside = [n for c in calls(local.tree, {"redact"}) for n in calls(c, {"render"})]
    assert inside == list(calls(local.tree, {"render"}))


def test_summaries(sources) -> None:
    """It keeps and shows of a plan only what passed the redactor, so that what is cut later
    cannot leave half a secret."""
    outside = [s for s in sources if not s.name.startswith("prbot.plans.")]
    users = {s.name for s in outside if any(calls(s.tree, {"summarise", "drift_of"}))}
    assert users == {"prbot.engine.planner", "prbot.app.explain_plan", "prbot.drift.reading"}
    for source in outside:
        passed = [c for r in calls(source.tree, {"redact_values"}) for c in r.args]
        assert all(c in passed for c in calls(source.tree, {"summarise", "drift_of"})), source.name


def test_one_redactor(sources) -> None:
    """It has one redactor, made where a process is put together, one for each."""
    defining = [s.name for s in sources if "class Redactor" in s.text]
    assert defining == ["prbot.telemetry"]
    composing = makers(sources, {"Redactor"})
    assert composing
    assert [name for name in composing if not name.startswith("prbot.app.")] == []


def test_whose_secrets(sources) -> None:
    """It registers for everybody only what prbot itself resolved; whatever a plan or a step calls
    secret is hidden where its own pull request is spoken of."""
    assert {name for name in makers(sources, {"register"}) if name.startswith("prbot.")} <= {
        "prbot.app.compose",
        "prbot.app.explain_plan",
    }
    hiding = {"prbot.engine.planner", "prbot.engine.memory", "prbot.engine.stages"}
    hiding |= {"prbot.engine.drift_reading"}  # the plans of a check, about its project alone
    assert makers(sources, {"hide"}) == hiding


def test_who_is_spoken_of(sources) -> None:
    """It performs work, writes letters and forgets plans as being about one pull request."""
    speaking = {"prbot.engine.service", "prbot.engine.postman", "prbot.engine.expiry"}
    speaking |= {"prbot.engine.drift_ends"}
    speaking |= {"prbot.engine.drift_corrections"}  # asks for the issue about a project
    speaking |= {"prbot.engine.drift_by_hand"}  # so does this
    assert makers(sources, {"about"}) == speaking
    waking = {"prbot.engine.orchestrator", "prbot.engine.worker", "prbot.engine.expiry"}
    assert makers(sources, {"remember"}) == waking


def test_logs(sources) -> None:
    """It hands logs to the world in one module, whose handler redacts each line."""
    assert makers(sources, HANDLERS) <= {"prbot.telemetry"}
    assert makers(sources, {"set_up_logs"})


def test_one_neutraliser(sources) -> None:
    """It calls text safe in the comments alone, and there only numbers and words of ours
    outside of the neutraliser."""
    making = makers(sources, {"Safe"})
    others = ("continued", "details", "drift_words", "fitting", "render")
    others += ("tool_words", "view", "words")
    rest = {f"prbot.comments.{name}" for name in others}
    assert making == {"prbot.comments.neutral", *rest}


@pytest.mark.parametrize("value", ["text", ["text"], {"a": 1}, None, 1.5, b"text"])
def test_what_is_not_neutral_is_refused(value: object) -> None:
    """It prints nothing in a comment that the neutraliser did not make."""
    template = environment(GITHUB).from_string("{{ value }}")
    with pytest.raises(TypeError, match="was not neutralised"):
        template.render(value=value)
    assert template.render(value=Safe("**ok**")) == "**ok**"


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.j2")), ids=lambda path: path.name)
def test_templates(path: Path) -> None:
    """It uses the neutraliser's filters, and no block or filter that gets around them."""
    tree = environment(GITHUB).parse(path.read_text(encoding="utf-8"))
    ours = {"code", "cell", "told", "html_code", "prose", "fence", "mention"}
    filters = {each.name for each in tree.find_all(nodes.Filter)}
    assert filters <= ours | QUIET
    around = (nodes.FilterBlock, nodes.MarkSafe, nodes.MarkSafeIfAutoescape, nodes.CallBlock)
    assert list(tree.find_all(around)) == []
