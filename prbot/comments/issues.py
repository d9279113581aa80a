"""The titles of issues: plain text, which no forge renders."""

from __future__ import annotations

from prbot.runs.say import IssueMessage


def issue_title(message: IssueMessage) -> str:
    return f"Applied, but not merged: pull request {message.number}"
