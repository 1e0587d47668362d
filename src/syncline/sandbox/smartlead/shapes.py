"""Smartlead's JSON: campaigns, statistics rows, leads, activities, webhooks."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from syncline.sandbox.outreach import words
from syncline.sandbox.outreach.double import moment
from syncline.sandbox.outreach.ids import uuid_id
from syncline.sandbox.outreach.store import Event, KeptLead, Mail, Store
from syncline.sandbox.outreach.timelines import Campaign, Kind

FIRST_CAMPAIGN = 2_700_000
FIRST_LEAD = 900_000_000
USER = 196_026
EVENTS = {
    Kind.SENT: "EMAIL_SENT",
    Kind.OPENED: "EMAIL_OPEN",
    Kind.CLICKED: "EMAIL_LINK_CLICK",
    Kind.REPLIED: "EMAIL_REPLY",
    Kind.BOUNCED: "EMAIL_BOUNCE",
    Kind.UNSUBSCRIBED: "LEAD_UNSUBSCRIBED",
}
ACTIVITIES = {Kind.SENT: "email_sent", Kind.OPENED: "email_opened", Kind.CLICKED: "email_clicked",
              Kind.REPLIED: "email_replied", Kind.BOUNCED: "email_bounced",
              Kind.UNSUBSCRIBED: "email_unsubscribed"}  # fmt: skip
FILLER = "<p>We help teams like yours to answer every lead the same day, without another tool to learn.</p>"
COLUMNS = ("id", "campaign_lead_map_id", "status", "category", "is_interested", "created_at", "first_name", "last_name",
           "email", "last_email_sequence_sent", "open_count", "click_count", "reply_count")  # fmt: skip
UNTRACKED = ["DONT_EMAIL_OPEN", "DONT_LINK_CLICK"]


def campaign_id(number: int) -> int:
    return FIRST_CAMPAIGN + number * 7


def campaign_number(text: str) -> int | None:
    """None for what is no campaign's id."""
    number, left = divmod(int(text) - FIRST_CAMPAIGN, 7) if text.isdigit() else (0, 1)
    return None if left else number


def stats_id(mail: int) -> str:
    return uuid_id(mail)


def message_id(mail: int) -> str:
    return f"<{uuid_id(mail * 2 + 1)}@mailer.example>"


def campaign_body(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign_id(campaign.number),
        "user_id": USER,
        "created_at": moment(campaign.opened_ms),
        "updated_at": moment(campaign.opened_ms + 3_600_000),
        "status": "ACTIVE" if campaign.is_running else ("PAUSED", "STOPPED", "COMPLETED")[campaign.number % 3],
        "name": campaign.name,
        "track_settings": [] if campaign.is_tracked else UNTRACKED,
        "scheduler_cron_value": {
            "tz": "America/New_York",
            "days": [1, 2, 3, 4, 5],
            "endHour": "17:00",
            "startHour": "09:00",
        },
        "min_time_btwn_emails": 24,
        "max_leads_per_day": 100,
        "stop_lead_settings": "REPLY_TO_AN_EMAIL",
        "schedule_start_time": None,
        "enable_ai_esp_matching": True,
        "send_as_plain_text": False,
        "follow_up_percentage": 20,
        "unsubscribe_text": "",
        "parent_campaign_id": None,
        "client_id": None,
    }


def analytics(store: Store, campaign: Campaign, *, agrees: bool) -> dict[str, Any]:
    """The counters of a campaign. Unless they agree with the statistics, trial mails count as sent, and every open and
    click counts rather than every mail that was opened or clicked."""
    mails, leads = store.mails(campaign.number), store.count_leads(campaign.number)
    opened, clicked = [mail for mail in mails if mail.opens], [mail for mail in mails if mail.clicks]
    body = campaign_body(campaign)
    return {
        **{name: body[name] for name in ("id", "user_id", "created_at", "status", "name", "client_id")},
        "sent_count": len(mails) + (0 if agrees else 2),
        "unique_sent_count": len({mail.lead for mail in mails}),
        "open_count": len(opened) if agrees else sum(mail.opens for mail in opened),
        "unique_open_count": len({mail.lead for mail in opened}),
        "click_count": len(clicked) if agrees else sum(mail.clicks for mail in clicked),
        "unique_click_count": len({mail.lead for mail in clicked}),
        "reply_count": len({(mail.lead, mail.reply_ms) for mail in mails if mail.reply_ms}),
        "bounce_count": sum(mail.bounced for mail in mails),
        "unsubscribed_count": len({mail.lead for mail in mails if mail.unsubscribed}),
        "block_count": 0,
        "total_count": leads,
        "drafted_count": 0,
        "sequence_count": campaign.steps,
        "campaign_lead_stats": {"total": leads, "notStarted": 0, "interested": 0},
    }


