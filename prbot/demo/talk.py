"""What people and bots say: comments, reactions, reviews and commit statuses."""

from __future__ import annotations

from prbot.demo.issues import Issues
from prbot.demo.rules import (
    check_comment,
    check_reaction,
    check_status,
    demand,
    invalid,
    unprocessable,
)
from prbot.demo.state import (
    Comment,
    Issue,
    Level,
    Pull,
    Reaction,
    Repository,
    Review,
    Status,
    User,
)
from prbot.errors.demo import DemoForgeRefused

REVIEW_STATES = {
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
    "COMMENT": "COMMENTED",
}
"""GitHub's `event` of a new review, and the state it gets."""
STATUSES_PER_CONTEXT = 1000
"""GitHub takes no more statuses than so many of one context on one commit."""


class Talk(Issues):
    reads_until_mergeable = 1
    """How many reads after a change see `mergeable: null`."""
    approvals_are_timed = True
    """False as in older versions of GitLab, which tell when only in a note of their own."""

    async def comment(
        self, pull: Pull | Issue, by: str, body: str, internal: bool = False
    ) -> Comment:
        """On a plain issue, too. `internal` ones (GitLab's) are for members only."""
        user, now = self.user(by), self.now()
        demand(pull.repo, by, Level.READ)
        text = check_comment(body, self.customs.comment_limit)
        comment = Comment(self.next_id(), pull, user, text, now, now, internal=internal)
        pull.repo.comments[comment.id] = comment
        self._tell_comment("created", comment, user)
        return comment

    async def edit_comment(self, comment: Comment, by: str, body: str) -> Comment:
        user = self._who_may_change(comment, by)
        before, limit = comment.body, self.customs.comment_limit
        comment.body = check_comment(body, limit)
        comment.updated_at = self.now()
        self._tell_comment("edited", comment, user, before)
        return comment

    async def delete_comment(self, comment: Comment, by: str) -> None:
        user = self._who_may_change(comment, by)
        del comment.pull.repo.comments[comment.id]
        self._tell_comment("deleted", comment, user)

    def _who_may_change(self, comment: Comment, by: str) -> User:
        user = self.user(by)
        demand(comment.pull.repo, by, Level.READ if user is comment.user else Level.WRITE)
        return user

    def _tell_comment(
        self, action: str, comment: Comment, by: User, before: str | None = None
    ) -> None:
        comment.pull.updated_at = self.now()
        self.news.comment(action, comment, by, before)
        self.changes.tell()

    async def react(self, comment: Comment, by: str, content: str) -> tuple[Reaction, bool]:
        """The reaction, and whether it is new; nobody reacts twice alike. No webhook."""
        user = self.user(by)
        demand(comment.pull.repo, by, Level.READ)
        wanted = check_reaction(content)
        for old in comment.reactions:
            if old.user is user and old.content == wanted:
                return old, False
        reaction = Reaction(self.next_id(), user, wanted, self.now())
        comment.reactions.append(reaction)
        self.changes.tell()
        return reaction, True

    async def review(self, pull: Pull, by: str, event: str, body: str = "") -> Review:
        """`event`: APPROVE, REQUEST_CHANGES or COMMENT (pending reviews are not kept)."""
        user = self.user(by)
        demand(pull.repo, by, Level.READ)
        self._check_review(pull, user, event, body)
        state = REVIEW_STATES[event]
        now = self.now()
        review = Review(self.next_id(), pull, user, state, body, pull.head_sha, now)
        pull.reviews.append(review)
        self._tell_review("submitted", review, user)
        return review

    def _check_review(self, pull: Pull, user: User, event: str, body: str) -> None:
        if event not in REVIEW_STATES:
            raise unprocessable("event is not included in the list")
        if user is pull.author and event != "COMMENT":
            verb = "approve" if event == "APPROVE" else "request changes on"
            raise unprocessable(f"Can not {verb} your own pull request")
        if event != "APPROVE" and not body.strip():
            raise unprocessable("body can't be blank")

    async def dismiss(self, review: Review, by: str) -> None:
        demand(review.pull.repo, by, Level.WRITE)
        if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
            raise unprocessable("Can not dismiss a commented pull request review")
        self._dismiss(review, self.user(by))

    async def withdraw(self, review: Review) -> None:
        """Its author takes it back, as on GitLab."""
        self._dismiss(review, review.user)

    def _dismiss(self, review: Review, by: User) -> None:
        review.state = "DISMISSED"
        self._tell_review("dismissed", review, by)

    def _tell_review(self, action: str, review: Review, by: User) -> None:
        review.pull.updated_at = self.now()
        self.news.review(action, review, by)
        self.changes.tell()

    async def set_status(
        self,
        repo: Repository,
        sha: str,
        by: str,
        state: str,
        context: str = "default",
        description: str | None = None,
        target_url: str | None = None,
    ) -> Status:
        demand(repo, by, Level.WRITE)
        check_status(state, description, target_url, self.customs)
        if await repo.git.resolve(sha) != sha:
            raise DemoForgeRefused(422, f"No commit found for SHA: {sha}")
        if (
            sum(s.sha == sha and s.context == context for s in repo.statuses)
            >= STATUSES_PER_CONTEXT
        ):
            raise invalid("Status", "context", "This SHA and context has reached the maximum")
        creator = self.user(by)
        status = Status(
            self.next_id(), sha, context, state, description, target_url, creator, self.now()
        )
        repo.statuses.append(status)
        commit = await repo.git.commit(sha)
        self.news.status(repo, status, commit)
        self.changes.tell()
        return status
