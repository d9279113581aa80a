"""The operator's file: what it may hold, and what people read when it is wrong."""

import re
from pathlib import Path

import pytest

from prbot.config.server import ApplyOnMerge, Mode, ServerConfig, load_server
from prbot.errors import PrbotError
from prbot.errors.configuration import BadConfiguration
from prbot.errors.server import BadSetting, MissingSetting

SMALL = """\
repositories: [acme/*]
forges:
  - name: github
    kind: github
    token: env://PRBOT_GITHUB_TOKEN
    webhook_secret: file:///run/secrets/webhook
"""

FULL = """\
listen: 0.0.0.0:8080
state_dir: /var/lib/prbot
database: sqlite
artifacts: s3://acme-plans/prbot/production/
installation_key: env://PRBOT_KEY
installation_key_lost: k-0123456789012345
repositories: ["acme/*", "!acme/legacy", "tools/**"]
branches: [main, "release/*", "!release/old"]
mode: comment
aliases: [atlantis, bot-1]
bare_commands: false
apply_on_merge_allowed: [if-unchanged, always]
forges:
  - name: hub
    kind: github
    app: {id: 4711, private_key: file:///run/secrets/app.pem}
    webhook_secret: env://HOOK
  - name: works
    kind: github
    api_url: https://ghe.example.com/api/v3/
    token: env://TOKEN
    webhook_secret: env://HOOK2
terraform:
  path: /opt/terraform
  provider_mirror: /srv/providers
  plugin_cache: false
  environment: ["TF_VAR_*", AWS_REGION]
limits: {parallel_jobs: 8, job_timeout: 600, grace: 12.5, max_payload: 1048576, plan_age: 86400}
statuses: {plan: atlantis/plan, apply: atlantis/apply}
"""


def load(text: str, **environ: str) -> ServerConfig:
    return load_server(text, "prbot.server.yaml", environ)


def told(error: PrbotError) -> str:
    return f"{error} {error.next_step}"


def test_defaults() -> None:
    """It needs only repositories and one forge; everything else has a default."""
    config = load(SMALL)
    assert config.address == ("127.0.0.1", 4141)
    assert config.mode is Mode.APPLY
    assert config.may_apply
    assert config.bare_commands
    assert config.aliases == ()
    assert config.apply_on_merge_allowed == {ApplyOnMerge.IF_UNCHANGED, ApplyOnMerge.NEVER}
    assert config.database_file == Path(".prbot/prbot.sqlite3")
    assert config.artifacts_bucket is None
    assert (config.limits.parallel_jobs, config.limits.job_timeout) == (4, 3600)
    assert (config.limits.grace, config.limits.max_payload) == (30, 26_214_400)
    assert config.limits.plan_age == 7 * 24 * 3600
    assert (config.statuses.plan, config.statuses.apply) == ("prbot/plan", "prbot/apply")
    assert config.forges[0].api_url == "https://api.github.com"
    assert config.terraform.environment == ()


@pytest.mark.parametrize(("mode", "heard"), [("apply", ("atlantis",)), ("comment", ())])
def test_aliases(mode: str, heard: tuple[str, ...]) -> None:
    """It listens to another bot's name only where it applies: elsewhere that bot may stand
    beside it, and two would answer one command."""
    config = load(f"{SMALL}\naliases: [atlantis]\nmode: {mode}\n")
    assert config.aliases == ("atlantis",)
    assert config.heard_as == heard


def test_everything() -> None:
    """It honours every key it documents."""
    config = load(FULL)
    assert config.address == ("0.0.0.0", 8080)  # noqa: S104 - a value, nothing listens
    assert config.database_file == Path("/var/lib/prbot/prbot.sqlite3")
    assert config.artifacts_bucket == ("acme-plans", "prbot/production")
    assert not config.may_apply
    assert config.aliases == ("atlantis", "bot-1")
    assert not config.bare_commands
    assert ApplyOnMerge.ALWAYS in config.apply_on_merge_allowed
    assert ApplyOnMerge.NEVER not in config.apply_on_merge_allowed
    hub, works = config.forges
    assert hub.app is not None
    assert (hub.app.id, hub.app.private_key) == (4711, "file:///run/secrets/app.pem")
    assert works.api_url == "https://ghe.example.com/api/v3"
    assert config.terraform.provider_mirror == Path("/srv/providers")
    assert config.terraform.environment == ("TF_VAR_*", "AWS_REGION")
    assert (config.limits.grace, config.limits.plan_age) == (12.5, 86_400)
    assert config.statuses.apply == "atlantis/apply"
    assert config.secret_variables == {"HOOK", "HOOK2", "TOKEN", "PRBOT_KEY"}
    assert config.installation_key_lost == "k-0123456789012345"


