"""What differs from forge to forge in what people read: how much a comment holds, and what a
pull request is called.

Our own words are written as GitHub says them; `Customs.told` says them as the forge's people
do. Code spans stay as they are, for they hold others' words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from prbot.model import PullRef

_OURS = re.compile(
    r"`[^`]*`|\b(?P<initial>[Pp])ull request(?P<many>s?)\b(?P<number> (?=[0-9]))?"
    r"|\b(?P<queue>merge queue)\b"
)
_NUMBERED = re.compile(r"\b([Pp]ull request) (\{\{ [\w.]+ \}\})")


@dataclass(frozen=True)
class Customs:
    """`room` is in characters, less than the forge takes, because what is hidden afterwards
    may make a text longer. `noun` has two words, `sign` stands before its number, and `mark`
    between a repository and that; `queue` is where what is to be merged stands in line."""

    room: int = 60_000
    noun: str = "pull request"
    sign: str = ""
    mark: str = "#"
    queue: str = "merge queue"

    def told(self, text: str) -> str:
        """Our own sentence in the words of this forge."""
        return text if self == GITHUB else _OURS.sub(self._one, text)

    def place(self, pull: PullRef) -> str:
        """As people write it: `acme/infra#7`, `acme/infra!7`. What is in no pull request (a
        merge queue's commit, a look at the default branch) is of the repository."""
        path = pull.repo.path
        return f"{path}{self.mark}{pull.number}" if pull.number > 0 else path

    def named(self, pull: PullRef) -> str:
        """In a sentence, with the forge's name: `merge request lab:acme/infra!7`."""
        return f"{self.noun} {pull.repo.forge}:{self.place(pull)}"

    def template(self, source: str) -> str:
        """The same of a template, all of whose words are ours; numbers become code, so that
        no forge makes references of them."""
        if self == GITHUB:
            return source
        numbered = _NUMBERED.sub(rf"\1 `{self.sign}\2`", source)
        for word in ("pull request", "Pull request"):
            numbered = numbered.replace(word, self._like(word[0]))
        return numbered

    def _one(self, match: re.Match[str]) -> str:
        if match["queue"]:
            return self.queue
        if not match["initial"]:
            return match[0]
        number = f" {self.sign}" if match["number"] else ""
        return f"{self._like(match['initial'])}{match['many']}{number}"

    def _like(self, initial: str) -> str:
        return self.noun.capitalize() if initial.isupper() else self.noun


GITHUB = Customs()
"""GitHub takes 65,536 characters."""
GITLAB = Customs(room=900_000, noun="merge request", sign="!", mark="!", queue="merge train")
"""GitLab takes 1,000,000: https://docs.gitlab.com/administration/instance_limits/"""
BY_KIND = {"github": GITHUB, "gitlab": GITLAB}
