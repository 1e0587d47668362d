"""lemlist's JSON: activities, campaigns, leads. Field by field as the documents show them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from syncline.sandbox.outreach import words
from syncline.sandbox.outreach.double import moment
from syncline.sandbox.outreach.ids import word_id
from syncline.sandbox.outreach.store import Event, KeptLead
from syncline.sandbox.outreach.timelines import Campaign, Kind

TYPES = {
    Kind.SENT: "emailsSent",
    Kind.OPENED: "emailsOpened",
    Kind.CLICKED: "emailsClicked",
    Kind.REPLIED: "emailsReplied",
    Kind.BOUNCED: "emailsBounced",
    Kind.UNSUBSCRIBED: "emailsUnsubscribed",
    Kind.FAILED: "emailsFailed",
    Kind.ANNOTATED: "annotated",
}
KINDS = {name: kind for kind, name in TYPES.items()}
TEAM = word_id("tea", 1)
USER = word_id("usr", 1)
COLUMNS = ("emailStatus", "email", "firstName", "lastName", "picture", "phone", "linkedinUrl", "timezone",
           "companyName", "companyDomain", "icebreaker", "lastState", "status", "_id")  # fmt: skip


def activity(event: Event, lead: KeptLead, campaign: Campaign | None, *, has_step_id: bool) -> dict[str, Any]:
    """Without a campaign (a note) there is no campaignId, sequenceId and leadEmail. Only `_id` is always there."""
    name = TYPES[event.kind]
    shown: dict[str, Any] = {
        "_id": activity_id(event),
        "type": name,
        "isFirst": event.is_first,
        "stopped": event.kind in {Kind.REPLIED, Kind.BOUNCED, Kind.UNSUBSCRIBED},
        "createdAt": moment(event.at_ms),
        "bot": False,
        "teamId": TEAM,
        "createdBy": USER,
    }
    if campaign is None:
        return {**shown, "companyId": word_id("cpn", lead.id), "note": "Called, will answer by mail."}
    ours, its = word_id("cam", campaign.number), word_id("lea", lead.id)
    about = {"teamId": TEAM, "campaignId": ours, "leadId": its, "type": name, "createdBy": USER}
    shown |= {
        "leadId": its,
        "campaignId": ours,
        "sequenceId": word_id("seq", campaign.number),
        "sequenceStep": event.step,
        "totalSequenceStep": campaign.steps - 1,
        "emailTemplateId": word_id("etp", campaign.number * 10 + event.step),
        "emailId": word_id("eml", event.mail or 0),
        "sendUserId": USER,
        "name": campaign.name,
        "campaignName": campaign.name,
        "leadFirstName": lead.first_name,
        "leadLastName": lead.last_name,
        "leadEmail": lead.email,
        "leadCompanyName": lead.company,
        "contactId": word_id("ctc", lead.id),
        "sequenceTested": "A",
        "emailTemplateName": "Blank",
        "metaData": {**about, "taskId": word_id("tsk", event.id)},
        "lead": {
            "_id": its,
            "isPaused": False,
            "state": TYPES[lead.state] if lead.state else None,
            "personalized": False,
            "source": "manually",
            "variables": {"firstName": lead.first_name, "lastName": lead.last_name, "email": lead.email},
            "contactId": word_id("ctc", lead.id),
            "enrichment": {},
        },
    }
    if has_step_id:
        shown["stepId"] = word_id("stp", campaign.number * 10 + event.step)
    if event.kind is Kind.FAILED:
        shown["errorMessage"] = "The mailbox refused to send."
    return shown


def activity_id(event: Event) -> str:
    return word_id("act", event.id)


def webhook(shown: dict[str, Any], lead: KeptLead, step: int, secret: str | None) -> dict[str, Any]:
    """An activity with what a webhook adds; the shared secret stands in the body, nothing is signed."""
    subject = words.SUBJECTS[step % len(words.SUBJECTS)].format(name=lead.first_name, company=lead.company)
    to = {"address": lead.email, "name": f"{lead.first_name} {lead.last_name}"}
    mail = {"subject": subject, "to": [to], "cc": [], "bcc": []} if str(shown["type"]).startswith("emails") else {}
    return {**shown, **mail, **({"secret": secret} if secret else {})}


def campaign_body(campaign: Campaign) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "_id": word_id("cam", campaign.number),
        "name": campaign.name,
        "labels": [],
        "createdAt": moment(campaign.opened_ms),
        "createdBy": USER,
        "status": "running" if campaign.is_running else "ended",
    }
    if campaign.number % 9 == 0:
        shown |= {"hasError": True, "errors": ["A sender is disconnected"]}
    return shown


def lead_row(lead: KeptLead) -> dict[str, Any]:
    state = TYPES[lead.state] if lead.state else ""
    return {
        "emailStatus": "deliverable",
        "email": lead.email,
        "firstName": lead.first_name,
        "lastName": lead.last_name,
        "picture": "",
        "phone": "",
        "linkedinUrl": "",
        "timezone": "",
        "companyName": lead.company,
        "companyDomain": lead.email.rpartition("@")[2],
        "icebreaker": "",
        "lastState": state,
        "status": "inProgress",
        "_id": word_id("lea", lead.id),
    }


def leads_csv(leads: Iterable[KeptLead]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lead_row(lead) for lead in leads)
    return text.getvalue()
