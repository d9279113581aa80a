"""Which version a project wants: who speaks first, and what must hold besides."""

import pytest

from prbot.config.versions import ANY, Version, constraint, version
from prbot.errors import PrbotError
from prbot.errors.tools import BadRequiredVersion, BadVersionFile, NoToolVersion, TooManyRequired
from prbot.projects.tool_choice import (
    Demand,
    Required,
    Wanted,
    best,
    exactly,
    version_files,
    wanted,
)

THERE = tuple(
    v
    for text in [
        "0.15.5",
        "1.5.7",
        "1.6.0",
        "1.8.5",
        "1.9.7",
        "1.9.8",
        "1.10.0-rc1",
        "1.10.5",
        "1.11.4",
        "2.0.0",
    ]
    if (v := version(text))
)


def own(text: str | None) -> Demand | None:
    return None if text is None else Demand(constraint(text), "prbot.yaml")


def required(*texts: str) -> list[Required]:
    return [Required(text, f"a/{n}.tf", n) for n, text in enumerate(texts, 1)]


CASES = [
    # own, version files, required_version, default -> taken
    (None, {}, [], None, "2.0.0"),
    (None, {}, [], "~> 1.9.0", "1.9.8"),
    (None, {}, ["~> 1.5.0"], None, "1.5.7"),
    (None, {}, [">= 1.5"], "1.9.7", "1.9.7"),
    (None, {}, ["~> 1.5.0"], "1.9.7", "1.5.7"),  # the default gives way
    (None, {}, ["~> 1.5.0"], ">= 1.9", "1.5.7"),
    (None, {}, [">= 1.5", "< 1.9"], None, "1.8.5"),  # all of the root's files
    ("1.9.7", {}, [], "1.8.5", "1.9.7"),
    ("1.9.7", {}, [">= 1.5"], None, "1.9.7"),
    ("~> 1.9.0", {}, ["!= 1.9.8"], None, "1.9.7"),
    ("v1.9.7", {}, [], None, "1.9.7"),
    ("1.10.0-rc1", {}, [], None, "1.10.0-rc1"),
    (None, {".terraform-version": "1.6.0\n"}, [], "1.9.7", "1.6.0"),
    (None, {"a/.terraform-version": "v1.6.0", ".terraform-version": "1.5.7"}, [], None, "1.6.0"),
    (None, {".terraform-version": "# ours\n\n 1.6.0 # stable\n1.5.7"}, [], None, "1.6.0"),
    (None, {".terraform-version": "\ufeff1.6.0\r\n"}, [], None, "1.6.0"),
    (None, {".terraform-version": "~> 1.9.0"}, [], None, "1.9.8"),
    (None, {".terraform-version": "latest"}, ["~> 1.5.0"], "1.9.7", "1.5.7"),
    (None, {".terraform-version": "latest-allowed"}, ["< 1.9"], None, "1.8.5"),
    (None, {".terraform-version": "\n# nothing\n"}, [], "1.9.7", "1.9.7"),
    (None, {".tool-versions": "nodejs 20.1.0\nterraform 1.6.0 1.5.7\n"}, [], None, "1.6.0"),
    (None, {".tool-versions": "opentofu 1.6.0\nterraform-docs 0.1.0"}, [], "1.9.7", "1.9.7"),
    (None, {".tool-versions": "terraform system"}, ["< 1.6"], None, "1.5.7"),
    (None, {"a/.tool-versions": "nodejs 20", ".terraform-version": "1.6.0"}, [], None, "1.6.0"),
    ("1.9.7", {".terraform-version": "1.6.0"}, [], None, "1.9.7"),  # the project's own wins
    ("1.9.7", {".terraform-version": "nonsense"}, [], None, "1.9.7"),
    (None, {}, ["> 2"], None, None),  # nothing there
]


@pytest.mark.parametrize(("mine", "files", "needs", "default", "taken"), CASES)
def test_taken(
    mine: str | None, files: dict[str, str], needs: list[str], default: str | None, taken: str
) -> None:
    """It takes the newest of what the first to speak and every `required_version` allow."""
    found = wanted("terraform", own(mine), files, required(*needs), own(default))
    assert str(best(found, ANY, THERE)) == str(taken)


