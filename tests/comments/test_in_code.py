"""Addresses of lines of code, from the address of a pull request's page."""

from __future__ import annotations

import pytest

from prbot.comments.in_code import blob_url, first_place
from prbot.comments.neutral import link
from prbot.model import ProjectKey, Sha
from prbot.runs.run import Flaw, Trouble

HEAD = Sha("1" * 40)
GITHUB = "https://github.com/acme/infra/pull/7"


@pytest.mark.parametrize(
    ("page", "path", "url"),
    [
        (GITHUB, "a/main.tf", f"https://github.com/acme/infra/blob/{HEAD}/a/main.tf#L3"),
        (
            "https://gitlab.example/g/sub/infra/-/merge_requests/7",
            "main.tf",
            f"https://gitlab.example/g/sub/infra/-/blob/{HEAD}/main.tf#L3",
        ),
        (
            "http://127.0.0.1:8080/acme/infra/pull/7",
            "a b/(x)@#é.tf",
            f"http://127.0.0.1:8080/acme/infra/blob/{HEAD}/a%20b/%28x%29%40%23%C3%A9.tf#L3",
        ),
        ("", "main.tf", ""),
        ("https://github.com/acme/infra", "main.tf", ""),
        ("javascript:alert(1)/pull/7", "main.tf", ""),
    ],
)
def test_addresses(page: str, path: str, url: str) -> None:
    """It knows the ways of both forges, and makes no link elsewhere."""
    assert blob_url(page, HEAD, path, 3) == url


@pytest.mark.parametrize(
    ("flaws", "path"),
    [
        ((("main.tf", 3),), "app/main.tf"),
        ((("../modules/m/main.tf", 3),), "modules/m/main.tf"),
        (((".terraform/modules/x/main.tf", 3), ("b.tf", 1)), "app/b.tf"),
        ((("/etc/main.tf", 3),), None),
        ((), None),
    ],
)
def test_the_first_place(flaws: tuple[tuple[str, int], ...], path: str | None) -> None:
    """It names the first file that is one of the repository."""
    trouble = Trouble("no", flaws=tuple(Flaw(file, at, at, True, "s") for file, at in flaws))
    found = first_place(trouble, ProjectKey("app"), GITHUB, HEAD)
    assert (found.path if found else None) == path


@pytest.mark.parametrize(
    ("url", "live"),
    [
        (f"https://github.com/acme/infra/blob/{HEAD}/a.tf#L3", True),
        ("https://e.example/a)[x](b", False),
        ("javascript:alert(1)", False),
        ("https://e.example/a b", False),
        ("https://e.example/" + "a" * 2_000, False),
        ("", False),
    ],
)
def test_links(url: str, live: bool) -> None:
    """It links to plain addresses only; else the text stands by itself."""
    assert link("a`b", url) == (f"[``a`b``]({url})" if live else "``a`b``")
