"""The table of forges in the documentation says yes to nothing that no test shows."""

import ast
import re
from pathlib import Path

NAMES = {"github": "GitHub", "gitlab": "GitLab"}


def rows(root: Path) -> list[tuple[str, str, str, str]]:
    """(what, GitHub, GitLab, test) of each row."""
    text = (root / "docs" / "gitlab.md").read_text().partition("## Forge by forge")[2]
    cells = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("| ")]
    return [tuple(cell.strip() for cell in row) for row in cells[1:] if len(row) == 4]


def test_every_yes_has_a_test(root: Path) -> None:
    """It names for each row a test file, and in it a test, that exist."""
    table = rows(root)
    assert len(table) > 20
    wrong = []
    for what, hub, lab, named in table:
        path, _, test = named.strip("`").partition("::")
        if not any(word.startswith("yes") for word in (hub, lab)):
            continue
        file = root / path
        known = file.is_file() and re.search(rf"def {test or 'test_'}", file.read_text())
        if not path or not known:
            wrong.append((what, named))
    assert wrong == []


def alone(root: Path) -> list[tuple[str, str, str]]:
    """(story file, over which forge, why) of each story that is not told over both."""
    found = set()
    for path in (root / "tests" / "story").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            words = [ast.literal_eval(arg) for arg in node.args if isinstance(arg, ast.Constant)]
            if node.func.attr == "only_forge":
                kind, why = words
                found.add((path.name, NAMES[kind], why))
            elif node.func.attr == "no_forge":
                found.add((path.name, "none", *words))
    return sorted(found)


def test_stories_of_one_forge_are_listed(root: Path) -> None:
    """It lists exactly the stories that say that they are told over one forge, or none."""
    text = (root / "docs" / "gitlab.md").read_text().partition("| story | over | why |")[2]
    lines = text.partition("| what |")[0].splitlines()
    cells = [line.strip("| ").split("|") for line in lines if line.startswith("| ")]
    listed = [tuple(cell.strip(" `") for cell in row) for row in cells]
    assert sorted(listed) == alone(root)
