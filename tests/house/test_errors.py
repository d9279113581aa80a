"""Every error reads as a sentence, with a next step that names real fields."""

import importlib
import pkgutil
import re
import string
from contextlib import contextmanager
from dataclasses import fields

import pytest

from prbot import errors
from prbot.errors.git import CannotFetch, UnsafePath

for chapter in pkgutil.iter_modules(errors.__path__, "prbot.errors."):
    importlib.import_module(chapter.name)


def kinds(kind: type[errors.PrbotError] = errors.PrbotError) -> list[type[errors.PrbotError]]:
    below = [each for child in kind.__subclasses__() for each in kinds(child)]
    return [kind, *below]


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_wording(kind: type[errors.PrbotError]) -> None:
    """It says something of its own, and names only fields it has."""
    assert kind.__doc__
    assert not kind.__doc__.startswith(f"{kind.__name__}("), "the docstring is missing"
    known = {field.name for field in fields(kind)}
    assert placeholders(kind.__doc__) <= known
    assert placeholders(kind.hint) <= known


def test_used(sources) -> None:
    """It has no error that nothing raises."""
    code = "".join(source.text for source in sources if not source.name.startswith("prbot.errors"))
    unused = [kind.__name__ for kind in kinds() if not re.search(rf"\b{kind.__name__}\b", code)]
    assert unused == []


def test_values_are_not_templates() -> None:
    """It shows braces in a value as they are."""
    error = CannotFetch("acme/{x}", "{0} {cause}")
    assert str(error) == "The repository acme/{x} could not be fetched: {0} {cause}."


def test_passes_through_context_managers() -> None:
    """It arrives unchanged after it passed a generator-based context manager."""

    @contextmanager
    def door():
        yield

    with pytest.raises(UnsafePath), door():
        raise UnsafePath("a")
