"""Every key is documented, with its default."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from prbot.config.declared import ProjectEntry
from prbot.config.per_repository import RepositoryRule
from prbot.config.repo import RepoConfig
from prbot.config.server import ForgeConfig, ServerConfig

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()


def keys(model: type[BaseModel], prefix: str = "") -> dict[str, object]:
    """Dotted keys of a model and its sections, with their defaults."""
    found: dict[str, object] = {}
    for python, field in model.model_fields.items():
        name = field.alias or python
        if isinstance(field.default, BaseModel):
            found |= keys(type(field.default), f"{prefix}{name}.")
        else:
            found[prefix + name] = field.default
    return found


@pytest.mark.parametrize(
    "model", [ServerConfig, ForgeConfig, RepositoryRule, RepoConfig, ProjectEntry]
)
def test_keys(model: type[BaseModel]) -> None:
    """It lists each key of each file."""
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    documented = set("".join(rows).split("`")[1::2]) | {"app"}
    assert [key for key in keys(model) if key not in documented] == []


@pytest.mark.parametrize(
    "key", ["listen", "limits.job_timeout", "limits.max_payload", "limits.plan_age", "state_dir"]
)
def test_defaults(key: str) -> None:
    """It states the defaults that hold."""
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{key}` |"))
    assert row.split("|")[2].strip(" `") == str(keys(ServerConfig)[key]).removesuffix(".0")
