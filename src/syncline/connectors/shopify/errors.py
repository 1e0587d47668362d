"""Shopify's answers to outcomes: by HTTP status, by GraphQL code, by user-error code. Never by message."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from syncline.kernel.errors import Fatal
from syncline.runtime.connect.errors import ErrorTable, Rule, Throttled, VendorTrouble


class TokenRejected(Fatal):
    """401: the token is wrong, expired or was revoked."""


class MissingScope(Fatal):
    """The token is good but lacks a permission."""


class NotAShopifyStore(Fatal):
    """What answers at the address is not a Shopify store, or no such store exists."""


class SchemaRefused(Fatal):
    """This version of Shopify's API does not know a field, argument or type that was asked for."""


class TooHeavy(Fatal):
    """Shopify cannot answer a query of this size; a smaller page of it may pass."""


class MaxCostExceeded(TooHeavy):
    """The query is dearer than one query may be."""


class FilterNotUnderstood(Fatal):
    """Shopify warned that it ignored a part of a search filter, so that the answer is not what was asked for."""


class UnreadableAnswer(VendorTrouble):
    """HTTP 200 with something that is not a GraphQL answer."""


HTTP: Final = ErrorTable(
    {
        300: Rule(
            NotAShopifyStore,
            "{shop} sends callers to another address; use the address that ends in .myshopify.com, shown in Shopify "
            "under Settings > Domains.",
        ),
        400: Rule(Fatal, "Shopify refused the request with status {code}; please report this with the log."),
        401: Rule(
            TokenRejected,
            "Shopify refused the access token of {shop}; make a new one in the store's app settings and give it with "
            "`syncline stores token`.",
        ),
        402: Rule(Fatal, "{shop} is frozen because of an unpaid Shopify bill; it works again once that is paid."),
        403: Rule(Fatal, "Shopify forbids this app to act on {shop}; check that it is still installed there."),
        404: Rule(NotAShopifyStore, "There is no Shopify store at {shop}; check the address."),
        408: Rule(VendorTrouble, "Shopify did not receive the request in time."),
        # Documented as locked for abuse, fraud risk or compromise, to be lifted by Shopify's support only.
        423: Rule(Fatal, "Shopify has locked {shop}; only Shopify's support can lift that."),
        429: Rule(Throttled, "Shopify asks for fewer calls to {shop}.", wait=timedelta(seconds=2)),
        # Shopify's own status for traffic that its protection mistrusts; it lifts by itself.
        430: Rule(
            Throttled, "Shopify's protection turned calls to {shop} away for a while.", wait=timedelta(minutes=1)
        ),
        500: Rule(VendorTrouble, "Shopify has a problem of its own at the moment."),
        501: Rule(Fatal, "Shopify does not offer this for {shop}."),
    },
    otherwise=Rule(Fatal, "Shopify answered {shop} with status {code}, which Syncline does not know."),
)

_SCHEMA = Rule(
    SchemaRefused,
    "Shopify's API {version} does not know {what}; choose another API version for {shop} or update Syncline.",
)

# Codes of Shopify's GraphQL engine for a query that does not fit its schema.
_SCHEMA_CODES: Final = (
    "undefinedField",
    "undefinedType",
    "undefinedDirective",
    "argumentNotAccepted",
    "argumentLiteralsIncompatible",
    "missingRequiredArguments",
    "missingRequiredInputObjectAttribute",
    "selectionMismatch",
    "variableMismatch",
    "INVALID_VARIABLE",
    "parseError",
)

GRAPHQL: Final = ErrorTable(
    {
        "THROTTLED": Rule(Throttled, "Shopify asks for fewer calls to {shop}.", wait=timedelta(seconds=1)),
        "MAX_COST_EXCEEDED": Rule(MaxCostExceeded, "One call to {shop} asked for more than Shopify allows at once."),
        "ACCESS_DENIED": Rule(
            MissingScope,
            "The app lacks a permission on {shop}{scope}; grant it in the store's app settings and make a new token.",
        ),
        "INTERNAL_SERVER_ERROR": Rule(VendorTrouble, "Shopify has a problem of its own at the moment."),
        "TIMEOUT": Rule(VendorTrouble, "Shopify did not finish the request in time."),
        "BAD_REQUEST": Rule(Fatal, "Shopify refused the request; please report this with the log."),
        "SHOP_INACTIVE": Rule(Fatal, "{shop} is not active on Shopify; open it there first."),
        **dict.fromkeys(_SCHEMA_CODES, _SCHEMA),
    },
    otherwise=Rule(Fatal, "Shopify refused the request with a code Syncline does not know ({code})."),
)

TOO_HEAVY_CODES: Final = frozenset({"TIMEOUT", "INTERNAL_SERVER_ERROR", "timeout", "504"})
"""What comes back for a page that Shopify cannot put together in time; other troubles do not depend on the size."""

STALE_CODES: Final = frozenset(
    {"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE", "STALE_OBJECT", "INVALID_COMPARE_DIGEST"}
)
"""User errors that say the value moved since it was read."""

BUSY_CODES: Final = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})
"""User errors of a bulk start that say to wait for a slot (one until 2025-10, five since 2026-01)."""
