"""What lemlist answers, and what it means. Its errors are plain text, so that only the status tells."""

from __future__ import annotations

from datetime import timedelta

import httpx

from syncline.kernel.errors import Fatal
from syncline.runtime.connect.errors import ErrorTable, Rule, Throttled, VendorTrouble

UNREADABLE = "unreadable"

ERRORS = ErrorTable(
    {
        400: Rule(Fatal, "lemlist does not take this request; if the key is set, please report this."),
        401: Rule(Fatal, "lemlist does not accept this API key. Make one under Settings > Integrations and enter it."),
        403: Rule(Fatal, "The lemlist user of this API key is blocked. Use the key of another user."),
        404: Rule(Fatal, "lemlist does not know what was asked for; it was removed there."),
        429: Rule(Throttled, "lemlist asks for fewer calls.", wait=timedelta(seconds=2)),
        500: Rule(VendorTrouble, "lemlist had trouble of its own."),
        UNREADABLE: Rule(VendorTrouble, "lemlist's answer was not whole."),
    },
    otherwise=Rule(Fatal, "lemlist refused the request ({code})."),
)


def refusal(response: httpx.Response) -> int | str | None:
    """A page of HTML with status 200 is no answer of lemlist's."""
    if not response.is_success:
        return response.status_code
    return UNREADABLE if "html" in response.headers.get("content-type", "") else None
