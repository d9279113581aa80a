"""From Atlantis's files to prbot's: what is written means the same, and every key is told."""

from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from prbot.config.atlantis import load_atlantis
from prbot.config.atlantis_flags import FLAGS, flags_in, flags_in_environment, meaning_of
from prbot.config.atlantis_server import listed_repositories, repository_globs
from prbot.config.atlantis_words import Verdict
from prbot.config.files import RepoFiles, settings_in
from prbot.config.globs import listed
from prbot.config.migration import migrated_repo, migrated_server
from prbot.config.per_repository import Allowed
from prbot.config.project_rules import ProjectRules
from prbot.config.repo import Automerge, load_repo, load_rules
from prbot.config.server import ServerConfig, load_server
from prbot.config.workflows import HOOKED
from prbot.errors.configuration import BadConfiguration
from prbot.errors.server import AllowlistMissing
from prbot.errors.workflows import BadFlags

NAMES = st.from_regex(r"[a-z0-9_][a-z0-9._~/-]{0,8}", fullmatch=True)
PARTS = st.sampled_from(["a", "b", "prod", "on", "1.10", "null", "x y", "ü", "[ab]", "*", "e?"])
DIRS = st.lists(PARTS, min_size=1, max_size=3).map("/".join) | st.just(".")
PATTERNS = st.sampled_from(["**/*.tf", "!x.tf", "../modules/**", "*.tf*", "# no", "[a-z]", "yes"])
BRANCHES = st.sampled_from(["/main/", "/^(main|dev)$/", "/(?i)Release-.*/", r"/^v\d+$/"])
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
AUTOPLAN = st.fixed_dictionaries(
    {}, optional={"enabled": st.booleans(), "when_modified": st.lists(PATTERNS, max_size=3)}
)
PROJECT = st.fixed_dictionaries(
    {"dir": DIRS},
    optional={
        "workspace": st.sampled_from(["default", "staging", "on", "1.0", ""]),
        "branch": BRANCHES,
        "autoplan": AUTOPLAN | st.none(),
        "execution_order_group": st.integers(-3, 3),
        "depends_on": st.lists(WORDS, max_size=2),
        "workflow": WORDS,
        "terraform_version": st.sampled_from(["v1.9.8", "1.10", "0.12.0-beta1"]),
        "terraform_distribution": st.sampled_from(["terraform", "opentofu"]),
        "apply_requirements": st.just(["approved"]),
        "repo_locking": st.booleans(),
    },
)
TOOL = st.sampled_from(["init", "plan", "apply", "show", "policy_check", "import", "state_rm"])
STEP = (
    TOOL
    | WORDS.map(lambda text: {"run": text})
    | st.fixed_dictionaries({"plan": st.fixed_dictionaries({"extra_args": st.lists(WORDS)})})
    | st.builds(
        lambda text, output: {"run": {"command": text, "shell": "bash", "output": output}},
        WORDS,
        st.sampled_from(["hide", "show", ["strip_refreshing", {"filter_regex": "(?i)x+"}]]),
    )
    | WORDS.map(lambda text: {"env": {"name": "A", "value": text}})
    | WORDS.map(lambda text: {"multienv": text})
)
STAGE = st.fixed_dictionaries({}, optional={"steps": st.lists(STEP, max_size=3)})
WORKFLOW = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("plan", "apply", "policy_check", "import", "state_rm"), STAGE)
)
FILE = st.fixed_dictionaries(
    {"version": st.just(3)},
    optional={
        "projects": st.lists(PROJECT, max_size=4),
        "workflows": st.dictionaries(NAMES, WORKFLOW, max_size=2),
        "autodiscover": st.fixed_dictionaries(
            {},
            optional={
                "mode": st.sampled_from(["auto", "enabled", "disabled"]),
                "ignore_paths": st.lists(st.sampled_from(["a/**", "{a,b}/*", "**/x"]), max_size=2),
            },
        ),
        "automerge": st.booleans(),
        "parallel_plan": st.booleans(),
    },
)


def named(file: dict) -> dict:
    """With names where Atlantis wants them; globs have none."""
    for index, project in enumerate(file.get("projects", ())):
        if not any(sign in project["dir"] for sign in "*?["):
            project["name"] = f"p{index}"
    return file


def without_lines(rules: ProjectRules) -> ProjectRules:
    return replace(
        rules, source=None, declared=tuple(replace(entry, line=0) for entry in rules.declared)
    )


