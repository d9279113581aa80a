"""`atlantis.yaml` in prbot's words. Expectations: Atlantis's documentation and its parser
(server/core/config), of which each row names what it is about."""

import pytest

from prbot.config.atlantis import Notice, load_atlantis
from prbot.config.project_rules import DeclaredProject, DiscoveryMode, ProjectRules
from prbot.errors.configuration import BadConfiguration

AUTO, DISABLED = DiscoveryMode.AUTO, DiscoveryMode.DISABLED
USUAL = ("**/*.tf*", "**/*.tofu", "**/*.tofu.json", "**/terragrunt.hcl", "**/.terraform.lock.hcl")


def project(line: int = 3, **given: object) -> DeclaredProject:
    given = {"dir": "a", "when_modified": USUAL, "line": line, **given}
    return DeclaredProject(**given)  # type: ignore[arg-type]  # a table's row


def rules(text: str, branch: str | None = None) -> ProjectRules:
    return load_atlantis(text, branch=branch).rules


PROJECTS = [
    ("dir: a", {}),
    ("dir: ./a/", {}),
    ("dir: /a", {}),
    ("dir: .", {"dir": "."}),
    ("dir: a//b/./c", {"dir": "a/b/c"}),
    ("dir: 'a/*'", {"dir": "a/*"}),
    ("{dir: a, workspace: ''}", {}),
    ("{dir: a, workspace: yes}", {"workspace": "yes"}),
    ("{dir: a, workspace: 0123}", {"workspace": "0123"}),
    ("{dir: a, workspace: 2024-01-02}", {"workspace": "2024-01-02"}),
    ("{dir: a, name: team/x}", {"name": "team/x"}),
    ("{dir: a, name: 1.10}", {"name": "1.10"}),
    ("{dir: a, name: null}", {}),
    ("{dir: a, depends_on: [x, y]}", {"depends_on": ("x", "y")}),
    ("{dir: a, execution_order_group: 2}", {"order": 2}),
    ("{dir: a, execution_order_group: -2}", {"order": -2}),
    ("{dir: a, workflow: tg}", {"workflow": "tg"}),
    ("{dir: a, terraform_distribution: opentofu}", {"tool": "tofu"}),
    ("{dir: a, terraform_distribution: terraform}", {"tool": "terraform"}),
    ("{dir: a, terraform_version: v0.11.0}", {"version": "0.11.0"}),
    ("{dir: a, terraform_version: 1.10}", {"version": "1.10.0"}),
    ("{dir: a, terraform_version: 0.12.0-beta1}", {"version": "0.12.0-beta1"}),
    ("{dir: a, autoplan: null}", {}),
    ("{dir: a, autoplan: {}}", {}),
    ("{dir: a, autoplan: {enabled: false}}", {"autoplan": False}),
    ("{dir: a, autoplan: {enabled: off}}", {"autoplan": False}),
    ("{dir: a, autoplan: {when_modified: ['*.tf', '!x', ../m/**]}}", ("*.tf", "!x", "../m/**")),
    ("{dir: a, autoplan: {when_modified: []}}", ()),
    ("{dir: a, autoplan: {when_modified: null}}", {}),
]


@pytest.mark.parametrize(("text", "given"), PROJECTS)
def test_project(text: str, given: object) -> None:
    """It reads a project as Atlantis does, defaults included."""
    expected = given if isinstance(given, dict) else {"when_modified": given}
    (found,) = rules(f"version: 3\nprojects:\n- {text}\n").declared
    assert found == project(**expected)


MODES = [
    ("", AUTO),
    ("autodiscover: {}", AUTO),
    ("autodiscover: {mode: auto}", AUTO),
    ("autodiscover: {mode: enabled}", AUTO),
    ("autodiscover: {mode: disabled}", DISABLED),
    ("projects: []", AUTO),
    ("projects: [{dir: a}]", DISABLED),
    ("projects: [{dir: a}]\nautodiscover: {mode: auto}", DISABLED),
    ("projects: [{dir: a}]\nautodiscover: {mode: enabled}", AUTO),
    ("projects: [{dir: a}]\nautodiscover: {mode: disabled}", DISABLED),
]


@pytest.mark.parametrize(("text", "mode"), MODES)
def test_discovery(text: str, mode: DiscoveryMode) -> None:
    """It discovers where Atlantis does: by itself only without declared projects."""
    assert rules(f"version: 3\n{text}").mode is mode


IGNORED = [
    ("some/path", ("some/path",)),
    ("dir/*", ("dir/*",)),
    ("a/**", ("a/**", "a")),  # doublestar's `a/**` is also `a` itself
    ("**", ("**",)),
    ("{a,b}/c", ("a/c", "b/c")),
    ("{a,b}/{c,d}/**", ("a/c/**", "a/c", "a/d/**", "a/d", "b/c/**", "b/c", "b/d/**", "b/d")),
    ("a[^b]", ("a[!b]",)),
]


