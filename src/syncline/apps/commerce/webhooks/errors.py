"""Why a delivery is refused. Shopify reads the status only; the sentence is for whoever looks for the reason."""

from __future__ import annotations

from syncline.kernel.errors import DomainError, InvalidInput, NotFound, Unavailable


class WebhookHeadersMissing(InvalidInput):
    code = "HOOK_001"
    title = "This is no webhook of Shopify"


class WebhookNotSigned(DomainError):
    code = "HOOK_002"
    status = 401
    title = "The signature is wrong"


class ShopNotConnected(NotFound):
    code = "HOOK_003"
    title = "This shop is not connected"


class WebhookTooLarge(DomainError):
    code = "HOOK_004"
    status = 413
    title = "The webhook is too large"


class TooManyStrangers(Unavailable):
    code = "HOOK_005"
    title = "Too many unknown shops are asked for"
