"""Why a resource is deleted or replaced, in Terraform's own reasons, in words."""

from __future__ import annotations

from collections.abc import Iterator

from prbot.plans.plan import Action, ResourceChange
from prbot.plans.sensitive import Veil
from prbot.plans.text import path_text

_REASONS = {
    "replace_because_tainted": "tainted: an earlier apply did not finish it",
    "replace_by_request": "asked for with `-replace`",
    "replace_by_triggers": "asked for by `replace_triggered_by`",
    "delete_because_no_resource_config": "no longer in the configuration",
    "delete_because_no_module": "its module is no longer in the configuration",
    "delete_because_wrong_repetition": "`count` or `for_each` was added or removed",
    "delete_because_count_index": "its index is beyond `count`",
    "delete_because_each_key": "its key is no longer in `for_each`",
    "delete_because_no_move_target": "moved to an address that is not in the configuration",
}


def because(resource: ResourceChange, hide: Veil) -> Iterator[str]:
    """Each reason, names in back-quotes; none for most creations and updates."""
    change = resource.change
    if change.replace_paths:
        names = sorted({path_text(path, hide) for path in change.replace_paths})
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        yield "forced by " + ", ".join(f"`{name}`" for name in names[:5]) + more
    if resource.action_reason in _REASONS:
        yield _REASONS[resource.action_reason]
    if resource.deposed:
        yield "left behind by an earlier replacement"
    if change.create_first:
        yield "the new one is created first"
    if change.action is Action.CREATE and change.forgets_old:
        yield "the old one is left alone and no longer managed"
