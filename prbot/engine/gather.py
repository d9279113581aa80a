"""Gathers the scene of a run: from the forge, the mirror and the store. Reads only."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from prbot.config.files import RepoFiles
from prbot.config.repo import Effective
from prbot.drift.wishing import askers_of
from prbot.engine.checkouts import Checkouts
from prbot.engine.drift_judging import is_to_be_judged, why_not
from prbot.engine.guards import Guards
from prbot.engine.pulls import pull_of
from prbot.engine.survey import Surveyor
from prbot.engine.world import World
from prbot.errors.forge import ForgeUnavailable
from prbot.model import Permission, PullRequest, Review, Sha
from prbot.plans.record import StoredPlan
from prbot.runs.correcting import by_rule
from prbot.runs.hooks import command_of, post_hooks
from prbot.runs.landings import Around, Landing
from prbot.runs.run import STATE_JOBS, AskKind, JobState, Run, Trouble
from prbot.runs.scene import Scene

NEEDS_REVIEWS = (AskKind.APPLY, AskKind.IMPORT, AskKind.STATE_RM)
ASKS_RULES_EARLY = (AskKind.UNLOCK, AskKind.CANCEL)
"""They lay nothing out, and may be somebody's alone."""
ASKS_GUARDS = (
    AskKind.PLAN,
    *NEEDS_REVIEWS,
    AskKind.MERGE,
    AskKind.CORRECT,
    *ASKS_RULES_EARLY,
)


async def gather(
    world: World, checkouts: Checkouts, run: Run, pull: PullRequest | None = None
) -> Scene:
    """`pull` saves asking the forge again for what was asked a moment ago.

    Raises ForgeUnavailable, ForgeRefused and NotFound.
    """
    forge = world.forge_of(run.pull.repo)
    pull = pull or await pull_of(world, run)
    async with world.store.begin() as unit:
        runs = await unit.runs.of_pull(run.pull)
        plans = await unit.plans.of_pull(run.pull)
        locks = await unit.locks.of_repo(run.pull.repo)
        # long after a large apply, and only needed to tell what an interrupted one left, why
        # a plan is gone, what states hold that nobody would manage, and what was overridden
        orphans = any(run.gone for run in runs)
        needed = (
            bool(run.ask.override)
            or orphans
            or _any_interrupted(runs)
            or _any_gone(runs, plans)
            or _any_state(runs)
        )
        journal = await unit.journal.of_pull(run.pull) if needed else ()
        landings = await unit.landings.of(run.pull)
        unfinished = await unit.runs.of_repo_unfinished(run.pull.repo) if _applies(run) else ()
        now = world.clock.now()
        stopped = _applies(run) or run.ask.kind is AskKind.CORRECT
        freezes = await unit.freezes.in_force(now) if stopped else ()
        asked = await unit.corrections.proposing(run.pull) if _applies(run) else ()
    askers = askers_of(asked, pull.ref.number, pull.head_branch)
    merging = tuple(r for r in unfinished if _is_merge(r) and r.pull != run.pull)
    scene = Scene(
        pull=pull,
        bot=await forge.reader.bot_login(),
        now=now,
        freezes=freezes,
        served=world.settings.serves(run.pull.repo)
        and world.settings.serves_branch(pull.base_branch, pull.default_branch),
        permission=await _permission(world, run),
        reviews=await _reviews(world, run, askers),
        runs=runs,
        plans=plans,
        locks=locks,
        journal=journal,
        post_hooks=bool(
            post_hooks(world.settings.bounds_of(run.pull.repo).post_hooks, command_of(run))
        ),
        allow=world.settings.bounds_of(run.pull.repo).allow,
        landings=landings,
        merging=merging,
        askers=askers,
        around=await _around(world, run, pull, landings, merging),
    )
    early = run.ask.kind in ASKS_RULES_EARLY and scene.permission.can_write
    if run.checkout is None and not early:
        return scene
    return await _with_rules(world, checkouts, run, scene)


