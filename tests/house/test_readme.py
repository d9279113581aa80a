"""What the README and the docs tell people to type exists."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

PRBOT = Path(sys.executable).parent / "prbot"
COMMAND = re.compile(r"^\s*(?:\$ )?((?:prbot|make) .*)$", re.MULTILINE)
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
GROUPS = {"explain"}
OPTION = re.compile(r"--?\w[^ ]*$")  # not a quoted text that begins with one
TERMINAL = {"", "console", "sh", "shell", "bash", "text"}


def pages(root: Path) -> list[Path]:
    return [root / "README.md", *sorted((root / "docs").glob("**/*.md"))]


def commands(text: str) -> list[list[str]]:
    blocks = (block for language, block in FENCE.findall(text) if language in TERMINAL)
    lines = [match[1] for block in blocks for match in COMMAND.finditer(block)]
    return [shlex.split(line.partition("#")[0]) for line in lines]


def options_of(verb: str) -> str:
    words = [str(PRBOT), *verb.split(), "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"there is no `prbot {verb}`"
    return done.stdout


def test_shows_the_way_in(root: Path) -> None:
    """It tells newcomers how to play with prbot, to test it and to serve."""
    shown = [command[:2] for command in commands((root / "README.md").read_text())]
    for wanted in (["make", "demo"], ["make", "test"], ["prbot", "plan"], ["prbot", "serve"]):
        assert wanted in shown, " ".join(wanted)


def test_commands_exist(root: Path) -> None:
    """It shows only verbs, options and make targets that exist."""
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
    known: dict[str, str] = {}
    for page in pages(root):
        for program, verb, *rest in commands(page.read_text()):
            if program == "make":
                assert verb in targets, f"{page.name}: make {verb}"
                continue
            if verb.startswith("-"):
                continue
            if verb in GROUPS:
                verb, rest = f"{verb} {rest[0]}", rest[1:]
            known[verb] = known.get(verb) or options_of(verb)
            for option in (word.partition("=")[0] for word in rest if OPTION.match(word)):
                assert re.search(rf"(?<![\w-]){option}\b", known[verb]), f"{page.name}: {option}"


def test_links(root: Path) -> None:
    """It links only to files that exist."""
    for page in pages(root):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
