"""What Smartlead answers, and what it means. The shape of its errors differs from page to page of its documents, and an
unknown campaign may be 200 with nothing in it, so that only the status and what is missing tell."""

from __future__ import annotations

from datetime import timedelta

import httpx

from syncline.kernel.errors import Fatal, Skippable
from syncline.runtime.connect.errors import ErrorTable, Rule, Throttled, VendorTrouble

UNREADABLE = "unreadable"
ABSENT = "absent"
AGGREGATE = "aggregate"
RESTLESS = "restless"

ERRORS = ErrorTable(
    {
        400: Rule(Fatal, "Smartlead does not take this request; please report this."),
        401: Rule(Fatal, "Smartlead does not accept this API key. Make one under Settings > API and enter it."),
        403: Rule(Fatal, "Smartlead's plan or its administrator does not allow this."),
        404: Rule(Skippable, "Smartlead does not know what was asked for; it was removed there."),
        422: Rule(Fatal, "Smartlead does not take this request; please report this."),
        429: Rule(Throttled, "Smartlead asks for fewer calls.", wait=timedelta(seconds=5)),
        500: Rule(VendorTrouble, "Smartlead had trouble of its own."),
        ABSENT: Rule(Skippable, "Smartlead does not know what was asked for; it was removed there."),
        AGGREGATE: Rule(Fatal, "Smartlead told sums where single mails were asked for; please report this."),
        RESTLESS: Rule(
            VendorTrouble,
            "Smartlead's list changed each time it was read, so that some of it may be hidden; it is read again.",
        ),
        UNREADABLE: Rule(VendorTrouble, "Smartlead's answer was not whole."),
    },
    otherwise=Rule(Fatal, "Smartlead refused the request ({code})."),
)


def refusal(response: httpx.Response) -> int | str | None:
    """A page of HTML with status 200 is no answer of Smartlead's."""
    if not response.is_success:
        return response.status_code
    return UNREADABLE if "html" in response.headers.get("content-type", "") else None
