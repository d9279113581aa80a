"""What of a step's output people read."""

import pytest

from prbot.config.workflows import OutputOption, RunStep
from prbot.runs.step_output import processed

PLAN = "a: Refreshing state...\nb: Refreshing state... [id=1]\n\nPlan: 1 to add\n"
SECRET = 'name = "x"\nmySecret: "foo"\nother: "bar"\n'
CASES = [
    # output, text, what is shown, what is shown when the step failed
    ([], PLAN, PLAN, PLAN),
    ("show", PLAN, PLAN, PLAN),
    ("hide", PLAN, "", PLAN),
    ("strip_refreshing", PLAN, "\nPlan: 1 to add\n", "\nPlan: 1 to add\n"),
    ("strip_refreshing", "Refreshing state...\nend", "end", "end"),
    ("strip_refreshing", "nothing of it", "nothing of it", "nothing of it"),
    (["strip_refreshing", "hide"], PLAN, "", "\nPlan: 1 to add\n"),
    (
        [{"filter_regex": '((?i)secret:\\s")[^"]*'}],
        SECRET,
        'name = "x"\nmySecret: "<redacted>"\nother: "bar"\n',
        'name = "x"\nmySecret: "<redacted>"\nother: "bar"\n',
    ),
    ([{"filter_regex": "foo"}, {"filter_regex": "<red"}], "foo", "<redacted>acted>", None),
    ([{"filter_regex": "(a)b(c)"}], "abc abc", "a<redacted>c a<redacted>c", None),
    ([{"filter_regex": "a(b)?(c)?"}], "a", "<redacted>", None),
    (["hide", {"filter_regex": "key=[0-9]+"}], "key=42 x", "", "<redacted> x"),
]


@pytest.mark.parametrize(("output", "text", "shown", "failed"), CASES)
def test_processed(output: object, text: str, shown: str, failed: str | None) -> None:
    """It shows, hides, cuts and masks as Atlantis does, and explains a failure."""
    options: tuple[OutputOption, ...] = RunStep.model_validate(
        {"command": "x", "output": output}
    ).output
    assert processed(text, options, failed=False) == shown
    assert processed(text, options, failed=True) == (shown if failed is None else failed)


@pytest.mark.parametrize("expression", [".*password.*=.*", "(?i).+key.+:.+", "a*a*a*a*b"])
def test_hostile_output(expression: str) -> None:
    """It masks in a moment whatever was printed: nothing else goes on meanwhile."""
    options = (OutputOption(filter_regex=expression),)
    text = ("password" * 1000 + "key" * 1000 + "a" * 20_000)[:32_000]
    assert processed(text, options, failed=False) == text
