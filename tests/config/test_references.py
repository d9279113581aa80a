"""References to secrets: accepted forms, and how they are fetched."""

import pytest

from prbot.config.references import check_reference, resolve, variable
from prbot.errors.server import EmptySecret

FILES = {"/run/token": "from-file\n", "rel/x": "from-rel", "/empty": "", "/blank": " \n"}


def read(path: str) -> str:
    if path == "/binary":
        return b"\xff".decode()
    if path not in FILES:
        raise FileNotFoundError(path)
    return FILES[path]


@pytest.mark.parametrize(
    ("reference", "secret"),
    [
        ("env://TOKEN", "from-env"),
        ("file:///run/token", "from-file"),
        ("file://rel/x", "from-rel"),
        ("env://LINES", "a\nb"),
    ],
)
def test_resolve(reference: str, secret: str) -> None:
    """It fetches the secret from the environment or a file, without line ends around it."""
    environ = {"TOKEN": "from-env", "LINES": "a\nb\n"}
    assert resolve(check_reference(reference), environ, read) == secret


@pytest.mark.parametrize(
    "reference",
    [
        "env://ABSENT",
        "env://EMPTY",
        "file:///absent",
        "file:///empty",
        "file:///blank",
        "file:///binary",
    ],
)
def test_nothing_there(reference: str) -> None:
    """It says which reference leads nowhere, and never goes on with an empty secret."""
    with pytest.raises(EmptySecret) as caught:
        resolve(reference, {"EMPTY": ""}, read)
    assert str(caught.value) == (
        f"The setting {reference} is missing: the place it points to is absent, unreadable or "
        "empty."
    )


NO_REFERENCES = [
    "",
    "hunter2",
    "env://",
    "env://A B",
    "env://1",
    "ENV://A",
    "file://",
    "file:// x",
    "aws-sm://name#key",
    "https://example.com",
    " env://A",
    "env://A\n",
]


@pytest.mark.parametrize("text", NO_REFERENCES)
def test_no_reference(text: str) -> None:
    """It takes everything else for a secret in clear, and refuses it."""
    with pytest.raises(ValueError, match="in clear"):
        check_reference(text)


def test_variable() -> None:
    """It tells which environment variable holds a secret, if one does."""
    assert [variable("env://A"), variable("file:///a"), variable(None)] == ["A", None, None]
