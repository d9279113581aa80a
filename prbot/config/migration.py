"""Atlantis's files and flags as prbot's, with a word on every key.

Pure: texts in, texts and a report out. What comes out is read back before it is handed on,
so that nobody is given a file that prbot refuses. Secrets are not copied, only where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from prbot.config import atlantis as repo_level
from prbot.config import atlantis_server as server_side
from prbot.config.atlantis_flags import meaning_of
from prbot.config.atlantis_globs import globs_of
from prbot.config.atlantis_words import REPO, SERVER, Meaning, Verdict
from prbot.config.document import Document, written
from prbot.config.repo import load_rules
from prbot.config.server import load_server
from prbot.config.workflows import BUILT_IN, HOOKED, Stage, Workflow
from prbot.errors.server import AllowlistMissing

Values = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One key: the file it stands in (or `flags`), its line (0 for flags), what became of it."""

    source: str
    line: int
    key: str
    verdict: Verdict
    words: str


@dataclass(frozen=True)
class Migrated:
    """The text of one of prbot's files, and what became of each key."""

    text: str
    report: tuple[Entry, ...]


def migrated_repo(text: str, path: str = repo_level.FILE_NAME) -> Migrated:
    """`atlantis.yaml` as `prbot.yaml`. Raises BadConfiguration."""
    repo_level.load_atlantis(text, path)
    file, document = repo_level.read_atlantis(text, path)
    values: Values = {"version": 1, "defaults": {"apply_on_merge": "never"}}
    values |= _discovery(file)
    if file.projects:
        values["projects"] = [_project(project) for project in file.projects]
    if file.workflows:
        values["workflows"] = _workflows(file.workflows)
    if (asked := repo_level.automerge_of(file)) is not None:
        values["automerge"] = {"delete_branch": True} if asked.delete_branch else True
    result = written(values)
    load_rules(result)
    return Migrated(result, (*_entries(document, REPO), *_also(file, document)))


def _discovery(file: repo_level.AtlantisFile) -> Values:
    asked = file.autodiscover
    found: Values = {}
    if asked.mode == "disabled" or (asked.mode == "auto" and file.projects):
        found["mode"] = "disabled"
    if asked.ignore_paths:
        found["ignore"] = [glob for each in asked.ignore_paths for glob in globs_of(each)]
    return {"discovery": found} if found else {}


def _project(project: repo_level.AtlantisProject) -> Values:
    tools = {"opentofu": "tofu", "terraform": "terraform"}
    values: Values = {
        "dir": project.dir,
        "name": project.name,
        "workspace": None if project.workspace == "default" else project.workspace,
        "branch": project.branch,
        "depends_on": list(project.depends_on) or None,
        "order": project.execution_order_group or None,
        "when_modified": list(project.autoplan.when_modified),
        "autoplan": None if project.autoplan.enabled else False,
        "workflow": project.workflow,
        "tool": tools.get(project.terraform_distribution or ""),
        "version": project.terraform_version,
    }
    return {key: value for key, value in values.items() if value is not None}


def _workflows(workflows: Mapping[str, Workflow]) -> Values:
    return {name: _workflow(workflow) for name, workflow in workflows.items()}


def _workflow(workflow: Workflow) -> Values:
    stages = {"plan": workflow.plan, "policy": workflow.policy, "apply": workflow.apply}
    stages |= {"import": workflow.import_, "state_rm": workflow.state_rm}
    return {
        name: {"steps": [_step(step.kind, step.step) for step in stage.steps]}
        for name, stage in stages.items()
        if isinstance(stage, Stage) and stage.steps is not None
    }


def _step(kind: str, step: Any) -> str | Values:
    """The step in the shortest form that says it."""
    values: Values = step.model_dump(mode="json", exclude_defaults=True)
    if "output" in values and kind == "run":
        values["output"] = [option.get("mode", option) for option in values["output"]]
    if kind in BUILT_IN and not values:
        return kind
    if kind in ("run", "multienv") and list(values) == ["command"]:
        return {kind: values["command"]}
    return {kind: values}


def _entries(document: Document, table: Mapping[str, Meaning]) -> Iterator[Entry]:
    """Each key of the table that stands in the file: once, where it stands first."""
    seen = set()
    for key, place, _ in repo_level.keys_of(document.value):
        meaning = table.get(key)
        if meaning is None or key in seen:
            continue
        seen.add(key)
        loud = any(
            repo_level.as_text(other) not in meaning.quiet
            for name, _, other in repo_level.keys_of(document.value)
            if name == key
        )
        verdict = meaning.verdict if loud else Verdict.SAME
        words = meaning.words if loud else "this holds anyway"
        yield Entry(document.path, document.line(place), key, verdict, words)


