"""`projects:`, `discovery:` and `workflows:` of the repository's file, and their errors."""

import pytest

from prbot.config.project_rules import DeclaredProject, DiscoveryMode, ProjectRules
from prbot.config.repo import load_repo, load_rules
from prbot.errors.configuration import BadConfiguration

V = "version: 1\n"


def test_no_file() -> None:
    """It finds projects and declares none where there is no file."""
    assert load_rules(None) == ProjectRules()
    assert load_rules(V) == ProjectRules(source="prbot.yaml")


def test_everything() -> None:
    """It reads every key of a project and of discovery."""
    text = """\
version: 1
discovery: {mode: enabled, ignore: ["examples/**"], order_by_state: false}
projects:
  - dir: ./environments/production/network/
    name: prod-network
    workspace: prod
    depends_on: [prod-account, environments/production/dns]
    order: 2
    when_modified: ["**/*.tf", "!x.tf", "../modules/**"]
    autoplan: false
    var_files: [prod.tfvars, ../common.tfvars]
    workflow: terragrunt
    tool: tofu
    version: ">= 1.6, < 2"
  - dir: "environments/*"
"""
    full = DeclaredProject(
        dir="environments/production/network",
        workspace="prod",
        name="prod-network",
        depends_on=("prod-account", "environments/production/dns"),
        order=2,
        when_modified=("**/*.tf", "!x.tf", "../modules/**"),
        autoplan=False,
        var_files=("prod.tfvars", "../common.tfvars"),
        workflow="terragrunt",
        tool="tofu",
        version=">= 1.6, < 2",
        line=4,
    )
    assert load_rules(text) == ProjectRules(
        declared=(full, DeclaredProject(dir="environments/*", line=15)),
        mode=DiscoveryMode.ENABLED,
        ignore=("examples/**",),
        order_by_state=False,
        source="prbot.yaml",
    )


BRANCHES = [
    ("/main/", "main", True),
    ("/main/", "domain", True),  # an expression is searched, as in Atlantis
    ("/^main$/", "domain", False),
    ("/^(main|release-.*)$/", "release-2", True),
    ("/^(main|release-.*)$/", "dev", False),
    ("/(?i)MAIN/", "main", True),
    (r"/^v\d+\.\d+$/", "v1.2", True),
    (r"/^v\d+\.\d+$/", "v1x2", False),
]


@pytest.mark.parametrize(("pattern", "branch", "counts"), BRANCHES)
def test_branch(pattern: str, branch: str, counts: bool) -> None:
    """It counts a project only for pull requests into the branches it is for."""
    text = f"{V}projects: [{{dir: a, branch: '{pattern}'}}]"
    assert bool(load_rules(text, branch=branch).declared) is counts
    assert load_rules(text).declared


