"""What the tools tell, as happenings with an identity. Pure.

The same happening comes by several ways (a page, the same page later, a webhook) and must be the same each time, so an
identity holds only what all of them tell:

lemlist     the activity's `_id`, in pages and in webhooks alike.
Smartlead   a mail is campaign, address and number in the sequence, for webhooks know no `stats_id`; what happens to a
            mail once is told apart by its type. A reply shows on several mails of the lead, so it is told apart by
            its moment instead. An unsubscription has neither in a webhook: there is one of a lead in a campaign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from syncline.apps.outreach.sync_contract import Platform

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,255}")
_LONGEST = 255
"""Mixpanel cuts longer texts; what is stored is what is sent."""

SENT, OPENED, CLICKED, REPLIED = "email_sent", "email_opened", "email_clicked", "email_replied"
BOUNCED, UNSUBSCRIBED = "email_bounced", "email_unsubscribed"
SMARTLEAD_HOOKS: Mapping[str, tuple[str, str]] = {
    "EMAIL_SENT": (SENT, "time_sent"),
    "EMAIL_OPEN": (OPENED, "time_opened"),
    "EMAIL_LINK_CLICK": (CLICKED, "time_clicked"),
    "EMAIL_REPLY": (REPLIED, "time_replied"),
    "EMAIL_BOUNCE": (BOUNCED, "time_bounced"),
    "LEAD_UNSUBSCRIBED": (UNSUBSCRIBED, "time_unsubscribed"),
}
"""Their type, and where the time stands, if anywhere."""


class Unusable(ValueError):
    """A record from which no event can be made; says why."""


@dataclass(frozen=True, slots=True)
class Happening:
    """`activity` or else `told_at` belongs to the identity; `at` is when it happened, as well as is known."""

    platform: Platform
    campaign: str
    kind: str
    email: str
    at: datetime
    activity: str | None = None
    told_at: datetime | None = None
    facts: Mapping[str, Any] | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None


def from_lemlist(record: Mapping[str, Any]) -> Happening:
    """Of an activity, from a page or a webhook. Raises `Unusable` for notes and others that belong to no campaign."""
    campaign, identity = record.get("campaignId"), record.get("_id")
    if not isinstance(campaign, str) or not isinstance(identity, str):
        raise Unusable("it belongs to no campaign")
    return Happening(
        platform=Platform.LEMLIST,
        campaign=_word(campaign),
        kind=_word(lemlist_kind(str(record.get("type", "")))),
        email=_email(record.get("leadEmail") or record.get("email")),
        at=_moment(record.get("createdAt")),
        activity=_word(identity),
        facts=_facts(
            campaign_name=record.get("campaignName") or record.get("name"),
            sequence_step=record.get("sequenceStep"),
            is_first=record.get("isFirst"),
            is_bot=record.get("bot"),
            error_message=record.get("errorMessage"),
        ),
        first_name=_name(record.get("leadFirstName")),
        last_name=_name(record.get("leadLastName")),
        company=_name(record.get("leadCompanyName")),
    )


def lemlist_kind(told: str) -> str:
    """`emailsSent` is `email_sent`; a type that came later is its own name in lower case."""
    words = _HUMP.sub("_", told).lower()
    return words.replace("emails_", "email_", 1) if words.startswith("emails_") else words


def from_smartlead(row: Mapping[str, Any], campaign: str, campaign_name: str) -> Iterator[Happening]:
    """All that a row of the statistics tells: one mail with its present state. Raises `Unusable`.

    A bounce has no moment of its own, and neither has an unsubscription: they are told of the moment of sending."""
    email, sent = _email(row.get("lead_email")), _moment(row.get("sent_time"))
    step = row.get("sequence_number")
    mail = _word(f"mail{step}")
    first, last = _split(row.get("lead_name"))
    facts = _facts(campaign_name=campaign_name, sequence_step=step, subject=row.get("email_subject"))

    def happened(kind: str, at: datetime, activity: str | None, told_at: datetime | None = None) -> Happening:
        return Happening(
            Platform.SMARTLEAD, campaign, kind, email, at, activity, told_at, facts, first_name=first, last_name=last
        )

    yield happened(SENT, sent, mail)
    if row.get("open_time"):
        yield happened(OPENED, _moment(row["open_time"]), mail)
    if row.get("click_time"):
        yield happened(CLICKED, _moment(row["click_time"]), mail)
    if row.get("reply_time"):
        replied = _moment(row["reply_time"])
        yield happened(REPLIED, replied, None, replied)
    if row.get("is_bounced"):
        yield happened(BOUNCED, sent, mail)
    if row.get("is_unsubscribed"):
        yield happened(UNSUBSCRIBED, sent, None)


def from_smartlead_hook(body: Mapping[str, Any], *, received_at: datetime) -> Happening:
    """Of a webhook's body; without a moment it happened when it was received. Raises `Unusable` for what is no event of
    a mail, such as a changed category."""
    known = SMARTLEAD_HOOKS.get(str(body.get("event_type")))
    if known is None or body.get("campaign_id") is None:
        raise Unusable(f"{str(body.get('event_type'))[:60]!r} tells of no mail")
    kind, where = known
    at = _moment(body[where]) if body.get(where) else received_at
    step = body.get("sequence_number")
    if step is None and kind not in {REPLIED, UNSUBSCRIBED}:
        raise Unusable("it does not say which mail of the sequence it means; the next sync brings it")
    first, last = _split(body.get("to_name") or body.get("lead_name"))
    return Happening(
        platform=Platform.SMARTLEAD,
        campaign=_word(str(body["campaign_id"])),
        kind=kind,
        email=_email(body.get("to_email") or body.get("lead_email")),
        at=at,
        activity=None if kind in {REPLIED, UNSUBSCRIBED} else _word(f"mail{step}"),
        told_at=at if kind == REPLIED else None,
        facts=_facts(campaign_name=body.get("campaign_name"), sequence_step=step, subject=body.get("custom_subject")),
        first_name=first,
        last_name=last,
    )


def _email(told: object) -> str:
    if not isinstance(told, str) or not _EMAIL.fullmatch(told.strip()):
        raise Unusable("it has no e-mail address")
    return told.strip().lower()


def _moment(told: object) -> datetime:
    """Milliseconds, UTC; what carries no zone is UTC."""
    try:
        found = datetime.fromisoformat(str(told))
        aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unusable(f"{str(told)[:40]!r} is no moment") from error
    return aware.replace(microsecond=aware.microsecond // 1000 * 1000)


def _word(told: str) -> str:
    """A part of an identity, as it is: what is cleaned or cut could meet another. What no index of the database holds
    is refused here, so that one such record does not stop all others."""
    if not told.isprintable() or not 1 <= len(told) <= _LONGEST:
        raise Unusable(f"{told[:40]!r} is no id")
    return told


def _name(told: object) -> str | None:
    text = told.replace("\0", "").strip()[:_LONGEST] if isinstance(told, str) else ""
    return text or None


def _split(told: object) -> tuple[str | None, str | None]:
    first, _, last = (_name(told) or "").partition(" ")
    return first or None, _name(last)


def _facts(**told: object) -> dict[str, Any]:
    """What is there, short, and without what PostgreSQL's text and other readers of JSON refuse."""
    return {
        name: _name(value) if isinstance(value, str) else value
        for name, value in told.items()
        if isinstance(value, str | float | bool) or (isinstance(value, int) and abs(value) < 2**63)
    }