def time_of(at_ms: int | None, mail: Mail) -> str | None:
    """Every fifth mail's times carry no zone; they are UTC all the same."""
    if at_ms is None:
        return None
    return moment(at_ms).removesuffix("Z") if mail.id % 5 == 0 else moment(at_ms)


def statistics_row(mail: Mail, lead: KeptLead, *, shows_last: bool, body_bytes: int) -> dict[str, Any]:
    """One sent mail with its present state. Bounce and unsubscription have no time; the category is the lead's and so
    stands on rows without a reply too."""
    opened, clicked = (mail.open_last, mail.click_last) if shows_last else (mail.open_first, mail.click_first)
    return {
        "lead_name": f"{lead.first_name} {lead.last_name}",
        "lead_email": lead.email,
        "lead_category": "Interested" if lead.state is Kind.REPLIED else None,
        "sequence_number": mail.step + 1,
        "stats_id": stats_id(mail.id),
        "email_campaign_seq_id": mail.campaign * 10 + mail.step,
        "seq_variant_id": None if mail.step % 2 else mail.campaign * 100 + mail.step,
        "email_subject": subject(mail.step, lead),
        "email_message": message(lead, body_bytes),
        "sent_time": time_of(mail.sent_ms, mail),
        "open_time": time_of(opened, mail),
        "click_time": time_of(clicked, mail),
        "reply_time": time_of(mail.reply_ms, mail),
        "open_count": mail.opens,
        "click_count": mail.clicks,
        "is_unsubscribed": mail.unsubscribed,
        "is_bounced": mail.bounced,
        "ignore_reply": False,
    }


def subject(step: int, lead: KeptLead) -> str:
    return words.SUBJECTS[step % len(words.SUBJECTS)].format(name=lead.first_name, company=lead.company)


