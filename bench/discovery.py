"""`python -m bench.discovery`: finding the projects of a large repository.

A generated repository of 10,000 files: 1,000 root modules, 150 modules, more than 6,000
`.tf` files of 30 lines and more. The projects are found with nothing kept (cold), with
everything in memory (warm), by a new process that finds the file of the one before
(restarted), and after one file changed; each time from the commit's listing to the projects
that the change affects. Beside it python-hcl2 parses the same files, one after another,
extrapolated from a part of them unless `--whole` is given.

Exits 0 when everything was measured. No time is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.table import Row, markdown
from prbot.adapters import process
from prbot.adapters.blobs import blobs, listing
from prbot.adapters.git import Git
from prbot.adapters.hcl_cache import FactsCache
from prbot.projects.affected import affected
from prbot.projects.discovery import Discovery, discover
from prbot.projects.reference import read

ROOTS, MODULES, FILES = 1000, 150, 10_000
TF_PER_ROOT, TF_PER_MODULE = 5, 8
COLD_AIM, CHANGED_AIM = "< 8 s", "< 0.3 s"

_BACKEND = """\
terraform {{
  required_version = ">= 1.5"

  backend "s3" {{
    bucket = "states"
    key    = "{name}/terraform.tfstate"
    region = "eu-west-1"
  }}
}}

provider "aws" {{
  region = var.region

  default_tags {{
    tags = {{
      project = "{name}"
      owner   = "team-{number}"
    }}
  }}
}}

variable "region" {{
  type        = string
  description = "Where everything is."
  default     = "eu-west-1"
}}

locals {{
  policy = file("${{path.module}}/policy.json")
}}
"""
_MODULE_CALL = """\

module "{name}" {{
  source = "{source}"

  name    = "${{var.region}}-{name}"
  enabled = true
  sizes   = [for n in range(3) : n * {number} if n > 0]
}}
"""
_RESOURCES = """\
resource "aws_instance" "server_{number}" {{
  count         = var.enabled ? length(var.sizes) : 0
  ami           = data.aws_ami.chosen.id
  instance_type = "t3.${{lookup(var.types, var.name, "small")}}"

  ebs_block_device {{
    device_name = "/dev/sdf"
    volume_size = max(10, var.sizes[count.index])
  }}

  user_data = <<-EOT
    #!/bin/sh
    echo "${{var.name}} number ${{count.index}}"
  EOT

  tags = merge(var.tags, {{
    Name = "${{var.name}}-{number}"
    Part = "{number}"
  }})

  lifecycle {{
    create_before_destroy = true
    ignore_changes        = [ami]
  }}
}}