@pytest.mark.parametrize(("pattern", "globs"), IGNORED)
def test_ignored(pattern: str, globs: tuple[str, ...]) -> None:
    """It ignores what Atlantis's globs ignore."""
    assert rules(f"version: 3\nautodiscover: {{ignore_paths: ['{pattern}']}}").ignore == globs


def test_branch() -> None:
    """It takes the projects for the base branch, and discovers where none is left."""
    text = "version: 3\nprojects: [{dir: a, branch: /^main$/}, {dir: b, branch: /^dev/}]"
    assert [entry.dir for entry in rules(text, "main").declared] == ["a"]
    assert [entry.dir for entry in rules(text, "develop").declared] == ["b"]
    assert [entry.dir for entry in rules(text).declared] == ["a", "b"]
    assert rules(text, "main").mode is DISABLED
    assert (rules(text, "x").declared, rules(text, "x").mode) == ((), AUTO)


def test_templates() -> None:
    """It reads projects that are kept short with anchors and `<<`."""
    text = """\
version: 3
projects:
   - &template
     name: template
     dir: template
     workflow: custom
     autoplan: {enabled: true, when_modified: ["./terraform/modules/**/*.tf", "**/*.tf"]}
   - <<: *template
     name: ue1-prod-titan
     dir: ./terraform/titan
     workspace: ue1-prod
"""
    patterns = ("./terraform/modules/**/*.tf", "**/*.tf")
    assert rules(text) == ProjectRules(
        declared=(
            project(dir="template", name="template", workflow="custom", when_modified=patterns),
            project(
                8,
                dir="terraform/titan",
                name="ue1-prod-titan",
                workspace="ue1-prod",
                workflow="custom",
                when_modified=patterns,
            ),
        ),
        mode=DISABLED,
        source="atlantis.yaml",
    )


V3 = "version: 3\n"
BAD = [
    ("", 1, "`version` is missing"),
    ("projects: []", 1, "`version` is missing"),
    ("version: 1", 1, "`version`"),
    ("version: 4", 1, "`version`"),
    (V3 + "automerg: true", 2, "unknown key `automerg`"),
    (V3 + "projects: [{name: a}]", 2, "`projects[0].dir` is missing"),
    (V3 + "projects: [{dir: ''}]", 2, "inside the repository"),
    (V3 + "projects: [{dir: ..}]", 2, "inside the repository"),
    (V3 + "projects: [{dir: a/../b}]", 2, "inside the repository"),
    (V3 + "projects: [{dir: a..b}]", 2, "inside the repository"),
    (V3 + "projects: [{dir: a, name: ''}]", 2, "project's name"),
    (V3 + "projects: [{dir: a, name: a b}]", 2, "project's name"),
    (V3 + "projects: [{dir: a, name: 'a*'}]", 2, "project's name"),
    (V3 + "projects: [{dir: 'a/*', name: x}]", 2, "project's name"),
    (V3 + "projects:\n- {dir: a, name: x}\n- {dir: b, name: x}", 4, "two projects are named"),
    (V3 + "projects:\n- {dir: a}\n- {dir: a}", 4, "needs a name"),
    (V3 + "projects:\n- {dir: a, name: x}\n- {dir: a}", 4, "needs a name"),
    (V3 + "projects: [{dir: a, workspace: a/b}]", 2, "workspace's name"),
    (V3 + "projects: [{dir: a, workspace: -a}]", 2, "workspace's name"),
    (V3 + "projects: [{dir: a, branch: main}]", 2, "begin and end with a slash"),
    (V3 + "projects: [{dir: a, branch: '/(a/'}]", 2, "not closed"),
    (V3 + "projects: [{dir: a, terraform_version: x}]", 2, "neither a version"),
    (V3 + "projects: [{dir: a, terraform_version: '>=1'}]", 2, "neither a version"),
    (V3 + "projects: [{dir: a, terraform_distribution: tofu}]", 2, "'opentofu'"),
    (V3 + "projects: [{dir: a, apply_requirements: [aproved]}]", 2, "'approved'"),
    (V3 + "projects: [{dir: a, repo_locks: {mode: always}}]", 2, "'on_apply'"),
    (V3 + "projects: [{dir: a, autoplan: {enable: true}}]", 2, "unknown key `enable`"),
    (V3 + "projects: [{dir: a, execution_order_group: x}]", 2, "execution_order_group"),
    (V3 + "autodiscover: {mode: on}", 2, "'auto'"),
    (V3 + "autodiscover: {ignore_paths: [/a]}", 2, "leads outside"),
    (V3 + "workflows: {a: {plan: {steps: [foo]}}}", 2, "no built-in step"),
    (V3 + "workflows: {a: {plan: {steps: [{run: {cmd: x}}]}}}", 2, "unknown key `cmd`"),
    (V3 + "projects: [{dir: a, dir: b}]", 2, "a second time"),
]


