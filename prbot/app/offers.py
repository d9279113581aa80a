"""What the operator's settings let people have of each tool."""

from __future__ import annotations

from collections.abc import Mapping

from prbot.adapters.process import find
from prbot.adapters.release_sites import site_of
from prbot.adapters.releases import Releases
from prbot.adapters.signatures import keys_in
from prbot.adapters.terraform_setup import find_command
from prbot.adapters.tools import Offer
from prbot.config.declared import Tool
from prbot.config.server_tools import OneTool, Tools
from prbot.config.versions import ANY, constraint
from prbot.errors.tools import ToolMissing


def offers_of(config: Tools, terraform: str | None, search_path: str) -> Mapping[str, Offer]:
    """By tool; `terraform` is the configured path of its binary.

    Raises ToolMissing for a configured binary that is not there, and when nothing is
    installed nor downloaded; KeyNotReadable for a configured file that holds no key.
    """
    installed = {
        Tool.TERRAFORM: _terraform(terraform, search_path),
        Tool.TOFU: _tofu(config.tofu.path, search_path),
    }
    offered = {tool: installed[tool] for tool in Tool if tool in config.allowed}
    if not config.download and not any(offered.values()):
        raise ToolMissing(f"{' or '.join(sorted(offered))} on PATH")
    settings: dict[Tool, OneTool] = {Tool.TERRAFORM: config.terraform, Tool.TOFU: config.tofu}
    return {
        tool.value: Offer(
            tool.value,
            command,
            constraint(text) if (text := settings[tool].versions) else ANY,
            _releases(config, tool, settings[tool]) if config.download else None,
        )
        for tool, command in offered.items()
    }


def _terraform(path: str | None, search_path: str) -> tuple[str, ...] | None:
    try:
        return find_command(path, search_path)
    except ToolMissing:
        if path:
            raise
        return None


def _tofu(path: str | None, search_path: str) -> tuple[str, ...] | None:
    found = find(path or "tofu", search_path)
    if found is None and path:
        raise ToolMissing(path)
    return None if found is None else (found,)


def _releases(config: Tools, tool: Tool, its: OneTool) -> Releases:
    if its.signing_key is not None and config.check_signatures:
        keys_in(its.signing_key)
    return Releases(site_of(tool.value, its.mirror, its.signing_key), config.check_signatures)
