"""What stands in the repository: no trace of the machine it was written on, a lock in step."""

import re
import tomllib
from pathlib import Path

# put together here, so that this file does not hold what it forbids
MACHINE = [
    "/" + "work/main",
    "/" + "work/shared",
    "/" + "work/.",
    "/tmp/" + "briefs",
    "/tmp/" + "v/bin",
    "/" + "root/",
    "/opt/" + "pypi",
    "/opt/" + "wheels",
]
REGISTRIES = ["py" + "pi.org", "python" + "hosted.org", "registry." + "npm" + "js.org"]


def holding(paths: list[Path], words: list[str], root: Path) -> list[str]:
    pattern = re.compile("|".join(re.escape(word) for word in words).encode())
    return [
        f"{path.relative_to(root)}: {match[0].decode()}"
        for path in paths
        if (match := pattern.search(path.read_bytes()))
    ]


def test_machine(tracked: list[Path], root: Path) -> None:
    """It names no path of the machine it was written on."""
    assert len(tracked) > 50
    assert holding(tracked, MACHINE, root) == []


def test_registries(tracked: list[Path], root: Path) -> None:
    """It names no package registry: where packages come from is the machine's own setting."""
    assert holding(tracked, REGISTRIES, root) == []


def test_lock_names_no_registry(root: Path) -> None:
    """It locks versions and hashes, and no addresses."""
    text = (root / "uv.lock").read_text()
    assert set(re.findall(r'\w+://[^/"]*', text)) == {"https://registry.invalid"}


def test_lock_has_hashes(root: Path) -> None:
    """It knows the hash of every file it may install."""
    for package in locked(root):
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        assert files or package["name"] == "prbot", package["name"]
        assert all(file["hash"].startswith("sha256:") for file in files), package["name"]


def test_lock_in_step(root: Path) -> None:
    """It locks exactly what pyproject.toml asks for (mend it with `make lock`)."""
    asked = tomllib.loads((root / "pyproject.toml").read_text())
    (prbot,) = (package for package in locked(root) if package["name"] == "prbot")
    metadata = prbot["metadata"]
    project = [*asked["project"]["dependencies"]]
    for extra in asked["project"].get("optional-dependencies", {}).values():
        project += extra
    assert recorded(metadata["requires-dist"]) == stated(project)
    groups = {name: stated(group) for name, group in asked["dependency-groups"].items()}
    assert {n: recorded(group) for n, group in metadata["requires-dev"].items()} == groups


def locked(root: Path) -> list[dict]:
    return tomllib.loads((root / "uv.lock").read_text())["package"]


def recorded(entries: list[dict]) -> set[tuple[str, str]]:
    return {(entry["name"], entry.get("specifier", "")) for entry in entries}


def stated(requirements: list[str]) -> set[tuple[str, str]]:
    """Name and version of each, with names normalised as packaging does (PEP 503)."""
    found = set()
    for requirement in requirements:
        text = requirement.partition(";")[0].replace(" ", "")
        match = re.fullmatch(r"([\w.-]+)(?:\[[\w,.-]*\])?(.*)", text)
        assert match, requirement
        found.add((re.sub(r"[-_.]+", "-", match[1]).lower(), match[2]))
    return found


def test_licence(root: Path) -> None:
    """It carries the whole text of its licence."""
    text = (root / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
