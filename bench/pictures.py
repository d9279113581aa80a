"""Comments as people see them: `python -m bench.pictures` makes docs/pictures anew.

Real plans (tests/fixtures/plans) and some built here are rendered as comments, shown as
the demo forge shows them, and photographed in headless Chromium, light and dark. The
looks are near to GitHub's, not GitHub's own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from prbot.comments.render import render
from prbot.demo import markdown
from prbot.model import JobId, PlanId, ProjectKey, PullRef, RepoRef, RunId, Sha
from prbot.plans.plan import parse
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.summary import Action, Counts, Level, PlanSummary, Risk, ShownChange, summarise
from prbot.runs.run import Flaw, Trouble
from prbot.runs.say import PlanReport, ProjectResult

ROOT = Path(__file__).parent.parent
PLANS = ROOT / "tests" / "fixtures" / "plans"
PICTURES = ROOT / "docs" / "pictures"
STYLE = ROOT / "prbot" / "demo" / "static" / "demo.css"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
WIDTH = 860
HEAD, BASE = Sha("9f2c1d7" + "0" * 33), Sha("41ab0ce" + "0" * 33)
UNSET = """Error: No value for required variable

  on variables.tf line 12:
  12: variable "region" {

The root module input variable "region" is not set, and has no default value.
Use a -var or -var-file command line argument to provide a value for this
variable.
"""


def stored(directory: str, summary: PlanSummary, plan_id: str) -> ProjectResult:
    """A plan as if it had been made."""
    project = ProjectKey(directory)
    plan = StoredPlan(
        id=PlanId(plan_id),
        pull=PullRef(RepoRef("github", "acme/infra"), 41),
        project=project,
        run_id=RunId("r1"),
        job_id=JobId("j1"),
        head=HEAD,
        base=BASE,
        commit=HEAD,
        hash=plan_id,
        inputs=Inputs("", "", "terraform 1.11.4"),
        summary=summary,
        plan_file="",
        plan_file_sha256="",
        plan_json="",
        state_is_lost=False,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return ProjectResult(project, plan)


def recorded(number: str, directory: str, plan_id: str) -> ProjectResult:
    """One of the recorded plans."""
    (path,) = PLANS.glob(f"{number}_*.json")
    return stored(directory, summarise(parse(path.read_bytes()), "prod"), plan_id)


def failed() -> ProjectResult:
    flaw = Flaw("variables.tf", 12, 12, True, "No value for required variable")
    hint = "Read the output below, mend the cause, and comment `prbot plan`."
    trouble = Trouble("`terraform plan` failed with exit code 1.", hint, UNSET, flaws=(flaw,))
    return ProjectResult(ProjectKey("environments/prod/dns"), trouble=trouble)


def upgrade() -> tuple[ProjectResult, ...]:
    """A provider's upgrade in 1,500 projects, nine of which do something else as well."""
    quiet = Risk(Level.LOW, ("nothing is deleted or replaced",))
    lines = ('~ tags_all.managed-by = "terraform 1.10" -> "terraform 1.11"',)
    names = ("aws_iam_role.task", "aws_lb_target_group.main", "aws_sqs_queue.main")
    changes = tuple(ShownChange(name, Action.UPDATE, lines=lines) for name in names)
    same = PlanSummary(Counts(update=3), changes=changes, risk=quiet)
    other = recorded("08", "x", "p-0").plan
    found = []
    for at in range(1500):
        name = f"teams/{'abcdefghij'[at % 10]}/service-{at:04}"
        odd = other.summary if other is not None and at % 170 == 93 else same
        found.append(stored(name, replace(odd), f"p-{at + 0x3E91C0:06x}"))
    return tuple(found)


def comments() -> Mapping[str, str]:
    """Name and Markdown of each picture."""
    shown = {
        "replace": (recorded("08", "environments/prod/queues", "p-3e91c0"),),
        "by-hand": (recorded("03", "environments/prod/queues", "p-77aa01"),),
        "rename": (recorded("09", "environments/prod/queues", "p-5b20fe"),),
        "failed": (failed(),),
        "upgrade": upgrade(),
    }
    page = "https://github.com/acme/infra/pull/41"
    return {
        name: render(
            PlanReport(results, HEAD, BASE, apply_on_merge=True, may_apply=True, page=page),
            marker="picture",
        )
        for name, results in shown.items()
    }


def pages(directory: Path) -> Iterator[tuple[str, Path]]:
    """A page for each comment, light and dark."""
    style = STYLE.read_text(encoding="utf-8")
    dark = style.replace("(prefers-color-scheme: dark)", "all")
    for name, text in comments().items():
        body = (
            f'<main style="margin:16px auto"><div class="bubble markdown">{markdown.render(text)}'
        )
        body += "</div></main>"
        script = "<script>document.title = document.documentElement.offsetHeight</script>"
        for looks, css in (("light", style), ("dark", dark)):
            path = directory / f"{name}-{looks}.html"
            head = f'<!doctype html><meta charset="utf-8"><title></title><style>{css}</style>'
            path.write_text(f"{head}<body>{body}{script}", encoding="utf-8")
            yield path.stem, path


def photograph(browser: str, page: Path, picture: Path, profile: Path) -> None:
    """The whole page, however tall; very tall ones are cut."""
    command = [browser, *FLAGS, f"--user-data-dir={profile}"]
    seen = subprocess.run(
        [*command, f"--window-size={WIDTH},600", "--dump-dom", page.as_uri()],
        check=True,
        capture_output=True,
        text=True,
    )
    found = re.search(r"<title>(\d+)</title>", seen.stdout)
    height = min(1_600, int(found[1]) if found else 600)
    size = f"--window-size={WIDTH},{height}"
    subprocess.run(
        [*command, size, f"--screenshot={picture}", page.as_uri()], check=True, capture_output=True
    )


def main() -> None:
    """Make them all."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("Chromium is not installed.")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        for name, page in pages(Path(place)):
            picture = PICTURES / f"{name}.png"
            photograph(browser, page, picture, Path(place) / f"{name}.profile")
            print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