@pytest.mark.parametrize(
    ("api_url", "api", "clone_base"),
    [
        (None, "https://gitlab.com/api/v4", "https://gitlab.com"),
        ("https://git.acme.test/api/v4/", "https://git.acme.test/api/v4", "https://git.acme.test"),
        (
            "https://acme.test/gitlab/api/v4",
            "https://acme.test/gitlab/api/v4",
            "https://acme.test/gitlab",
        ),
    ],
)
def test_gitlab(api_url: str | None, api: str, clone_base: str) -> None:
    """It serves gitlab.com, and GitLabs that people run, also below a path."""
    lines = "" if api_url is None else f"    api_url: {api_url}\n"
    (forge,) = load(SMALL.replace("kind: github", "kind: gitlab") + lines).forges
    assert (forge.kind, forge.api_url, forge.clone_base) == ("gitlab", api, clone_base)


def test_is_immutable() -> None:
    """It cannot be changed once it is loaded."""
    with pytest.raises(ValueError, match="frozen"):
        load(SMALL).mode = Mode.COMMENT  # type: ignore[misc]  # that is what is tested


@pytest.mark.parametrize(
    ("api_url", "clone_url", "expected"),
    [
        ("https://api.github.com", None, "https://github.com"),
        ("https://ghe.example.com/api/v3", None, "https://ghe.example.com"),
        ("https://ghe.example.com/api/v3/", None, "https://ghe.example.com"),
        ("http://127.0.0.1:8000", None, "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000/api/v3", "http://localhost:9/git/", "http://localhost:9/git"),
    ],
)
def test_clone_base(api_url: str, clone_url: str | None, expected: str) -> None:
    """It knows where to clone from when only the API's address is given."""
    lines = f"    api_url: {api_url}\n" + (f"    clone_url: {clone_url}\n" if clone_url else "")
    assert load(SMALL + lines).forges[0].clone_base == expected


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("localhost:80", ("localhost", 80)),
        ("'[::1]:4141'", ("::1", 4141)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
    ],
)
def test_listen(listen: str, address: tuple[str, int]) -> None:
    """It listens on names, addresses of both families, and port 0 for any free one."""
    assert load(f"{SMALL}listen: {listen}\n").address == address


@pytest.mark.parametrize(
    ("repo", "served"),
    [
        ("acme/infra", True),
        ("ACME/Infra", True),
        ("acme/.github", True),
        ("acme/legacy", False),
        ("Acme/Legacy", False),
        ("acme/group/infra", False),
        ("tools/group/infra", True),
        ("evil/acme/infra", False),
        ("evil/infra", False),
        ("acme", False),
        ("", False),
    ],
)
def test_serves(repo: str, served: bool) -> None:
    """It serves the listed repositories, whatever their case, and no others."""
    assert load(FULL).serves(repo) is served


def test_exclude_always_wins() -> None:
    """It leaves an excluded repository out wherever in the list the exclude stands."""
    text = SMALL.replace("[acme/*]", '["!acme/legacy", "acme/*", "acme/legacy"]')
    assert not load(text).serves("acme/legacy")


@pytest.mark.parametrize(
    ("text", "branch", "served"),
    [
        (SMALL, "trunk", True),
        (SMALL, "main", False),
        (FULL, "main", True),
        (FULL, "release/1", True),
        (FULL, "release/old", False),
        (FULL, "release/1/hotfix", False),
        (FULL, "trunk", False),
        (FULL, "Main", False),
    ],
)
def test_serves_branch(text: str, branch: str, served: bool) -> None:
    """It serves the default branch (here `trunk`), or exactly the listed branches."""
    assert load(text).serves_branch(branch, default_branch="trunk") is served


