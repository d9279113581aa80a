"""A shop of tools that downloads from a mirror on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from release_mirror import KEY, Mirror, program, serving_releases

from prbot.adapters.release_sites import site_of
from prbot.adapters.releases import Releases
from prbot.adapters.terraform import Terraform
from prbot.adapters.tools import LocalTools, Offer
from prbot.config.versions import ANY, Constraint


@pytest.fixture
async def mirror() -> AsyncIterator[Mirror]:
    async with serving_releases() as made:
        yield made


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "mirror.asc"
    path.write_text(str(KEY.extract_certificate()))
    return path


@dataclass
class Hands:
    """A clock that is moved by hand."""

    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def pass_by(self, time: timedelta) -> None:
        self.moment += time


@pytest.fixture
def clock() -> Hands:
    return Hands()


@dataclass(frozen=True)
class Shop:
    """Makes `LocalTools` that download from the mirror."""

    place: Path
    mirror: Mirror
    key: Path
    clock: Hands

    def releases(self, tool: str = "terraform", **changes: object) -> Releases:
        base = self.mirror.url if tool == "terraform" else f"{self.mirror.url}/tofu"
        key = changes.pop("key", self.key)
        assert isinstance(key, Path) or key is None
        return Releases(site_of(tool, base, key), **changes)

    def tools(
        self,
        tool: str = "terraform",
        installed: Path | None = None,
        bound: Constraint = ANY,
        download: bool = True,
        **changes: object,
    ) -> LocalTools:
        offer = Offer(
            tool,
            (str(installed),) if installed else None,
            bound,
            self.releases(tool, **changes) if download else None,
        )
        return LocalTools({tool: offer}, self.place / "tools", self.made, self.clock)

    def made(self, tool: str, command: tuple[str, ...]) -> Terraform:
        rc = self.place / "terraform.rc"
        rc.write_text("")
        return Terraform(command, rc, self.place / "scratch", {"PATH": "/usr/bin:/bin"}, name=tool)

    def install(self, version: str, tool: str = "terraform") -> Path:
        path = self.place / f"installed-{version}" / tool
        path.parent.mkdir()
        path.write_bytes(program(tool, version))
        path.chmod(0o755)
        return path

    @property
    def kept(self) -> list[str]:
        """What lies in the directory of tools, lock files aside."""
        there = (self.place / "tools").rglob("*")
        names = (path.relative_to(self.place / "tools").as_posix() for path in there)
        return sorted(name for name in names if not name.endswith((".lock", "versions.json")))


@pytest.fixture
def shop(tmp_path: Path, mirror: Mirror, key: Path, clock: Hands) -> Shop:
    return Shop(tmp_path, mirror, key, clock)
