"""The titles of issues: plain text, which no forge renders."""

from __future__ import annotations

from prbot.runs.say import IssueMessage, OverrideIssue


def issue_title(message: IssueMessage) -> str:
    if isinstance(message, OverrideIssue):
        return f"Applied with an override: pull request {message.number}"
    return f"Applied, but not merged: pull request {message.number}"