LISTEN = "`listen`: host and port of the web server, as `host:port`."
PLACE = "prbot.server.yaml, line"
BAD = {
    "": (
        f"{PLACE} 1: `repositories` is missing. `repositories`: the repositories to serve, "
        "such as `acme/*`; `!acme/old` excludes."
    ),
    "- a": (
        f"{PLACE} 1: the value of `the file` cannot be used: it is not a mapping of keys to "
        "values. A configuration file is a mapping of keys to values."
    ),
    "repositories: [acme/*]": (
        f"{PLACE} 1: `forges` is missing. `forges`: the forges: name, kind, token or app, "
        "webhook_secret."
    ),
    f"{SMALL}# more\nrepostories: []": (
        f"{PLACE} 8: unknown key `repostories`. Did you mean `repositories`?"
    ),
    f"{SMALL}limits:\n  zzz: 1": (
        f"{PLACE} 8: unknown key `zzz`. Known here: grace, job_timeout, lease, max_payload, "
        "parallel_jobs, per_repository, plan_age, summary_every, total_jobs."
    ),
    f"{SMALL}    tokn: env://X": f"{PLACE} 7: unknown key `tokn`. Did you mean `token`?",
    f"{SMALL}mode: apply\nmode: comment": (
        f"{PLACE} 8: the key `mode` stands here a second time. "
        "Keep one of them; the first stands in line 7."
    ),
    f"{SMALL}mode: observe": (
        f"{PLACE} 7: the value of `mode` cannot be used: it should be 'comment' or 'apply'. "
        "`mode`: `comment` (never applies) or `apply` (the default)."
    ),
    f"{SMALL}listen: 4141": (
        f"{PLACE} 7: the value of `listen` cannot be used: it is not a text. {LISTEN}"
    ),
    f"{SMALL}listen: ':4141'": (
        f"{PLACE} 7: the value of `listen` cannot be used: it is not host:port. {LISTEN}"
    ),
    f"{SMALL}listen: a:65536": (
        f"{PLACE} 7: the value of `listen` cannot be used: it is not host:port. {LISTEN}"
    ),
    f"{SMALL}database: postgresql://u:p@h/d": (
        f"{PLACE} 7: a secret stands here in clear. Put it into an environment variable or a "
        "file, write `env://NAME` or `file:///path`, and replace the secret, since this file "
        "has shown it."
    ),
    f"{SMALL}database: mysql://h/d": (
        f"{PLACE} 7: the database must be `sqlite` or begin with `postgresql://`. Leave the key "
        "out for one process; for several write `postgresql://USER@HOST/NAME`, or `env://NAME` "
        "with that address in the variable NAME."
    ),
    **{
        f"{SMALL}artifacts: {value}": (
            f"{PLACE} 7: artifacts are kept in `state_dir`, or in S3 at `s3://BUCKET` or "
            "`s3://BUCKET/PREFIX`. Write `artifacts: s3://my-bucket/prbot`, or leave the key out."
        )
        for value in ("plans", "s3://", "s3://A", "s3://plans//x", "s3://plans/a b", "gs://plans")
    },
    f"{SMALL}limits: {{parallel_jobs: 0}}": (
        f"{PLACE} 1: with `parallel_jobs: 0` and an SQLite database nothing would ever be planned. "
        "Let it be 1 or more, or set `database: postgresql://…` and start `prbot worker` too."
    ),
    f"{SMALL}limits:\n  grace: -1": (
        f"{PLACE} 8: the value of `limits.grace` cannot be used: it should be greater than or "
        "equal to 0. `limits.grace`: seconds an interrupted tool has before it is killed."
    ),
    f"{SMALL}statuses: {{plan: x, apply: x}}": (
        f"{PLACE} 7: the names of the two statuses must differ. Rename one of them."
    ),
    f"{SMALL}statuses: {{plan: x, apply: 'x: y'}}": (  # a project's check could be called so
        f"{PLACE} 7: the names of the two statuses must differ. Rename one of them."
    ),
    f"{SMALL}branches: ['']": (
        f"{PLACE} 7: this is not a usable pattern: it is empty. "
        "`*` matches within one part of a path, `**` across parts, a leading `!` excludes."
    ),
    f"{SMALL}terraform:\n  environment:\n    - A\n    - '!B'": (
        f"{PLACE} 10: this is not a usable pattern: this list knows no excludes. "
        "`*` matches within one part of a path, `**` across parts, a leading `!` excludes."
    ),
    SMALL.replace("[acme/*]", "[]"): (
        f"{PLACE} 1: the value of `repositories` cannot be used: it is empty. "
        "`repositories`: the repositories to serve, such as `acme/*`; `!acme/old` excludes."
    ),
    SMALL.replace("kind: github", "kind: gitea"): (
        f"{PLACE} 4: the value of `forges[0].kind` cannot be used: it should be 'github' or "
        "'gitlab'. `forges[0].kind`: `github` or `gitlab`."
    ),
    SMALL.replace("kind: github", "kind: gitlab").replace(
        "token: env://PRBOT_GITHUB_TOKEN", "app: {id: 1, private_key: env://KEY}"
    ): (
        f"{PLACE} 3: a forge of kind `gitlab` takes a `token`, not an `app`. Make a project, "
        "group or personal access token with the scope `api`, and keep `token: env://NAME`."
    ),
    SMALL.replace("kind: github", "kind: gitlab") + "    api_url: https://git.acme.test\n": (
        f"{PLACE} 3: a GitLab's `api_url` ends with `/api/v4`. Write `https://HOST/api/v4`, "
        "with the path before it if GitLab is not at the root."
    ),
    SMALL.replace("env://PRBOT_GITHUB_TOKEN", "ghp_abcdefghijkl"): (
        f"{PLACE} 5: a secret stands here in clear. Put it into an environment variable or a "
        "file, write `env://NAME` or `file:///path`, and replace the secret, since this file "
        "has shown it."
    ),
    SMALL.replace("    token: env://PRBOT_GITHUB_TOKEN\n", ""): (
        f"{PLACE} 3: a forge needs exactly one of `token` and `app`. "
        "Keep `token: env://NAME`, or `app: {id: …, private_key: file:///path}`."
    ),
    f"{SMALL}    app: {{id: 1, private_key: env://K}}": (
        f"{PLACE} 3: a forge needs exactly one of `token` and `app`. "
        "Keep `token: env://NAME`, or `app: {id: …, private_key: file:///path}`."
    ),
    f"{SMALL}    api_url: http://ghe.example.com/api/v3": (
        f"{PLACE} 7: this address would carry credentials unencrypted, or holds some itself. "
        "Use https:// without a user name; http:// is only for this machine's own addresses."
    ),
    f"{SMALL}    clone_url: https://me:hunter2@ghe.example.com": (
        f"{PLACE} 7: this address would carry credentials unencrypted, or holds some itself. "
        "Use https:// without a user name; http:// is only for this machine's own addresses."
    ),
    SMALL + SMALL.partition("forges:\n")[2]: (
        f"{PLACE} 1: the names of forges must differ. Rename one of them."
    ),
}


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str) -> None:
    """It refuses a bad file with its place, the problem and the next step."""
    with pytest.raises(BadConfiguration) as caught:
        load(text)
    assert re.sub(r", column \d+", "", told(caught.value)) == BAD[text]


