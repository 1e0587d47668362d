"""What others may know of webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID


class WebhookState(StrEnum):
    """waiting -> applied | ignored; or failed, tried again, and dead when it is given up. Dead and failed ones can be
    sent back to waiting."""

    WAITING = "waiting"
    APPLIED = "applied"
    IGNORED = "ignored"
    FAILED = "failed"
    DEAD = "dead"

    @property
    def is_final(self) -> bool:
        return self in {WebhookState.APPLIED, WebhookState.IGNORED, WebhookState.DEAD}


class WebhookOutcome(StrEnum):
    """What came of one that is settled."""

    WRITTEN = "written"
    """The mirror was changed, or found to say the same already."""
    BURIED = "buried"
    """The record is gone from the store, and from the mirror."""
    OLDER = "older"
    """The mirror knows a later state of the record."""
    REPEATED = "repeated"
    """The same content came before, under another delivery id."""
    GONE = "gone"
    """It is about a record that was deleted, and tells of the time before."""
    HANDED_ON = "handed_on"
    """It is not about the mirror; the part that it is for was told."""
    NOT_HANDLED = "not_handled"
    """Nothing is done about this topic."""
    DISCARDED = "discarded"
    """It was given up, and somebody decided that nothing is to be done about it."""


OUTCOME_SENTENCES: Final[Mapping[WebhookOutcome, str]] = {
    WebhookOutcome.WRITTEN: "Its content is in the mirror.",
    WebhookOutcome.BURIED: "The record was deleted in the store and is taken out of the mirror.",
    WebhookOutcome.OLDER: "A later state of the record was known already.",
    WebhookOutcome.REPEATED: "The same content had come before, in another delivery.",
    WebhookOutcome.GONE: "The record was deleted later on, so this is left out.",
    WebhookOutcome.HANDED_ON: "It was handed to the part it is for.",
    WebhookOutcome.NOT_HANDLED: "Nothing is done about this topic.",
    WebhookOutcome.DISCARDED: "It could not be applied, and somebody discarded it.",
}


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One delivery. `kind`, `number` and `version` (what record, and its time by the store) are known once its body was
    read; `reason` says why it failed or was given up."""

    id: UUID
    store_id: UUID
    delivery_id: str
    action_id: str | None
    topic: str
    api_version: str
    name: str | None
    triggered_at: datetime | None
    received_at: datetime
    correlation_id: str
    body_bytes: int
    state: WebhookState
    due_at: datetime
    attempts: int
    outcome: WebhookOutcome | None
    reason: str | None
    kind: str | None
    number: int | None
    version: datetime | None
    first_failed_at: datetime | None
    last_failed_at: datetime | None
    settled_at: datetime | None
