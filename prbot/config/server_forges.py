"""`forges:` of the operator's file: where they are, and with what we knock there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from prbot.config.addresses import ForgeUrl
from prbot.config.check import Section
from prbot.config.references import Reference
from prbot.errors.server import CredentialsUnclear, GitLabWithoutToken, NotGitLabsApi


class AppCredentials(Section):
    id: int = Field(gt=0, description="the GitHub App's id, a number from its settings page.")
    private_key: Reference = Field(
        description="where the App's private key (PEM) is: `file:///path` or `env://NAME`."
    )


class ForgeConfig(Section):
    """One forge. Raises MissingWebhookSecret through `load_server`, not by itself."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,31}$",
        description="a short name for this forge: small letters, digits and dashes.",
    )
    kind: Literal["github", "gitlab"] = Field(description="`github` or `gitlab`.")
    api_url: ForgeUrl = Field(
        default="https://api.github.com",
        description="the REST API's address; GitHub Enterprise Server: https://HOST/api/v3;"
        " GitLab: https://HOST/api/v4, https://gitlab.com/api/v4 when left out.",
    )
    clone_url: ForgeUrl | None = Field(
        default=None, description="where git fetches from; derived from `api_url` when left out."
    )
    token: Reference | None = Field(
        default=None, description="where the bot's token is: `env://NAME` or `file:///path`."
    )
    app: AppCredentials | None = Field(
        default=None, description="a GitHub App: `id` and `private_key`, instead of `token`."
    )
    webhook_secret: Reference | None = Field(
        default=None, description="where the webhook secret is: `env://NAME` or `file:///path`."
    )
    timeout: int = Field(
        default=20, ge=1, le=300, description="seconds without an answer before a call is given up."
    )

    @model_validator(mode="before")
    @classmethod
    def _gitlab_com(cls, data: object) -> object:
        if isinstance(data, Mapping) and data.get("kind") == "gitlab" and "api_url" not in data:
            return {**data, "api_url": "https://gitlab.com/api/v4"}
        return data

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        if self.kind == "gitlab" and (self.app is not None or self.token is None):
            raise ValueError(GitLabWithoutToken())
        if self.kind == "gitlab" and not self.api_url.endswith("/api/v4"):
            raise ValueError(NotGitLabsApi())
        if (self.token is None) == (self.app is None):
            raise ValueError(CredentialsUnclear())
        return self

    @property
    def clone_base(self) -> str:
        """What `/{owner}/{name}.git` is appended to: GitLab's API is `https://HOST/api/v4`.

        GitHub's API is `https://api.github.com` beside `https://github.com`, on GitHub
        Enterprise Server `https://HOST/api/v3` beside `https://HOST` (GitHub's REST
        documentation, "Getting started").
        """
        if self.clone_url:
            return self.clone_url
        if self.kind == "gitlab":
            return self.api_url.removesuffix("/api/v4")
        if self.api_url == "https://api.github.com":
            return "https://github.com"
        return self.api_url.removesuffix("/api/v3")
