"""Mirrors and worktrees, with real git on real repositories."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prbot.adapters import mirrors
from prbot.adapters.workspaces import GitWorkspaces
from prbot.errors.git import (
    BranchIsGone,
    CannotFetch,
    GitMissing,
    HeadIsGone,
    MergeCommitIsGone,
    MergeConflict,
    MergedAsAnother,
    UnrelatedHistories,
)
from prbot.model import Checkout, RepoRef, Sha
from prbot.ports.forge import CloneAccess
from prbot.runs.queued import place_of

ODD_NAMES = [
    "with blank/main.tf",
    "ünïcode/größe.tf",
    "quote\"s/it's.tf",
    "new\nline/main.tf",
    "tab\tand\\back/main.tf",
    "-rf/--upload-pack=x.tf",
    ":(glob)**/*.tf",
    "$(id)/`id`.tf",
]


def holds(checkout: Checkout, name: str) -> bool:
    return Path(checkout.path, name).exists()


async def laid_out(workspaces, forge, pull):
    await workspaces.fetch(pull, forge.access)
    return await workspaces.lay_out(pull)


async def test_lays_out_the_merge(workspaces, forge) -> None:
    """It lays out head merged into the newest base, and names what the head changed."""
    head = forge.commit({"b.tf": "b\n"})
    pull = forge.pull()
    forge.git("checkout", "--quiet", "main")
    base = forge.commit({"c.tf": "c\n"})
    forge.push()
    checkout = await laid_out(workspaces, forge, pull)
    assert all(holds(checkout, name) for name in ("a.tf", "b.tf", "c.tf"))
    assert (checkout.base, checkout.head, checkout.changed) == (base, head, ("b.tf",))
    assert await workspaces.base_head(pull, "main") == base


async def test_same_again(workspaces, make_workspaces, forge) -> None:
    """It gives the same commit and path for the same pull request, after a restart too,
    and does not touch what is laid out."""
    forge.commit({"b.tf": "b\n"})
    pull = forge.pull()
    first = await laid_out(workspaces, forge, pull)
    witness = Path(first.path) / "packed.zip"
    witness.write_text("made while planning")
    assert await workspaces.lay_out(pull) == first
    assert await make_workspaces().lay_out(pull) == first
    assert witness.exists()


async def test_same_commit_elsewhere(workspaces, forge, tmp_path: Path) -> None:
    """It makes the same merge commit on another machine."""
    forge.commit({"b.tf": "b\n"})
    pull = forge.pull()
    other = GitWorkspaces(tmp_path / "elsewhere", {"PATH": os.environ["PATH"]})
    here, there = [await laid_out(each, forge, pull) for each in (workspaces, other)]
    assert (here.commit, here.changed) == (there.commit, there.changed)
    assert here.path != there.path


async def test_two_at_once(workspaces, forge) -> None:
    """It serves several pull requests of one repository at the same time."""
    pulls = []
    for number in range(1, 5):
        forge.git("checkout", "--quiet", "-B", f"f{number}", "main")
        forge.commit({f"{number}.tf": "x"})
        pulls.append(forge.pull(number))
    checkouts = await asyncio.gather(*(laid_out(workspaces, forge, pull) for pull in pulls))
    assert [c.changed for c in checkouts] == [(f"{n}.tf",) for n in range(1, 5)]


async def test_odd_names(workspaces, forge) -> None:
    """It keeps every path as it is, whatever signs it holds."""
    forge.commit(dict.fromkeys(ODD_NAMES, "x"))
    pull = forge.pull()
    checkout = await laid_out(workspaces, forge, pull)
    assert sorted(checkout.changed) == sorted(ODD_NAMES)
    repo = pull.ref.repo
    listing = await workspaces.listing(repo, checkout.commit)
    assert sorted(listing.files) == sorted(["a.tf", *ODD_NAMES])
    for name in ODD_NAMES:
        assert (Path(checkout.path) / name).read_text() == "x"
        assert await workspaces.read(repo, checkout.commit, name) == b"x"
    ids = await workspaces.object_ids(repo, checkout.commit, ODD_NAMES)
    assert set(ids) == set(ODD_NAMES)


async def test_name_that_is_no_text(workspaces, forge) -> None:
    """It tells a path that is not UTF-8 as text all the same."""
    name = os.fsdecode(b"\xff.tf")
    (forge.clone / name).write_text("x")
    forge.commit({})
    checkout = await laid_out(workspaces, forge, forge.pull())
    assert checkout.changed == ("\ufffd.tf",)
    assert (Path(checkout.path) / name).exists()


async def test_renamed_binary_deleted_and_mode(workspaces, forge) -> None:
    """It reports a rename by both names, and binary, removed and made-executable files."""
    forge.git("checkout", "--quiet", "main")
    forge.commit({"old.tf": "a long enough text\n" * 9, "gone.tf": "g", "run.sh": "#!"})
    forge.push()
    forge.git("checkout", "--quiet", "-B", "feature")
    forge.git("mv", "old.tf", "new.tf")
    (forge.clone / "run.sh").chmod(0o755)
    forge.commit({"gone.tf": None, "bin.dat": bytes(range(256))})
    checkout = await laid_out(workspaces, forge, forge.pull())
    assert sorted(checkout.changed) == ["bin.dat", "gone.tf", "new.tf", "old.tf", "run.sh"]
    assert (Path(checkout.path) / "bin.dat").read_bytes() == bytes(range(256))


async def test_empty_pull_request(workspaces, forge) -> None:
    """It lays out a pull request that changes nothing."""
    assert (await laid_out(workspaces, forge, forge.pull())).changed == ()


async def test_tree(workspaces, forge) -> None:
    """It reads files, and tells ids of files, directories and the root."""
    forge.commit({"dir/b.tf": "b\n"})
    pull = forge.pull()
    checkout = await laid_out(workspaces, forge, pull)
    repo, commit = pull.ref.repo, checkout.commit
    assert await workspaces.read(repo, commit, "dir/b.tf") == b"b\n"
    for absent in ("nothing.tf", "dir", "../a.tf", "./a.tf", "/etc/passwd", ""):
        assert await workspaces.read(repo, commit, absent) is None
    ids = await workspaces.object_ids(repo, commit, [".", "dir", "a.tf", "nothing"])
    expected = {p: forge.git("rev-parse", f"HEAD:{p}") for p in ("dir", "a.tf")}
    assert ids == {**expected, ".": forge.git("rev-parse", "HEAD^{tree}")}


# --- merged ---------------------------------------------------------------------------------


def merged(forge, how: str, **more):
    """Merge the pull request as the forge's buttons do."""
    pull = forge.pull()
    forge.git("checkout", "--quiet", "main")
    forge.commit({"other.tf": "somebody else's\n"})
    base = forge.git("rev-parse", "HEAD")
    if how == "merge":
        forge.git("merge", "--quiet", "--no-ff", "-m", "merge", "feature")
    elif how == "squash":
        forge.git("merge", "--quiet", "--squash", "feature")
        forge.commit({}, "squashed")
    else:
        forge.git("cherry-pick", f"{pull.base_sha}..feature")
    forge.push()
    sha = Sha(forge.git("rev-parse", "HEAD"))
    return replace(pull, open=False, merged=True, merge_sha=sha, **more), base, sha


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
async def test_merged(workspaces, forge, how: str) -> None:
    """It lays out the commit that the merge made, and what the pull request brought."""
    forge.commit({"b.tf": "b\n"})
    forge.commit({"c.tf": "c\n"})
    pull, base, sha = merged(forge, how)
    forge.commit({"later.tf": "later\n"})
    forge.push()
    checkout = await laid_out(workspaces, forge, pull)
    assert (checkout.commit, checkout.head, checkout.base) == (sha, sha, base)
    assert checkout.changed == ("b.tf", "c.tf")
    assert not (Path(checkout.path) / "later.tf").exists()


