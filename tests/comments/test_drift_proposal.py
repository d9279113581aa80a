"""What a pull request of prbot's own says: all that was written, and what was not and why."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from prbot.comments.drift_proposal import MOST_ROWS, proposal_body
from prbot.config.drift import Proposal, Reaction
from prbot.drift.adopt import Refusal
from prbot.drift.issue import Found
from prbot.drift.proposing import LONGEST_TITLE, Proposed, branch_of, is_of_drift, title_of
from prbot.model import Login, ProjectKey
from prbot.plans.threeway import Verdict

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False, "html": True})
PROJECT = ProjectKey("live/net", "default")
TOLD = Proposed(
    Proposal.ADOPT,
    PROJECT,
    (),
    Login("alice"),
    written=("aws_sqs_queue.q, delay_seconds", "aws_sqs_queue.q, tags"),
    following=("aws_sqs_queue.q, tags_all",),
    refused=(
        Refusal(
            "aws_vpc.v",
            "cidr",
            "the value of `cidr` comes from `var.cidr`",
            "change it where that gets its value",
            "live/net/main.tf",
            7,
        ),
        Refusal("aws_vpc.w", None, "the object is gone", "delete its block by hand"),
    ),
)
SAID = """\
Somebody changed by hand what `live/net` declares. @alice wants it kept: this pull request \
writes what is live into the code, and its own plan, below, has to show no change of it any more.

Written into the code:

- `aws_sqs_queue.q, delay_seconds`
- `aws_sqs_queue.q, tags`

Not in the code, and expected to follow from that:

- `aws_sqs_queue.q, tags_all`

**Left to you**, because prbot changes literals only where they stand once:

- `aws_vpc.v, cidr` (`live/net/main.tf:7`): the value of `cidr` comes from `var.cidr`; \
change it where that gets its value.
- `aws_vpc.w`: the object is gone; delete its block by hand.

A merge applies what the plan says. Close this pull request to leave the code as it is.
"""


def test_says() -> None:
    """It tells what was written, what follows, and what is left to people and why."""
    assert proposal_body(TOLD) == SAID


ROW = Found("aws_sqs_queue.q", "tags", Verdict.REVERTS, Reaction.OPEN_PR, None, '"a|b"', "null")
PUT_BACK = """\
Somebody changed by hand what `live/net` declares. By rule it is put back: this pull request \
changes no file, because the code says already what is wanted. Its own plan, below, is what it \
does; review that.

| what | lives now | is put back to |
|---|---|---|
| `aws_sqs_queue.q, tags` | <code>&#34;a&#124;b&#34;</code> | `null` |

`prbot apply` or a merge carries it out, as in any pull request. Close this one to leave what \
runs as it is.
"""


def test_says_of_a_revert() -> None:
    """It tells what is put back to what."""
    assert proposal_body(Proposed(Proposal.REVERT, PROJECT, (ROW,))) == PUT_BACK
    many = proposal_body(Proposed(Proposal.REVERT, PROJECT, (ROW,) * 20, Login("alice")))
    assert "@alice wants it put back" in many
    assert f"… and {20 - MOST_ROWS} more" in many


@settings(max_examples=50)
@given(st.text(max_size=700), st.integers(0, 3 * MOST_ROWS))
def test_fits(name: str, count: int) -> None:
    """It fits every forge, whatever the names, and lets nobody be called but who asked."""
    refused = tuple(Refusal(name, name, name, name, name, 1) for _ in range(count))
    told = Proposed(Proposal.ADOPT, PROJECT, (), None, (name,) * count, (name,) * count, refused)
    rows = (Found(name, name, Verdict.REVERTS, Reaction.ALERT, None, name, name),) * count
    for each in (told, Proposed(Proposal.REVERT, PROJECT, rows)):
        _holds_together(proposal_body(each))


def _holds_together(body: str) -> None:
    assert len(body.encode("utf-16-le")) // 2 <= 65_536
    tokens = [part for each in MARKDOWN.parse(body) for part in (each, *(each.children or ()))]
    html = [token.content for token in tokens if token.type.startswith("html")]
    assert set(html) <= {"<code>", "</code>"}
    said = "".join(token.content for token in tokens if token.type == "text")
    assert "@" not in said
    assert "<" not in said


BRANCHES = {
    "prbot/drift/adopt/live-net-": PROJECT,
    "prbot/drift/adopt/root-": ProjectKey(".", "default"),
    "prbot/drift/adopt/a-b-": ProjectKey("a..b~^:?*[\\", "default"),
}


@pytest.mark.parametrize("begin", BRANCHES)
def test_branch(begin: str) -> None:
    """It is safe as a ref, the same each time, and another project's is another."""
    branch = branch_of(Proposal.ADOPT, BRANCHES[begin])
    assert branch.startswith(begin) or begin.startswith("prbot/drift/adopt/root")
    assert is_of_drift(branch)
    assert set(branch) <= set("abcdefghijklmnopqrstuvwxyz0123456789-/")
    others = {branch_of(Proposal.REVERT, BRANCHES[begin]), branch_of(Proposal.ADOPT, OTHER)}
    assert branch not in others


OTHER = ProjectKey("live/net", "blue")


def test_title() -> None:
    """It is one line that every forge takes, whatever the directory is called."""
    title = title_of(Proposed(Proposal.REVERT, ProjectKey("a\nb" * 400, "default"), ()))
    assert len(title) == LONGEST_TITLE
    assert title.isprintable()