@settings(deadline=None)
@given(FILE.map(named), st.sampled_from([None, "main", "dev", "v1"]))
def test_same_meaning(file: dict, branch: str | None) -> None:
    """It writes a `prbot.yaml` with the very rules and workflows of `atlantis.yaml`."""
    text = yaml.safe_dump(file)
    ours = migrated_repo(text).text
    theirs = load_atlantis(text, branch=branch)
    found = load_rules(ours, branch=branch)
    if theirs.rules.declared or not file.get("projects"):
        assert without_lines(found) == without_lines(theirs.rules)
    else:  # none is for this branch: the one difference, and it is reported
        assert found.declared == ()
    assert load_repo(ours).workflows == theirs.workflows


def test_report() -> None:
    """It tells every key once, with what became of it."""
    text = """\
version: 3
automerge: true
parallel_plan: true
autodiscover: {mode: auto}
projects:
  - {dir: a, branch: /main/, repo_locks: {mode: on_plan}, apply_requirements: [approved]}
  - {dir: b, branch: /dev/, repo_locks: {mode: on_apply}}
"""
    found = {
        (entry.source, entry.line, entry.key): entry.verdict for entry in migrated_repo(text).report
    }
    same, different = Verdict.SAME, Verdict.DIFFERENT
    assert found == {
        ("atlantis.yaml", 1, "version"): same,
        ("atlantis.yaml", 2, "automerge"): same,
        ("atlantis.yaml", 3, "parallel_plan"): same,
        ("atlantis.yaml", 4, "autodiscover.mode"): same,
        ("atlantis.yaml", 5, "projects"): same,
        ("atlantis.yaml", 6, "projects[].dir"): same,
        ("atlantis.yaml", 6, "projects[].branch"): same,
        ("atlantis.yaml", 6, "projects[].repo_locks.mode"): different,
        ("atlantis.yaml", 6, "projects[].apply_requirements"): same,
        ("atlantis.yaml", 5, "autodiscover.mode"): different,
        ("prbot.yaml", 0, "defaults.apply_on_merge"): different,
        ("prbot.yaml", 0, "defaults.apply_requirements"): different,
    }


GLOBS = [
    ("github.com/acme/app", ("acme/app",)),
    ("ghe.acme.example/acme/app", ("acme/app",)),
    ("/.*/", ("*/*",)),
    ("/github.com/acme/.*/", ("acme/*",)),
    (r"/^github\.com\/acme\/app-.*$/", ("acme/app-*",)),
    ("/^github.com/acme/app$/", ("acme/app",)),
    ("/github.com/acme/app/", ("acme/app*",)),
    ("/acme/", ()),
    ("/github.com/(a|b)/.*/", ()),
    ("/github.com/acme/(?!secret).*/", ()),
    ("app", ()),
    ("gitlab.com/acme/app", ("acme/app",)),
    ("gitlab.com/acme/platform/infra", ("acme/platform/infra",)),
    (r"/gitlab\.com\/acme\/platform\/.*/", ("acme/platform/**",)),
    ("/gitlab.com/acme/infra-.*/", ("acme/infra-*", "acme/infra-*/**")),
]


@pytest.mark.parametrize(("identity", "globs"), GLOBS)
def test_repository_ids(identity: str, globs: tuple[str, ...]) -> None:
    """It takes the ids that a glob can say, and leaves the others to people."""
    assert repository_globs(identity) == globs


def test_ids_of_a_gitlab() -> None:
    """It reads every repository as one of subgroups too, where GitLab is served."""
    assert repository_globs("/.*/", "lab.example") == ("**",)
    assert repository_globs("/lab.example/acme/.*/", "lab.example") == ("acme/**",)


ALLOWED = [
    ("github.com/acme/*", ("acme/*",)),
    ("github.com/acme/*, !github.com/acme/x", ("acme/*", "!acme/x")),
    ("*", ("*/*",)),
    ("github.com/*", ("*/*",)),
    ("github.com/acme*", ("acme*/*",)),
    ("", ()),
    ("gitlab.com/acme/*", ("acme/**",)),
    ("gitlab.com/acme/platform/*", ("acme/platform/**",)),
    ("gitlab.com/acme/*,!gitlab.com/acme/secret/*", ("acme/**", "!acme/secret/**")),
    ("gitlab.com/acme/platform/infra", ("acme/platform/infra",)),
    ("gitlab.com/acme/infra-*", ("acme/infra-*", "acme/infra-*/**")),
    ("gitlab.com/acme/*/infra", ("acme/**/*/infra",)),
    ("gitlab.com/acme/team-*/infra", ("acme/team-*/**/infra",)),
    ("gitlab.com/acme*", ("acme*/**",)),
    ("gitlab.com/*", ("**",)),
    ("gitlab.com/acme", ()),
    ("lab.example/acme/*", ("acme/*",)),
    ("lab.example/acme/platform/*", ("acme/platform/**",)),
]


