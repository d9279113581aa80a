"""`moto_server`: the URL of moto's AWS on 127.0.0.1, empty at the start of each test.

`ask_moto("POST", "/moto-api/...")` is moto's own way to be told things:
https://docs.getmoto.org/en/latest/docs/server_mode.html
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator

import pytest

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="session")
def _moto() -> Iterator[str]:
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def moto_server(_moto: str) -> str:
    _ask(_moto, "POST", "/moto-api/reset")
    return _moto


@pytest.fixture
def ask_moto(moto_server: str) -> Callable[[str, str, str], None]:
    return lambda method, path, body: _ask(moto_server, method, path, body)


def _ask(server: str, method: str, path: str, body: str | None = None) -> None:
    connection = http.client.HTTPConnection(server.removeprefix("http://"), timeout=60)
    connection.request(method, path, body)
    assert connection.getresponse().status == 200
    connection.close()
