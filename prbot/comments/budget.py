"""How much of everything a comment may hold, from all of it down to the bare necessities.

`render` goes down the ladder until the comment fits. What no rung takes away: the counts,
the number of deletions, the next command and the marker.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """`sections` projects in full, `rows` in the table; per project `lost` replacements and
    deletions, `items` of every other list, `lines` of each resource's diff; `text`
    characters of the tool's output; `name` characters of a name (sentences: three times)."""

    sections: int
    rows: int
    lost: int
    items: int
    lines: int
    text: int
    name: int

    @property
    def names(self) -> int:
        """Of projects that are told together; they stand in running text."""
        return 2_000 if self.rows >= 500 else self.rows

    @property
    def notices(self) -> int:
        return min(self.items, 10)

    @property
    def sentence(self) -> int:
        return 3 * self.name


LADDER = (
    Budget(100, 500, 200, 300, 200, 30_000, 300),
    Budget(100, 300, 150, 200, 60, 10_000, 300),
    Budget(60, 200, 100, 120, 30, 6_000, 240),
    Budget(40, 150, 60, 80, 12, 3_000, 200),
    Budget(25, 100, 40, 50, 6, 1_500, 160),
    Budget(25, 100, 40, 50, 0, 800, 160),
    Budget(12, 60, 25, 25, 0, 600, 120),
    Budget(6, 40, 15, 10, 0, 400, 100),
    Budget(3, 20, 8, 5, 0, 300, 80),
    Budget(1, 10, 5, 3, 0, 200, 60),
    Budget(1, 5, 3, 1, 0, 100, 40),
    Budget(0, 3, 1, 1, 0, 0, 30),
    Budget(0, 0, 0, 0, 0, 0, 20),
)
"""For one project, the last rungs still name it in the headline."""
ROOMY = Budget(1_000, 3_000, 3_000, 3_000, 1_000, 200_000, 300)
"""One rung more, where a comment holds far more than GitHub's: what goes on in further comments
there is one here."""
GITHUB_LIMIT = 65_536


def ladder_for(limit: int) -> tuple[Budget, ...]:
    """`limit` is in characters."""
    return (ROOMY, *LADDER) if limit > GITHUB_LIMIT else LADDER
