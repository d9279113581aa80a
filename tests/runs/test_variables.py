"""Atlantis's variables under their names, from its documentation's table."""

import pytest

from prbot.errors.workflows import ReservedVariable, UnknownVariable
from prbot.model import Login, ProjectKey, PullRef, PullRequest, RepoRef, Sha
from prbot.runs.variables import (
    Files,
    Subject,
    check_settable,
    comment_args,
    expanded,
    hook_variables,
    job_variables,
)

PULL = PullRequest(
    ref=PullRef(RepoRef("gh", "acme/infra"), 7),
    title="",
    author=Login("alice"),
    head_sha=Sha("a" * 40),
    head_branch="topic/$(id)",
    head_repo="fork/infra2",
    base_branch="main",
    base_sha=Sha("b" * 40),
    default_branch="main",
    url="https://forge.test/acme/infra/pull/7",
)
SUBJECT = Subject(PULL, Login("bob"), "plan", ("-target=a", "b c"), "prod")
FILES = Files("/w/envs/prod", "/d/plan", "/d/plan.json", "/d/policy.json")

# https://www.runatlantis.io/docs/custom-workflows.html#native-environment-variables
JOB = {
    "WORKSPACE": "blue",
    "ATLANTIS_TERRAFORM_VERSION": "1.11.4",
    "ATLANTIS_TERRAFORM_DISTRIBUTION": "terraform",
    "DIR": "/w/envs/prod",
    "PLANFILE": "/d/plan",
    "SHOWFILE": "/d/plan.json",
    "POLICYCHECKFILE": "/d/policy.json",
    "BASE_REPO_NAME": "infra",
    "BASE_REPO_OWNER": "acme",
    "HEAD_REPO_NAME": "infra2",
    "HEAD_REPO_OWNER": "fork",
    "HEAD_BRANCH_NAME": "topic/$(id)",
    "HEAD_COMMIT": "a" * 40,
    "BASE_BRANCH_NAME": "main",
    "PROJECT_NAME": "prod",
    "PULL_NUM": "7",
    "PULL_URL": "https://forge.test/acme/infra/pull/7",
    "PULL_AUTHOR": "alice",
    "REPO_REL_DIR": "envs/prod",
    "USER_NAME": "bob",
    "COMMENT_ARGS": r"\-\t\a\r\g\e\t\=\a,\b\ \c",
    "PRBOT_COMMAND": "plan",
}


def test_job() -> None:
    """It gives a step all that Atlantis does, but its judgement on approval."""
    key = ProjectKey("envs/prod", "blue")
    assert job_variables(SUBJECT, key, "terraform 1.11.4", FILES) == JOB


def test_hook() -> None:
    """It gives a hook what is not about one project, and its command."""
    of_project = {
        "WORKSPACE", "PLANFILE", "SHOWFILE", "POLICYCHECKFILE", "REPO_REL_DIR",
        "ATLANTIS_TERRAFORM_VERSION", "ATLANTIS_TERRAFORM_DISTRIBUTION",
    }  # fmt: skip
    more = {"DIR": "/w", "COMMAND_NAME": "plan", "OUTPUT_STATUS_FILE": "/d/status"}
    wanted = {name: value for name, value in JOB.items() if name not in of_project} | more
    assert hook_variables(SUBJECT, "/w", "/d/status") == wanted


ARGUMENTS = [
    ((), ""),
    (("arg1", "arg2"), r"\a\r\g\1,\a\r\g\2"),
    (("-var", "a='x,y'"), r"\-\v\a\r,\a\=\'\x\,\y\'"),
    (("$(id)`id`",), r"\$\(\i\d\)\`\i\d\`"),
    (("",), ""),
]


@pytest.mark.parametrize(("arguments", "text"), ARGUMENTS)
def test_comment_args(arguments: tuple[str, ...], text: str) -> None:
    """It escapes every character, so that a shell takes none for more than it is."""
    assert comment_args(arguments) == text


REFUSED = [
    "TF_CLI_ARGS", "TF_CLI_ARGS_plan", "TF_CLI_CONFIG_FILE", "TF_DATA_DIR", "TF_WORKSPACE",
    "TF_LOG", "TF_LOG_PATH", "TF_REATTACH_PROVIDERS", "TF_PLUGIN_CACHE_DIR", "LD_PRELOAD",
    "DYLD_INSERT_LIBRARIES", "BASH_ENV", "HOME", "TMPDIR", "PLANFILE", "PRBOT_TOKEN", "DIR",
]  # fmt: skip
ALLOWED = ["PATH", "TF_VAR_a", "AWS_PROFILE", "ENV", "TF_IN_AUTOMATION", "TERRAGRUNT_TFPATH"]


@pytest.mark.parametrize("name", REFUSED)
def test_reserved(name: str) -> None:
    """It lets no step set what steers the tool or is prbot's."""
    with pytest.raises(ReservedVariable, match=name):
        check_settable(name, JOB)


@pytest.mark.parametrize("name", ALLOWED)
def test_settable(name: str) -> None:
    """It lets steps set what they commonly set."""
    check_settable(name, JOB | {"PATH": "/bin"})


EXPANDED = [
    ("-backend-config=$WORKSPACE.hcl", "-backend-config=blue.hcl"),
    ("-var=a=${DIR}/x", "-var=a=/w/envs/prod/x"),
    ("-var=price=5$", "-var=price=5$"),
    ("$HEAD_BRANCH_NAME", "topic/$(id)"),
    ("`id` $(id) a b", "`id` $(id) a b"),
]


@pytest.mark.parametrize(("argument", "word"), EXPANDED)
def test_expanded(argument: str, word: str) -> None:
    """It replaces variables by their values and does nothing else of what a shell does."""
    assert expanded(argument, JOB) == word


@pytest.mark.parametrize("argument", ["$NOPE", "-var=${NO_PE}x"])
def test_unknown(argument: str) -> None:
    """It does not put nothing where something was meant."""
    with pytest.raises(UnknownVariable):
        expanded(argument, JOB)
