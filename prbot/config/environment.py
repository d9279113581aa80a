"""`PRBOT_…` variables laid over the operator's file.

The naming is pydantic-settings' own (prefix, `__` between levels, JSON for lists and
mappings), read by its `EnvSettingsSource` from the mapping it is given instead of from
the process: the core does not look at the environment by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import BaseModel
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError

from prbot.config.document import Place
from prbot.errors.configuration import NotJson
from prbot.errors.server import BadSetting

PREFIX = "PRBOT_"
SEPARATOR = "__"


@dataclass(frozen=True)
class Overrides:
    """Values from the environment, and the variable behind each place."""

    values: Mapping[str, object]
    names: Mapping[Place, str]

    def over(self, value: object) -> object:
        """`value` with these laid over it; mappings are merged, all else is replaced."""
        return _merged(value, self.values) if self.values else value


def overrides(model: type[BaseModel], environ: Mapping[str, str]) -> Overrides:
    """What `environ` sets of the fields of `model`. Raises BadSetting for broken JSON."""
    mine = {name: value for name, value in environ.items() if name.upper().startswith(PREFIX)}
    names = {_place(name): name for name in mine}
    try:
        values = _source(model, mine)()
    except SettingsError as error:
        raise _not_json(error, names) from None
    return Overrides(values, names)


def _source(model: type[BaseModel], environ: Mapping[str, str]) -> EnvSettingsSource:
    # the source asks its class for fields and model_config only, which every model has
    source = EnvSettingsSource(
        cast("type[BaseSettings]", model), env_prefix=PREFIX, env_nested_delimiter=SEPARATOR
    )
    source.env_vars = {name.lower(): value for name, value in environ.items()}
    return source


def _place(name: str) -> Place:
    """`PRBOT_LIMITS__GRACE` sets `("limits", "grace")`."""
    return tuple(name[len(PREFIX) :].lower().split(SEPARATOR))


def _not_json(error: SettingsError, names: Mapping[Place, str]) -> BadSetting:
    field = re.search(r'field "(\w+)"', str(error))
    name = names.get((field[1],) if field else ()) or f"{PREFIX}…"
    return BadSetting(name, str(NotJson()), NotJson().next_step)


def _merged(below: object, above: object) -> object:
    if not (isinstance(below, Mapping | None) and isinstance(above, Mapping)):
        return above
    below = below or {}
    both = {key: _merged(below[key], above[key]) for key in below.keys() & above.keys()}
    return {**below, **above, **both}
