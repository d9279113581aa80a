"""What GitHub refuses in a check run, as pure functions.

Limits: https://docs.github.com/rest/checks/runs (50 annotations a request, 3 actions, a label
and an identifier of 20 characters, a description of 40, a summary of 65,535).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prbot.demo.rules import invalid
from prbot.errors.demo import DemoForgeRefused

CHECK_STATUSES = ("queued", "in_progress", "completed")
CONCLUSIONS = (
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "skipped",
    "success",
    "timed_out",
)
ANNOTATIONS, ACTIONS, SUMMARY, MESSAGE, TITLE = 50, 3, 65_535, 64 * 1024, 255
ACTION_FIELDS = {"label": 20, "identifier": 20, "description": 40}
LEVELS = ("notice", "warning", "failure")


def check_run_body(body: Mapping[str, Any]) -> None:
    """Raise DemoForgeRefused (422) for the first thing GitHub would not take."""
    status, conclusion = body.get("status", "queued"), body.get("conclusion")
    if status not in CHECK_STATUSES:
        raise _wrong("status", "status is not included in the list")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise _wrong("conclusion", "conclusion is not included in the list")
    if status == "completed" and conclusion is None:
        raise _wrong("conclusion", "a completed check run needs a conclusion")
    _check_output(body.get("output"))
    _check_actions(body.get("actions", []))


def _check_output(output: Any) -> None:
    if output is None:
        return
    if not _texts(output, "title", "summary"):
        raise _wrong("output", "output needs a title and a summary")
    if max(len(output["summary"]), len(output.get("text") or "")) > SUMMARY:
        raise _wrong("output", f"summary exceeds a maximum of {SUMMARY} characters")
    annotations = output.get("annotations", [])
    if not isinstance(annotations, list) or len(annotations) > ANNOTATIONS:
        raise _wrong("annotations", f"no more than {ANNOTATIONS} annotations a request")
    for annotation in annotations:
        _check_annotation(annotation)


def _check_annotation(annotation: Any) -> None:
    if not _texts(annotation, "path", "message", "annotation_level"):
        raise _wrong("annotations", "an annotation needs a path, a level and a message")
    lines = (annotation.get("start_line"), annotation.get("end_line"))
    if not all(isinstance(line, int) and line >= 1 for line in lines):
        raise _wrong("annotations", "an annotation needs a first and a last line")
    path, level = annotation["path"], annotation["annotation_level"]
    if path.startswith("/") or ".." in path.split("/") or level not in LEVELS:
        raise _wrong("annotations", "the path or the level is invalid")
    if len(annotation["message"]) > MESSAGE or len(annotation.get("title") or "") > TITLE:
        raise _wrong("annotations", "the title or the message is too long")


def _check_actions(actions: Any) -> None:
    if not isinstance(actions, list) or len(actions) > ACTIONS:
        raise _wrong("actions", f"no more than {ACTIONS} actions")
    for action in actions:
        if not _texts(action, *ACTION_FIELDS):
            raise _wrong("actions", "an action needs a label, a description, an identifier")
        if any(len(action[name]) > most for name, most in ACTION_FIELDS.items()):
            raise _wrong("actions", "a part of an action is too long")


def _texts(value: Any, *names: str) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name), str) and value[name] for name in names
    )


def _wrong(field: str, message: str) -> DemoForgeRefused:
    return invalid("CheckRun", field, message, "invalid")