def _also(file: repo_level.AtlantisFile, document: Document) -> Iterator[Entry]:
    """What no single key says: the difference that defaults make."""
    branches = [project.branch for project in file.projects]
    if branches and all(branches) and file.autodiscover.mode == "auto":
        yield Entry(
            document.path,
            document.line(("projects",)),
            "autodiscover.mode",
            Verdict.DIFFERENT,
            "for other base branches Atlantis finds projects by itself, prbot does not",
        )
    for key, words in (
        ("defaults.apply_on_merge", "written as `never`: as with Atlantis, people say `apply`"),
        ("defaults.apply_requirements", "an apply needs one approval by somebody else"),
    ):
        yield Entry("prbot.yaml", 0, key, Verdict.DIFFERENT, words)


def migrated_server(
    repos: str | None, flags: Mapping[str, str], path: str, variables: frozenset[str] = frozenset()
) -> Migrated:
    """`repos.yaml` and flags as `prbot.server.yaml`.

    `variables` are the flags that stood in the environment. Raises BadConfiguration, or
    AllowlistMissing: which repositories are served, nothing else says.
    """
    lab = _lab_host(flags)
    listed = server_side.listed_repositories(flags.get("repo-allowlist", ""), lab)
    if not listed:
        raise AllowlistMissing()
    values: Values = {"repositories": list(listed), "forges": list(_forges(flags, variables))}
    values |= _settings(flags)
    report = [_of_flag(flag, value) for flag, value in sorted(flags.items())]
    if len(values["forges"]) > 1:
        report = [_of_both(e) if e.key == "--repo-allowlist" else e for e in report]
    if repos is not None:
        file, document = server_side.read_repos(repos, path)
        report += [*_entries(document, SERVER), *_unmatched(file, document, lab)]
        report += _other_hooks(file, document)
        values |= _of_repos(file, lab)
    if flags.get("automerge", "false").lower() == "true":
        allowed = {"match": ["**"], "allow": ["automerge"]}
        values["per_repository"] = [allowed, *values.get("per_repository", ())]
    result = written(values)
    load_server(result, "prbot.server.yaml", {})
    return Migrated(result, tuple(report))


def _of_flag(flag: str, value: str) -> Entry:
    meaning = meaning_of(flag, value)
    return Entry("flags", 0, f"--{flag}", meaning.verdict, meaning.words)


def _reference(flag: str, variables: frozenset[str]) -> str:
    """Where a secret is: Atlantis's own variable, or one to be set."""
    name = flag.upper().replace("-", "_")
    return f"env://ATLANTIS_{name}" if flag in variables else f"env://PRBOT_{name}"


def _of_both(entry: Entry) -> Entry:
    words = "`repositories`, without the host: each of the forges serves whatever is listed"
    return replace(entry, verdict=Verdict.DIFFERENT, words=words)


def _lab_address(flags: Mapping[str, str]) -> str | None:
    """Where GitLab is, as Atlantis takes it: a host, or an address; None without GitLab."""
    if not any(flag.startswith("gitlab-") for flag in flags):
        return None
    host = flags.get("gitlab-hostname", server_side.GITLAB).rstrip("/")
    return host if "://" in host else f"https://{host}"


def _lab_host(flags: Mapping[str, str]) -> str | None:
    """As repositories' ids begin: without a port or a path."""
    address = _lab_address(flags)
    return None if address is None else urlsplit(address).hostname


def _forges(flags: Mapping[str, str], variables: frozenset[str]) -> Iterator[Values]:
    address = _lab_address(flags)
    if address is None or any(flag.startswith("gh-") for flag in flags):
        yield _github(flags, variables)
    if address is not None:
        forge: Values = {"name": "gitlab", "kind": "gitlab", "api_url": f"{address}/api/v4"}
        forge["token"] = _reference("gitlab-token", variables)
        forge["webhook_secret"] = _reference("gitlab-webhook-secret", variables)
        yield forge