# What others ask for.
output "server_{number}" {{
  description = "The addresses of all of them."
  value       = aws_instance.server_{number}[*].private_ip
}}
"""


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m bench.discovery")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--whole", action="store_true", help="python-hcl2 parses every file")
    arguments.add_argument("--cold", metavar="DIR", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.cold:
        place = Path(given.cold)
        print(asyncio.run(_Bench(place).timed(FactsCache(place / "kept"), ()))[0])
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        rows = asyncio.run(_Bench(Path(name)).rows(given.rounds, given.whole))
    print(markdown(rows))
    return 0


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class _Bench:
    place: Path

    @property
    def repository(self) -> Path:
        return self.place / "repository"

    @property
    def git(self) -> Git:
        return Git({"PATH": os.environ["PATH"]}, self.place)

    async def rows(self, rounds: int, whole: bool) -> list[Row]:
        say("writing the repository")
        count = await self._make()
        cold: list[float] = []
        warm: list[float] = []
        changed: list[float] = []
        restarted: list[float] = []
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            cache = FactsCache(self.place / "kept")
            (cache.directory / "facts.sqlite").unlink(missing_ok=True)
            cold.append((await self.timed(cache, ()))[0])
            warm.append((await self.timed(cache, ()))[0])
            path = await self._change(number)
            seconds, found = await self.timed(cache, (path,))
            assert found == MODULES_USERS, f"{found} projects are affected by {path}"
            changed.append(seconds)
            restarted.append(await self._restarted())
        say("python-hcl2")
        parsing = self._reference(count, whole)
        return [
            Row("nothing known (cold)", cold, "s", 2, COLD_AIM),
            Row("all in memory (warm)", warm, "s", 2),
            Row("one changed file", changed, "s", 2, CHANGED_AIM),
            Row("a new process, all kept in the file", restarted, "s", 2),
            Row("python-hcl2 parses every file", [parsing], "s", 2),
            Row("cold / python-hcl2", [seconds / parsing for seconds in cold], "x", 3),
        ]

    async def timed(self, cache: FactsCache, changed: tuple[str, ...]) -> tuple[float, int]:
        """Seconds from the commit to the projects, and how many are affected."""
        began = time.perf_counter()
        discovery = await self._discovered(cache)
        found = len(affected(discovery, changed))
        seconds = time.perf_counter() - began
        assert len(discovery.projects) == ROOTS, len(discovery.projects)
        return seconds, found

    async def _discovered(self, cache: FactsCache) -> Discovery:
        files = await listing(self.git, self.repository, await self._head())
        contents = partial(blobs, self.git, self.repository)
        return discover(files, await cache.facts(files, contents))

    async def _head(self) -> str:
        return await self.git.ask(["rev-parse", "HEAD"], cwd=self.repository)

    async def _restarted(self) -> float:
        words = [sys.executable, "-m", "bench.discovery", "--cold", str(self.place)]
        done = await process.run(words, cwd=Path.cwd(), env=dict(os.environ), timeout=300)
        assert done.code == 0, done.stderr.decode()
        return float(done.stdout)

    async def _make(self) -> int:
        """Write and commit it; how many `.tf` files it has."""
        written = list(_files())
        for name, text in written:
            path = self.repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        await self.git.ask(["init", "--quiet"], cwd=self.repository)
        await self._commit()
        code = [text for name, text in written if name.endswith(".tf")]
        assert len(written) == FILES
        assert all(text.count("\n") >= 30 for text in code)
        say(f"{len(written)} files, {len(code)} of them .tf, {sum(map(len, code)) >> 10} KiB")
        return len(code)

    async def _commit(self) -> None:
        who = {f"GIT_{who}_NAME": "bench" for who in ("AUTHOR", "COMMITTER")}
        who |= {f"GIT_{who}_EMAIL": "bench@localhost" for who in ("AUTHOR", "COMMITTER")}
        await self.git.ask(["add", "-A"], cwd=self.repository)
        words = ["commit", "--quiet", "--message", "bench"]
        await self.git.ask(words, cwd=self.repository, extra=who)

    async def _change(self, number: int) -> str:
        path = "modules/m7/part0.tf"
        with (self.repository / path).open("a") as file:
            file.write(f"# changed {number}\n")
        await self._commit()
        return path

    def _reference(self, count: int, whole: bool) -> float:
        paths = sorted(self.repository.rglob("*.tf"))
        some = paths if whole else paths[:: max(1, count // 200)]
        texts = [path.read_text() for path in some]
        read(texts[0])  # its grammar is loaded
        began = time.perf_counter()
        for text in texts:
            read(text)
        return (time.perf_counter() - began) * count / len(texts)


MODULES_USERS = len([root for root in range(ROOTS) if root % MODULES == 7 or root % MODULES == 6])
"""The roots that call module 7, or module 6, which calls it."""


def _files() -> Iterator[tuple[str, str]]:
    code = list(_code())
    yield from code
    yield from ((f"live/r{n}/policy.json", "{}\n") for n in range(ROOTS))
    left = FILES - len(code) - ROOTS
    yield from ((f"docs/d{n % 50}/page{n}.md", f"# Page {n}\n") for n in range(left))


def _code() -> Iterator[tuple[str, str]]:
    for root in range(ROOTS):
        module = root % MODULES
        call = _MODULE_CALL.format(
            name=f"m{module}", source=f"../../modules/m{module}", number=root
        )
        yield f"live/r{root}/main.tf", _BACKEND.format(name=f"r{root}", number=root) + call
        for part in range(1, TF_PER_ROOT):
            number = f"{root}_{part}"
            yield f"live/r{root}/part{part}.tf", _RESOURCES.format(number=number)
    for module in range(MODULES):
        for part in range(TF_PER_MODULE):
            text = _RESOURCES.format(number=f"{module}_{part}")
            if part == 0 and module % 10 == 6:
                text += _MODULE_CALL.format(name="inner", source=f"../m{module + 1}", number=module)
            yield f"modules/m{module}/part{part}.tf", text


if __name__ == "__main__":
    sys.exit(main())