BAD = [
    ("projects: {}", 2, 1, "not a list"),
    ("projects:\n  - name: a", 3, 5, "`projects[0].dir` is missing"),
    ("projects:\n  - {dir: a, nmae: b}", 3, 14, "unknown key `nmae`"),
    ("projects:\n  - dir: ../a", 3, 5, "does not stay inside"),
    ("projects:\n  - dir: /a", 3, 5, "does not stay inside"),
    ("projects:\n  - dir: ''", 3, 5, "does not stay inside"),
    ("projects:\n  - {dir: a, workspace: 'a b'}", 3, 14, "workspace's name"),
    ("projects:\n  - {dir: a, workspace: ../b}", 3, 14, "workspace's name"),
    ("projects:\n  - {dir: a, workspace: $x}", 3, 14, "workspace's name"),
    ("projects:\n  - {dir: a, name: 'a b'}", 3, 14, "project's name"),
    ("projects:\n  - {dir: a, name: -rf}", 3, 14, "project's name"),
    ("projects:\n  - {dir: 'a/*', name: b}", 3, 18, "project's name"),
    ("projects:\n  - {dir: a, name: x}\n  - {dir: b, name: x}", 4, 14, "two projects are named"),
    ("projects:\n  - {dir: a, order: first}", 3, 14, "`projects[0].order`"),
    ("projects:\n  - {dir: a, when_modified: ['']}", 3, 30, "pattern"),
    ("projects:\n  - {dir: a, var_files: [../../b]}", 3, 26, "does not stay inside"),
    ("projects:\n  - {dir: a, var_files: [/etc/x]}", 3, 26, "does not stay inside"),
    ("projects:\n  - {dir: a, var_files: [-x]}", 3, 26, "does not stay inside"),
    ("projects:\n  - {dir: a, tool: opentofu}", 3, 14, "'terraform' or 'tofu'"),
    ("projects:\n  - {dir: a, version: newest}", 3, 14, "neither a version nor a constraint"),
    ("projects:\n  - {dir: a, branch: main}", 3, 14, "begin and end with a slash"),
    ("projects:\n  - {dir: a, branch: /(a+)+/}", 3, 14, "repeats what repeats"),
    ("projects:\n  - {dir: a, branch: /(a|a)*/}", 3, 14, "repeats what repeats"),
    ("projects:\n  - {dir: a, branch: '/(?=a)/'}", 3, 14, "`(?` is known here"),
    ("projects:\n  - {dir: a, branch: '/(a/'}", 3, 14, "not closed"),
    ("projects:\n  - {dir: a, branch: '/a)/'}", 3, 14, "was not opened"),
    (r"projects: [{dir: a, branch: '/(a)\1/'}]", 2, 21, r"`\1` is not known"),
    ("discovery: {mode: never}", 2, 13, "'auto', 'enabled' or 'disabled'"),
    ("discovery: {moed: auto}", 2, 13, "unknown key `moed`"),
    ("workflows: {a: {paln: {}}}", 2, 17, "unknown key `paln`"),
    ("workflows: {a: {plan: {steps: [foo]}}}", 2, 32, "no built-in step"),
    ("workflows: {a: {plan: {steps: [{run: x, env: y}]}}}", 2, 32, "exactly one key"),
    ("workflows: {a: {plan: {steps: [{run: x, init: {}}]}}}", 2, 32, "exactly one key"),
    ("workflows: {a: {plan: {steps: [{init: {extra_arg: [x]}}]}}}", 2, 40, "unknown key"),
    ("workflows: {a: {plan: {steps: [{env: {name: A}}]}}}", 2, 33, "exactly one of `value`"),
    ("workflows: {a: {plan: {steps: [{env: {name: 1A, value: x}}]}}}", 2, 39, "variable's name"),
    (
        "workflows: {a: {plan: {steps: [{run: {command: x, output: no}}]}}}",
        2,
        51,
        "it is not a list",
    ),
    (
        "workflows: {a: {plan: {steps: [{run: {command: x, output: [loud]}}]}}}",
        2,
        60,
        "'show', 'hide' or 'strip_refreshing'",
    ),
    (
        "workflows: {a: {plan: {steps: [{run: {command: x, shell_args: -x}}]}}}",
        2,
        33,
        "needs `shell` beside it",
    ),
    ("limits: {projects_per_run: 0}", 2, 10, "greater than or equal to 1"),
    ("defaults: {tool: cdk}", 2, 12, "'terraform' or 'tofu'"),
    ("defaults: {version: '>>1'}", 2, 12, "neither a version nor a constraint"),
]


@pytest.mark.parametrize(("text", "line", "column", "said"), BAD)
def test_bad(text: str, line: int, column: int, said: str) -> None:
    """It names line and column of what is wrong, and says what."""
    with pytest.raises(BadConfiguration) as caught:
        load_rules(V + text)
    assert said in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_probable_key() -> None:
    """It names the probable key, in lists and below names of people's choice too."""
    for text, guess in [
        ("projects: [{dir: a, depend_on: []}]", "depends_on"),
        ("workflows: {a: {plan: {step: []}}}", "steps"),
        ("workflows: {a: {plan: {steps: [{run: {comand: x}}]}}}", "command"),
        ("workflows: {a: {imports: {}}}", "import"),
    ]:
        with pytest.raises(BadConfiguration) as caught:
            load_rules(V + text)
        assert caught.value.next_step == f"Did you mean `{guess}`?"


def test_workflow() -> None:
    """It reads the short and the long form of every step."""
    text = """\
version: 1
workflows:
  tg:
    plan:
      steps:
        - init
        - run: make
        - run: {command: a, shell: bash, shell_args: [-e, -c], output: [hide, {filter_regex: x+}]}
        - env: {name: A, value: b}
        - env: {name: B, command: date}
        - multienv: ./envs
        - multienv: {command: ./envs, output: hide}
        - plan: {extra_args: [-lock=false]}
        - policy
    apply: {steps: []}
    import: {steps: [init, import]}
"""
    workflow = load_repo(text).workflows["tg"]
    assert workflow.plan.steps is not None
    kinds = [step.kind for step in workflow.plan.steps]
    assert kinds == [
        *("init", "run", "run", "env", "env", "multienv", "multienv", "plan", "policy"),
    ]
    long = workflow.plan.steps[2].run
    assert long is not None
    assert long.argv == ("bash", "-e", "-c")
    assert [option.mode or option.filter_regex for option in long.output] == ["hide", "x+"]
    short = workflow.plan.steps[1].run
    assert short is not None
    assert (short.command, short.argv, short.output) == ("make", ("sh", "-c"), ())
    assert workflow.plan.steps[7].step.extra_args == ("-lock=false",)
    assert workflow.apply.steps == ()
    assert workflow.state_rm.steps is None
    assert workflow.import_.steps is not None
