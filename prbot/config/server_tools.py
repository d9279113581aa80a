"""`terraform:` and `tools:` of the operator's file: the programs, what they see, where more
of them come from, and which versions projects may ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from prbot.config.addresses import ForgeUrl
from prbot.config.check import Section
from prbot.config.declared import Constraint, Tool
from prbot.config.globs import check_plain_pattern

PlainPattern = Annotated[str, AfterValidator(check_plain_pattern)]


class ToolConfig(Section):
    path: str | None = Field(
        default=None, description="the terraform binary; left out: the one on PATH."
    )
    provider_mirror: Path | None = Field(
        default=None, description="a filesystem mirror of providers to install from."
    )
    plugin_cache: bool = Field(
        default=True, description="whether jobs share downloaded providers, one `init` at a time."
    )
    environment: tuple[PlainPattern, ...] = Field(
        default=(),
        description="globs of variables the tool may see, such as `TF_VAR_*`; never prbot's own.",
    )


class OneTool(Section):
    versions: Constraint | None = Field(
        default=None, description="the versions that may be used, such as `>= 1.5, < 2`."
    )
    mirror: ForgeUrl | None = Field(
        default=None, description="where releases are downloaded from; left out: its own site."
    )
    signing_key: Path | None = Field(
        default=None, description="the OpenPGP keys that sign there; left out: its makers'."
    )


class TofuTool(OneTool):
    path: str | None = Field(
        default=None, description="the tofu binary; left out: the one on PATH."
    )


class Tools(Section):
    """Which versions of which tools there are. The Terraform binary is `terraform.path`."""

    allowed: frozenset[Tool] = Field(
        default=frozenset(Tool), min_length=1, description="some of `terraform` and `tofu`."
    )
    download: bool = Field(default=True, description="whether what is not installed is downloaded.")
    check_signatures: bool = Field(
        default=True, description="whether downloads must be signed; checksums always count."
    )
    allow_switch: bool = Field(
        default=False, description="whether a pull request may change a project's tool."
    )
    terraform: OneTool = Field(default=OneTool(), description="Terraform's releases.")
    tofu: TofuTool = Field(default=TofuTool(), description="OpenTofu's releases, and its binary.")
