"""What prbot says when something is wrong, a module for each thing it may be about.

Every error that a person may meet is a `PrbotError`: the class docstring is the
sentence, with the error's fields filled in; `hint` is the next step. All wording
for people therefore stands in this package and nowhere else.

The classes are not frozen: contextlib and the interpreter write `__traceback__` on an
exception that passes through them, and a frozen one would be lost there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(eq=False)
class PrbotError(Exception):
    """Something went wrong."""

    hint: ClassVar[str] = ""

    def __str__(self) -> str:
        return _fill(self.__doc__ or "", self)

    @property
    def next_step(self) -> str:
        """The hint with the error's fields filled in; empty when there is none."""
        return _fill(self.hint, self)


def _fill(template: str, error: PrbotError) -> str:
    values = {each.name: getattr(error, each.name) for each in fields(error)}
    return " ".join(template.split()).format(**values)


@dataclass(eq=False)
class Unforeseen(PrbotError):
    """prbot met something it did not foresee: {kind}: {text}"""

    kind: str
    text: str
    hint = "Run it again with PRBOT_DEBUG=1 in the environment, and report the traceback it shows."