async def _with_rules(world: World, checkouts: Checkouts, run: Run, scene: Scene) -> Scene:
    """The rules of the default branch, and what they may ask for."""
    judging, newest = is_to_be_judged(run), False
    try:
        if judging:
            newest = await checkouts.renewed(run, scene.pull)
        else:
            await checkouts.at_hand(run, scene.pull)
        commit, default = await _default(world, scene.pull)
    except ForgeUnavailable:
        if run.ask.kind is AskKind.CANCEL:  # to stop something must always be possible
            return scene
        raise
    rules = await rules_in(world, scene.pull, default)
    scene = replace(scene, rules=rules, newest=commit if newest else None)
    if judging and isinstance(rules, Effective):
        scene = replace(scene, against=await why_not(world, run, scene, rules))
    if isinstance(rules, Trouble) or run.ask.kind not in ASKS_GUARDS or not _asked(run):
        return scene
    return await Guards(world, run, scene, rules, default, commit).scene_with_them()


def _asked(run: Run) -> bool:
    """A person did, whose rights matter."""
    return run.ask.by_comment or run.ask.kind is AskKind.MERGE or _asked_below_issue(run)


def _asked_below_issue(run: Run) -> bool:
    return run.ask.kind is AskKind.CORRECT and not by_rule(run)


def _applies(run: Run) -> bool:
    return run.ask.kind in (AskKind.MERGE, *NEEDS_REVIEWS)


def _is_merge(run: Run) -> bool:
    return run.ask.kind is AskKind.MERGE and run.ask.settled_by is None


async def _around(
    world: World,
    run: Run,
    pull: PullRequest,
    landings: tuple[Landing, ...],
    merging: tuple[Run, ...],
) -> Around:
    """Of what is not merged yet its base counts: that is known on every machine."""
    if run.checkout is None:
        return Around()
    commit = run.checkout.commit if pull.merged else run.checkout.base
    others = {one.commit for one in landings if one.pull != run.pull}
    others |= {other.checkout.commit for other in merging if other.checkout is not None}
    if not others:
        return Around()
    workspaces = world.forge_of(run.pull.repo).workspaces
    return await workspaces.around(run.pull.repo, commit, others)


def _any_interrupted(runs: tuple[Run, ...]) -> bool:
    return any(job.state is JobState.INTERRUPTED for run in runs for job in run.jobs)


def _any_state(runs: tuple[Run, ...]) -> bool:
    """What the tool said of a change of the state stands there."""
    return any(job.kind in STATE_JOBS for run in runs for job in run.jobs)


def _any_gone(runs: tuple[Run, ...], plans: tuple[StoredPlan, ...]) -> bool:
    kept = {plan.id for plan in plans}
    return any(job.plan_id and job.plan_id not in kept for run in runs for job in run.jobs)


async def _permission(world: World, run: Run) -> Permission:
    if not _asked(run):
        return Permission.NONE
    reader = world.forge_of(run.pull.repo).reader
    return await reader.permission(run.pull.repo, run.ask.actor)


async def _reviews(world: World, run: Run, askers: frozenset[str]) -> tuple[Review, ...]:
    """Of a merge only where whoever merged it had asked for it."""
    if run.ask.kind not in NEEDS_REVIEWS and run.ask.actor.lower() not in askers:
        return ()
    return await world.forge_of(run.pull.repo).reader.reviews(run.pull)


async def rules_in(world: World, pull: PullRequest, default: RepoFiles) -> Effective | Trouble:
    # In a thread: a large file takes a second to read, and webhooks want their answer.
    return await asyncio.to_thread(world.settings.rules_of, pull.ref.repo, default)


async def rules_of(world: World, pull: PullRequest) -> Effective | Trouble:
    """The rules of the repository's files on its default branch, as last fetched."""
    return await rules_in(world, pull, await files_of_default(world, pull))


async def files_of_default(world: World, pull: PullRequest) -> RepoFiles:
    """The repository's own files on its default branch, as last fetched."""
    return (await _default(world, pull))[1]


async def _default(world: World, pull: PullRequest) -> tuple[Sha, RepoFiles]:
    """The newest commit of the default branch, and the repository's own files there."""
    forge = world.forge_of(pull.ref.repo)
    commit = await forge.workspaces.base_head(pull, pull.default_branch)
    return commit, await Surveyor(forge.tree, world.facts).files(pull.ref.repo, commit)
