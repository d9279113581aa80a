"""Lets the tables of this directory share `scenes`, which builds worlds in one line each."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
