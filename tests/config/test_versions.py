"""Versions and constraints, as Terraform's documentation and hashicorp/go-version have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.config.versions import ANY, Version, allowed, can_be_met, constraint, version
from prbot.errors.configuration import BadConstraint


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1.9.8", "1.9.8"),
        ("v1.9.8", "1.9.8"),
        ("1.9", "1.9.0"),
        ("1", "1.0.0"),
        ("1.10.0-rc1", "1.10.0-rc1"),
        ("1.10.0-alpha20240807", "1.10.0-alpha20240807"),
        ("1.9.8+ent", "1.9.8"),
        ("1.9.8-beta.2+build.5", "1.9.8-beta.2"),
        ("01.9.8", "1.9.8"),
        ("", None),
        ("1.9.8.7", None),
        ("1.9.x", None),
        ("latest", None),
        ("-1.9", None),
        ("1..9", None),
        ("1.9.8-", None),
        ("1.9.8\n", None),
        ("１.9.8", None),
        ("1.9.8/../../etc", None),
        ("9" * 400, None),
    ],
)
def test_version(text: str, read: str | None) -> None:
    """It reads what go-version reads, up to three numbers."""
    assert str(version(text)) == str(read)


ORDER = [
    "0.15.3", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
    "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.9.0", "1.10.0-rc1", "1.10.0", "2.0.0",
]  # fmt: skip


def test_order() -> None:
    """It sorts as semver.org says (item 11), numbers as numbers."""
    shuffled = ORDER[::-1]
    assert sorted(shuffled, key=lambda text: version(text) or Version((0, 0, 0))) == ORDER


@pytest.mark.parametrize(
    ("text", "fit", "unfit"),
    [
        ("1.9.8", "1.9.8", "1.9.7 1.9.9 1.10.0"),
        ("= 1.9.8", "1.9.8", "1.9.9"),
        ("=v1.9", "1.9.0", "1.9.1"),
        ("!= 1.9.8", "1.9.7 2.0.0", "1.9.8"),
        ("> 1.9", "1.9.1 2.0.0", "1.9.0 1.8.9"),
        (">= 1.9", "1.9.0 1.10.0", "1.8.9"),
        ("< 1.9", "1.8.9 0.13.0", "1.9.0"),
        ("<= 1.9.8", "1.9.8 1.0.0", "1.9.9"),
        ("~> 1.9.5", "1.9.5 1.9.12", "1.9.4 1.10.0 2.0.0"),
        ("~> 1.9", "1.9.0 1.10.0", "1.8.0 2.0.0"),
        ("~> 1", "1.0.0 1.11.0 2.0.0", "0.15.0"),
        ("~> 1.0.0", "1.0.11", "1.1.0"),
        (">= 1.2.0, < 2.0.0", "1.2.0 1.11.4", "1.1.9 2.0.0"),
        (">=1.2.0,<2.0.0,!=1.5.0", "1.4.9 1.5.1", "1.5.0"),
        ("  >=   1.2.0  ", "1.2.0", "1.1.9"),
        # pre-releases only where they are named exactly
        (">= 1.9", "1.10.0", "1.10.0-rc1"),
        ("~> 1.10.0-rc1", "1.10.0", "1.10.0-rc2"),
        ("!= 1.9.8", "1.9.9", "1.10.0-rc1"),
        ("1.10.0-rc1", "1.10.0-rc1", "1.10.0 1.10.0-rc2"),
        ("= 1.10.0-rc1, >= 1.9", "1.10.0-rc1", "1.10.0"),
        ("< 1.10.0-rc1", "1.9.9", "1.10.0 1.10.0-beta1"),
        (">= 1.10.0-rc1", "1.10.0", "1.9.9"),
    ],
)
def test_constraint(text: str, fit: str, unfit: str) -> None:
    """It allows what the documentation says, and nothing else."""
    found = constraint(text)
    answers = {
        each: allowed([found], version(each) or Version((0, 0, 0)))
        for each in f"{fit} {unfit}".split()
    }
    assert [each for each, yes in answers.items() if yes] == fit.split()


@pytest.mark.parametrize(
    "text",
    ["", ",", "1.9,", "=> 1.9", "~ 1.9", "> ", ">= 1.9 < 2", "^1.9", "1.9 || 2", "latest", "1.9.*",
     ">= ${var.v}", "> > 1", "1.9;rm", ">= 1." + "9" * 300],
)  # fmt: skip
def test_refused(text: str) -> None:
    """It refuses what is no constraint."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its argument says it
        constraint(text)
    assert isinstance(caught.value.args[0], BadConstraint)


def test_any() -> None:
    """It allows every release, and no pre-release that nobody named."""
    candidate = Version((1, 10, 0), "rc1")
    assert allowed([ANY], Version((0, 1, 0)))
    assert not allowed([ANY], candidate)
    assert allowed([ANY, constraint(">= 1.9"), constraint("1.10.0-rc1")], candidate)


@pytest.mark.parametrize(
    ("texts", "can"),
    [
        ([], True),
        ([">= 1.9", "< 1.9"], False),
        ([">= 1.9", "<= 1.9"], True),
        (["> 1.9", "< 1.9.1"], False),
        (["> 1.9", "< 1.9.2"], True),
        (["~> 1.5.0", ">= 1.6"], False),
        (["~> 1.5", ">= 1.6"], True),
        (["1.9.8", "~> 1.9.0"], True),
        (["1.9.8", "1.9.7"], False),
        (["1.9.8", "!= 1.9.8"], False),
        ([">= 1.9", "!= 1.9.0", "!= 1.9.1", "< 1.9.2"], False),
        ([">= 1.9", "!= 1.9.0", "!= 1.9.1", "< 1.9.3"], True),
        (["= 1.10.0-rc1", ">= 1.9"], True),
        ([">= 1.10.0-rc1", "< 1.10.0"], False),
        (["< 1.0.0"], True),
        (["< 0.0.0"], False),
        ([">= 2", "~> 1.0"], False),
    ],
)
def test_can_be_met(texts: list[str], can: bool) -> None:
    """It tells whether a version could meet all of them."""
    assert can_be_met(map(constraint, texts)) is can


def test_very_many() -> None:
    """It takes no longer than the conditions are many."""
    excluded = ", ".join(f"!=1.0.{n}" for n in range(15))
    texts = [excluded, *(f"!= 1.0.{n}" for n in range(20_000)), ">= 1.0", "< 1.1"]
    assert can_be_met(map(constraint, texts))
    assert not can_be_met(map(constraint, [*texts, "< 1.0.19999"]))


VERSIONS = st.builds(
    Version,
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)),
    st.sampled_from(["", "", "", "rc1"]),
)
CONDITIONS = st.builds(
    "{} {}".format, st.sampled_from(["=", "!=", ">", ">=", "<", "<=", "~>"]), VERSIONS
)


@given(st.lists(CONDITIONS, min_size=1, max_size=4), VERSIONS)
def test_what_is_allowed_can_be_met(texts: list[str], found: Version) -> None:
    """It never says that nothing meets what something meets, however it is written."""
    apart, together = [constraint(text) for text in texts], constraint(", ".join(texts))
    if allowed(apart, found):
        assert can_be_met(apart)
    if allowed([together], found):
        assert can_be_met([together])


@given(VERSIONS)
def test_reads_its_own_words(found: Version) -> None:
    """It reads a version that it wrote, and names it exactly."""
    assert version(str(found)) == found
    assert constraint(f"= {found}").exact == found
