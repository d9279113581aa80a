"""Values against a pydantic model, with errors that name line, key and remedy.

Both configuration files end here, so that they speak alike. No error ever repeats a
value: what stands in the wrong place of a configuration file may be a secret.
"""

from __future__ import annotations

import difflib
import types
from collections import abc
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from prbot.config.document import Place
from prbot.errors import PrbotError
from prbot.errors.configuration import MissingKey, MisspeltKey, NotHonoured, UnknownKey, WrongValue


class Section(BaseModel):
    """Part of a configuration file: immutable, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=Section)

Later = Mapping[Place, frozenset[str]]
"""By place (list indices left out): keys that other versions of prbot honour."""
NOTHING_LATER: Later = types.MappingProxyType({})


def check(
    model: type[S],
    value: object,
    locate: Callable[[Place, PrbotError], PrbotError],
    later: Later = NOTHING_LATER,
) -> S:
    """Validate, or raise what `locate` makes of the first problem (in file order).

    A key named in `later` is called not honoured rather than unknown.
    """
    try:
        return model.model_validate({} if value is None else value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        place, problem = _first(model, details, later)
        raise locate(place, problem) from None


def _first(
    model: type[Section], details: list[ErrorDetails], later: Later
) -> tuple[Place, PrbotError]:
    # an unknown key comes first: it often explains why another one is missing
    chosen = min(details, key=lambda detail: detail["type"] != "extra_forbidden")
    return chosen["loc"], _problem(model, chosen, later)


def _problem(model: type[Section], detail: ErrorDetails, later: Later) -> PrbotError:
    place = detail["loc"]
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, ValueError) and cause.args and isinstance(cause.args[0], PrbotError):
        return cause.args[0]
    if detail["type"] == "extra_forbidden":
        return _unknown(model, place, later)
    what = _described(model, place)
    if detail["type"] == "missing":
        return MissingKey(spell(place), what)
    return WrongValue(spell(place), _expectation(detail), what)


def _unknown(model: type[Section], place: Place, later: Later) -> PrbotError:
    key = str(place[-1])
    if key in later.get(_shape(place[:-1]), frozenset()):
        return NotHonoured(spell(place))
    known = sorted(fields_at(model, place[:-1]))
    guesses = difflib.get_close_matches(key.lower(), known, n=1)
    return MisspeltKey(key, guesses[0]) if guesses else UnknownKey(key, ", ".join(known))


def spell(place: Place) -> str:
    """`("forges", 0, "token")` as people write it: `forges[0].token`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "the file"


def _shape(place: Place) -> Place:
    return tuple(part for part in place if isinstance(part, str))


_PLAIN_WORDS = {
    "model_type": "it is not a mapping of keys to values",
    "tuple_type": "it is not a list",
    "frozen_set_type": "it is not a list",
    "string_type": "it is not a text",
    "too_short": "it is empty",
}


def _expectation(detail: ErrorDetails) -> str:
    """Our words where pydantic's speak of Python, else pydantic's own."""
    message = detail["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    return _PLAIN_WORDS.get(detail["type"], message[:1].lower() + message[1:])


def _described(model: type[Section], place: Place) -> str:
    """The description of the field at `place`, or of the nearest enclosing one."""
    while place:
        field = fields_at(model, place[:-1]).get(str(place[-1]))
        if field is not None and field.description:
            return f"`{spell(place)}`: {field.description}"
        place = place[:-1]
    return "A configuration file is a mapping of keys to values."


def fields_at(model: type[BaseModel], place: Place) -> Mapping[str, FieldInfo]:
    """The fields a section at `place` may have, by the names they have in files."""
    annotation: Any = model
    for part in place:
        annotation = _inside(annotation, part)
    section = _model_in(annotation)
    if section is None:
        return {}
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _inside(annotation: Any, part: str | int) -> Any:
    """The annotation of what stands at `part` of a value with this one; None: unknown."""
    if isinstance(part, int):
        return annotation  # `_model_in` looks into lists by itself
    values = _mapping_of(annotation)
    if values is not None:
        return values
    section = _model_in(annotation)
    fields = section.model_fields.items() if section else ()
    found = (field.annotation for name, field in fields if part in (name, field.alias))
    return next(found, None)


def _mapping_of(annotation: Any) -> Any | None:
    """The values' annotation of a mapping with keys of people's choice."""
    if get_origin(annotation) in (dict, abc.Mapping):
        return get_args(annotation)[1]
    if get_origin(annotation) in (Annotated, Union, types.UnionType):
        found = (_mapping_of(argument) for argument in get_args(annotation))
        return next((values for values in found if values is not None), None)
    return None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The section inside `Section | None`, `tuple[Section, ...]` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Annotated, Union, types.UnionType, tuple, list):
        found = (_model_in(argument) for argument in get_args(annotation))
        return next((model for model in found if model), None)
    return None
