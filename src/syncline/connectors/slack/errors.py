"""What Slack answers to an incoming webhook, and what it means.

Words and statuses: api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks, and "Handling errors" of
the page on incoming webhooks, read 2026-11.
"""

from __future__ import annotations

from syncline.kernel.errors import Fatal
from syncline.runtime.connect.errors import ErrorTable, Rule, Throttled, VendorTrouble

_AGAIN = "Make a new webhook in Slack's app settings, and add the channel anew."

ERRORS = ErrorTable(
    {
        "invalid_payload": Rule(Fatal, "Slack does not understand our message; please report this."),
        "no_text": Rule(Fatal, "Slack does not understand our message; please report this."),
        "user_not_found": Rule(Fatal, f"The person this webhook writes to is gone. {_AGAIN}"),
        "action_prohibited": Rule(Fatal, "Slack's workspace does not allow this webhook to post here."),
        "posting_to_general_channel_denied": Rule(Fatal, "Slack's workspace keeps its general channel for admins."),
        "invalid_token": Rule(Fatal, f"Slack no longer accepts this webhook. {_AGAIN}"),
        "channel_not_found": Rule(Fatal, f"The Slack channel is gone. {_AGAIN}"),
        "channel_is_archived": Rule(Fatal, "The Slack channel is archived. Open it again, or choose another."),
        "no_service": Rule(Fatal, f"The webhook was removed in Slack. {_AGAIN}"),
        "no_service_id": Rule(Fatal, f"The webhook's address is not whole. {_AGAIN}"),
        "no_team": Rule(Fatal, f"The Slack workspace is gone. {_AGAIN}"),
        "team_disabled": Rule(Fatal, f"The Slack workspace is closed. {_AGAIN}"),
        "rollup_error": Rule(VendorTrouble, "Slack had trouble of its own."),
        429: Rule(Throttled, "Slack asks for fewer messages."),
        500: Rule(VendorTrouble, "Slack had trouble of its own."),
    },
    otherwise=Rule(Fatal, "Slack refused the message ({code})."),
)
