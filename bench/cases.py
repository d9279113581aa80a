"""What is planned: two small root modules that hold something, and change in every round.

Both are applied once before anything is measured, so that a plan refreshes what is there
and finds one update, as most plans of a living repository do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LOCK_FILE = ".terraform.lock.hcl"
DIRECTORY = "app"
"""Where the project stands in its repository."""


@dataclass(frozen=True)
class Case:
    """`module` gives the root module for a state file's path and a word that changes."""

    name: str
    title: str
    module: Callable[[str, str], str]

    @property
    def repository(self) -> str:
        return f"acme/{self.name.replace('_', '-')}"


def terraform_data() -> Case:
    """No provider to install, no API to ask: nearly all that is left is prbot."""
    return Case("terraform_data", "one `terraform_data` project", _terraform_data)


def _terraform_data(state: str, word: str) -> str:
    return f'''{_backend(state)}
resource "terraform_data" "it" {{
  input = "{word}"
}}
'''


def aws(endpoint: str) -> Case:
    """A bucket and a parameter on the real aws provider; `endpoint` answers as AWS."""

    def module(state: str, word: str) -> str:
        return _aws(endpoint, state, word)

    return Case("aws", "one project on the aws provider", module)


def _aws(endpoint: str, state: str, word: str) -> str:
    return f'''{_backend(state)}
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "3.39.0"
    }}
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
    ssm = "{endpoint}"
    sts = "{endpoint}"
  }}
}}

resource "aws_s3_bucket" "logs" {{
  bucket = "logs"
  tags = {{
    Round = "{word}"
  }}
}}

resource "aws_ssm_parameter" "setting" {{
  name  = "/app/setting"
  type  = "String"
  value = "on"
}}
'''


def _backend(state: str) -> str:
    return f'''terraform {{
  backend "local" {{
    path = "{state}"
  }}
}}
'''
