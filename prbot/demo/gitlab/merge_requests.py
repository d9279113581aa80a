"""Merge requests: reading, approving and merging them, and the project's events."""

from __future__ import annotations

from datetime import date

from prbot.demo.gitlab import merge_shapes
from prbot.demo.gitlab.call import Answer, Call, bad
from prbot.demo.gitlab.merge_shapes import state_of
from prbot.demo.rules import deciding_reviews
from prbot.demo.state import MergeToCome, Pull
from prbot.demo.trains import pipeline_runs
from prbot.errors.demo import DemoForgeRefused

STATES = ("opened", "closed", "merged", "locked", "all")
OLDER = "merge_when_pipeline_succeeds"
"""What `auto_merge` was called before GitLab 17.11."""
DETAILS = {
    "unknown": "checking",
    "dirty": "conflict",
    "draft": "draft_status",
    "blocked": "not_approved",
    "behind": "need_rebase",
    "unstable": "mergeable",
    "clean": "mergeable",
}
"""GitLab's `detailed_merge_status` for the records' word."""


async def merge_requests(call: Call) -> Answer:
    """Filtered by `state`, `updated_after`, branches and author; sorted by creation or update,
    newest first."""
    wanted, since = call.query.get("state", "all"), call.time("updated_after")
    if wanted not in STATES:
        raise bad("state does not have a valid value")
    found = [p for p in call.repo.pulls.values() if wanted in ("all", state_of(p))]
    found = [p for p in found if since is None or p.updated_at >= since]
    found = [p for p in found if _is_asked(p, call)]
    by_update = call.query.get("order_by") == "updated_at"
    found.sort(
        key=lambda p: (p.updated_at if by_update else p.created_at, p.number),
        reverse=call.query.get("sort", "desc") == "desc",
    )
    return Answer([call.shapes.listed(pull) for pull in found])


def _is_asked(pull: Pull, call: Call) -> bool:
    told = {
        "source_branch": pull.head_branch,
        "target_branch": pull.base_branch,
        "author_username": pull.author.login,
    }
    return all(call.query.get(name, value) == value for name, value in told.items())


async def create(call: Call) -> Answer:
    """409 while another one is open for the branch; a title that says draft makes one."""
    source, target = call.text("source_branch"), call.text("target_branch")
    title, body = call.text("title"), call.text("description") or ""
    for name, value in (("source_branch", source), ("target_branch", target), ("title", title)):
        if not value:
            raise bad(f"{name} is missing")
    draft = (title or "").lower().startswith("draft:")
    words = ((title or "")[len("draft:") :].strip() if draft else title or "", body)
    made = await call.forge.propose(call.repo, call.login, source or "", target or "", words, draft)
    mergeable, _ = await call.forge.look_mergeable(made)
    return Answer(call.shapes.single(made, mergeable, "checking"), 201)


async def merge_request(call: Call) -> Answer:
    mergeable, state = await call.forge.look_mergeable(call.pull)
    detailed = DETAILS[state] if call.pull.open else "not_open"
    if state == "blocked" and _waits_for_checks(call.pull):
        detailed = "ci_still_running" if pipeline_runs(call.pull) else "ci_must_pass"
    elif detailed == "mergeable" and set(call.repo.external_checks.values()) - {"passed"}:
        detailed = "status_checks_must_pass"
    return Answer(call.shapes.single(call.pull, mergeable, detailed))


def _waits_for_checks(pull: Pull) -> bool:
    protection = pull.repo.protections.get(pull.base_branch)
    green = {s.context for s in pull.repo.latest_statuses(pull.head_sha) if s.state == "success"}
    return protection is not None and not set(protection.required_checks) <= green


async def update(call: Call) -> Answer:
    """A title that says draft makes one; `state_event` closes and reopens."""
    forge, pull, by = call.forge, call.pull, call.login
    if "remove_source_branch" in call.body:
        pull.remove_branch = call.flag("remove_source_branch")
    title, target = call.text("title"), call.text("target_branch")
    if title is not None:
        draft = title.lower().startswith("draft:")
        await forge.reword(pull, by, title[len("draft:") :].strip() if draft else title)
        if draft != pull.draft:
            await (forge.convert_to_draft if draft else forge.ready_for_review)(pull, by)
    if (body := call.text("description")) is not None:
        await forge.reword(pull, by, None, body)
    if target is not None and target != pull.base_branch:
        await forge.change_base(pull, by, target)
    if (event := call.text("state_event")) is not None:
        await {"close": forge.close, "reopen": forge.reopen}[event](pull, by)
    return await merge_request(call)


async def commits(call: Call) -> Answer:
    """Newest first."""
    found = [call.shapes.commit(call.repo, commit) for commit in reversed(call.pull.commits)]
    return Answer(found)


async def status_checks(call: Call) -> Answer:
    checks = sorted(call.pull.repo.external_checks.items())
    return Answer(
        [call.shapes.external_check(*check, number) for number, check in enumerate(checks)]
    )


async def versions(call: Call) -> Answer:
    """Newest first."""
    count = len(call.pull.heads)
    return Answer([call.shapes.version(call.pull, number) for number in reversed(range(count))])


