"""What a notification says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncline.apps.commerce.contract import ChangesAssigned, OperationEnded, RunStatus
from syncline.apps.outreach.contract import EventKeysCollided, RoutineRecovered, RoutineWentStale

_NAMES = {
    "pull": "Pull",
    "push": "Push",
    "import": "Import",
    "export": "Export",
    "reconcile": "Comparison",
    "align": "Alignment",
    "batch": "Bulk operation",
    "webhooks": "A look at webhooks",
    "privacy_request": "A privacy request",
}
_ROUTINES = {"periodic_sync": "The hourly outreach sync", "mixpanel_sync": "The delivery to Mixpanel"}
_ENDS = {
    RunStatus.COMPLETED: "is done",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "was cancelled",
}
_LOOK_AT = ("conflict", "failed", "errors", "refused")
"""Counts that somebody should look at though the operation itself came to its end."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`body` is what programs get, in the form that Standard Webhooks suggest."""

    subject: str
    text: str
    is_failure: bool
    body: dict[str, Any]


def notice_of(event: OperationEnded, *, occurred_at: str, public_url: str | None) -> Notice:
    name, where = _NAMES.get(event.kind, event.kind), f" of {event.store}" if event.store else ""
    trouble = {word: event.counts[word] for word in _LOOK_AT if event.counts.get(word)}
    is_failure = event.status is RunStatus.FAILED or bool(trouble)
    end = _ENDS.get(event.status, event.status.value)
    but = f", with {_listed(trouble)}" if trouble and event.status is RunStatus.COMPLETED else ""
    paragraphs = [
        event.sentence or "",
        f"Counted: {_listed(event.counts)}." if event.counts else "",
        f"Asked for by {event.requested_by}. Operation {event.kind.value}:{event.operation_id}.",
        public_url or "",
    ]
    return Notice(
        subject=_one_line(f"{name}{where} {end}{but}"),
        text="\n\n".join(one for one in paragraphs if one) + "\n",
        is_failure=is_failure,
        body={
            "type": f"operation.{'failed' if event.status is RunStatus.FAILED else event.status.value}",
            "timestamp": occurred_at,
            "data": {
                "kind": event.kind.value,
                "operation_id": str(event.operation_id),
                "store": event.store,
                "status": event.status.value,
                "needs_attention": is_failure,
                "sentence": event.sentence,
                "counts": dict(event.counts),
                "requested_by": event.requested_by,
            },
        },
    )


def notice_of_assignment(event: ChangesAssigned, *, occurred_at: str, public_url: str | None) -> Notice:
    changes = "1 change" if event.changes == 1 else f"{event.changes:,} changes"
    where = f" of {event.store}" if event.store else ""
    narrowed = f"--batch {event.batch_id}" if event.batch_id else f'--where "assignee:\\"{event.assignee}\\""'
    paragraphs = [
        f"{event.asked_by} asks {event.assignee} to decide about {changes}{where}. Others may all the same.",
        f"Look at them: syncline review list {narrowed}",
        public_url or "",
    ]
    return Notice(
        subject=_one_line(f"{event.assignee} is asked to decide about {changes}{where}"),
        text="\n\n".join(one for one in paragraphs if one) + "\n",
        is_failure=False,
        body={
            "type": "changes.assigned",
            "timestamp": occurred_at,
            "data": {
                "assignee": event.assignee,
                "asked_by": event.asked_by,
                "changes": event.changes,
                "store": event.store,
                "batch_id": None if event.batch_id is None else str(event.batch_id),
            },
        },
    )


def notice_of_collision(event: EventKeysCollided, *, occurred_at: str) -> Notice:
    """Keys name campaigns and no people, so they may be told."""
    keys = "\n".join(event.event_keys)
    return Notice(
        subject=f"Different events met on {_counted(event.count)}",
        text=(
            "The events that came later were not recorded. That does not happen by itself: a row of event_source was"
            f" changed, or something is broken. Look at:\n\n{keys}\n"
        ),
        is_failure=True,
        body={
            "type": "outreach.keys_collided",
            "timestamp": occurred_at,
            "data": {"count": event.count, "event_keys": list(event.event_keys), "needs_attention": True},
        },
    )


def notice_of_staleness(event: RoutineWentStale, *, occurred_at: str) -> Notice:
    return Notice(
        subject=f"{_routine(event.name)} is behind",
        text=f"{event.sentence}\n\nLook at it: GET /api/jobs/status\nYou are told once more when it is over.\n",
        is_failure=True,
        body={
            "type": "outreach.stale",
            "timestamp": occurred_at,
            "data": {"routine": event.name, "sentence": event.sentence, "needs_attention": True},
        },
    )


def notice_of_recovery(event: RoutineRecovered, *, occurred_at: str) -> Notice:
    """A failure's other half: whoever hears of failures only heard of it, and waits for this."""
    return Notice(
        subject=f"{_routine(event.name)} is up to date again",
        text="What was behind has caught up, or was switched off.\n",
        is_failure=True,
        body={
            "type": "outreach.recovered",
            "timestamp": occurred_at,
            "data": {"routine": event.name, "needs_attention": False},
        },
    )


def _routine(name: str) -> str:
    return _ROUTINES.get(name, name)


def _counted(count: int) -> str:
    return "one event key" if count == 1 else f"{count} event keys"


def trial(channel: str, *, actor: str, occurred_at: str) -> Notice:
    return Notice(
        subject=f"A trial of the channel {channel}",
        text=f"{actor} tries whether this channel works. It does.\n",
        is_failure=False,
        body={"type": "notification.trial", "timestamp": occurred_at, "data": {"channel": channel, "by": actor}},
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {word}" for word, count in counts.items())


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
