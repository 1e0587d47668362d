"""What the tools tell becomes the same happening by whichever way it comes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from syncline.apps.outreach.happenings.activities import (
    Unusable,
    from_lemlist,
    from_smartlead,
    from_smartlead_hook,
    lemlist_kind,
)
from syncline.apps.outreach.happenings.storing import identity_of

AT = "2025-07-07T11:13:06.744Z"
ROW: dict[str, Any] = {
    "lead_name": "John Doe", "lead_email": "John@Example.com", "sequence_number": 1, "stats_id": "6d6e",
    "email_subject": "Hi", "sent_time": "2025-07-01T10:00:00.000", "open_time": None, "click_time": None,
    "reply_time": None, "is_unsubscribed": False, "is_bounced": False,
}  # fmt: skip
ACTIVITY = {"_id": "act_1", "type": "emailsSent", "campaignId": "cam_1", "leadEmail": "a@x.example", "createdAt": AT}
RECEIVED = datetime(2025, 8, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("emailsSent", "email_sent"),
        ("emailsUnsubscribed", "email_unsubscribed"),
        ("linkedinInviteAccepted", "linkedin_invite_accepted"),
        ("annotated", "annotated"),
    ],
)
def test_lemlists_types_have_our_names(told: str, kind: str) -> None:
    assert lemlist_kind(told) == kind


@pytest.mark.parametrize(
    ("hook", "column", "where"),
    [
        ("EMAIL_OPEN", "open_time", "time_opened"),
        ("EMAIL_LINK_CLICK", "click_time", "time_clicked"),
        ("EMAIL_REPLY", "reply_time", "time_replied"),
    ],
)
def test_a_row_and_a_webhook_of_smartlead_tell_one_identity(hook: str, column: str, where: str) -> None:
    *_, of_row = from_smartlead({**ROW, column: AT}, "42", "North")
    body = {"event_type": hook, "campaign_id": 42, "to_email": "john@example.com", "sequence_number": 1, where: AT}
    of_hook = from_smartlead_hook(body, received_at=RECEIVED)
    assert identity_of(of_row, "default") == identity_of(of_hook, "default")
    assert of_row.at == of_hook.at


@pytest.mark.parametrize(("hook", "column"), [("EMAIL_BOUNCE", "is_bounced"), ("LEAD_UNSUBSCRIBED", "is_unsubscribed")])
def test_what_has_no_moment_is_one_identity_too(hook: str, column: str) -> None:
    *_, of_row = from_smartlead({**ROW, column: True}, "42", "North")
    body = {"event_type": hook, "campaign_id": "42", "lead_email": "john@example.com", "sequence_number": 1}
    of_hook = from_smartlead_hook(body, received_at=RECEIVED)
    assert identity_of(of_row, "default") == identity_of(of_hook, "default")
    assert (of_row.at, of_hook.at) == (datetime(2025, 7, 1, 10, tzinfo=UTC), RECEIVED)


def test_one_reply_that_shows_on_two_mails_is_one_event_and_two_replies_are_two() -> None:
    rows = [{**ROW, "sequence_number": step, "reply_time": AT} for step in (1, 2)]
    later = {**ROW, "sequence_number": 3, "reply_time": "2025-07-09T11:13:06.744Z"}
    told = [list(from_smartlead(row, "42", "North"))[-1] for row in (*rows, later)]
    assert len({identity_of(one, "default") for one in told}) == 2


@pytest.mark.parametrize(
    "record",
    [
        {"_id": "act_1", "type": "annotated", "createdAt": AT},
        {"_id": "act_1", "type": "emailsSent", "campaignId": "cam_1", "createdAt": AT},
        {"_id": "act_1", "type": "emailsSent", "campaignId": "cam_1", "leadEmail": "nobody", "createdAt": AT},
        {"_id": "act_1", "type": "emailsSent", "campaignId": "cam_1", "leadEmail": "a@x.example", "createdAt": "soon"},
        {"type": "emailsSent", "campaignId": "cam_1", "leadEmail": "a@x.example", "createdAt": AT},
        {**ACTIVITY, "_id": "act_\0"},
        {**ACTIVITY, "campaignId": "c" * 256},
        {**ACTIVITY, "type": ""},
        {**ACTIVITY, "createdAt": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_a_record_of_which_no_event_can_be_made_says_why(record: dict[str, Any]) -> None:
    with pytest.raises(Unusable) as why:
        from_lemlist(record)
    assert str(why.value)
