"""The repository the demo starts with: two environments, one module, nothing to download.

Everything is `terraform_data`, which is built into Terraform. The state of each
environment lies in a directory given by an absolute path, so that it outlives the
throw-away checkouts it is planned in.
"""

from __future__ import annotations

import json
from pathlib import Path

from prbot.demo.git import git

BRANCH = "bigger-service"
"""The branch a first pull request is opened from: it changes both environments."""
ENVIRONMENTS = ("staging", "production")
AUTHOR = {"GIT_AUTHOR_NAME": "alice", "GIT_AUTHOR_EMAIL": "alice@users.forge.invalid"}

_MODULE = """\
variable "name" {
  type        = string
  description = "What the service is called."
}

variable "size" {
  type        = string
  description = "How big each instance is."
}

variable "instances" {
  type        = number
  description = "How many instances there are."
}

resource "terraform_data" "network" {
  input            = { name = var.name, zone = "one" }
  triggers_replace = [var.name]
}

resource "terraform_data" "instance" {
  count = var.instances
  input = { name = "${var.name}-${count.index}", size = var.size }
}

output "names" {
  value = terraform_data.instance[*].output.name
}
"""

_ENVIRONMENT = """\
terraform {
  required_version = ">= 1.4"

  backend "local" {
    path = %(state)s
  }
}

module "service" {
  source    = "../../modules/service"
  name      = %(name)s
  size      = %(size)s
  instances = %(instances)d
}

output "names" {
  value = module.service.names
}
"""

_CACHE = """\

resource "terraform_data" "cache" {
  input = { engine = "memory", size = "small" }
}
"""

_README = """\
# Infrastructure of the demo

Two environments of one service. Change something and open a pull request.
"""


async def write_sample(directory: Path, states: Path) -> None:
    """Make a git repository at `directory`, with `main` and the branch `BRANCH`.

    `states` takes one `<environment>.tfstate` each. The branch makes staging's instances
    bigger and adds one (updates, a create) and removes its cache (a deletion); it gives
    production another name (replacements, because the network is bound to it).
    """
    lasting = _lay_out(directory, states)
    await git(directory, "init", "--quiet", "--initial-branch", "main")
    _write(directory, _main(lasting))
    await _commit(directory, "Two environments of one service")
    await git(directory, "checkout", "--quiet", "-b", BRANCH)
    _write(directory, _bigger(lasting))
    await _commit(directory, "A bigger service")
    await git(directory, "checkout", "--quiet", "main")


def _lay_out(directory: Path, states: Path) -> Path:
    states.mkdir(parents=True, exist_ok=True)
    directory.mkdir(parents=True, exist_ok=True)
    return states.resolve()


def _main(states: Path) -> dict[str, str]:
    return {
        "README.md": _README,
        "modules/service/main.tf": _MODULE,
        "environments/staging/main.tf": _environment(states, "staging", "web", "small", 1) + _CACHE,
        "environments/production/main.tf": _environment(states, "production", "web", "large", 2),
    }


def _bigger(states: Path) -> dict[str, str]:
    return {
        "environments/staging/main.tf": _environment(states, "staging", "web", "medium", 2),
        "environments/production/main.tf": _environment(states, "production", "shop", "large", 3),
    }


def _environment(states: Path, environment: str, name: str, size: str, instances: int) -> str:
    """HCL strings are JSON strings, as long as no template starts inside them."""
    state = json.dumps(str(states / f"{environment}.tfstate")).replace("${", "$${")
    values = {"state": state, "name": json.dumps(name), "size": json.dumps(size)}
    return _ENVIRONMENT % {**values, "instances": instances}


def _write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


async def _commit(directory: Path, message: str) -> None:
    await git(directory, "add", "--all")
    await git(directory, "commit", "--quiet", "--message", message, extra=AUTHOR)
