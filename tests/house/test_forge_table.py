"""The table of forges in the documentation says yes to nothing that no test shows."""

import re
from pathlib import Path


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