@pytest.mark.parametrize(("allowlist", "globs"), ALLOWED)
def test_allowlist(allowlist: str, globs: tuple[str, ...]) -> None:
    """It serves what `--repo-allowlist` did; `*` there crosses `/`, which matters in subgroups."""
    assert listed_repositories(allowlist) == globs


SERVED = [
    ("gitlab.com/acme/*", "acme/app", True),
    ("gitlab.com/acme/*", "acme/platform/infra", True),
    ("gitlab.com/acme/platform/*", "acme/platform/network/edge", True),
    ("gitlab.com/acme/platform/*", "acme/app", False),
    ("gitlab.com/acme/*/infra", "acme/platform/infra", True),
    ("gitlab.com/acme/*/infra", "acme/platform/network/infra", True),
    ("gitlab.com/acme/*/infra", "acme/infra", False),
    ("gitlab.com/acme/infra-*", "acme/infra-a", True),
    ("gitlab.com/acme/infra-*", "acme/infra-a/b", True),
    ("gitlab.com/acme/team-*/infra", "acme/team-a/b/infra", True),
    ("gitlab.com/*,!gitlab.com/acme/secret*", "acme/secret/keys", False),
    ("gitlab.com/*,!gitlab.com/acme/secret*", "acme/public/site", True),
]


@pytest.mark.parametrize(("allowlist", "name", "served"), SERVED)
def test_who_is_served(allowlist: str, name: str, served: bool) -> None:
    """It serves the very projects of subgroups that Atlantis served."""
    assert listed(listed_repositories(allowlist), name) is served


def test_allowlist_of_a_gitlab() -> None:
    """It knows a GitLab of one's own by its flag, and reads `*` for what GitLab serves."""
    assert listed_repositories("lab.example/acme/*, *", "lab.example") == ("acme/**", "**")


def server(flags: str, repos: str | None = None, environment: str = "") -> ServerConfig:
    variables = flags_in_environment(environment)
    given = {**variables, **flags_in(f"--repo-allowlist=github.com/acme/* {flags}")}
    made = migrated_server(repos, given, "repos.yaml", frozenset(variables))
    return load_server(made.text, "prbot.server.yaml", {})


SETTINGS = [
    ("", {"listen": "0.0.0.0:4141", "aliases": ("atlantis",), "repositories": ("acme/*",)}),
    ("--port 80", {"listen": "0.0.0.0:80"}),
    ("--port=80 --executable-name tf", {"listen": "0.0.0.0:80", "aliases": ("tf",)}),
    ("atlantis server --automerge --port 81", {"listen": "0.0.0.0:81"}),
]


def test_automerge() -> None:
    """It lets repositories ask for automerge where the flag did it for all, and writes for each
    what its own file asks."""
    (rule,) = server("--automerge").per_repository
    assert (rule.match, rule.allow) == (("**",), {Allowed.AUTOMERGE})
    deleting = "version: 3\nautomerge: true\ndelete_source_branch_on_merge: true\n"
    for text in (deleting, "version: 3\nautomerge: true", "version: 3\nautomerge: false"):
        asked = settings_in(RepoFiles(atlantis=text.encode())).automerge
        assert load_repo(migrated_repo(text).text).automerge == asked
    assert settings_in(RepoFiles(atlantis=deleting.encode())).automerge == Automerge(
        delete_branch=True
    )


@pytest.mark.parametrize(("flags", "expected"), SETTINGS)
def test_settings(flags: str, expected: dict[str, object]) -> None:
    """It carries settings over."""
    found = server(flags)
    assert {key: getattr(found, key) for key in expected} == expected


def test_more_settings() -> None:
    """It carries over what stands deeper: statuses, limits, the plugin cache, GitHub's host."""
    found = server(
        "--vcs-status-name=tf --parallel-pool-size 7 --use-tf-plugin-cache=false"
        " --gh-hostname=ghe.example --gh-app-id=12 --gh-app-key-file=/etc/key.pem"
    )
    assert (found.statuses.plan, found.statuses.apply) == ("tf/plan", "tf/apply")
    assert found.limits.parallel_jobs == 7
    assert found.terraform.plugin_cache is False
    (forge,) = found.forges
    assert forge.api_url == "https://ghe.example/api/v3"
    assert forge.app is not None
    assert (forge.app.id, forge.app.private_key) == (12, "file:///etc/key.pem")


