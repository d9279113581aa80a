"""Messages as the run would say them, around summaries written by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from prbot.model import JobId, PlanId, ProjectKey, PullRef, RepoRef, RunId, Sha
from prbot.plans.record import Inputs, StoredPlan
from prbot.plans.summary import PlanSummary

HEAD, BASE = Sha("1" * 40), Sha("2" * 40)

StorePlan = Callable[..., StoredPlan]


@pytest.fixture(name="stored", scope="session")
def _stored() -> StorePlan:
    """Make the stored plan of a directory from its summary."""

    def stored(
        directory: str,
        summary: PlanSummary,
        plan_id: str = "p-3e91c0",
        workspace: str = "default",
        state_is_lost: bool = False,
    ) -> StoredPlan:
        return StoredPlan(
            id=PlanId(plan_id),
            pull=PullRef(RepoRef("github", "acme/infra"), 1),
            project=ProjectKey(directory, workspace),
            run_id=RunId("r1"),
            job_id=JobId("j1"),
            head=HEAD,
            base=BASE,
            commit=Sha("3" * 40),
            hash="0" * 64,
            inputs=Inputs("f", "l", "terraform 1.11.4"),
            summary=summary,
            plan_file="plan",
            plan_file_sha256="0" * 64,
            plan_json="json",
            state_is_lost=state_is_lost,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )

    return stored
