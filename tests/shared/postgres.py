"""A PostgreSQL of the tests' own: `initdb` and `postgres`, on a free port of this machine.

`postgres_server` is one server per test process, started when the first test asks for it;
`postgres` is a fresh database in it. Writes are not flushed to the disk, so a machine that
loses power loses the tests' data, and nothing else; a server that is killed loses nothing.

PostgreSQL refuses to run as root. There it runs as `nobody`, who owns its directory.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

HOMES = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt")
NOBODY = 65534
READY = "database system is ready to accept connections"
TRIES = 5
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
}


@pytest.fixture(scope="session")
def postgres_server(need: Callable[[str], None]) -> Iterator[PostgresServer]:
    """A server; skips (or fails, see `need`) where PostgreSQL is not installed."""
    need("postgres")
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """`postgresql://…` of a fresh database, dropped after the test."""
    with postgres_server.database() as url:
        yield url


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A server for those who are no tests."""
    with tempfile.TemporaryDirectory(prefix="prbot-pg-", ignore_cleanup_errors=True) as home:
        server = PostgresServer(Path(home))
        server.create()
        try:
            yield server
        finally:
            server.stop()


@dataclass
class PostgresServer:
    """`home` holds data and socket. `stop` and `start` keep data and port."""

    home: Path
    port: int = 0
    _process: subprocess.Popen[str] | None = None
    _log: deque[str] = field(default_factory=lambda: deque(maxlen=10_000))
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def create(self) -> None:
        """Make the data directory and start on a port that is free."""
        _give_away(self.home)
        initdb = [_program("initdb"), "--pgdata", str(self._data), "--username", "prbot"]
        initdb += ["--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        done = subprocess.run(initdb, capture_output=True, text=True, check=False, **self._as_whom)
        if done.returncode != 0:
            pytest.fail(f"initdb failed: {done.stderr}{done.stdout}")
        for _ in range(TRIES):
            self.port = _free_port()
            if self._start():
                return
        pytest.fail(f"PostgreSQL does not start: {self.log}")

    def start(self) -> None:
        if not self._start():
            pytest.fail(f"PostgreSQL does not start again: {self.log}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: clients are cut off at once, cleanly. SIGQUIT: as in a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    @contextmanager
    def database(self, like: str = "template1") -> Iterator[str]:
        """`postgresql://…` of a fresh database, dropped at the end, whoever is in it.

        A copy of the database named `like`, in which nobody may be at this moment.
        """
        name = f"prbot_{next(self._numbers)}"
        self._say(f"CREATE DATABASE {name} TEMPLATE {like}")
        try:
            yield self.url(name)
        finally:
            self._say(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, database: str) -> str:
        return f"postgresql://prbot@127.0.0.1:{self.port}/{database}"

    @property
    def log(self) -> str:
        return "\n".join(self._log)

    @property
    def statements(self) -> list[str]:
        """What was logged of databases that have `log_statement` set."""
        return [line for line in self._log if "statement: " in line or "execute " in line]

    @property
    def _data(self) -> Path:
        return self.home / "data"

    @property
    def _as_whom(self) -> dict[str, Any]:
        mine: dict[str, Any] = {"cwd": self.home}
        if os.geteuid() == 0:
            mine |= {"user": _nobody(), "group": self.home.stat().st_gid, "extra_groups": ()}
        return mine

    def _start(self) -> bool:
        """False when it ended before it was ready."""
        settings = SETTINGS | {"port": str(self.port), "unix_socket_directories": str(self.home)}
        command = [_program("postgres"), "-D", str(self._data)]
        command += [part for item in settings.items() for part in ("-c", "=".join(item))]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **self._as_whom)
        assert process.stderr is not None
        ready = threading.Event()
        # Somebody must go on reading, or the server would wait for room in the pipe.
        args = (process.stderr, ready)
        reading = threading.Thread(target=self._listen, args=args, daemon=True)
        reading.start()
        ready.wait(60)
        self._process = process if process.poll() is None else None
        return self._process is not None

    def _listen(self, stderr: Any, ready: threading.Event) -> None:
        with stderr:
            for line in stderr:
                self._log.append(line.rstrip())
                if READY in line:
                    ready.set()
        ready.set()

    def _say(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


def _program(name: str) -> str:
    found = shutil.which(name)
    if found:
        return found
    installed = [path for home in HOMES for path in Path(home).glob(f"*/bin/{name}")]
    return str(max(installed, key=lambda path: path.stat().st_mtime))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _nobody() -> int:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return NOBODY


def _give_away(home: Path) -> None:
    if os.geteuid() == 0:
        user = _nobody()
        os.chown(home, user, user)