async def approvals(call: Call) -> Answer:
    timed = call.forge.approvals_are_timed
    return Answer(call.shapes.approvals(call.pull, call.caller.user(), timed))


async def reviewers(call: Call) -> Answer:
    found = merge_shapes.reviewers(call.pull)
    return Answer([call.shapes.reviewer(call.pull, user) for user in found])


async def approve(call: Call) -> Answer:
    """401 for whoever has approved already, and 409 when `sha` is not the head."""
    pull, login = call.pull, call.login
    if (sha := call.text("sha")) not in (None, pull.head_sha):
        raise DemoForgeRefused(409, f"SHA does not match HEAD of source branch: {sha}")
    standing = deciding_reviews(pull).get(login)
    if standing is not None and standing.state == "APPROVED":
        raise DemoForgeRefused(401, "401 Unauthorized")
    await call.forge.review(pull, login, "APPROVE")
    return Answer(call.shapes.approvals(pull, call.caller.user()), 201)


async def unapprove(call: Call) -> Answer:
    standing = deciding_reviews(call.pull).get(call.login)
    if standing is None or standing.state != "APPROVED":
        raise DemoForgeRefused(404, "404 Not found")
    await call.forge.withdraw(standing)
    return Answer(call.shapes.approvals(call.pull, call.caller.user()), 201)


async def merge(call: Call) -> Answer:
    """405 for what cannot be merged, 409 when `sha` is not the head. With `auto_merge` it
    waits for a pipeline that runs."""
    pull: Pull = call.pull
    method = _method(call)
    if call.flag("should_remove_source_branch"):
        pull.remove_branch = True
    if (call.flag("auto_merge") or call.flag(OLDER)) and pipeline_runs(pull):
        call.forge.merge_by_itself(pull, MergeToCome(call.login, pull.head_sha, method))
        return Answer(call.shapes.single(pull, True, "ci_still_running"))
    try:
        words = call.text("merge_commit_message")
        title, _, body = (words or "").partition("\n\n")
        await call.forge.merge(pull, call.login, method, None, title or None, body or None)
    except DemoForgeRefused as refused:
        if refused.status == 405:
            pull.unknown_reads = 0  # whoever wants to merge makes GitLab find out
            raise DemoForgeRefused(405, "405 Method Not Allowed") from None
        raise
    mergeable, _ = await call.forge.look_mergeable(pull)
    return Answer(call.shapes.single(pull, mergeable, "not_open"))


async def board(call: Call) -> Answer:
    """403 where the project has no trains; with `auto_merge` once its pipeline has ended."""
    pull: Pull = call.pull
    if not call.repo.merge_trains:
        raise DemoForgeRefused(403, "403 Forbidden")
    method = _method(call)
    to_come = MergeToCome(call.login, pull.head_sha, method, by_train=True)
    pull.unknown_reads = 0  # as for a merge, GitLab finds out
    mergeable, state = await call.forge.look_mergeable(pull)
    if pull.to_come is not None:
        raise bad("Failed to merge")
    if (call.flag("auto_merge") or call.flag("when_pipeline_succeeds")) and pipeline_runs(pull):
        call.forge.merge_by_itself(pull, to_come)
    elif mergeable and state not in ("blocked", "draft"):
        await call.forge.board(pull, to_come)
    else:
        raise bad("Failed to merge")
    return Answer([call.shapes.car(pull)], 201)


async def trains(call: Call) -> Answer:
    """Those that are on one; of those that were merged (`scope=complete`) none is kept."""
    if not call.repo.merge_trains:
        raise DemoForgeRefused(403, "403 Forbidden")
    if call.query.get("scope", "active") not in ("active", "complete"):
        raise bad("scope does not have a valid value")
    active = call.query.get("scope") != "complete"
    found = [pull for pull in call.repo.pulls.values() if pull.train is not None and active]
    return Answer([call.shapes.car(p) for p in _ordered(found, call)])


def _ordered(pulls: list[Pull], call: Call) -> list[Pull]:
    return pulls if call.query.get("sort") == "asc" else pulls[::-1]


def _method(call: Call) -> str:
    """Raises DemoForgeRefused (409) where the head is another by now."""
    if call.text("sha") not in (None, call.pull.head_sha):
        head = call.pull.head_sha
        raise DemoForgeRefused(409, f"SHA does not match HEAD of source branch: {head}")
    return "squash" if call.flag("squash") else "merge"


async def events(call: Call) -> Answer:
    """New notes alone, newest first; `after` and `before` are days, both exclusive."""
    if (call.query.get("target_type", "note"), call.query.get("action", "commented")) != (
        "note",
        "commented",
    ):
        return Answer([])
    found = [c for c in call.repo.comments.values() if not c.internal]
    if (after := _day(call, "after")) is not None:
        found = [comment for comment in found if comment.created_at.date() > after]
    if (before := _day(call, "before")) is not None:
        found = [comment for comment in found if comment.created_at.date() < before]
    found.sort(key=lambda c: (c.created_at, c.id), reverse=call.query.get("sort") != "asc")
    return Answer([call.shapes.event(comment) for comment in found])


def _day(call: Call, name: str) -> date | None:
    text = call.query.get(name)
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise bad(f"{name} is invalid") from None
