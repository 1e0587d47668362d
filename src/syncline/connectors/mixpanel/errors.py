"""What Mixpanel answers, and what it means. Sources: docs.mixpanel.com, "Error troubleshooting", November 2026."""

from __future__ import annotations

import httpx

from syncline.kernel.errors import Fatal
from syncline.runtime.connect.errors import ErrorTable, Rule, Throttled, VendorTrouble

UNREADABLE = "unreadable"


class TooLarge(Fatal):
    """The batch is over a limit; nothing of it was ingested. Send it in parts."""


ERRORS = ErrorTable(
    {
        400: Rule(Fatal, "Mixpanel does not take this request; please report this."),
        401: Rule(Fatal, "Mixpanel does not accept this service account for this project. Check both."),
        403: Rule(Fatal, "Mixpanel's service account may not do this. Give it the role Owner or Admin."),
        413: Rule(TooLarge, "Mixpanel takes no batch of this size."),
        # No Retry-After is documented, so that the wait is the retry policy's own.
        429: Rule(Throttled, "Mixpanel asks for fewer events."),
        500: Rule(VendorTrouble, "Mixpanel had trouble of its own."),
        UNREADABLE: Rule(VendorTrouble, "Mixpanel's answer was not whole."),
    },
    otherwise=Rule(Fatal, "Mixpanel refused the request ({code})."),
)


def refusal(response: httpx.Response) -> int | str | None:
    """A 400 that names failed records is no refusal: the other events of the batch were ingested."""
    if response.status_code == 400 and b'"failed_records"' in response.content:
        return None
    if not response.is_success:
        return response.status_code
    return UNREADABLE if "html" in response.headers.get("content-type", "") else None
