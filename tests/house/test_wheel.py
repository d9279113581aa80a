"""What people install holds what the code needs."""

import subprocess
import sys
import zipfile
from pathlib import Path


def test_wheel_is_whole(tracked: list[Path], root: Path, tmp_path: Path) -> None:
    """It packs every file of the package, templates and migrations included, and no test."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    names = {path.relative_to(root).as_posix() for path in tracked}
    ours = {name for name in names if name.startswith("prbot/")}
    assert ours - packed == set()
    assert {name for name in packed if name.startswith(("tests/", "bench/"))} == set()