BAD = [
    (None, {".terraform-version": "min-required"}, [], BadVersionFile),
    (None, {".terraform-version": "latest:^1.5"}, [], BadVersionFile),
    (None, {"a/.terraform-version": "1.6.0; rm -rf /"}, [], BadVersionFile),
    (None, {".tool-versions": "terraform"}, [], BadVersionFile),
    (None, {".tool-versions": "terraform ref:main"}, [], BadVersionFile),
    (None, {".terraform-version": "../../../bin/sh"}, [], BadVersionFile),
    (None, {}, ["soon"], BadRequiredVersion),
    ("1.9.7", {}, [""], BadRequiredVersion),
    ("1.9.7", {}, ["~> 1.5.0"], NoToolVersion),
    (None, {".terraform-version": "1.6.0"}, ["!= 1.6.0"], NoToolVersion),
    (None, {}, ["< 1.5", "> 1.6"], NoToolVersion),
    ("0.14.11", {}, [], NoToolVersion),  # cannot `plan -json`
    (None, {}, [f">= 1.{n}" for n in range(21)], TooManyRequired),
]


@pytest.mark.parametrize(("mine", "files", "needs", "error"), BAD)
def test_refused(
    mine: str | None, files: dict[str, str], needs: list[str], error: type[PrbotError]
) -> None:
    """It says what cannot be meant, and what contradicts itself."""
    with pytest.raises(error):
        wanted("terraform", own(mine), files, required(*needs))


def test_said_again() -> None:
    """It counts what is said in many files once."""
    assert wanted("terraform", None, {}, required(*[">= 1.5"] * 500)).words.count("1.5") == 1


def test_says_where() -> None:
    """It names file and line."""
    with pytest.raises(BadVersionFile, match=r"a/\.terraform-version, line 2: `soon`"):
        wanted("terraform", None, {"a/.terraform-version": "#\nsoon"}, [])
    with pytest.raises(BadRequiredVersion, match=r"a/1\.tf, line 1: .*`>> 1`"):
        wanted("terraform", None, {}, required(">> 1"))
    told = r"`1\.9\.7` in prbot\.yaml and `~> 1\.5\.0` in a/1\.tf, line 1"
    with pytest.raises(NoToolVersion, match=told):
        wanted("terraform", own("1.9.7"), {}, required("~> 1.5.0"))


def test_shows_no_control_characters() -> None:
    """It repeats of a file what can be shown, and not too much."""
    with pytest.raises(BadVersionFile) as caught:
        wanted("terraform", None, {".terraform-version": "\x1b[31m" + "x" * 1000}, [])
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_tofu() -> None:
    """It asks OpenTofu's own file and asdf's name for it."""
    files = {".opentofu-version": "1.8.5"}
    assert wanted("tofu", None, files, []).exact == Version((1, 8, 5))
    files = {".tool-versions": "terraform 1.5.7\nopentofu 1.9.7"}
    assert wanted("tofu", None, files, []).exact == Version((1, 9, 7))


@pytest.mark.parametrize(
    ("directory", "tool", "files"),
    [
        (".", "terraform", (".terraform-version", ".tool-versions")),
        (
            "envs/prod",
            "tofu",
            (
                "envs/prod/.opentofu-version", "envs/prod/.tool-versions",
                "envs/.opentofu-version", "envs/.tool-versions",
                ".opentofu-version", ".tool-versions",
            ),
        ),
    ],
)  # fmt: skip
def test_version_files(directory: str, tool: str, files: tuple[str, ...]) -> None:
    """It looks in the project's directory first, and upward to the repository's root."""
    assert version_files(directory, tool) == files


@pytest.mark.parametrize(
    ("bound", "taken"),
    [(">= 1.5, < 1.9", "1.8.5"), ("~> 1.9.0", "1.9.8"), ("> 2", "None"), ("1.10.0-rc1", "None")],
)
def test_bound(bound: str, taken: str) -> None:
    """It takes nothing that the server does not allow, nor a pre-release nobody asked for."""
    assert str(best(Wanted(), constraint(bound), THERE)) == taken


def test_exactly() -> None:
    """It wants again what a plan was made with."""
    again = exactly("terraform 1.10.0-rc1")
    assert again is not None
    assert str(best(again, ANY, THERE)) == "1.10.0-rc1"
    assert exactly("terraform unknown") is None
    assert exactly("rm 1.0.0") is None
