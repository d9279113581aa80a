"""What somebody changed at a real provider is written into the code, and a plan proves it."""

from __future__ import annotations

from pathlib import Path

import pytest

from prbot.drift.adopt import SENSITIVE, Code, adopt, unproven, wishes
from prbot.plans.plan import parse

PARAMETER = """
resource "aws_ssm_parameter" "setting" {
  name        = "/p"
  type        = "String"
  value       = "declared"
  description = "ours" # says what it is for

  tags = {
    Team = "net"
  }
}
"""


@pytest.fixture
def planned(make_run, tool, aws_root_module, tmp_path: Path):
    """Plan this code, or apply it; answers with the plan's JSON."""
    head = aws_root_module(tmp_path / "state.tfstate").partition('resource "aws_s3_bucket"')[0]

    async def plan(name: str, code: str, *, apply: bool = False) -> bytes:
        run = make_run(name, head + code)
        await tool.init(run)
        await tool.plan(run, run.root / "plan")
        shown = await tool.show(run, run.root / "plan")
        if apply:
            assert (await tool.apply(run, run.root / "plan")).ok
        return shown

    return plan


async def test_adopt(planned, aws_client) -> None:
    """It changes two literals, leaves the sensitive one, and the plan of that changes neither."""
    await planned("first", PARAMETER, apply=True)
    ssm = aws_client("ssm")
    ssm.put_parameter(
        Name="/p", Value="by-hand", Type="String", Description="${theirs}", Overwrite=True
    )
    ssm.add_tags_to_resource(
        ResourceType="Parameter", ResourceId="/p", Tags=[{"Key": "Team", "Value": "edge"}]
    )
    asked = wishes(parse(await planned("drifted", PARAMETER)))
    found = adopt(Code({"live/main.tf": PARAMETER.encode()}, "live"), asked)
    expected = PARAMETER.replace('"ours"', '"$${theirs}"').replace('"net"', '"edge"')
    assert found.files["live/main.tf"].decode() == expected
    assert {wish.attribute for wish in found.done} == {"description", "tags"}
    assert [(one.attribute, one.why) for one in found.refused] == [("value", SENSITIVE)]
    before = parse(await planned("before", PARAMETER))
    assert {wish.attribute for wish in unproven(before, found.done)} == {"description", "tags"}
    after = parse(await planned("after", expected))
    assert unproven(after, found.done) == ()
    assert [wish.attribute for wish in wishes(after)] == ["value"]
