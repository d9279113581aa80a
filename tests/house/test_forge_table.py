"""The table of forges in the documentation says yes to nothing that no test shows."""

import ast
import re
import subprocess
import sys
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


IDS = {
    "github": {"github", "token", "app"},
    "gitlab": {"gitlab", "personal", "project", "group"},
}
"""What the forges and the ways to sign in to them are called in the names of tests."""


def collected(root: Path, tests: set[str]) -> list[tuple[str, set[str]]]:
    """(file::test, the parts of its parameters) of each, as pytest finds them."""
    words = ["-m", "pytest", "--collect-only", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, *words, *tests], cwd=root, capture_output=True, text=True
    )
    pairs = (line.partition("[") for line in done.stdout.splitlines() if "::" in line)
    return [(test, set(re.split(r"[-\]]", more))) for test, _, more in pairs]


def test_every_yes_runs_over_its_forge(root: Path) -> None:
    """It says yes to a forge where the test is told over that forge, or over none."""
    named = {row: row[3].strip("`") for row in rows(root) if "yes" in "".join(row[1:3])}
    found = collected(root, set(named.values()))
    wrong = []
    for row, test in named.items():
        parts = [parts for name, parts in found if name.startswith(test)]
        told = {forge for forge, ids in IDS.items() if any(ids & one for one in parts)}
        claimed = {forge for forge, word in zip(IDS, row[1:3], strict=True) if "yes" in word}
        if not parts or (told and not claimed <= told):
            wrong.append((row[0], test, sorted(told)))
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
