"""Who and what there is: users, tokens, Apps, repositories, forks, protections, hooks."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from prbot.demo.git import GitDir, git
from prbot.demo.hooks import Hook
from prbot.demo.pulls import Pulls
from prbot.demo.state import App, Installation, Level, Protection, Repository, Token, User

INSTALLATION_TOKEN_LIFE = timedelta(hours=1)


class Accounts(Pulls):
    def create_user(self, login: str, kind: str = "User", token: str | None = None) -> User:
        """`kind`: User, Bot or Organization; `token` is a classic one, with all rights."""
        user = User(self.next_id(), login, kind, self.now())
        self.users[login.lower()] = user
        if token is not None:
            self.tokens[token] = Token(token, user)
        return user

    def create_team(self, name: str, members: Iterable[str]) -> None:
        """`name` is `organisation/slug`; of a team that exists the members are replaced."""
        self.teams[name.lower()] = tuple(self.user(login).login for login in members)
        self.changes.tell()

    def create_token(
        self,
        login: str,
        permissions: Mapping[str, str] | None = None,
        repositories: Iterable[str] | None = None,
    ) -> str:
        """A classic token, or with `permissions` or `repositories` a fine-grained one."""
        names = None if repositories is None else list(repositories)
        ids = None if names is None else frozenset(self.repository(n).id for n in names)
        rights = None if permissions is None else dict(permissions)
        value = f"github_pat_{secrets.token_hex(16)}"
        self.tokens[value] = Token(value, self.user(login), rights, ids)
        return value

    def create_project_token(self, full_name: str, word: str, *scopes: str) -> Token:
        """GitLab's: a bot of the project's own; `scopes` such as `api` or `read_api`."""
        repo = self.repository(full_name)
        name = f"project_{repo.id}_bot_{secrets.token_hex(8)}"
        return self._bot_token(name, [repo], word, scopes)

    def create_group_token(self, path: str, word: str, *scopes: str) -> Token:
        """GitLab's: a bot that is a member of every project below a group."""
        below = [r for r in self.repositories.values() if r.full_name.startswith(f"{path}/")]
        name = f"group_{self.next_id()}_bot_{secrets.token_hex(8)}"
        return self._bot_token(name, below, word, scopes)

    def _bot_token(
        self, name: str, repos: Iterable[Repository], word: str, scopes: Iterable[str]
    ) -> Token:
        user = self.create_user(name, "Bot")
        for repo in repos:
            repo.collaborators[name] = Level[word.upper()]
        rights = dict.fromkeys((*scopes, "contents", "metadata"), "write")
        token = Token(f"glpat-{secrets.token_hex(10)}", user, rights)
        self.tokens[token.value] = token
        return token

    def create_group(self, path: str, members: Mapping[str, str]) -> None:
        """GitLab's: login -> read, write or admin."""
        team = {login.lower(): Level[word.upper()] for login, word in members.items()}
        self.gitlab_groups[path.lower()] = team

    async def create_repository(
        self,
        full_name: str,
        source: Path | None = None,
        *,
        private: bool = False,
        collaborators: Mapping[str, str] | None = None,
        default_branch: str | None = None,
    ) -> Repository:
        """A repository with the branches of `source` (a git directory), or empty.

        `collaborators`: login -> read, write or admin. An owner that does not exist yet
        becomes an organisation.
        """
        owner, name = full_name.rsplit("/", 1)
        account = self.users.get(owner.lower()) or self.create_user(owner, "Organization")
        bare = GitDir(self.directory / owner / f"{name}.git")
        branch = default_branch or (await _head_branch(source) if source else "main")
        await bare.init(branch)
        if source is not None:
            await bare.import_branches(source)
        repo = Repository(self.next_id(), account, name, bare, private, self.now(), branch)
        repo.branches = await bare.branches()
        repo.pushed_at = repo.created_at
        for login, word in (collaborators or {}).items():
            repo.collaborators[login] = Level[word.upper()]
        self.repositories[full_name.lower()] = repo
        return repo

    async def fork(self, full_name: str, owner: str) -> Repository:
        parent = self.repository(full_name)
        name = f"{owner}/{parent.name}"
        fork = await self.create_repository(
            name, parent.git.path, private=parent.private, default_branch=parent.default_branch
        )
        fork.parent = parent
        return fork

    async def delete_repository(self, full_name: str) -> None:
        """Pull requests from it stay, with a head repository that is null."""
        repo = self.repositories.pop(self.repository(full_name).full_name.lower())
        shutil.rmtree(repo.git.path)
        for other in self.repositories.values():
            for pull in other.pulls.values():
                if pull.head_repo is repo:
                    pull.head_repo = None
        self.changes.tell()

    def set_permission(self, full_name: str, login: str, word: str) -> None:
        """`word`: none, read, write or admin."""
        repo = self.repository(full_name)
        repo.collaborators.pop(login, None)
        if word != "none":
            repo.collaborators[login] = Level[word.upper()]
        self.changes.tell()

    def protect(self, full_name: str, branch: str, protection: Protection) -> None:
        self.repository(full_name).protections[branch] = protection

    def create_app(
        self, slug: str, owner: str, public_key: bytes, permissions: Mapping[str, str]
    ) -> App:
        """A GitHub App; `public_key` (PEM) belongs to the key that signs its JWTs."""
        bot = self.create_user(f"{slug}[bot]", "Bot")
        account = self.user(owner)
        rights = dict(permissions)
        app = App(self.next_id(), slug, account, bot, public_key, rights, self.now())
        self.apps[app.id] = app
        return app

    def install(self, app: App, repositories: Iterable[str]) -> Installation:
        """Install an App; on a repository it may write what its permissions allow."""
        repos = [self.repository(name) for name in repositories]
        ids = {repo.id for repo in repos}
        installation = Installation(self.next_id(), app, repos[0].owner, ids, self.now())
        self.installations[installation.id] = installation
        for repo in repos:
            repo.collaborators[app.bot.login] = Level.WRITE
        return installation

    def create_installation_token(self, installation: Installation) -> Token:
        token = Token(
            f"ghs_{secrets.token_hex(18)}",
            installation.app.bot,
            dict(installation.app.permissions),
            frozenset(installation.repositories),
            self.now() + INSTALLATION_TOKEN_LIFE,
            installation.id,
        )
        self.tokens[token.value] = token
        return token

    def add_hook(
        self,
        url: str,
        secret: str,
        *,
        events: Iterable[str] | None = None,
        repository: str | None = None,
    ) -> Hook:
        """Send webhooks to `url` from now on, a `ping` first, as GitHub does."""
        repo = self.repository(repository) if repository else None
        wanted = frozenset(events) if events is not None else None
        number, kind = self.next_id(), self.customs.kind
        only = repo.id if repo else None
        hook = Hook(number, url, secret, wanted, only, kind, self.urls.site)
        self.courier.hooks.append(hook)
        self.news.hook_added(hook, repo)
        return hook


async def _head_branch(source: Path) -> str:
    code, out = await git(source, "symbolic-ref", "--quiet", "--short", "HEAD", accept=(0, 1))
    return out.decode().strip() if code == 0 else "main"
