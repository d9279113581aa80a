"""What a forge refuses, as pure functions over its records.

The limits and sentences are GitHub's, because clients meet them on the wire:
https://docs.github.com/rest and, for protected branches,
https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository.
"""

from __future__ import annotations

from prbot.demo.customs import Customs
from prbot.demo.state import Level, Protection, Pull, Repository, Review
from prbot.errors.demo import DemoForgeRefused

TITLE_LIMIT = 256
"""Characters of an issue's title."""
REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def check_comment(body: object, limit: int) -> str:
    """`limit` is in characters."""
    if not isinstance(body, str) or not body.strip():
        raise invalid("IssueComment", "body", "body can't be blank", code="missing_field")
    if len(body) > limit:
        raise invalid("IssueComment", "body", f"body is too long (maximum is {limit} characters)")
    return body


def check_title(title: str, body: str, limit: int) -> tuple[str, str]:
    """Of an issue; GitHub takes 256 characters, and of the body `limit`."""
    if not title.strip():
        raise invalid("Issue", "title", "title can't be blank", code="missing_field")
    if len(title) > TITLE_LIMIT:
        raise invalid("Issue", "title", f"title is too long (maximum is {TITLE_LIMIT} characters)")
    if len(body) > limit:
        raise invalid("Issue", "body", f"body is too long (maximum is {limit} characters)")
    return title, body


def check_status(
    state: str, description: str | None, target_url: str | None, customs: Customs
) -> None:
    line_limit = customs.line_limit
    if state not in customs.states:
        raise invalid("Status", "state", "state is not included in the list", code="invalid")
    if description is not None and len(description) > line_limit:
        most = f"description is too long (maximum is {line_limit} characters)"
        raise invalid("Status", "description", most)
    _check_web_address(target_url)


def _check_web_address(url: str | None) -> None:
    if url and not url.startswith(("http://", "https://")):
        raise invalid("Status", "target_url", "target_url must use http(s) scheme")


def check_reaction(content: object) -> str:
    if not isinstance(content, str) or content not in REACTIONS:
        raise invalid("Reaction", "content", "content is not included in the list", code="invalid")
    return content


def demand(repo: Repository, login: str, level: Level) -> None:
    """Refuse an account that may do less than `level`; a hidden repository is unknown."""
    has = repo.level(login)
    if has is Level.NONE:
        raise not_found()
    if has < level:
        raise DemoForgeRefused(403, f"Must have {level.word} rights to Repository.")


def invalid(resource: str, field: str, message: str, code: str = "custom") -> DemoForgeRefused:
    """GitHub's 422 with one entry in its `errors`."""
    error = {"resource": resource, "field": field, "code": code, "message": message}
    return DemoForgeRefused(422, message, (error,))


def unprocessable(message: str) -> DemoForgeRefused:
    """GitHub's other 422, whose `errors` are plain sentences."""
    return DemoForgeRefused(422, message, (message,))


def not_found() -> DemoForgeRefused:
    return DemoForgeRefused(404, "Not Found")


def deciding_reviews(pull: Pull) -> dict[str, Review]:
    """The latest review of each person that approves or asks for changes.

    A dismissed review no longer counts, and an earlier one does not come back.
    """
    latest = {review.user.login: review for review in pull.reviews if review.state != "COMMENTED"}
    return {login: review for login, review in latest.items() if review.state != "DISMISSED"}


def merge_blockers(pull: Pull, up_to_date: bool, by: Level) -> list[str]:
    """Why the base branch's protection refuses a merge; empty when it does not."""
    protection = pull.repo.protections.get(pull.base_branch)
    if protection is None or (by is Level.ADMIN and not protection.enforce_admins):
        return []
    return [
        *_missing_checks(pull, protection),
        *_missing_approvals(pull, protection),
        *(["Head branch is out of date."] if protection.strict and not up_to_date else []),
    ]


def _missing_checks(pull: Pull, protection: Protection) -> list[str]:
    # a check and a status of one name are both required:
    # https://docs.github.com/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/troubleshooting-required-status-checks
    states = {s.context: s.state for s in pull.repo.latest_statuses(pull.head_sha)}
    for run in pull.repo.latest_checks(pull.head_sha):
        if states.get(run.name, "success") == "success":
            states[run.name] = run.state
    reasons = {None: "expected", "pending": "pending", "failure": "failing", "error": "failing"}
    return [
        f'Required status check "{context}" is {reasons[states.get(context)]}.'
        for context in protection.required_checks
        if states.get(context) != "success"
    ]


def _missing_approvals(pull: Pull, protection: Protection) -> list[str]:
    counting = [
        review
        for login, review in deciding_reviews(pull).items()
        if pull.repo.level(login) >= Level.WRITE
    ]
    if protection.required_approvals and any(r.state == "CHANGES_REQUESTED" for r in counting):
        return ["Changes have been requested."]
    approvals = sum(review.state == "APPROVED" for review in counting)
    if approvals >= protection.required_approvals:
        return []
    wanted = protection.required_approvals
    noun = "review is" if wanted == 1 else "reviews are"
    return [f"At least {wanted} approving {noun} required by reviewers with write access."]