async def test_moved_forward(workspaces, forge) -> None:
    """It knows all that came where the base branch became the head itself, one commit or many,
    and takes the last one alone where nobody says what the branch was."""
    forge.commit({"b.tf": "b\n"})
    forge.commit({"c.tf": "c\n"})
    pull = forge.pull()
    forge.git("checkout", "--quiet", "main")
    forge.git("merge", "--quiet", "--ff-only", "feature")
    forge.push()
    pull = replace(pull, open=False, merged=True, merge_sha=pull.head_sha)
    checkout = await laid_out(workspaces, forge, pull)
    assert (checkout.base, checkout.commit) == (pull.base_sha, pull.head_sha)
    assert checkout.changed == ("b.tf", "c.tf")
    for unknown in ("", "f" * 40):
        other = await laid_out(workspaces, forge, replace(pull, base_sha=Sha(unknown)))
        assert other.changed == ("c.tf",)


async def test_said_to_be_moved_forward(workspaces, forge) -> None:
    """It lays out no head that its base branch does not hold, as where GitLab rebased while it
    merged and tells the head: its files lack what others merged before."""
    forge.commit({"b.tf": "b\n"})
    pull, _, _ = merged(forge, "rebase")
    with pytest.raises(MergedAsAnother):
        await laid_out(workspaces, forge, replace(pull, merge_sha=pull.head_sha))


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
async def test_a_queues_commit(workspaces, forge, how: str) -> None:
    """It knows what a merge queue would bring, in however many commits, before the branch has
    it."""
    forge.commit({"b.tf": "b\n"})
    forge.commit({"c.tf": "c\n"})
    pull, base, sha = merged(forge, how)
    forge.push(base)
    forge.push(sha, "refs/heads/queue")
    tried = replace(pull, ref=place_of(pull.ref.repo, sha), head_sha=sha, base_sha=sha)
    checkout = await laid_out(workspaces, forge, tried)
    assert (checkout.commit, checkout.base) == (sha, base)
    assert checkout.changed == ("b.tf", "c.tf")


