"""What prbot says of its demo."""

from __future__ import annotations

from dataclasses import dataclass, field

from prbot.errors import PrbotError


@dataclass(eq=False)
class DemoMisused(PrbotError):
    """These options do not fit: {problem}."""

    problem: str
    hint = "See prbot demo --help."


@dataclass(eq=False)
class DemoStepFailed(PrbotError):
    """The story stopped at "{step}": {seen}."""

    step: str
    seen: str
    hint = "Run `prbot demo` without --script and look at the pull request's page."


@dataclass(eq=False)
class DemoForgeRefused(PrbotError):
    """The demo forge answered {status}: {message}"""

    status: int
    message: str
    errors: tuple[dict[str, str] | str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    hint = "The sentences are GitHub's; it would have refused as well."


@dataclass(eq=False)
class DemoGitFailed(PrbotError):
    """The demo forge's `git {command}` failed: {output}"""

    command: str
    output: str
    hint = "The demo needs git 2.38 or newer, with `git http-backend`."
