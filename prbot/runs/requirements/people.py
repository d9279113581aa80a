"""Who is who: people and teams that configuration names, and who may command where.

A team whose members could not be learned admits nobody: a look-up that fails refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prbot.config.environments import Needs, Skip
from prbot.config.repo import Effective
from prbot.model import ProjectKey, Selector
from prbot.plans.record import StoredPlan
from prbot.runs.run import Ask, AskKind
from prbot.runs.say import Reason, Reasons
from prbot.runs.scene import Scene


def needs_of(project: ProjectKey, scene: Scene, rules: Effective) -> Needs:
    """What holds for a project, in the environment in which its state is known."""
    known = scene.known_as(project)
    return rules.environments.of(known.dir, known.workspace)


def environments_in(
    projects: Iterable[ProjectKey], scene: Scene, rules: Effective
) -> tuple[Needs, ...]:
    """The environments of these projects, each once, in the projects' order."""
    found = {(needs := needs_of(p, scene, rules)).name: needs for p in projects}
    return tuple(found.values())


def belongs(login: str, who: Iterable[str], scene: Scene) -> bool | None:
    """Whether somebody is one of these people, or in one of these teams; None when nobody
    can tell, because a team's members could not be learned."""
    unknown = False
    for name in who:
        if not _is_team(name):
            if name.lower() == login.lower():
                return True
            continue
        members = scene.teams.get(name.lower())
        if members is None:
            unknown = True
        elif login.lower() in members:
            return True
    return None if unknown else False


def _is_team(name: str) -> bool:
    return "/" in name


def words_for(who: Iterable[str]) -> str:
    """As a list in a sentence. A team stands without its `@`: nobody is to be called by it."""
    return " or ".join(f"`{name.removeprefix('@')}`" for name in who)


def place_of(needs: Needs) -> str:
    return f"environment `{needs.name}`" if needs.name else "this repository"


def permitted(
    ask: Ask, scene: Scene, rules: Effective, projects: Iterable[ProjectKey], command: str
) -> Reasons:
    """Whoever asks is among those who may do this where the projects are."""
    return tuple(
        _not_among(ask, command, needs, who, scene)
        for needs in environments_in(projects, scene, rules)
        for who in needs.allowed.get(command, ())
        if not belongs(ask.actor, who, scene)
    )


def _not_among(ask: Ask, command: str, needs: Needs, who: tuple[str, ...], scene: Scene) -> Reason:
    named = words_for(who)
    if belongs(ask.actor, who, scene) is None:
        asked = f"whether {ask.actor} is one of {named} could not be asked"
        return Reason("permission", asked, "the operator can let prbot read the teams' members")
    message = f"{ask.actor} may not `{command}` in {place_of(needs)}: that is for {named}"
    return Reason("permission", message, f"one of {named} can repeat the command")


COMMANDS = {
    AskKind.PLAN: "plan",
    AskKind.APPLY: "apply",
    AskKind.MERGE: "apply",
    AskKind.IMPORT: "import",
    AskKind.STATE_RM: "state rm",
    AskKind.UNLOCK: "unlock",
    AskKind.CANCEL: "cancel",
    AskKind.CORRECT: "apply",
}
"""What permissions call what somebody asks for."""


def teams_wanted(ask: Ask, rules: Effective, scene: Scene) -> frozenset[str]:
    """The teams, in lower case, whose members a decision may ask for."""
    needs, command = rules.environments.all, COMMANDS.get(ask.kind, "")
    applies = ask.kind in (AskKind.APPLY, AskKind.IMPORT, AskKind.STATE_RM)
    commands = (command, "apply") if applies else (command,)
    lists = (who for each in needs for one in commands for who in each.allowed.get(one, ()))
    named = {name for who in lists for name in who}
    if applies:
        named |= {team for each in needs for one in each.approvals for team in one.teams}
        files = {path for paths in scene.files.values() for path in paths}
        named |= {owner for path in files for owner in _owners(path, scene)}
        named |= set(rules.override.teams) if ask.override else set()
    return frozenset(name.lower() for name in named if _is_team(name))


