"""What Attio answers, and what it means. Source: docs.attio.com, OpenAPI document, November 2026."""

from __future__ import annotations

from datetime import timedelta

import httpx
import msgspec

from syncline.kernel.errors import Fatal, Skippable
from syncline.runtime.connect.errors import ErrorTable, Rule, Throttled, VendorTrouble

UNREADABLE = "unreadable"

ERRORS = ErrorTable(
    {
        401: Rule(Fatal, "Attio does not accept this access token. Make one in its developer settings and enter it."),
        403: Rule(Fatal, "Attio's token lacks a scope: it needs records (read-write) and object configuration (read)."),
        429: Rule(Throttled, "Attio asks for fewer calls.", wait=timedelta(seconds=1)),
        500: Rule(VendorTrouble, "Attio had trouble of its own."),
        "validation_type": Rule(Skippable, "Attio does not take a value of this person."),
        "uniqueness_conflict": Rule(
            Skippable, "Another record in Attio has a value of this person that must be unique."
        ),
        "multiple_match_results": Rule(Skippable, "More than one person in Attio has one of these addresses."),
        "not_found": Rule(Skippable, "Attio does not know this record; it was removed there."),
        "value_not_found": Rule(Fatal, "Attio's workspace lacks an attribute that is written. Add it in Attio."),
        "missing_value": Rule(Skippable, "A person without an address cannot be matched in Attio."),
        "slug_conflict": Rule(Skippable, "Attio's workspace has an attribute of this name already."),
        "filter_error": Rule(Fatal, "Attio does not take this filter; please report this."),
        UNREADABLE: Rule(VendorTrouble, "Attio's answer was not whole."),
    },
    otherwise=Rule(Fatal, "Attio refused the request ({code})."),
)


def refusal(response: httpx.Response) -> int | str | None:
    """The code of the body where the table knows it, else the status."""
    if response.is_success:
        return UNREADABLE if "html" in response.headers.get("content-type", "") else None
    try:
        told = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return response.status_code
    code = told.get("code") if isinstance(told, dict) else None
    return code if isinstance(code, str) and code in ERRORS else response.status_code
