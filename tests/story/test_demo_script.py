"""The whole story, as `prbot demo --script` plays it for a person."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable

STEPS = (
    "open: planned and commented",
    "open: the check is green",
    "plan: answered with a new comment",
    "push: planned again",
    "apply: refused without approval",
    "approve, apply: staging applied",
    "merge: production applied on merge",
    "merge: held, the plan is not the reviewed one",
    "accept: the held plan is applied",
)


async def test_demo_script(need: Callable[[str], None], forge_kind: str) -> None:
    """It prints each step with its time and exits 0, on either forge."""
    need("terraform")
    words = ("demo", "--script", "--forge", forge_kind)
    demo = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "prbot", *words, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await demo.communicate()
    text = out.decode()
    assert demo.returncode == 0, text
    for step in STEPS:
        assert re.search(rf"^ +\d+\.\d s  {re.escape(step)}", text, re.MULTILINE), (step, text)
