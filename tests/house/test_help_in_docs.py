"""What the docs quote from the program is what the program says today."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from prbot.runs.run import RUN_MOVES, RunState

ROOT = Path(__file__).resolve().parents[2]
PRBOT = Path(sys.executable).parent / "prbot"
QUOTED = re.compile(r"^```console\n\$ prbot ([^\n]*--help)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DIAGRAM = re.compile(r"^```mermaid\nstateDiagram-v2\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def quoted() -> list[tuple[str, str, str]]:
    """Page, arguments and text of every quoted `--help`."""
    return [
        (page.name, arguments, text)
        for page in pages()
        for arguments, text in QUOTED.findall(page.read_text())
    ]


@pytest.mark.parametrize(("page", "arguments", "text"), quoted(), ids=lambda part: str(part)[:20])
def test_help_is_current(page: str, arguments: str, text: str) -> None:
    """It quotes each `--help` as it is printed, 80 columns wide."""
    done = subprocess.run(
        [str(PRBOT), *arguments.split()],
        env={"PATH": "", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.rstrip() == text.rstrip(), page


def test_readme_quotes_help() -> None:
    """It shows newcomers the list of verbs and the options of `prbot plan`."""
    shown = {arguments for page, arguments, _ in quoted() if page == "README.md"}
    assert {"--help", "plan --help"} <= shown


def test_state_machine_is_current() -> None:
    """It draws the run's states and moves as the transition table has them."""
    (drawing,) = DIAGRAM.findall((ROOT / "README.md").read_text())
    inner = re.search(r"state finished \{(.*?)\}", drawing, re.DOTALL)
    assert inner
    finished = set(inner[1].split())
    assert finished == {state.value for state in RunState if state.finished}

    drawn: dict[str, set[str]] = {}
    for source, target in re.findall(r"(\w+) --> (\w+)", drawing):
        drawn.setdefault(source, set()).update(finished if target == "finished" else {target})
    table = {old.value: {new.value for new in moves} for old, moves in RUN_MOVES.items()}
    assert drawn == table