def test_missing_webhook_secret() -> None:
    """It does not start without a webhook secret."""
    with pytest.raises(MissingSetting) as caught:
        load(SMALL.replace("    webhook_secret: file:///run/secrets/webhook\n", ""))
    assert told(caught.value) == (
        "The setting forges[0].webhook_secret is missing: without it nobody can tell the "
        "forge's webhooks from a stranger's. Write `webhook_secret: env://NAME` or "
        "`file:///path` there, and enter the same secret in the forge's webhook settings."
    )


HUNTER = "hunter2-hunter2"


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("file:///run/secrets/webhook", HUNTER),
        SMALL.replace("env://PRBOT_GITHUB_TOKEN", HUNTER),
        SMALL.replace("env://PRBOT_GITHUB_TOKEN", f"[{HUNTER}]"),
        f"{SMALL}    clone_url: https://me:{HUNTER}@example.com",
        f"{SMALL}listen: {HUNTER}",
        f"{SMALL}mode: {HUNTER}",
        f"{SMALL}limits: {HUNTER}",
        f"{SMALL}limits: {{grace: {HUNTER}}}",
        f"{SMALL}state_dir: [{HUNTER}]",
        f"{SMALL}forges: {HUNTER}".replace("forges:\n", "# \n"),
    ],
)
def test_values_are_not_repeated(text: str) -> None:
    """It never repeats a value in an error, because it may be a misplaced secret."""
    with pytest.raises(PrbotError) as caught:
        load(text)
    assert HUNTER not in told(caught.value)


