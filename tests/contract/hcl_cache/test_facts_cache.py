"""What files say is read once per content, kept between processes, and never trusted blindly."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from prbot.adapters.facts_json import from_json, to_json
from prbot.adapters.hcl_cache import FEW, FILE, FactsCache
from prbot.projects.hcl import facts_of
from prbot.projects.listing import Listing

FULL = """
terraform {
  required_version = ">= 1.5"
  backend "s3" {
    bucket = "b"
    key    = var.x
  }
  cloud {
    workspaces { tags = ["a"] }
  }
}
provider "aws" {}
module "m" { source = "../m" }
module "n" { source = var.n }
variable "x" {}
resource "aws_x" "y" { z = file("f") }
data "terraform_remote_state" "r" {
  backend   = "s3"
  workspace = terraform.workspace
  config    = { bucket = "b", key = "k" }
}
"""


@dataclass
class Contents:
    """Blobs by id; remembers what was asked for."""

    of: Mapping[str, bytes | None]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, ids: Sequence[str], limit: int) -> Mapping[str, bytes | None]:
        self.asked += ids
        return {id_: self.of.get(id_) for id_ in ids}


LISTING = Listing({"a/main.tf": "1", "a/x.tf.json": "2", "b/main.tf": "1", "README.md": "3"})
CONTENTS = {"1": FULL.encode(), "2": b'{"provider": {"aws": {}}}'}


@pytest.mark.parametrize("text", [FULL, "", "locals {", '\ufeffprovider "a" {}'])
def test_round_trip(text: str) -> None:
    """It keeps everything that a file says."""
    facts = facts_of("x.tf", text.encode())
    assert from_json(to_json(facts)) == facts


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"needs": 1}', b"\xff"])
def test_damaged_json(text: bytes) -> None:
    """It takes nothing else for what a file says."""
    assert from_json(text) is None


async def test_reads_once(tmp_path: Path) -> None:
    """It asks for each content once, also after a restart."""
    contents = Contents(CONTENTS)
    cache = FactsCache(tmp_path)
    first = await cache.facts(LISTING, contents)
    assert set(first) == {"a/main.tf", "a/x.tf.json", "b/main.tf"}
    assert first["a/main.tf"] == first["b/main.tf"] == facts_of("x.tf", FULL.encode())
    assert first["a/x.tf.json"].providers == ("aws",)
    assert sorted(contents.asked) == ["1", "2"]
    assert await cache.facts(LISTING, contents) == first
    assert await FactsCache(tmp_path).facts(LISTING, contents) == first
    assert sorted(contents.asked) == ["1", "2"]


async def test_many(tmp_path: Path) -> None:
    """It reads much in processes of its own, with the same result."""
    text = "# " + "x" * 1000 + "\n" + FULL
    count = 3 * FEW // len(text)
    ids = [str(number) for number in range(count)]
    listing = Listing({f"{id_}/main.tf": id_ for id_ in ids})
    contents = {id_: f"{text}# {id_}".encode() for id_ in ids}
    found = await FactsCache(tmp_path).facts(listing, Contents(contents))
    assert len(found) == count
    assert set(found.values()) == {facts_of("x.tf", text.encode())}


async def test_out_of_time(tmp_path: Path) -> None:
    """It tells what could not be read in time, gives up soon, and tries again next time."""
    text = "locals {\n" + "".join(f"  a{n} = {n}\n" for n in range(FEW // 40)) + "}\n"
    listing = Listing({f"{n}.tf": str(n) for n in range(40)})
    contents = Contents({str(n): f"# {n}\n{text}".encode() for n in range(40)})
    cache = FactsCache(tmp_path, timeout=0.0)
    found = await cache.facts(listing, contents)
    assert len(found) == 40
    assert any(facts.problem and "too long" in facts.problem.message for facts in found.values())
    again = await FactsCache(tmp_path).facts(listing, contents)
    assert all(facts.problem is None for facts in again.values())


async def test_links_and_syntax(tmp_path: Path) -> None:
    """It reads the same bytes as JSON or not, as the name says, and follows links."""
    listing = Listing({"a.tf": "2", "b.tf.json": "2", "c.txt": "2"}, {"d.tf.json": "c.txt"})
    found = await FactsCache(tmp_path).facts(listing, Contents(CONTENTS))
    assert found["a.tf"].problem is not None
    assert found["b.tf.json"].problem is None
    assert found["c.txt"].providers == ("aws",)


async def test_too_large(tmp_path: Path) -> None:
    """It tells of a file that was too large to be fetched."""
    found = await FactsCache(tmp_path).facts(Listing({"a.tf": "9"}), Contents({"9": None}))
    assert found["a.tf"].problem is not None


DAMAGE = {
    "no database": b"hello",
    "cut off": b"SQLite format 3\0" + b"\xff" * 200,
    "empty": b"",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
async def test_damaged_file(tmp_path: Path, damage: bytes) -> None:
    """It makes a damaged file anew, and goes on keeping."""
    (tmp_path / FILE).write_bytes(damage)
    contents = Contents(CONTENTS)
    await FactsCache(tmp_path).facts(LISTING, contents)
    await FactsCache(tmp_path).facts(LISTING, contents)
    assert sorted(contents.asked) == ["1", "2"]


async def test_damaged_rows(tmp_path: Path) -> None:
    """It reads again what is damaged in the file."""
    contents = Contents(CONTENTS)
    wanted = await FactsCache(tmp_path).facts(LISTING, contents)
    with closing(sqlite3.connect(tmp_path / FILE)) as file, file:
        file.execute("UPDATE facts SET json = ? WHERE key LIKE '%:1.%'", (b'{"needs": 7',))
        file.execute("UPDATE facts SET json = 'text' WHERE key LIKE '%:2.%'")
    assert await FactsCache(tmp_path).facts(LISTING, contents) == wanted
    assert sorted(contents.asked) == ["1", "1", "2", "2"]


async def test_unwritable(tmp_path: Path) -> None:
    """It does without the file where none can be."""
    (tmp_path / FILE).mkdir()
    assert len(await FactsCache(tmp_path).facts(LISTING, Contents(CONTENTS))) == 3
