"""What each flag of `atlantis server` means to prbot.

Flags stand in the command line, as `ATLANTIS_…` variables, or in a file of the same names:
https://www.runatlantis.io/docs/server-configuration.html. Secrets are never copied: prbot's
file names the variable or the file they are in.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping

from prbot.config.atlantis_words import Meaning, Verdict
from prbot.errors.workflows import BadFlags

PREFIX = "ATLANTIS_"


def _table(verdict: Verdict, rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Meaning]]:
    for names, words in rows:
        for name in names.split():
            yield name, Meaning(verdict, words)


_SAME = [
    ("repo-allowlist", "`repositories`, without the host"),
    ("gh-token", "`forges[].token`, a reference"),
    ("gh-token-file", "`forges[].token`, a reference"),
    ("gh-app-id gh-app-key gh-app-key-file", "`forges[].app`"),
    ("gh-webhook-secret", "`forges[].webhook_secret`, a reference"),
    ("gh-hostname gitlab-hostname", "`forges[].api_url`"),
    ("gitlab-token", "`forges[].token`, a reference"),
    ("gitlab-webhook-secret", "`forges[].webhook_secret`, a reference"),
    ("port", "`listen`"),
    ("executable-name", "`aliases`: `prbot` is heard as well"),
    ("vcs-status-name", "`statuses`, so that branch protection need not change"),
    ("parallel-pool-size", "`limits.parallel_jobs`"),
    ("use-tf-plugin-cache", "`terraform.plugin_cache`"),
    ("repo-config", "read with `--repos`"),
]
_DIFFERENT = [
    ("repo-config-json", "write it to a file and read it with `--repos`"),
    ("config", "prbot does not read this file here: give its keys as flags"),
    ("gh-user gh-app-slug gitlab-user", "prbot asks the forge who it is"),
    ("gh-app-installation-id", "prbot finds the installation by itself"),
    ("gh-org", "only needed to create an App"),
    ("gh-team-allowlist gitlab-group-allowlist",
     "`permissions` in each repository's `prbot.yaml`; without them whoever can write"),
    ("gitlab-status-retry-enabled", "a status that GitLab refused is always tried again"),
    ("gh-allow-mergeable-bypass-apply", "prbot's own checks never stand in its way"),
    ("allow-draft-prs", "`plan_drafts` in each repository's `prbot.yaml`"),
    ("allow-fork-prs", "forks are not run"),
    ("allow-commands", "`import` and `state rm` are off unless `per_repository[].allow` says"),
    ("blocked-extra-args", "`defaults.extra_arguments: false` in each repository's `prbot.yaml`"),
    ("automerge", "`per_repository[].allow`; each repository asks for it in its `prbot.yaml`"),
    ("automerge-method", "`automerge.method` in each repository's `prbot.yaml`"),
    ("autodiscover-mode", "`discovery.mode` in each repository's `prbot.yaml`"),
    ("autoplan-file-list", "a project is planned when a file that it reads changes"),
    ("autoplan-modules autoplan-modules-from-projects", "modules are always followed"),
    ("checkout-strategy", "always as it will be merged (`merge`)"),
    ("checkout-depth include-git-untracked-files skip-clone-no-changes",
     "a mirror is kept and fetched"),
    ("data-dir share-plan-dir", "`state_dir`, a directory of prbot's own"),
    ("tf-download", "`tools.download`; what is installed is taken where it will do"),
    ("tf-download-url", "`tools.terraform.mirror` and `tools.tofu.mirror`; signatures count"),
    ("default-tf-version", "`defaults.version` in each repository's `prbot.yaml`"),
    ("default-tf-distribution tf-distribution",
     "`defaults.tool` in each repository's `prbot.yaml`"),
    ("parallel-plan parallel-apply", "independent projects always run in parallel"),
    ("disable-repo-locking", "a project is held from its first apply until the merge"),
    ("discard-approval-on-plan", "an approval counts for the plan it was given to"),
    ("locking-db-type redis-db redis-host redis-password redis-port redis-tls-enabled"
     " redis-insecure-skip-verify redis-username redis-cluster-addresses",
     "`database`: SQLite, or PostgreSQL for several processes"),
    ("emoji-reaction", "prbot reacts with eyes"),
    ("hide-prev-plan-comments hide-unchanged-plan-comments silence-no-projects"
     " silence-vcs-status-no-plans silence-vcs-status-no-projects silence-allowlist-errors"
     " silence-fork-pr-errors quiet-policy-checks disable-markdown-folding"
     " enable-diff-markdown-format max-comments-per-command markdown-template-overrides-dir"
     " pending-apply-status",
     "prbot keeps one comment up to date, in its own form"),
    ("enable-external-stores", "`artifacts: s3://…`"),
    ("fail-on-pre-workflow-hook-error", "a hook that fails always stops the run"),
    ("restrict-file-list", "whoever may command may plan any project"),
    ("var-file-allowlist", "variable files stay inside the repository"),
    ("write-git-creds", "give git its credentials yourself"),
    ("log-level", "logs are structured, at one level"),
    ("ssl-cert-file ssl-key-file", "put a TLS proxy before prbot"),
    ("ignore-vcs-status-names", "only prbot's own checks are left out of what must be green"),
    ("atlantis-url", "prbot has no pages to link to yet"),
]  # fmt: skip
_REFUSED = [
    ("disable-automerge-label", "`apply --no-merge` leaves the merge to people"),
    ("disable-apply-all", "`apply` without a selector applies what stands in the pull request"),
    ("disable-autoplan disable-autoplan-label", "a pull request is always planned"),
    ("disable-unlock-label", "`unlock` cannot be switched off by a label"),
    ("disable-global-apply-lock", "there is no page with such a button yet"),
    ("enable-policy-checks", "prbot checks no policies yet"),
    ("enable-regexp-cmd", "`-d` and `-w` take globs instead of regular expressions"),
    ("enable-drift-detection enable-drift-remediation",
     "prbot looks by itself: `drift.enabled` of the server"),
    ("tfe-hostname tfe-token tfe-local-execution-mode",
     "give Terraform its own credentials; runs are local"),
    ("api-secret", "there is no API yet"),
    ("web-basic-auth web-username web-password websocket-check-origin", "there are no pages yet"),
    ("slack-token webhook-http-headers", "prbot sends nothing to Slack or elsewhere yet"),
    ("stats-namespace enable-profiling-api", "metrics are those of drift: `metrics_token`"),
    ("language language-config-file", "prbot speaks English"),
    ("gitea-base-url gitea-token gitea-user gitea-webhook-secret gitea-page-size",
     "Gitea is not served"),
    ("bitbucket-api-user bitbucket-base-url bitbucket-token bitbucket-user"
     " bitbucket-webhook-secret", "Bitbucket is not served"),
    ("azuredevops-webhook-password azuredevops-webhook-user azuredevops-token azuredevops-user"
     " azuredevops-hostname", "Azure DevOps is not served"),
]  # fmt: skip

FLAGS: Mapping[str, Meaning] = {
    **dict(_table(Verdict.SAME, _SAME)),
    **dict(_table(Verdict.DIFFERENT, _DIFFERENT)),
    **dict(_table(Verdict.REFUSED, _REFUSED)),
}
QUIET: Mapping[str, str] = {
    "allow-fork-prs": "false",
    "allow-draft-prs": "false",
    "automerge": "false",
    "checkout-strategy": "merge",
    "disable-apply-all": "false",
    "disable-autoplan": "false",
    "enable-policy-checks": "false",
    "enable-regexp-cmd": "false",
    "gitlab-status-retry-enabled": "true",
    "parallel-apply": "true",
    "parallel-plan": "true",
    "autodiscover-mode": "auto",
}
"""Values that ask for what holds anyway."""


def meaning_of(flag: str, value: str) -> Meaning:
    """What a flag with this value means; an unknown one is refused."""
    known = FLAGS.get(flag, Meaning(Verdict.REFUSED, "prbot does not know this flag"))
    if QUIET.get(flag) == value.lower():
        return Meaning(Verdict.SAME, "this holds anyway")
    return known


def flags_in(text: str) -> dict[str, str]:
    """A command line's flags: `--a=b`, `--a b`, and `--a` for `true`. Raises BadFlags."""
    try:
        words = shlex.split(text)
    except ValueError:
        raise BadFlags("its quotes do not pair") from None
    found: dict[str, str] = {}
    pending: str | None = None
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.removeprefix("--").partition("=")
            found[name] = value if equals else "true"
            pending = None if equals else name
        elif pending is not None:
            found[pending], pending = word, None
        elif word not in ("atlantis", "server"):
            raise BadFlags("a word stands there that belongs to no flag")
    return found


def flags_in_environment(text: str) -> dict[str, str]:
    """The flags among the `NAME=VALUE` lines of a file; `export` and quotes are taken off."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name.startswith(PREFIX):
            flag = name.removeprefix(PREFIX).lower().replace("_", "-")
            found[flag] = value.strip().strip("\"'")
    return found
