"""The page about Atlantis says of each key what prbot does with it."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from prbot.config.atlantis import AtlantisFile
from prbot.config.atlantis_flags import FLAGS
from prbot.config.atlantis_server import ReposFile
from prbot.config.atlantis_words import REPO, SERVER, Meaning
from prbot.config.check import Section, fields_at

PAGE = (Path(__file__).parents[2] / "docs" / "atlantis.md").read_text()


def rows(heading: str) -> dict[str, tuple[str, str]]:
    """Each key of the table below a heading, with its verdict and its words."""
    chapter = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (text,) = (part for part in chapter if part.startswith(heading))
    found = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            keys, verdict, words = (cell.strip() for cell in line.strip("|").split(" | "))
            found |= {key: (verdict, words.strip()) for key in re.findall(r"`([^`]+)`", keys)}
    return found


@pytest.mark.parametrize(
    ("heading", "table", "prefix"),
    [("`atlantis.yaml`", REPO, ""), ("`repos.yaml`", SERVER, ""), ("Flags", FLAGS, "--")],
)
def test_table(heading: str, table: Mapping[str, Meaning], prefix: str) -> None:
    """It has a row for each key, with the words that prbot itself uses."""
    assert rows(heading) == {
        prefix + key: (meaning.verdict.value, meaning.words) for key, meaning in table.items()
    }


def keys(model: type[Section], shape: str = "", place: tuple[str, ...] = ()) -> set[str]:
    """The dotted keys of a model, lists as `[]`, without what mappings hold."""
    found = set()
    for name, field in fields_at(model, place).items():
        spelled = f"{shape}{name}"
        inner = fields_at(model, (*place, name))
        if not inner:
            found.add(spelled)
        else:
            many = "tuple" in str(field.annotation)
            found |= keys(model, f"{spelled}{'[]' if many else ''}.", (*place, name))
    return found


@pytest.mark.parametrize(("model", "table"), [(AtlantisFile, REPO), (ReposFile, SERVER)])
def test_no_key_without_meaning(model: type[Section], table: Mapping[str, Meaning]) -> None:
    """It means something by every key that the files may have."""
    inside = ("hooks[]", "external_stores.")
    missing = {key for key in keys(model) if key not in table}
    assert {key for key in missing if not any(word in key for word in inside)} == set()
