"""The real AWS provider under the Terraform adapter."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from prbot.adapters import process
from prbot.adapters.terraform import Terraform
from prbot.errors.plans import ToolFailed


async def test_bucket_and_parameter(
    tool: Terraform, make_run, aws_root_module, aws_client, tmp_path: Path
) -> None:
    """It plans and applies a bucket and a parameter, and both are there afterwards."""
    hcl = aws_root_module(tmp_path / "state.tfstate", bucket="logs", parameter="/app/mode")
    run = make_run("one", hcl)
    plan_file = run.root / "plan"
    init = await tool.init(run)
    assert b"registry.terraform.io/hashicorp/aws" in init.lock_file
    assert not init.state_is_lost
    await tool.plan(run, plan_file)
    shown = json.loads(await tool.show(run, plan_file))
    assert {c["address"]: c["change"]["actions"] for c in shown["resource_changes"]} == {
        "aws_s3_bucket.logs": ["create"],
        "aws_ssm_parameter.setting": ["create"],
    }
    assert (await tool.apply(run, plan_file)).ok
    assert [b["Name"] for b in aws_client("s3").list_buckets()["Buckets"]] == ["logs"]
    answer = aws_client("ssm").get_parameter(Name="/app/mode")
    assert answer["Parameter"]["Value"] == "v"


async def test_empty_at_first(aws_client) -> None:
    """It starts every test with an empty cloud."""
    assert aws_client("s3").list_buckets()["Buckets"] == []


async def test_inits_at_once(tool: Terraform, make_run, aws_root_module, tmp_path: Path) -> None:
    """It shares one plugin cache between inits that start together."""
    names = ("a", "b", "c")
    runs = [make_run(name, aws_root_module(tmp_path / f"{name}.tfstate")) for name in names]
    results = await asyncio.gather(*(tool.init(run) for run in runs))
    assert len({result.lock_file for result in results}) == 1


async def test_plugins_end_with_the_tool(
    tool: Terraform, make_run, aws_root_module, tmp_path: Path
) -> None:
    """It ends the provider's processes too when a plan is cut short at once, and works in
    a data directory whose path is too long for the provider's socket."""
    called, talks = asyncio.Event(), []

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        talks.append(asyncio.current_task())
        try:
            await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    ssm = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    hcl = aws_root_module(tmp_path / "state.tfstate", ssm=ssm)
    run = make_run("one", hcl + 'data "aws_ssm_parameter" "slow" {\n  name = "/x"\n}\n')
    run = replace(run, data_dir=run.data_dir / ("d" * 60))
    await tool.init(run)
    planning = asyncio.create_task(replace(tool, grace=0.0).plan(run, run.root / "plan"))
    async with server, asyncio.timeout(60):
        await called.wait()
        (running,) = process.leftovers(run.data_dir)
        assert len(_living(running.pid)) > 1
        planning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await planning
        assert _living(running.pid) == []
        await asyncio.gather(*talks, return_exceptions=True)


def _living(session: int) -> list[str]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(stat.parent.name)
    return found


async def test_provider_that_nobody_has(tool: Terraform, make_run) -> None:
    """It does not look for a version elsewhere when the mirror holds the provider."""
    run = make_run(
        "one",
        'terraform {\n  required_providers {\n    aws = {\n      source  = "hashicorp/aws"\n'
        '      version = "99.0.0"\n    }\n  }\n}\n',
    )
    with pytest.raises(ToolFailed) as caught:
        await tool.init(run)
    assert "no available releases match" in caught.value.output