async def test_a_queues_commit_that_merged_its_base(workspaces, forge) -> None:
    """It knows what a train brings that moves forward, where the head merged the base branch
    before: what came from there is not the merge request's."""
    forge.commit({"b.tf": "b\n"})
    forge.git("checkout", "--quiet", "main")
    base = forge.commit({"other.tf": "somebody else's\n"})
    forge.push()
    forge.git("checkout", "--quiet", "feature")
    forge.git("merge", "--quiet", "--no-ff", "-m", "main is merged", "main")
    pull = forge.pull()
    sha = pull.head_sha
    tried = replace(pull, merged=True, open=False, merge_sha=sha, base_sha=sha)
    checkout = await laid_out(workspaces, forge, tried)
    assert (checkout.commit, checkout.base, checkout.changed) == (sha, base, ("b.tf",))


async def test_merged_without_its_head(workspaces, forge) -> None:
    """It lays out a merge commit although the pull request's head is gone."""
    forge.commit({"b.tf": "b\n"})
    pull, base, sha = merged(forge, "squash")
    forge.git("update-ref", "-d", "refs/pull/7/head", cwd=forge.origin)
    forge.git("gc", "--quiet", "--prune=now", cwd=forge.origin)
    checkout = await laid_out(workspaces, forge, pull)
    assert (checkout.commit, checkout.base, checkout.changed) == (sha, base, ("b.tf",))


async def test_merge_commit_that_is_gone(workspaces, forge) -> None:
    """It says so when the merge commit is unknown to the forge, or not named."""
    for sha in (Sha("1" * 40), None):
        pull = replace(forge.pull(), merged=True, open=False, merge_sha=sha)
        with pytest.raises(MergeCommitIsGone):
            await workspaces.fetch(pull, forge.access)


# --- what goes wrong --------------------------------------------------------------------------


async def test_conflict(workspaces, forge) -> None:
    """It names the files in conflict, and only those."""
    forge.commit({"a.tf": "mine\n", 'with "blank" .tf': "x", "fine.tf": "x"})
    pull = forge.pull()
    forge.git("checkout", "--quiet", "main")
    forge.commit({"a.tf": "theirs\n", 'with "blank" .tf': "y"})
    forge.push()
    await workspaces.fetch(pull, forge.access)
    with pytest.raises(MergeConflict) as caught:
        await workspaces.lay_out(pull)
    assert caught.value.files == 'a.tf, with "blank" .tf'


