"""The command line: quick to answer, sentences instead of tracebacks, documented exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

PRBOT = Path(sys.executable).parent / "prbot"


def prbot(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PRBOT), *arguments],
        env={"PATH": "", "COLUMNS": "100", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help() -> None:
    """It lists its verbs and its exit codes."""
    done = prbot("--help")
    assert done.returncode == 0
    for word in ("serve", "plan", "demo", "Exit codes"):
        assert word in done.stdout


@pytest.mark.parametrize("verb", ["serve", "plan", "demo"])
def test_verb_help(verb: str) -> None:
    """It explains each verb and each of its options."""
    done = prbot(verb, "--help")
    assert done.returncode == 0
    assert "Usage: prbot " + verb in done.stdout


def test_version() -> None:
    """It tells its version."""
    import prbot as package

    assert prbot("--version").stdout == f"prbot {package.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [["--hed"], ["plan", "--hed"], ["nonsense"], ["demo", "--port", "x"], ["plan", "-d"]],
)
def test_usage(arguments: list[str]) -> None:
    """It exits 64 with one sentence for a command line it does not understand."""
    done = prbot(*arguments)
    assert done.returncode == 64
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_sentence_and_hint(tmp_path: Path) -> None:
    """It says what is wrong and what to do, without a traceback, and exits 1."""
    bad = tmp_path / "prbot.server.yaml"
    bad.write_text("listn: x\n")
    done = prbot("serve", "--config", str(bad))
    assert done.returncode == 1
    assert done.stderr == (
        f"prbot: {bad}, line 1, column 1: unknown key `listn`.\nhint: Did you mean `listen`?\n"
    )
    assert done.stdout == ""


def test_missing_file(tmp_path: Path) -> None:
    """It names the configuration file it cannot find."""
    done = prbot("serve", "--config", str(tmp_path / "none.yaml"))
    assert done.returncode == 1
    assert str(tmp_path / "none.yaml") in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr


def test_debug(tmp_path: Path) -> None:
    """It shows the traceback when PRBOT_DEBUG asks for it."""
    done = prbot("serve", "--config", str(tmp_path / "none.yaml"), PRBOT_DEBUG="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_help_loads_little() -> None:
    """It answers `--help` without loading what only the verbs need."""
    code = "import prbot.cli, sys; print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"aiohttp", "asyncio", "github", "jinja2", "pydantic", "rich", "sqlalchemy", "yaml"}
    assert heavy & set(done.stdout.split()) == set()