def test_secrets_stay_where_they_are() -> None:
    """It names where secrets are, and copies none."""
    environment = "export ATLANTIS_GH_TOKEN='s3cret'\nATLANTIS_GH_WEBHOOK_SECRET=s3cret\nHOME=/x\n"
    (forge,) = server("", environment=environment).forges
    assert forge.token == "env://ATLANTIS_GH_TOKEN"
    assert forge.webhook_secret == "env://ATLANTIS_GH_WEBHOOK_SECRET"
    given = {"gh-token": "s3cret", "gh-webhook-secret": "s3cret", "repo-allowlist": "x/a/*"}
    made = migrated_server(None, given, "")
    assert "s3cret" not in made.text + str(made.report)


HUB, LAB = "github https://api.github.com", "gitlab https://gitlab.com/api/v4"
FORGES = [
    ("", [HUB]),
    ("--gh-token=x", [HUB]),
    ("--gitlab-token=x --gitlab-user=prbot", [LAB]),
    ("--gitlab-hostname=lab.example", ["gitlab https://lab.example/api/v4"]),
    ("--gitlab-hostname=https://lab.example:8443/", ["gitlab https://lab.example:8443/api/v4"]),
    ("--gitlab-hostname=lab.example/git", ["gitlab https://lab.example/git/api/v4"]),
    ("--gh-user=x --gh-token=x --gitlab-token=x", [HUB, LAB]),
]


@pytest.mark.parametrize(("flags", "expected"), FORGES)
def test_forges(flags: str, expected: list[str]) -> None:
    """It writes a forge for each that Atlantis was given credentials for."""
    found = server(flags).forges
    assert [f"{forge.kind} {forge.api_url}" for forge in found] == expected
    assert [forge.name for forge in found] == [forge.kind for forge in found]


def test_secrets_of_gitlab() -> None:
    """It names where GitLab's secrets are, and copies none."""
    environment = "ATLANTIS_GITLAB_TOKEN=s3cret\nATLANTIS_GITLAB_USER=bot\n"
    given = {**flags_in_environment(environment), "gitlab-webhook-secret": "s3cret"}
    given["repo-allowlist"] = "gitlab.com/acme/platform/*"
    made = migrated_server(None, given, "", frozenset(flags_in_environment(environment)))
    config = load_server(made.text, "prbot.server.yaml", {})
    (forge,) = config.forges
    assert forge.token == "env://ATLANTIS_GITLAB_TOKEN"
    assert forge.webhook_secret == "env://PRBOT_GITLAB_WEBHOOK_SECRET"
    assert config.repositories == ("acme/platform/**",)
    assert "s3cret" not in made.text + str(made.report)
    assert {entry.key: entry.verdict for entry in made.report} == {
        "--gitlab-token": Verdict.SAME,
        "--gitlab-user": Verdict.DIFFERENT,
        "--gitlab-webhook-secret": Verdict.SAME,
        "--repo-allowlist": Verdict.SAME,
    }


def test_host_with_a_port() -> None:
    """It knows the ids of a GitLab whose address has a port and a path."""
    given = {"gitlab-hostname": "https://lab.example:8443/git", "repo-allowlist": "lab.example/a/*"}
    config = load_server(migrated_server(None, given, "").text, "prbot.server.yaml", {})
    assert config.repositories == ("a/**",)


def test_two_forges_are_told() -> None:
    """It says that hosts are left out of the list, where two forges read it."""
    given = {"gh-token": "x", "gitlab-token": "x", "repo-allowlist": "gitlab.com/acme/*"}
    told = {entry.key: entry.verdict for entry in migrated_server(None, given, "").report}
    assert told["--repo-allowlist"] is Verdict.DIFFERENT


def test_repos() -> None:
    """It carries over who may have which workflows and hooks."""
    repos = """\
repos:
- id: /.*/
  allowed_overrides: [workflow, apply_requirements]
  pre_workflow_hooks: [{run: ./gen.sh, description: generate, commands: "plan, apply"}]
- id: github.com/acme/app
  workflow: tg
  allow_custom_workflows: true
  allowed_overrides: []
- id: github.com/acme/none
- id: /github.com/(a|b)/.*/
  workflow: tg
workflows:
  tg: {plan: {steps: [init, {plan: {extra_args: [-lock=false]}}]}, policy_check: {steps: [show]}}
external_stores: {plan_store: {type: s3, s3: {bucket: plans, region: eu-west-1, prefix: p/}}}
"""
    found = server("", repos)
    first, second = found.per_repository
    assert (first.match, first.workflows_allowed, first.own_workflows) == (("*/*",), ("*",), None)
    assert first.pre_hooks is not None
    assert (first.pre_hooks[0].run, first.pre_hooks[0].commands) == ("./gen.sh", ("plan", "apply"))
    assert (second.match, second.workflow, second.workflows_allowed, second.own_workflows) == (
        *(("acme/app",), "tg", (), True),
    )
    assert found.workflows["tg"].policy.steps is not None
    assert found.artifacts == "s3://plans/p"
    made = migrated_server(repos, {"repo-allowlist": "github.com/acme/*"}, "repos.yaml")
    refused = [(e.line, e.key) for e in made.report if e.verdict is Verdict.REFUSED]
    assert refused == [(10, "repos[3].id")]


