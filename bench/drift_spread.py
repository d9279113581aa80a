"""How a thousand projects spread over a night: checks that begin in each ten minutes of the
usual window, as a histogram, beside what an even spread would be.

    python -m bench.drift_spread
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

from prbot.config.drift import DriftSettings
from prbot.drift.schedule import SPREAD, moment_in, next_night

PROJECTS = 1_000
SLOT = timedelta(minutes=10)
WIDTH = 60


def main() -> int:
    night = next_night(DriftSettings().night, datetime(2026, 3, 4, 12, 0, tzinfo=UTC))
    names = (f"github:acme/infra envs/{number}" for number in range(PROJECTS))
    slots = Counter((moment_in(night, name) - night.begin) // SLOT for name in names)
    even = PROJECTS / ((night.end - night.begin) * SPREAD / SLOT)
    most = max(slots.values())
    for slot in range((night.end - night.begin) // SLOT):
        at, count = night.begin + slot * SLOT, slots[slot]
        print(f"{at:%H:%M}  {count:4}  {'#' * round(WIDTH * count / most)}")
    print(f"most in ten minutes: {most}, {most / even:.2f} times an even spread ({even:.1f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
