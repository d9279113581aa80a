"""What people of each forge read: its noun and its sign, in our own words alone."""

import pytest

from prbot.comments.customs import GITHUB, GITLAB, Customs
from prbot.comments.render import render
from prbot.model import Login, ProjectKey, PullRef, RepoRef
from prbot.runs.say import Reason, Refusal, Settled

OURS = [
    ("the pull request is a draft", "the merge request is a draft"),
    ("Pull requests of others", "Merge requests of others"),
    ("applied with pull request 12", "applied with merge request !12"),
    ("`d` is held by pull request 7", "`d` is held by merge request !7"),
    ("the check `pull request 12` is not green", "the check `pull request 12` is not green"),
    ("a pull requester", "a pull requester"),
    ("nothing is applied in a merge queue", "nothing is applied in a merge train"),
    ("merge queues", "merge queues"),
]


@pytest.mark.parametrize(("ours", "theirs"), OURS)
def test_told(ours: str, theirs: str) -> None:
    """It says merge request on GitLab, leaves code as it is, and changes nothing on GitHub."""
    assert GITLAB.told(ours) == theirs
    assert GITHUB.told(ours) == ours


@pytest.mark.parametrize(
    ("source", "theirs"),
    [
        ("this pull request holds {{ n }}", "this merge request holds {{ n }}"),
        ("pull request {{ message.number }} was", "merge request `!{{ message.number }}` was"),
        ("Other pull requests", "Other merge requests"),
    ],
)
def test_template(source: str, theirs: str) -> None:
    """It says the same of templates; a number there is code, so that nothing is referred to."""
    assert GITLAB.template(source) == theirs
    assert GITHUB.template(source) == source


@pytest.mark.parametrize(
    ("customs", "number", "place"),
    [(GITHUB, 7, "acme/infra#7"), (GITLAB, 7, "acme/infra!7"), (GITLAB, -7, "acme/infra")],
)
def test_place(customs: Customs, number: int, place: str) -> None:
    """It names one as people there write it, and what is in none by its repository."""
    pull = PullRef(RepoRef("hub", "acme/infra"), number)
    assert customs.place(pull) == place
    assert customs.named(pull) == f"{customs.noun} hub:{place}"


def test_rendered() -> None:
    """It says so of templates and of what they print, which stays neutral."""
    reason = Reason("locks", "`d` is held by pull request 7", "wait until that pull request ends")
    messages = (
        Refusal("apply", Login("ann"), (reason,)),
        Settled((ProjectKey("d", "default"),), 12),
    )
    texts = [render(message, marker="prbot:x", customs=GITLAB) for message in messages]
    assert "`d` is held by merge request `!7`" in texts[0]
    assert "Settled by merge request `!12`" in texts[1]
    assert not any("pull request" in text for text in texts)
