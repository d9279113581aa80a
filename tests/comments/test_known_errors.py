"""What the tools say when something usual is wrong, and the advice for it.

The texts of Terraform were made with 1.11.4; where those of the clouds stand is told by
the module.
"""

from __future__ import annotations

import pytest

from prbot.comments.known_errors import advice

LOCKED = """Error: Error acquiring the state lock

Error message: resource temporarily unavailable
Lock Info:
  ID:        f6a5c71d-c6d2-9e6c-abd9-0d5c2a7ef1c7
  Path:      x.tfstate
  Operation: OperationTypeApply
  Who:       alice@laptop
  Version:   1.11.4
  Created:   2026-11-23 19:29:32.897024104 +0000 UTC
  Info:


Terraform acquires a state lock to protect the state from being written
"""
UNSET = """Error: No value for required variable

  on main.tf line 1:
   1: variable "region" { type = string }

The root module input variable "region" is not set, and has no default value.
"""
REGISTRY = """Error: Failed to query available provider packages

Could not retrieve the list of available versions for provider hashicorp/aws:
could not connect to registry.terraform.io: failed to request discovery
document: Get "https://registry.terraform.io/.well-known/terraform.json":
dial tcp: lookup registry.terraform.io: no such host
"""
CHECKSUM = """Error: Failed to install provider

Error while installing hashicorp/aws v5.100.0: the local package for
registry.terraform.io/hashicorp/aws 5.100.0 doesn't match any of the
checksums previously recorded in the dependency lock file
"""
BACKEND = 'Error: Backend initialization required, please run "terraform init"'
CHANGED = "Error: Backend configuration changed\n\nA change in the backend configuration"
LOCK_FILE = "Error: Inconsistent dependency lock file\n\nThe following dependency selections"
READ_ONLY = "Error: Provider dependency changes detected\n\nChanges to the required provider"
AWS = (
    "operation error STS: GetCallerIdentity, api error ExpiredToken: The security token included",
    "api error InvalidClientTokenId: The security token included in the request is invalid.",
    "Error: No valid credential sources found\n\nPlease see https://registry.terraform.io/",
    "error configuring S3 Backend: no valid credential sources for S3 Backend\nfound.",
    "failed to refresh cached credentials, the SSO session has expired or\nis invalid: expired",
)
GOOGLE = (
    "google: could not find default\ncredentials. See https://cloud.google.com/docs",
    "Error: Attempted to load application default credentials since neither `credentials`",
    'oauth2: "invalid_grant" "Bad Request"',
    'oauth2: "invalid_grant" "reauth related error (invalid_rapt)"',
)
AZURE = (
    "AADSTS700082: The refresh token has expired due to inactivity.",
    "AADSTS7000222: The provided client secret keys for app are expired.",
    "running Azure CLI: exit status 1: ERROR: Please run 'az login' to setup account.",
    "AzureCLICredential: Please run 'az login' to set up an account",
    "Error: unable to build authorizer for Resource Manager API: could not configure",
)
CLOUDS = {"AWS": AWS, "Google Cloud": GOOGLE, "Azure": AZURE}


@pytest.mark.parametrize(
    ("output", "knows", "helps"),
    [
        (LOCKED, "by `alice@laptop` since `2026-11-23 19:29:32", "force-unlock f6a5c71d-c6d2"),
        (UNSET, "Nothing gives `region` a value", "`var_files`"),
        (REGISTRY, "cannot reach `registry.terraform.io`", "Plan again"),
        (CHECKSUM, "lock file does not know the provider", "providers lock -platform=linux_amd64"),
        (LOCK_FILE, "does not fit", "`terraform init`"),
        (BACKEND, "The backend is another one", "-migrate-state"),
        (CHANGED, "The backend is another one", "-migrate-state"),
        (READ_ONLY, "does not fit", "`terraform init`"),
    ],
)
def test_it_knows(output: str, knows: str, helps: str) -> None:
    """It says what happened and what to do."""
    found = advice(output)
    assert found is not None
    assert knows in found.knows
    assert helps in found.helps


@pytest.mark.parametrize(
    ("cloud", "output"), [(cloud, text) for cloud, texts in CLOUDS.items() for text in texts]
)
def test_it_knows_clouds(cloud: str, output: str) -> None:
    """It names the cloud whose credentials are missing or old, and who can renew them."""
    found = advice(output)
    assert found is not None
    assert found.knows.startswith(f"{cloud} did not take the credentials")
    assert "whoever runs prbot" in found.helps


@pytest.mark.parametrize(
    "output",
    [
        "AADSTS50058: silent sign-in",
        "az login",
        "",
        "Error: Unsupported argument",
        "expired",
        "x" * 10_000,
    ],
)
def test_it_is_silent(output: str) -> None:
    """It says nothing of what it does not know."""
    assert advice(output) is None


def test_a_lock_without_details() -> None:
    """It speaks of a lock that says nothing of itself."""
    found = advice("Error: Error acquiring the state lock")
    assert found is not None
    assert found.knows == "The state is locked."
