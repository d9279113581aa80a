"""Changes real states alone: records what exists, and forgets it."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from prbot.adapters.terraform import Terraform
from prbot.errors.plans import ToolFailed
from prbot.runs.state_look import Recorded, StateLook

CODE = 'resource "terraform_data" "web" {\n  for_each = toset(["a b"])\n}\n'
ADDRESS = 'terraform_data.web["a b"]'
ID = "11111111-2222-3333-4444-555555555555"


async def test_import_and_forget(tool: Terraform, make_job) -> None:
    """It records an object under its address, and takes it out again; a dry run does neither."""
    run = make_job(CODE).run
    await tool.init(run)
    assert "Import successful!" in await tool.import_object(run, ADDRESS, ID)
    assert (await tool.look(run)).recorded == (Recorded(ADDRESS, ID),)
    assert "Would remove terraform_data.web" in await tool.forget(run, (ADDRESS,), ("-dry-run",))
    assert (await tool.look(run)).recorded == (Recorded(ADDRESS, ID),)
    assert "Successfully removed 1" in await tool.forget(run, (ADDRESS,))
    assert (await tool.look(run)).recorded == ()


async def refused(change: Awaitable[str]) -> str:
    """The tool's own words."""
    with pytest.raises(ToolFailed) as caught:
        await change
    return " ".join(caught.value.output.split())


async def test_what_cannot_be_done(tool: Terraform, make_job) -> None:
    """It says why, and leaves the state as it was."""
    run = make_job(CODE).run
    await tool.init(run)
    assert "does not exist" in await refused(tool.import_object(run, "terraform_data.x", ID))
    assert "No state file was found" in await refused(tool.forget(run, ("terraform_data.other",)))
    assert "Must begin with a variable name" in await refused(tool.import_object(run, "-help", ID))
    assert (await tool.look(run)).recorded == ()


async def test_state_lock(tool: Terraform, make_job, state_server) -> None:
    """It does nothing while somebody else holds the state's lock."""
    job = make_job(CODE, kept=False)
    job.write(state_server.backend("x"), "backend.tf")
    await tool.init(job.run)
    state_server.locks["x"] = {"ID": "somebody-elses", "Who": "ann"}
    assert "state lock" in await refused(tool.import_object(job.run, ADDRESS, ID))
    assert "state lock" in await refused(tool.forget(job.run, (ADDRESS,)))
    state_server.locks.clear()
    assert await tool.look(job.run) == StateLook((), None)