@pytest.mark.parametrize(("text", "line", "said"), BAD)
def test_bad(text: str, line: int, said: str) -> None:
    """It refuses what Atlantis refuses, with the place."""
    with pytest.raises(BadConfiguration) as caught:
        load_atlantis(text)
    assert said in str(caught.value)
    assert (caught.value.path, caught.value.line) == ("atlantis.yaml", line)


QUIET = [
    "automerge: false",
    "parallel_plan: true",
    "delete_source_branch_on_merge: false",
    "emoji_reaction: eyes",
    "repo_locks: {mode: on_apply}",
    "abort_on_execution_order_fail: true",
    "allowed_regexp_prefixes: []",
    "projects: [{dir: a, apply_requirements: [approved]}]",
    "projects: [{dir: a, plan_requirements: []}]",
    "projects: [{dir: a, branch: /main/, terraform_version: 1.0.0, workflow: x}]",
]


@pytest.mark.parametrize("text", QUIET)
def test_quiet(text: str) -> None:
    """It says nothing of keys that ask for what holds."""
    assert load_atlantis(V3 + text).notices == ()


NAMED = [
    ("emoji_reaction: rocket", "emoji_reaction"),
    ("policies: {policy_sets: []}", "policies"),
    ("parallel_apply: false", "parallel_apply"),
    ("emoji_reaction: rocket", "emoji_reaction"),
    ("allowed_regexp_prefixes: [dev/]", "allowed_regexp_prefixes"),
    ("repo_locks: {mode: on_plan}", "repo_locks.mode"),
    ("silence_pr_comments: [plan]", "silence_pr_comments"),
    ("abort_on_execution_order_fail: false", "abort_on_execution_order_fail"),
    ("projects: [{dir: a, apply_requirements: [undiverged]}]", "projects[].apply_requirements"),
    ("projects: [{dir: a, import_requirements: [approved]}]", "projects[].import_requirements"),
    ("projects: [{dir: a, repo_locking: true}]", "projects[].repo_locking"),
    ("projects: [{dir: a, repo_locks: {mode: disabled}}]", "projects[].repo_locks.mode"),
    ("projects: [{dir: a, custom_policy_check: true}]", "projects[].custom_policy_check"),
    ("projects: [{dir: a, policy_check: true}]", "projects[].policy_check"),
]


@pytest.mark.parametrize(("text", "key"), NAMED)
def test_not_honoured(text: str, key: str) -> None:
    """It names what it does not honour."""
    (notice,) = load_atlantis(V3 + text).notices
    assert (notice.key, notice.line) == (key, 2)
    assert len(notice.words) > 10


def test_named_once() -> None:
    """It names each key once, where it stands first."""
    text = "projects:\n- {dir: a, repo_locking: true}\n- {dir: b, repo_locking: false}\n"
    notices = load_atlantis(V3 + text + "emoji_reaction: rocket").notices
    assert [(notice.key, notice.line) for notice in notices] == [
        ("projects[].repo_locking", 3),
        ("emoji_reaction", 5),
    ]
    assert isinstance(notices[0], Notice)


WORKFLOW = """\
workflows:
  tg:
    plan:
      steps:
      - init: {extra_args: [-upgrade]}
      - run: echo 'a  b' "c"
      - run: {command: echo 'a  b', shell: bash, shellArgs: -e -c, output: strip_refreshing}
      - env: {name: A, value: 1}
      - multienv: {command: ./e, output: hide}
    policy_check: {steps: [show, policy_check]}
    import: {steps: [init, import]}
"""


@pytest.mark.parametrize(("version", "command"), [(2, "echo a  b c"), (3, "echo 'a  b' \"c\"")])
def test_workflow(version: int, command: str) -> None:
    """It reads workflows; version 2 splits and joins `run` commands as Atlantis did then."""
    workflow = load_atlantis(f"version: {version}\n{WORKFLOW}").workflows["tg"]
    steps = workflow.plan.steps
    assert steps is not None
    assert [step.kind for step in steps] == ["init", "run", "run", "env", "multienv"]
    assert steps[0].step.extra_args == ("-upgrade",)
    assert steps[1].step.command == command
    assert steps[2].step.argv == ("bash", "-e", "-c")
    assert steps[3].step.value == "1"
    assert workflow.policy.steps is not None
    assert [step.kind for step in workflow.policy.steps] == ["show", "policy"]
    assert workflow.apply.steps is None