def _owners(path: str, scene: Scene) -> tuple[str, ...]:
    return scene.codeowners.of(path) if scene.codeowners else ()


def one_environment(
    ask: Ask, scene: Scene, rules: Effective, plans: tuple[StoredPlan, ...]
) -> Reasons:
    """Where permissions are set, "everything" is not said in passing of several environments."""
    projects = tuple(plan.project for plan in plans)
    several = environments_in(projects, scene, rules)
    if ask.select != Selector() or ask.plan_id is not None or len(several) < 2:
        return ()
    if not any(needs.allowed for needs in several):
        return ()
    commands = ", ".join(f"`{line}`" for line in _commands(ask, scene, rules, projects))
    names = ", ".join(f"`{needs.name}`" if needs.name else "none" for needs in several)
    told = f"what is planned belongs to several environments: {names}"
    return (Reason("environments", told, f"say which: {commands}"),)


def _commands(
    ask: Ask, scene: Scene, rules: Effective, projects: tuple[ProjectKey, ...]
) -> Iterator[str]:
    grouped: dict[str | None, list[ProjectKey]] = {}
    for project in projects:
        grouped.setdefault(needs_of(project, scene, rules).name, []).append(project)
    flags = " --accept-changes" if ask.accept_changes else ""
    for group in grouped.values():
        chosen = "".join(f" -d {name}" for name in dict.fromkeys(p.dir for p in group))
        others = [p for p in projects if p not in group and p.dir in {own.dir for own in group}]
        spaces = dict.fromkeys(p.workspace for p in group) if others else {}
        yield f"prbot apply{chosen}{''.join(f' -w {name}' for name in spaces)}{flags}"


# --- passing over ------------------------------------------------------------------------

SKIPPED_AS = {
    "approved": Skip.APPROVED,
    "codeowners": Skip.APPROVED,
    "windows": Skip.WINDOWS,
    "policies": Skip.POLICIES,
}


def after_override(ask: Ask, scene: Scene, rules: Effective, reasons: Reasons) -> Reasons:
    """What is left of the reasons where somebody passes over some of them."""
    if not ask.override:
        return reasons
    allowed = rules.override
    among = belongs(ask.actor, (*allowed.teams, *allowed.users), scene)
    if not among:
        return (*reasons, _may_not(ask, rules, unknown=among is None))
    return tuple(r for r in reasons if SKIPPED_AS.get(r.requirement) not in allowed.skips) + tuple(
        _not_skipped(skip, rules)
        for skip in sorted(
            {SKIPPED_AS[r.requirement] for r in reasons if r.requirement in SKIPPED_AS}
        )
        if skip not in allowed.skips
    )


def passed_over(reasons: Reasons, left: Reasons) -> tuple[str, ...]:
    """The requirements that an override skipped."""
    return tuple(dict.fromkeys(r.requirement for r in reasons if r not in left))


def _may_not(ask: Ask, rules: Effective, *, unknown: bool) -> Reason:
    who = (*rules.override.teams, *rules.override.users)
    if not who:
        told = "this server lets nobody override"
        return Reason("override", told, "the operator can name a team below `override`")
    named = words_for(who)
    if unknown:
        told = f"whether {ask.actor} is one of {named} could not be asked"
        return Reason("override", told, "the operator can let prbot read the teams' members")
    return Reason("override", f"{ask.actor} may not override", f"one of {named} can")


def _not_skipped(skip: Skip, rules: Effective) -> Reason:
    skips = ", ".join(f"`{each}`" for each in sorted(rules.override.skips)) or "nothing"
    told = f"an override does not pass over `{skip}` here, but over {skips}"
    return Reason("override", told, "meet the requirement, or ask the operator")