async def test_unrelated(workspaces, forge) -> None:
    """It refuses to merge a branch that has nothing in common with its base."""
    forge.git("checkout", "--quiet", "--orphan", "strange")
    forge.commit({"x.tf": "x"})
    pull = forge.pull()
    await workspaces.fetch(pull, forge.access)
    with pytest.raises(UnrelatedHistories):
        await workspaces.lay_out(pull)


async def test_no_repository(workspaces, forge, tmp_path: Path) -> None:
    """It tells in git's words why nothing could be fetched."""
    with pytest.raises(CannotFetch) as caught:
        await workspaces.fetch(forge.pull(), CloneAccess((tmp_path / "nothing").as_uri()))
    assert "does not appear to be a git repository" in caught.value.cause


@pytest.mark.parametrize("url", ["ssh://127.0.0.1/x", "ext::sh -c id", "git://127.0.0.1/x"])
async def test_other_transports(workspaces, forge, url: str) -> None:
    """It uses no transport but http, https and file."""
    with pytest.raises(CannotFetch, match="transport"):
        await workspaces.fetch(forge.pull(), CloneAccess(url))


async def test_url_that_looks_like_an_option(workspaces, forge, tmp_path: Path) -> None:
    """It takes a URL for a URL, whatever it looks like."""
    witness = tmp_path / "witness"
    with pytest.raises(CannotFetch):
        await workspaces.fetch(forge.pull(), CloneAccess(f"--upload-pack=touch {witness}"))
    assert not witness.exists()


async def test_head_that_is_gone(workspaces, forge) -> None:
    """It says so when the head was force-pushed away."""
    forge.commit({"b.tf": "b\n"})
    pull = replace(forge.pull(), head_sha=Sha("2" * 40))
    with pytest.raises(HeadIsGone, match="2222"):
        await workspaces.fetch(pull, forge.access)
    with pytest.raises(HeadIsGone):
        await workspaces.lay_out(pull)


async def test_pull_ref_that_is_gone(workspaces, forge) -> None:
    """It says so when the forge does not have the pull request's ref, and still fetches
    the base."""
    forge.commit({"b.tf": "b\n"})
    pull = forge.pull()
    forge.git("update-ref", "-d", "refs/pull/7/head", cwd=forge.origin)
    forge.git("gc", "--quiet", "--prune=now", cwd=forge.origin)
    with pytest.raises(HeadIsGone):
        await workspaces.fetch(pull, forge.access)
    assert await workspaces.base_head(pull, "main") == pull.base_sha


async def test_head_that_moved_on(workspaces, forge) -> None:
    """It still gets the older head, as long as the forge has it."""
    forge.commit({"b.tf": "b\n"})
    pull = forge.pull()
    forge.commit({"c.tf": "c\n"})
    forge.pull()
    assert (await laid_out(workspaces, forge, pull)).changed == ("b.tf",)


async def test_deleted_head_repository(workspaces, forge) -> None:
    """It does not need the head's branch or repository: the forge keeps a ref of its own."""
    forge.commit({"b.tf": "b\n"})
    pull = forge.pull(head_repo=None)
    assert (await laid_out(workspaces, forge, pull)).changed == ("b.tf",)


async def test_base_that_is_gone(workspaces, forge) -> None:
    """It names the base branch that is missing."""
    with pytest.raises(BranchIsGone, match="no branch release/1"):
        await workspaces.fetch(forge.pull(base_branch="release/1"), forge.access)


@pytest.mark.parametrize(
    "branch",
    ["--upload-pack=touch x", "main:refs/heads/evil", "*", "../../x", "a b", "-", "", "x\ny"],
)
async def test_hostile_branch(workspaces, forge, branch: str) -> None:
    """It takes a base branch for a name, and finds none."""
    with pytest.raises((BranchIsGone, CannotFetch)):
        await workspaces.fetch(forge.pull(base_branch=branch), forge.access)


async def test_hostile_commit(workspaces, forge) -> None:
    """It takes nothing for a commit that is no commit id."""
    for sha in ("--output=/tmp/x", "HEAD", "main", "a" * 39):
        with pytest.raises(HeadIsGone):
            await workspaces.fetch(replace(forge.pull(), head_sha=Sha(sha)), forge.access)