def message(lead: KeptLead, body_bytes: int) -> str:
    head = f"<div>Hi {lead.first_name},"
    return head + FILLER * max(0, (body_bytes - len(head)) // len(FILLER)) + "</div>"


def lead_body(lead: KeptLead) -> dict[str, Any]:
    return {
        "campaign_lead_map_id": FIRST_LEAD * 2 + lead.id,
        "lead_category_id": 1 if lead.state is Kind.REPLIED else None,
        "status": {Kind.REPLIED: "COMPLETED", Kind.BOUNCED: "BLOCKED"}.get(lead.state or Kind.SENT, "INPROGRESS"),
        "created_at": moment(lead.created_ms),
        "lead": {
            "id": FIRST_LEAD + lead.id,
            "first_name": lead.first_name,
            "last_name": lead.last_name,
            "email": lead.email,
            "company_name": lead.company,
            "custom_fields": {},
            "is_unsubscribed": lead.state is Kind.UNSUBSCRIBED,
            "unsubscribed_client_id_map": None,
        },
    }


def nested_activity(store: Store, lead: KeptLead, mails: Sequence[Mail]) -> dict[str, Any]:
    campaign = store.campaigns[lead.campaign]
    return {
        "lead_id": FIRST_LEAD + lead.id,
        "email_lead_map_id": FIRST_LEAD * 2 + lead.id,
        "campaign_id": campaign_id(campaign.number),
        "campaign_name": campaign.name,
        "campaign_status": campaign_body(campaign)["status"],
        "status": "INPROGRESS",
        "current_seq_num": max((mail.step for mail in mails), default=0) + 1,
        "created_at": moment(lead.created_ms),
        "activities": [_activity(mail, lead) for mail in mails],
    }


def _activity(mail: Mail, lead: KeptLead) -> dict[str, Any]:
    reply = {"time": moment(mail.reply_ms), "reply_email_body": "<p>Thanks</p>"} if mail.reply_ms else None
    return {
        "stats_id": stats_id(mail.id),
        "message_id": message_id(mail.id),
        "subject": subject(mail.step, lead),
        "sent_time": moment(mail.sent_ms),
        "from_email": "hello@sender.example",
        "to_email": lead.email,
        "email_seq_number": mail.step + 1,
        "open_count": mail.opens,
        "click_count": mail.clicks,
        "click_details": {},
        "reply_details": reply,
        "thread_replies": [],
    }


def history(lead: KeptLead, mails: Sequence[Mail]) -> list[dict[str, Any]]:
    """Mails and replies, oldest first. A reply that is marked on several mails stands here once."""
    told = [
        {
            "type": "SENT",
            "time": moment(mail.sent_ms),
            "message_id": message_id(mail.id),
            "stats_id": stats_id(mail.id),
            "from": "hello@sender.example",
            "to": lead.email,
            "subject": subject(mail.step, lead),
            "email_body": message(lead, 400),
        }
        for mail in mails
    ]
    replies = {mail.reply_ms: mail for mail in mails if mail.reply_ms}
    told += [
        {"type": "REPLY", "time": moment(at), "message_id": message_id(-mail.id), "stats_id": stats_id(mail.id),
         "from": lead.email, "to": "hello@sender.example", "subject": "Re", "email_body": "<p>Thanks</p>"}
        for at, mail in replies.items()
        if at
    ]  # fmt: skip
    return sorted(told, key=lambda one: str(one["time"]))


def leads_csv(leads: Sequence[KeptLead], mails: dict[int, list[Mail]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for lead in leads:
        sent, shown, interested = mails[lead.id], lead_body(lead), lead.state is Kind.REPLIED
        writer.writerow({
            "id": FIRST_LEAD + lead.id,
            "campaign_lead_map_id": shown["campaign_lead_map_id"],
            "status": shown["status"],
            "category": "Interested" if interested else "",
            "is_interested": str(interested).lower(),
            "created_at": shown["created_at"],
            "first_name": lead.first_name,
            "last_name": lead.last_name,
            "email": lead.email,
            "last_email_sequence_sent": len(sent),
            "open_count": sum(mail.opens for mail in sent),
            "click_count": sum(mail.clicks for mail in sent),
            "reply_count": len({mail.reply_ms for mail in sent} - {None}),
        })  # fmt: skip
    return text.getvalue()


def webhook(event: Event, lead: KeptLead, campaign: Campaign) -> dict[str, Any]:
    """Flat; no `stats_id` in any, and a bounce or an unsubscription has no time."""
    at = moment(event.at_ms)
    shown: dict[str, Any] = {
        "event_type": EVENTS[event.kind],
        "campaign_name": campaign.name,
        "campaign_id": campaign_id(campaign.number),
        "sequence_number": event.step + 1,
    }
    if event.kind is Kind.UNSUBSCRIBED:
        name = f"{lead.first_name} {lead.last_name}"
        return {**shown, "lead_email": lead.email, "lead_name": name, "unsubscribed_client_id_map": {}}
    shown |= {
        "from_email": "hello@sender.example",
        "to_email": lead.email,
        "to_name": f"{lead.first_name} {lead.last_name}",
        "message_id": message_id(event.mail or 0),
    }
    match event.kind:
        case Kind.SENT:
            shown |= {"time_sent": at, "custom_subject": subject(event.step, lead),
                      "custom_email_message": message(lead, 400)}  # fmt: skip
        case Kind.OPENED:
            shown["time_opened"] = at
        case Kind.CLICKED:
            shown |= {"time_clicked": at, "link_clicked": ["https://sender.example/pricing"]}
        case Kind.REPLIED:
            shown |= {"time_replied": at, "reply_body": "<p>Thanks</p>", "preview_text": "Thanks", "client_id": None}
    return shown