def test_environment() -> None:
    """It takes settings from PRBOT_ variables, over the file and merged into sections."""
    config = load(
        SMALL + "limits: {grace: 7, parallel_jobs: 2}\n",
        PRBOT_LISTEN="0.0.0.0:1",
        PRBOT_LIMITS__GRACE="9",
        PRBOT_REPOSITORIES='["tools/*"]',
        PRBOT_BARE_COMMANDS="false",
        PRBOT_GITHUB_TOKEN="no setting, but a secret's place",
        LISTEN="0.0.0.0:2",
    )
    assert config.address == ("0.0.0.0", 1)  # noqa: S104 - a value, nothing listens
    assert (config.limits.grace, config.limits.parallel_jobs) == (9, 2)
    assert config.repositories == ("tools/*",)
    assert not config.bare_commands


def test_environment_alone() -> None:
    """It starts from an empty file when the variables say everything."""
    forge = '[{"name": "g", "kind": "github", "token": "env://T", "webhook_secret": "env://W"}]'
    config = load("", PRBOT_FORGES=forge, PRBOT_REPOSITORIES='["a/b"]')
    assert config.forges[0].name == "g"


def test_reads_only_what_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ignores the process's own environment."""
    monkeypatch.setenv("PRBOT_LISTEN", "0.0.0.0:1")
    assert load(SMALL).address == ("127.0.0.1", 4141)


VARIABLE = "The environment variable"
BAD_ENVIRONMENT = {
    ("PRBOT_MODE", "observe"): (
        f"{VARIABLE} PRBOT_MODE cannot be used: the value of `mode` cannot be used: it should be "
        "'comment' or 'apply'. `mode`: `comment` (never applies) or `apply` (the default)."
    ),
    ("PRBOT_LIMITS__GRCE", "1"): (
        f"{VARIABLE} PRBOT_LIMITS__GRCE cannot be used: unknown key `grce`. Did you mean `grace`?"
    ),
    ("PRBOT_REPOSITORIES", "acme/*"): (
        f"{VARIABLE} PRBOT_REPOSITORIES cannot be used: its text is not JSON. "
        'Write lists and mappings as JSON, for example `["acme/*"]`.'
    ),
    ("PRBOT_LIMITS", '{"grace": -1}'): (
        f"{VARIABLE} PRBOT_LIMITS cannot be used: the value of `limits.grace` cannot be used: it "
        "should be greater than or equal to 0. `limits.grace`: seconds an interrupted tool has "
        "before it is killed."
    ),
}


@pytest.mark.parametrize(("name", "value"), BAD_ENVIRONMENT)
def test_bad_environment(name: str, value: str) -> None:
    """It names the variable when that is where the problem came from."""
    with pytest.raises(BadSetting) as caught:
        load(SMALL, **{name: value})
    assert told(caught.value) == BAD_ENVIRONMENT[name, value]


TOLD = """\
metrics_token: env://SCRAPED
drift: {enabled: true, webhook: {url: "env://WHERE", secret: "env://SIGNS"}}
"""


def test_who_else_is_told() -> None:
    """It keeps what these are reached with from the tool, as all its own secrets."""
    config = load(SMALL + TOLD)
    assert config.secret_variables >= {"SCRAPED", "WHERE", "SIGNS"}
    assert config.drift.overdue_after == 48 * 3600
    assert load(SMALL).drift.webhook is None


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://hooks.example.com/a?b=c", True),
        ("http://127.0.0.1:9000/", True),
        ("http://localhost/", True),
        ("file:///run/secrets/url", True),
        ("http://hooks.example.com/", False),
        ("https://me:pw@hooks.example.com/", False),
        ("https://hooks.example.com/#x", False),
        ("ftp://hooks.example.com/", False),
        ("https:///x", False),
    ],
)
def test_where_they_are(url: str, fine: bool) -> None:
    """It tells drift over encrypted lines alone, except on this machine."""
    text = SMALL + TOLD.replace("env://WHERE", url)
    if fine:
        assert load(text).drift.webhook is not None
        return
    with pytest.raises(BadConfiguration, match="leads to no address that drift may be told to"):
        load(text)