HOOKS = [
    ("{run: x}", (("plan", "apply", "import", "state_rm"),), []),
    ("{run: x, commands: plan}", (("plan",),), []),
    ("{run: x, commands: 'plan, state'}", (("plan", "state_rm"),), []),
    ("{run: x, commands: 'plan,unlock'}", (("plan",),), ["repos[0].pre_workflow_hooks"]),
    ("{run: x, commands: unlock}, {run: y}", (HOOKED,), ["repos[0].pre_workflow_hooks"]),
]


@pytest.mark.parametrize(("hooks", "commands", "told"), HOOKS)
def test_hooks(hooks: str, commands: tuple[tuple[str, ...], ...], told: list[str]) -> None:
    """It keeps hooks for the commands that prbot has, and tells of the others."""
    repos = f"repos: [{{id: /.*/, pre_workflow_hooks: [{hooks}]}}]"
    (rule,) = server("", repos).per_repository
    assert tuple(hook.commands for hook in rule.pre_hooks or ()) == commands
    report = migrated_server(repos, {"repo-allowlist": "x/a/*"}, "repos.yaml").report
    assert [entry.key for entry in report if entry.verdict is Verdict.DIFFERENT] == told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("invalid: key", "unknown key `invalid`"),
        ("repos: [{}]", "`repos[0].id` is missing"),
        ("repos: [{id: /.*/, branch: '/?/'}]", "regular expression"),
        ("repos: [{id: /.*/, workflow: nowhere}]", "`nowhere` is not defined"),
        ("repos: [{id: /.*/, allowed_overrides: [invalid]}]", "allowed_overrides"),
        ("repos: [{id: /.*/, apply_requirements: [invalid]}]", "apply_requirements"),
        ("repos: [{id: /.*/, silence_pr_comments: [invalid]}]", "silence_pr_comments"),
        ("repos: [{id: /.*/, autodiscover: {mode: x}}]", "autodiscover.mode"),
        ("workflows: {a: {plan: {steps: [nothing]}}}", "no built-in step"),
    ],
)
def test_bad_repos(text: str, said: str) -> None:
    """It refuses what Atlantis refuses."""
    with pytest.raises(BadConfiguration) as caught:
        server("", text)
    assert said in str(caught.value)


def test_no_allowlist() -> None:
    """It writes no server's file without knowing whom to serve."""
    with pytest.raises(AllowlistMissing):
        migrated_server("repos: []", {}, "repos.yaml")


@pytest.mark.parametrize("text", ["--a 'b", "--a=b c", "--a b c"])
def test_bad_flags(text: str) -> None:
    """It refuses flags it cannot tell apart."""
    with pytest.raises(BadFlags):
        flags_in(text)


MEANINGS = [
    ("automerge", "true", Verdict.DIFFERENT),
    ("automerge", "false", Verdict.SAME),
    ("checkout-strategy", "branch", Verdict.DIFFERENT),
    ("checkout-strategy", "merge", Verdict.SAME),
    ("gitlab-token", "x", Verdict.SAME),
    ("gitlab-group-allowlist", "acme/sre:apply", Verdict.DIFFERENT),
    ("gitlab-status-retry-enabled", "true", Verdict.SAME),
    ("gitlab-status-retry-enabled", "false", Verdict.DIFFERENT),
    ("gitea-token", "x", Verdict.REFUSED),
    ("no-such-flag", "x", Verdict.REFUSED),
]


@pytest.mark.parametrize(("flag", "value", "verdict"), MEANINGS)
def test_meaning(flag: str, value: str, verdict: Verdict) -> None:
    """It says of each flag whether it stays the same."""
    assert meaning_of(flag, value).verdict is verdict


def test_every_flag() -> None:
    """It has a word on each of the flags that `atlantis server` has."""
    assert len(FLAGS) >= 125
