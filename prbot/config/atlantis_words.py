"""What each key of Atlantis means to prbot: the same, something different, or nothing.

One table for whoever must know: the reader of `atlantis.yaml`, which names each key it
does not honour once, `prbot migrate`, and the documentation.

Keys: https://www.runatlantis.io/docs/repo-level-atlantis-yaml.html and
https://www.runatlantis.io/docs/server-side-repo-config.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """SAME: as in Atlantis. DIFFERENT: something else holds, or another key says it.
    REFUSED: prbot does not do this."""

    SAME = "same"
    DIFFERENT = "different"
    REFUSED = "refused"


@dataclass(frozen=True)
class Meaning:
    """`quiet` are values (as text) that ask for what holds anyway: they are not named."""

    verdict: Verdict
    words: str
    quiet: frozenset[str] = field(default_factory=frozenset)


def _same(words: str) -> Meaning:
    return Meaning(Verdict.SAME, words)


def _different(words: str, *quiet: str) -> Meaning:
    return Meaning(Verdict.DIFFERENT, words, frozenset(quiet))


def _refused(words: str, *quiet: str) -> Meaning:
    return Meaning(Verdict.REFUSED, words, frozenset(quiet))


NO = ("false",)
_AUTOMERGE = _same("once the operator allows it: `per_repository[].allow: [automerge]`")
_DELETE_MERGED = _same("`automerge.delete_branch`: of what prbot merges")
_DELETE_BRANCH = _refused("the forge's own setting deletes merged branches", *NO)
_SILENCE = _refused("prbot keeps one comment up to date instead of writing many", "[]")
_POLICY_CHECK = _refused("prbot checks no policies yet", *NO)
_LOCKING = _different("a project is held from its first apply until the merge")
_LOCK_MODE = _different(
    "a project is held from its first apply until the merge, as with `on_apply`", "on_apply"
)
_REQUIREMENTS = _different(
    "all three hold anyway, in `defaults.apply_requirements` of `prbot.yaml`: `approved` by other"
    " people, `mergeable`, and `undiverged` as `up-to-date`, by the files a project reads",
    "[]",
    "[approved]",
    "[mergeable]",
    "[approved, mergeable]",
    "[mergeable, approved]",
)
_PLAN_REQUIREMENTS = _refused("a plan needs write access and nothing else", "[]")
_IMPORT_REQUIREMENTS = _different("`import` needs what an apply needs", "[]")

REPO: Mapping[str, Meaning] = {
    "version": _same("2 and 3; they differ in how `run` steps are split"),
    "projects": _same("declared projects; without `autodiscover`, nothing else is one"),
    "workflows": _same("if the server lets the repository write its own"),
    "policies": _refused("Atlantis does not read it here either"),
    "automerge": _AUTOMERGE,
    "autodiscover.mode": _same("what is found are prbot's projects: directories with a backend"),
    "autodiscover.ignore_paths": _same("globs of directories in which nothing is found"),
    "parallel_plan": _different("independent projects always run in parallel", "true"),
    "parallel_apply": _different("independent projects always run in parallel", "true"),
    "abort_on_execution_order_fail": _different(
        "what comes after a failed project is always skipped", "true"
    ),
    "delete_source_branch_on_merge": _DELETE_MERGED,
    "emoji_reaction": _different("prbot reacts with eyes", "eyes", ""),
    "allowed_regexp_prefixes": _refused("`-p` takes globs instead of regular expressions", "[]"),
    "repo_locks.mode": _LOCK_MODE,
    "silence_pr_comments": _SILENCE,
    "projects[].name": _same("the project's name"),
    "projects[].branch": _same("a regular expression whose matching cannot run away"),
    "projects[].dir": _same("a directory, or a glob of directories"),
    "projects[].workspace": _same("`default` if left out"),
    "projects[].workflow": _same("if the server allows it"),
    "projects[].terraform_distribution": _same("`opentofu` is prbot's `tofu`"),
    "projects[].terraform_version": _same("exactly this version"),
    "projects[].autoplan.enabled": _same("whether a change plans it unasked"),
    "projects[].autoplan.when_modified": _same("the same patterns, and Atlantis's own if left out"),
    "projects[].execution_order_group": _same("lower groups come first"),
    "projects[].depends_on": _same("plans wait too, not only applies"),
    "projects[].plan_requirements": _PLAN_REQUIREMENTS,
    "projects[].apply_requirements": _REQUIREMENTS,
    "projects[].import_requirements": _IMPORT_REQUIREMENTS,
    "projects[].delete_source_branch_on_merge": _DELETE_BRANCH,
    "projects[].repo_locking": _LOCKING,
    "projects[].repo_locks.mode": _LOCK_MODE,
    "projects[].policy_check": _POLICY_CHECK,
    "projects[].custom_policy_check": _POLICY_CHECK,
    "projects[].silence_pr_comments": _SILENCE,
}
"""Keys of `atlantis.yaml`; `projects[]` stands for each of them."""

SERVER: Mapping[str, Meaning] = {
    "repos[].id": _same("`per_repository[].match`, for ids that are no intricate expression"),
    "repos[].branch": _different("`branches` of the server counts for all repositories"),
    "repos[].repo_config_file": _refused(
        "prbot reads `prbot.yaml` or `atlantis.yaml` at the root", "atlantis.yaml"
    ),
    "repos[].workflow": _same("`per_repository[].workflow`"),
    "repos[].allowed_workflows": _same("`per_repository[].workflows_allowed`"),
    "repos[].allowed_overrides": _different(
        "`workflow` becomes `workflows_allowed`; the rest is never the repository's", "[]"
    ),
    "repos[].allow_custom_workflows": _same("`per_repository[].own_workflows`"),
    "repos[].pre_workflow_hooks": _same("`per_repository[].pre_hooks`"),
    "repos[].post_workflow_hooks": _same("`per_repository[].post_hooks`"),
    "repos[].plan_requirements": _PLAN_REQUIREMENTS,
    "repos[].apply_requirements": _REQUIREMENTS,
    "repos[].import_requirements": _IMPORT_REQUIREMENTS,
    "repos[].delete_source_branch_on_merge": _DELETE_BRANCH,
    "repos[].repo_locking": _LOCKING,
    "repos[].repo_locks.mode": _LOCK_MODE,
    "repos[].policy_check": _POLICY_CHECK,
    "repos[].custom_policy_check": _POLICY_CHECK,
    "repos[].autodiscover.mode": _different(
        "each repository says it in its own file: `discovery.mode`"
    ),
    "repos[].autodiscover.ignore_paths": _different(
        "each repository says it in its own file: `discovery.ignore`"
    ),
    "repos[].silence_pr_comments": _SILENCE,
    "workflows": _same("`workflows` of the server"),
    "policies": _refused("prbot checks no policies yet"),
    "metrics": _refused("metrics are those of drift: `metrics_token`"),
    "team_authz": _refused("write access decides who may command"),
    "external_stores.plan_store": _same("`artifacts: s3://…`; region and endpoint as boto3 has it"),
}
"""Keys of the server-side `repos.yaml`."""