async def test_branch_that_became_a_directory(workspaces, forge) -> None:
    """It follows a branch `b` that was replaced by `b/c`."""
    for branch, old in (("b", None), ("b/c", "b")):
        if old:
            forge.git("update-ref", "-d", f"refs/heads/{old}", cwd=forge.origin)
        forge.push("main", f"refs/heads/{branch}")
        await workspaces.fetch(forge.pull(base_branch=branch), forge.access)


async def test_network_only_when_needed(workspaces, forge) -> None:
    """It asks for the base each time, and for the head only once."""
    forge.commit({"b.tf": "b\n"})
    pull = forge.pull()
    await workspaces.fetch(pull, forge.access)
    forge.git("update-ref", "-d", "refs/pull/7/head", cwd=forge.origin)
    forge.git("checkout", "--quiet", "main")
    base = forge.commit({"c.tf": "c\n"})
    forge.push()
    await workspaces.fetch(pull, forge.access)
    assert await workspaces.base_head(pull, "main") == base


async def test_without_git(tmp_path: Path, forge) -> None:
    """It says what is missing on a machine without git."""
    workspaces = GitWorkspaces(tmp_path / "git", {"PATH": str(tmp_path)})
    with pytest.raises(GitMissing, match=r"2\.38"):
        await workspaces.probe()
    with pytest.raises(GitMissing):
        await workspaces.fetch(forge.pull(), forge.access)


async def test_probe(workspaces) -> None:
    """It tells git's version."""
    assert (await workspaces.probe()).startswith("git 2.")


# --- hostile trees and machines ----------------------------------------------------------------


async def test_links_that_lead_outside(workspaces, forge) -> None:
    """It writes links that lead out of the checkout as files, and leaves the others."""
    links = {
        "passwd.tf": "/etc/passwd",
        "up/secret": "../../../outside",
        "gitdir": ".git",
        "hop": "via",
        "via": "/etc",
        "inner.tf": "a.tf",
        "up/inner": "../a.tf",
        "nowhere": "missing",
    }
    (forge.clone / "up").mkdir()
    for name, target in links.items():
        (forge.clone / name).symlink_to(target)
    forge.commit({})
    pull = forge.pull()
    checkout = await laid_out(workspaces, forge, pull)
    for root in (Path(checkout.path), await workspaces.ensure(pull.ref, checkout)):
        kept = {name for name in links if (root / name).is_symlink()}
        assert kept >= {"inner.tf", "up/inner", "nowhere"}
        assert not kept & {"passwd.tf", "up/secret", "gitdir", "via"}
        assert (root / "passwd.tf").read_text() == "/etc/passwd"
        assert all((root / name).resolve().is_relative_to(root) for name in links)


async def test_attributes_and_hooks_run_nothing(workspaces, forge, tmp_path: Path) -> None:
    """It runs no filter, merge driver or hook, whatever the tree asks for."""
    config = tmp_path / "gitconfig"
    witness = tmp_path / "witness"
    config.write_text(f'[filter "lfs"]\n\tsmudge = touch {witness}\n\trequired = true\n')
    pointer = "version https://git-lfs.github.com/spec/v1\n"
    forge.commit({".gitattributes": "*.bin filter=lfs\n", "x.bin": pointer})
    home = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": str(config)}
    checkout = await laid_out(GitWorkspaces(tmp_path / "git", home), forge, forge.pull())
    assert (Path(checkout.path) / "x.bin").read_text() == pointer
    assert not witness.exists()


async def test_submodules_stay_empty(workspaces, forge) -> None:
    """It does not follow submodules."""
    sha = forge.git("rev-parse", "HEAD")
    forge.git("update-index", "--add", "--cacheinfo", f"160000,{sha},sub")
    (forge.clone / ".gitmodules").write_text('[submodule "sub"]\n\tpath = sub\n\turl = file:///x\n')
    forge.git("add", ".gitmodules")
    forge.git("commit", "--quiet", "-m", "submodule")
    checkout = await laid_out(workspaces, forge, forge.pull())
    assert list((Path(checkout.path) / "sub").iterdir()) == []


# --- ensure and drop ----------------------------------------------------------------------------


