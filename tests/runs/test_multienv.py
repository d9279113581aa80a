"""What `multienv` commands print, by Atlantis's documentation and by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prbot.errors.workflows import BadMultiEnv
from prbot.runs.multienv import variables

READ = [
    ("", {}),
    (" \n", {}),
    ("A=1", {"A": "1"}),
    ("EnvVar1Name=value1,EnvVar2Name=value2\n", {"EnvVar1Name": "value1", "EnvVar2Name": "value2"}),
    ("A=v=1=", {"A": "v=1="}),
    ("A==", {"A": "="}),
    ("A=", {"A": ""}),
    ("A=,B=2", {"A": "", "B": "2"}),
    ('A=""', {"A": ""}),
    ("A=''", {"A": ""}),
    ('A="one,two",B=3', {"A": "one,two", "B": "3"}),
    ("A='one,two',B=3", {"A": "one,two", "B": "3"}),
    ('A="line\nline"', {"A": "line\nline"}),
    (r'A="no\nbreak"', {"A": r"no\nbreak"}),
    (r'A="a\"b"', {"A": 'a"b'}),
    (r"A=a\"b", {"A": 'a"b'}),
    (r"A='a\'b'", {"A": r"a\'b"}),
    ("A=a'b", {"A": "a'b"}),
    ("A='{\"id\": [1, 2]}'", {"A": '{"id": [1, 2]}'}),
    (r'A="{\"id\": \"C:\\\\x\"}"', {"A": r'{"id": "C:\\x"}'}),
    ("A=1,A=2", {"A": "2"}),
    ("A=two words", {"A": "two words"}),
]


@pytest.mark.parametrize(("printed", "read"), READ)
def test_read(printed: str, read: dict[str, str]) -> None:
    """It reads names and values as Atlantis does."""
    assert variables(printed) == read


REFUSED = [
    "BAD KEY", "NAME", "A=1,rest", "A=1,", "A='open", 'A="open', "A=\"open'", 'A=a"b', "1A=x",
    "A B=x", "=x", "A=1, B=2", "A=1\nB=2", 'A="x"y,B=2', "A='x' ,B=2", "export A=1", '{"A": "1"}',
]  # fmt: skip


@pytest.mark.parametrize("printed", REFUSED)
def test_refused(printed: str) -> None:
    """It sets nothing at all when it cannot read all."""
    with pytest.raises(BadMultiEnv):
        variables(printed)


def test_values_stay_unsaid() -> None:
    """It repeats nothing of what was printed but names: the rest may be a secret."""
    with pytest.raises(BadMultiEnv) as caught:
        variables('A=s3cr3t-one,B="s3cr3t-two')
    assert "s3cr3t" not in str(caught.value) + caught.value.next_step
    with pytest.raises(BadMultiEnv) as caught:
        variables("s3cr3t-three")
    assert "s3cr3t" not in str(caught.value)


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True)


@given(st.dictionaries(NAMES, st.text(alphabet="ab,=' \n", max_size=6), max_size=4))
def test_quoted_values_come_back(wanted: dict[str, str]) -> None:
    """It gives back any value without quotes or backslashes that stands in quotes."""
    printed = ",".join(f'{name}="{value}"' for name, value in wanted.items())
    assert variables(printed) == wanted
