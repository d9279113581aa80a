"""The templates, in the words of one forge, and what they may call.

Jinja's own escaping is for HTML and is off; instead the environment refuses to print anything
that `neutral` has not made `Safe`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from jinja2 import Environment, PackageLoader, StrictUndefined

from prbot.comments import drift_words, neutral, view, words
from prbot.comments.budget import Budget
from prbot.comments.commands import command_for
from prbot.comments.customs import Customs
from prbot.comments.in_code import first_place
from prbot.comments.known_errors import advice
from prbot.comments.left_behind import import_blocks
from prbot.comments.neutral import Safe
from prbot.comments.renamed import moved_blocks
from prbot.comments.tool_words import tool_words
from prbot.runs.run import Trouble

_WORDS = (
    words.plural,
    words.age_words,
    words.total_words,
    words.result_words,
    words.beside_words,
    words.with_words,
    words.bold,
    words.number,
    words.is_are,
    words.its_their,
    words.was_were,
    words.tools,
    words.serial_words,
    words.sizes,
    words.short_sha,
    drift_words.ignored,
    drift_words.told_values,
    drift_words.newest,
    drift_words.to_look_at,
    drift_words.verdict_counts,
    drift_words.versions_before,
    drift_words.moment,
    drift_words.day,
)


@cache
def environment(customs: Customs) -> Environment:
    """Made once for each forge's customs."""
    made = Environment(
        loader=_Spoken(customs),
        autoescape=False,  # noqa: S701 - Markdown, not HTML; `finalize` lets only Safe through
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_only_safe,
    )
    filters = (
        neutral.code,
        neutral.cell,
        neutral.prose,
        neutral.fence,
        neutral.html_code,
        neutral.mention,
    )
    made.filters |= {function.__name__: function for function in filters}
    made.filters["told"] = partial(_told, customs)
    made.globals |= {
        **{function.__name__: function for function in _WORDS},
        "cut": view.cut,
        "tool_words": _tool_words,
        "command_for": command_for,
        "import_blocks": import_blocks,
        "moved_blocks": moved_blocks,
        "advice": advice,
        "first_place": first_place,
        "link": neutral.link,
    }
    return made


class _Spoken(PackageLoader):
    """The templates in the words of one forge."""

    def __init__(self, customs: Customs) -> None:
        super().__init__("prbot.comments")
        self._customs = customs

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool] | None]:
        source, path, current = super().get_source(environment, template)
        return self._customs.template(source), path, current


def _told(customs: Customs, text: str, longest: int = 600) -> Safe:
    """`prose` for a sentence of our own."""
    return neutral.prose(customs.told(text), longest)


def _tool_words(trouble: Trouble, budget: Budget) -> tuple[str, str]:
    return tool_words(trouble, budget.text)


def _only_safe(value: object) -> object:
    # numbers cannot do harm; a macro's result is made of what was let through before
    if isinstance(value, Safe | int):
        return value
    raise TypeError(f"a template prints {type(value).__name__} that was not neutralised")