async def test_ensure_mends(workspaces, forge) -> None:
    """It restores what a tool changed and removes configuration that a tool left; packed
    files and the completed lock file stay."""
    forge.commit(
        {"b.tf": "b\n", "m/c.tf": "c\n", ".gitignore": "*.tfvars\n", ".terraform.lock.hcl": "l\n"}
    )
    pull = forge.pull()
    checkout = await laid_out(workspaces, forge, pull)
    root = Path(checkout.path)
    (root / "a.tf").write_text("changed\n")
    (root / "b.tf").unlink()
    shutil.rmtree(root / "m")
    (root / "evil.auto.tfvars").write_text("x")
    (root / "n").mkdir()
    (root / "n" / "evil.tf.json").write_text("x")
    (root / "packed.zip").write_text("x")
    (root / ".terraform.lock.hcl").write_text("completed")
    assert await workspaces.ensure(pull.ref, checkout) == root
    assert [(root / n).read_text() for n in ("a.tf", "b.tf", "m/c.tf")] == ["one\n", "b\n", "c\n"]
    assert not (root / "evil.auto.tfvars").exists()
    assert not (root / "n" / "evil.tf.json").exists()
    assert (root / "packed.zip").exists()
    assert (root / ".terraform.lock.hcl").read_text() == "completed"


async def test_ensure_lays_out_again(make_workspaces, forge) -> None:
    """It lays out again what is gone, half laid out, or moved to another commit."""
    forge.commit({"b.tf": "b\n"})
    pull = forge.pull()
    checkout = await laid_out(make_workspaces(), forge, pull)
    root = Path(checkout.path)

    def gone() -> None:
        shutil.rmtree(root)

    def half() -> None:
        (root / "b.tf").unlink()
        root.with_name(f"{root.name}.ready").unlink()

    def moved() -> None:
        forge.git("checkout", "--quiet", "--force", checkout.base, cwd=root)

    for harm in (gone, half, moved):
        harm()
        assert await make_workspaces().ensure(pull.ref, checkout) == root
        assert (root / "b.tf").read_text() == "b\n"


async def test_ensure_without_mirror(workspaces, make_workspaces, forge, tmp_path: Path) -> None:
    """It needs a fetch when the mirror is gone, and then makes the very same commit."""
    forge.commit({"b.tf": "b\n"})
    pull = forge.pull()
    checkout = await laid_out(workspaces, forge, pull)
    shutil.rmtree(tmp_path / "git" / "mirrors")
    anew = make_workspaces()
    with pytest.raises(HeadIsGone):
        await anew.ensure(pull.ref, checkout)
    await anew.fetch(pull, forge.access)
    assert (await anew.ensure(pull.ref, checkout) / "b.tf").exists()


async def test_rewritten_git_file(workspaces, forge, tmp_path: Path) -> None:
    """It does not follow a `.git` that a tool rewrote to a repository of its own."""
    forge.commit({"b.tf": "b\n", ".gitattributes": "*.tf filter=evil\n"})
    pull = forge.pull()
    checkout = await laid_out(workspaces, forge, pull)
    root, witness = Path(checkout.path), tmp_path / "witness"
    (root / ".git").unlink()
    forge.git("init", "--quiet", str(root))
    forge.git("config", "filter.evil.smudge", f"touch {witness}; cat", cwd=root)
    forge.git("config", "filter.evil.clean", f"touch {witness}; cat", cwd=root)
    (root / "b.tf").write_text("changed")
    await workspaces.ensure(pull.ref, checkout)
    assert (root / "b.tf").read_text() == "b\n"
    assert not witness.exists()


async def test_drop(workspaces, forge) -> None:
    """It removes the worktrees of exactly this pull request, and can lay out again."""
    forge.commit({"b.tf": "b\n"})
    mine, other = forge.pull(7), forge.pull(77)
    first, second = [await laid_out(workspaces, forge, pull) for pull in (mine, other)]
    await workspaces.drop(mine.ref)
    await workspaces.drop(mine.ref)
    assert not holds(first, "")
    assert holds(second, "b.tf")
    assert await workspaces.lay_out(mine) == first
    assert holds(first, "b.tf")


async def test_drop_of_nothing(workspaces, forge) -> None:
    """It has nothing to do for a repository it never saw."""
    await workspaces.drop(forge.pull().ref)


