"""GitLab's own description of its REST API, as far as prbot speaks it, and a judge by it.

Whoever runs the tests gives the description (`gitlab_openapi.py`); without it, the judge knows of
the routes in BEYOND alone, and of no answer. What the description leaves out stands here, with the
page of GitLab's documentation that says it: entities (OWN), routes (BEYOND), names of parameters
(PARAMETERS), keys (KEYS), further forms (FULL) and numbers of answers (NUMBERS).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import gitlab_openapi

from prbot.demo.gitlab.table import ROUTES as SERVED

DOCS = "https://docs.gitlab.com/"
DESCRIPTION = gitlab_openapi.given()
OWN: Mapping[str, Mapping[str, Any]] = {
    "TrainCar": {
        "id": "integer",
        "merge_request": "MergeRequestBasic",
        "user": "UserBasic",
        "pipeline": "Ci_PipelineBasic",
        "created_at": "time",
        "updated_at": "time",
        "target_branch": "any",
        "status": "any",
        "merged_at": "time",
        "duration": "integer",
    },
    "StatusCheck": {"id": "integer", "name": "any", "external_url": "any", "status": "any"},
}
ENTITIES: Mapping[str, Mapping[str, Any]] = {
    **(DESCRIPTION.entities if DESCRIPTION else {}),
    **OWN,
}


@dataclass(frozen=True)
class Documented:
    """What a route takes and answers; `page` says so where the description does not."""

    asked: frozenset[str]
    answered: Mapping[str, Any]
    page: str = f"{DOCS}api/openapi/"


def _beyond(page: str, number: int, entity: str | None, asked: str = "") -> Documented:
    return Documented(frozenset(asked.split()), {str(number): entity}, DOCS + page)


MERGE_REQUEST = "/projects/{id}/merge_requests/{merge_request_iid}"
NOTES, NOTE = f"{MERGE_REQUEST}/notes", f"{MERGE_REQUEST}/notes/{{note_id}}"
ISSUE_NOTES = "/projects/{id}/issues/{issue_iid}/notes"
BEYOND = {
    "GET /user": _beyond("api/users/#retrieve-the-current-user", 200, "UserPublic"),
    "GET /users/{user_id}": _beyond("api/users/#retrieve-a-user", 200, "User"),
    f"GET {NOTES}": _beyond(
        "api/notes/#list-all-merge-request-notes",
        *(200, "Note", "sort order_by activity_filter page per_page"),
    ),
    f"POST {NOTES}": _beyond(
        "api/notes/#create-new-merge-request-note", 201, "Note", "body internal created_at"
    ),
    f"GET {NOTE}": _beyond("api/notes/#get-single-merge-request-note", 200, "Note"),
    f"PUT {NOTE}": _beyond("api/notes/#modify-existing-merge-request-note", 200, "Note", "body"),
    f"DELETE {NOTE}": _beyond("api/notes/#delete-a-merge-request-note", 204, None),
    f"GET {ISSUE_NOTES}": _beyond(
        "api/notes/#list-project-issue-notes",
        *(200, "Note", "sort order_by activity_filter page per_page"),
    ),
    f"POST {ISSUE_NOTES}": _beyond(
        "api/notes/#create-new-issue-note", 201, "Note", "body internal created_at"
    ),
    f"GET {MERGE_REQUEST}/status_checks": _beyond(
        "api/status_checks/", 200, "StatusCheck", "page per_page"
    ),
}
BEYOND["GET /projects/{id}/merge_trains"] = _beyond(
    "api/merge_trains/#list-merge-trains-for-a-project",
    *(200, "TrainCar", "scope sort page per_page"),
)
BEYOND["POST /projects/{id}/merge_trains/merge_requests/{merge_request_iid}"] = _beyond(
    "api/merge_trains/#add-a-merge-request-to-a-merge-train",
    *(201, "TrainCar", "auto_merge sha squash when_pipeline_succeeds"),
)
PARAMETERS = {
    "GET /projects": ("pagination", f"{DOCS}api/rest/#keyset-based-pagination"),
}
KEYS = {
    "MergeRequestApprovals": (  # told by the paid editions
        "id iid project_id title description state created_at updated_at merge_status"
        " approvals_required approvals_left",
        f"{DOCS}api/merge_request_approvals/",
    ),
}
FULL = {
    # the description tells of the short form alone
    "GET /projects": ("ProjectWithAccess", f"{DOCS}api/projects/#list-all-projects"),
}
NUMBERS = {
    # grape answers a POST with 201 where nothing else is said
    "POST /projects/{id}/statuses/{sha}": (201, f"{DOCS}api/commits/"),
    # a note of quick actions alone leaves none
    f"POST {NOTES}": (202, f"{DOCS}user/project/quick_actions/"),
}


def _described() -> dict[str, Documented]:
    """Of what the description says, the routes that the demo forge serves."""
    routes = DESCRIPTION.routes if DESCRIPTION else {}
    served = {f"{route.method} {route.path}" for route in SERVED}
    return {name: Documented(*routes[name]) for name in sorted(served & set(routes))}


ROUTES: Mapping[str, Documented] = {**_described(), **BEYOND}


def request_faults(method: str, path: str, names: Iterable[str]) -> list[str]:
    """What GitLab does not know of a request: its route, or names of what it gives."""
    name = f"{method} {path}"
    if name not in ROUTES:
        return [f"{name} does not exist"] if DESCRIPTION else []
    allowed = ROUTES[name].asked | {PARAMETERS.get(name, ("", ""))[0]}
    return [f"{name} takes no {one}" for one in sorted(set(names) - allowed)]


def answer_faults(method: str, path: str, status: int, body: Any) -> list[str]:
    """What GitLab's description, if it is given, does not allow in an answer that is no refusal."""
    name = f"{method} {path}"
    if not DESCRIPTION:
        return []
    if name not in ROUTES:
        return [f"{name} does not exist"]
    answered = ROUTES[name].answered
    number, _ = NUMBERS.get(name, (0, ""))
    if str(status) not in answered and status != number:
        return [f"GitLab never answers {status} here"]
    entity = answered.get(str(status), next(iter(answered.values())))
    if entity is None:
        return [] if body is None else ["an answer where there is none"]
    if status == 202:
        return []
    faults = list(_faults(entity, body, name))
    return list(_faults(FULL[name][0], body, name)) if faults and name in FULL else faults


def _faults(kind: Any, value: Any, where: str) -> Iterator[str]:
    """`kind` is a type, an entity's name, or a list of one."""
    if value is None or kind in ("any", "object"):
        return
    if isinstance(kind, list) or (kind in ENTITIES and isinstance(value, list)):
        inner = kind[0] if isinstance(kind, list) else kind
        items = value if isinstance(value, list) else [value]
        if isinstance(kind, list) and not isinstance(value, list):
            yield f"{where} is no list"
        for index, item in enumerate(items):
            yield from _faults(inner, item, f"{where}[{index}]")
    elif kind in ENTITIES:
        yield from _entity_faults(kind, value, where)
    elif not _is(kind, value):
        yield f"{where} is no {kind}: {value!r}"


def _entity_faults(entity: str, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is no {entity}"
        return
    known = ENTITIES[entity]
    more = set(KEYS.get(entity, ("", ""))[0].split())
    for key, inner in value.items():
        if key in known:
            yield from _faults(known[key], inner, f"{where}.{key}")
        elif key not in more:
            yield f"{where}: no {entity} has {key}"


def _is(kind: str, value: Any) -> bool:
    match kind:
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "time":
            return isinstance(value, str) and _is_time(value)
    raise ValueError(f"no type {kind}")


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