def _github(flags: Mapping[str, str], variables: frozenset[str]) -> Values:
    forge: Values = {"name": "github", "kind": "github"}
    host = flags.get("gh-hostname", "github.com")
    if host != "github.com":
        forge["api_url"] = f"https://{host}/api/v3"
    if "gh-app-id" in flags:
        file = flags.get("gh-app-key-file")
        key = f"file://{file}" if file else _reference("gh-app-key", variables)
        forge["app"] = {"id": _number(flags["gh-app-id"]), "private_key": key}
    elif "gh-token-file" in flags:
        forge["token"] = f"file://{flags['gh-token-file']}"
    else:
        forge["token"] = _reference("gh-token", variables)
    forge["webhook_secret"] = _reference("gh-webhook-secret", variables)
    return forge


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _settings(flags: Mapping[str, str]) -> Values:
    status = flags.get("vcs-status-name", "atlantis")
    values: Values = {
        "aliases": [flags.get("executable-name", "atlantis")],
        "listen": f"0.0.0.0:{flags.get('port', '4141')}",
        "statuses": {"plan": f"{status}/plan", "apply": f"{status}/apply"},
    }
    if "parallel-pool-size" in flags:
        values["limits"] = {"parallel_jobs": _number(flags["parallel-pool-size"])}
    if flags.get("use-tf-plugin-cache", "true").lower() == "false":
        values["terraform"] = {"plugin_cache": False}
    return values


def _of_repos(file: server_side.ReposFile, lab: str | None) -> Values:
    values: Values = {}
    if file.workflows:
        values["workflows"] = _workflows(file.workflows)
    rules = [rule for repo in file.repos for rule in _rule(repo, lab)]
    if rules:
        values["per_repository"] = rules
    store = file.external_stores.plan_store.s3
    if store is not None:
        values["artifacts"] = f"s3://{store.bucket}/{store.prefix}".rstrip("/")
    return values


def _rule(repo: server_side.AtlantisRepo, lab: str | None) -> Iterator[Values]:
    """The rule of one repository's entry; none where no glob says its id."""
    globs = server_side.repository_globs(repo.id, lab)
    values: Values = {"match": list(globs), "workflow": repo.workflow}
    values["workflows_allowed"] = _allowed(repo)
    values["own_workflows"] = repo.allow_custom_workflows
    for ours, theirs in (
        ("pre_hooks", repo.pre_workflow_hooks),
        ("post_hooks", repo.post_workflow_hooks),
    ):
        values[ours] = [made for hook in theirs for made in _hook(hook)] or None
    given = {key: value for key, value in values.items() if value is not None}
    if globs and len(given) > 1:
        yield given


def _hook(hook: server_side.AtlantisHook) -> Iterator[Values]:
    """The hook for those of its commands that prbot has; none where it has none of them."""
    values = hook.model_dump(mode="json", exclude_defaults=True)
    if hook.commands:
        values["commands"] = [command for command in _commands(hook) if command in HOOKED]
    if not hook.commands or values["commands"]:
        yield values


def _commands(hook: server_side.AtlantisHook) -> list[str]:
    return ["state_rm" if command == "state" else command for command in hook.commands]


def _other_hooks(file: server_side.ReposFile, document: Document) -> Iterator[Entry]:
    for index, repo in enumerate(file.repos):
        for key in ("pre_workflow_hooks", "post_workflow_hooks"):
            hooks: tuple[server_side.AtlantisHook, ...] = getattr(repo, key)
            if any(command not in HOOKED for hook in hooks for command in _commands(hook)):
                line = document.line(("repos", index, key))
                words = f"hooks run around {', '.join(HOOKED)}, and no other command"
                yield Entry(document.path, line, f"repos[{index}].{key}", Verdict.DIFFERENT, words)


def _allowed(repo: server_side.AtlantisRepo) -> list[str] | None:
    """Atlantis lets projects choose when `workflow` may be overridden, among all or some."""
    if repo.allowed_overrides is not None and "workflow" not in repo.allowed_overrides:
        return []
    if repo.allowed_workflows is not None:
        return list(repo.allowed_workflows) or ["*"]
    return ["*"] if repo.allowed_overrides is not None else None


def _unmatched(file: server_side.ReposFile, document: Document, lab: str | None) -> Iterator[Entry]:
    for index, repo in enumerate(file.repos):
        if not server_side.repository_globs(repo.id, lab):
            line = document.line(("repos", index, "id"))
            words = "no glob says the same: write `per_repository` for it by hand"
            yield Entry(document.path, line, f"repos[{index}].id", Verdict.REFUSED, words)
