"""Where things are, as the forge's JSON spells it.

The paths and URI templates are those of GitHub's REST descriptions
(https://github.com/octokit/openapi); many lead nowhere here, and clients follow none
of those, but the shapes demand them.
"""

from __future__ import annotations

from prbot.demo.customs import GITHUB, Customs

_REPOSITORY = {
    "forks_url": "/forks",
    "keys_url": "/keys{/key_id}",
    "collaborators_url": "/collaborators{/collaborator}",
    "teams_url": "/teams",
    "hooks_url": "/hooks",
    "issue_events_url": "/issues/events{/number}",
    "events_url": "/events",
    "assignees_url": "/assignees{/user}",
    "branches_url": "/branches{/branch}",
    "tags_url": "/tags",
    "blobs_url": "/git/blobs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "trees_url": "/git/trees{/sha}",
    "statuses_url": "/statuses/{sha}",
    "languages_url": "/languages",
    "stargazers_url": "/stargazers",
    "contributors_url": "/contributors",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "commits_url": "/commits{/sha}",
    "git_commits_url": "/git/commits{/sha}",
    "comments_url": "/comments{/number}",
    "issue_comment_url": "/issues/comments{/number}",
    "contents_url": "/contents/{+path}",
    "compare_url": "/compare/{base}...{head}",
    "merges_url": "/merges",
    "archive_url": "/{archive_format}{/ref}",
    "downloads_url": "/downloads",
    "issues_url": "/issues{/number}",
    "pulls_url": "/pulls{/number}",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "labels_url": "/labels{/name}",
    "releases_url": "/releases{/id}",
    "deployments_url": "/deployments",
}
_USER = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


class Urls:
    """Absolute addresses below the forge's own, which is known once it listens."""

    def __init__(self, customs: Customs = GITHUB) -> None:
        self.site = "http://forge.invalid"
        self._api = customs.api
        self._pull_page = customs.pull_page
        self._issue_page = customs.issue_page

    @property
    def api(self) -> str:
        return f"{self.site}{self._api}"

    def repo(self, full_name: str) -> str:
        return f"{self.api}/repos/{full_name}"

    def page(self, full_name: str, number: int | None = None) -> str:
        pull = "" if number is None else self._pull_page.format(number)
        return f"{self.site}/{full_name}{pull}"

    def issue_page(self, full_name: str, number: int) -> str:
        return f"{self.site}/{full_name}{self._issue_page.format(number)}"

    def clone(self, full_name: str) -> str:
        return f"{self.site}/{full_name}.git"

    def user_links(self, login: str) -> dict[str, str]:
        root = f"{self.api}/users/{login}"
        return {"url": root} | {name: root + path for name, path in _USER.items()}

    def repository_links(self, full_name: str) -> dict[str, str]:
        root = self.repo(full_name)
        links = {"url": root} | {name: root + path for name, path in _REPOSITORY.items()}
        clone = self.clone(full_name)
        return links | {
            "git_url": clone,
            "ssh_url": clone,
            "clone_url": clone,
            "svn_url": self.page(full_name),
            "html_url": self.page(full_name),
        }