def last_used(checkout: Checkout, days_ago: int) -> None:
    then = (datetime.now(UTC) - timedelta(days=days_ago)).timestamp()
    os.utime(f"{checkout.path}.ready", (then, then))


async def test_tidy(workspaces, forge) -> None:
    """It removes worktrees that nobody has used for long, and makes them again on demand."""
    forge.commit({"b.tf": "b\n"})
    pulls = [forge.pull(number) for number in (1, 2, 3, 4)]
    old, looked_at, worked_on, new = [await laid_out(workspaces, forge, pull) for pull in pulls]
    for checkout in (old, looked_at, worked_on):
        last_used(checkout, days_ago=15)
    last_used(new, days_ago=13)
    await workspaces.lay_out(pulls[1])
    await workspaces.ensure(pulls[2].ref, worked_on)
    before = datetime.now(UTC) - timedelta(days=14)
    assert await workspaces.tidy(before) == 1
    assert [holds(each, "b.tf") for each in (old, looked_at, worked_on, new)] == [
        False, True, True, True,
    ]  # fmt: skip
    assert await workspaces.tidy(before) == 0
    assert holds(replace(old, path=str(await workspaces.ensure(pulls[0].ref, old))), "b.tf")


async def test_tidy_of_what_was_never_whole(workspaces, forge, tmp_path: Path) -> None:
    """It removes what was begun long ago and never finished, and needs no mirror for it."""
    begun = tmp_path / "git" / "trees" / "gone-repository" / "7" / ("a" * 40)
    begun.mkdir(parents=True)
    before = datetime.now(UTC) - timedelta(days=14)
    assert await workspaces.tidy(before) == 0
    os.utime(begun, (0, 0))
    assert await workspaces.tidy(before) == 1
    assert not begun.exists()


async def test_repositories_do_not_meet(workspaces, forge) -> None:
    """It keeps repositories apart whose names differ only in signs a path cannot show."""
    forge.commit({"b.tf": "b\n"})
    pull = forge.pull()
    refs = [RepoRef("t", p) for p in ("a/b-c", "a/b/c", "a-b/c", "A/b-c", "../../a", "a/..")]
    pulls = [replace(pull, ref=replace(pull.ref, repo=ref)) for ref in refs]
    paths = {(await laid_out(workspaces, forge, each)).path for each in pulls}
    assert len(paths) == len(refs)
    assert all(".." not in path for path in paths)


async def test_locks_of_a_killed_git(workspaces, make_workspaces, forge) -> None:
    """It goes on after a restart where a killed git left its locks behind."""
    forge.commit({"b.tf": "b\n"})
    pull = forge.pull()
    checkout = await laid_out(workspaces, forge, pull)
    git_file = (Path(checkout.path) / ".git").read_text()
    admin = Path(git_file.removeprefix("gitdir: ").strip())
    mirror = admin.parent.parent
    for lock in ("packed-refs.lock", "config.lock", "refs/prbot/pull/7.lock"):
        (mirror / lock).touch()
    (admin / "index.lock").touch()
    (admin / "locked").write_text("initializing")
    forge.commit({"c.tf": "c\n"})
    anew, moved = make_workspaces(), forge.pull()
    (Path(checkout.path) / "b.tf").unlink()
    assert (await anew.ensure(pull.ref, checkout) / "b.tf").exists()
    assert (await laid_out(anew, forge, moved)).changed == ("b.tf", "c.tf")


async def test_listed_once(workspaces, forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lists a commit once while that is remembered, and those asked for last longest."""
    first = forge.commit({"b.tf": "b\n"})
    second = forge.commit({"c.tf": "c\n"})
    pull = forge.pull()
    await workspaces.fetch(pull, forge.access)
    repo = pull.ref.repo
    ahead = await workspaces.listing(repo, first)
    assert await workspaces.listing(repo, first) is ahead
    monkeypatch.setattr(mirrors, "LISTED", mirrors.EACH + 3)
    assert sorted((await workspaces.listing(repo, second)).files) == ["a.tf", "b.tf", "c.tf"]
    again = await workspaces.listing(repo, first)
    assert again == ahead
    assert again is not ahead
