"""Who a store is, and whether its key may do what Syncline needs; said in one sentence before any work begins."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from syncline.connectors.shopify import ids, queries
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.connector import CONNECTOR
from syncline.connectors.shopify.errors import MissingScope, NotAShopifyStore, UnreadableAnswer
from syncline.kernel.errors import Fatal
from syncline.runtime.connect.errors import NotProcessed

READ_SCOPES: Final = ("read_products", "read_inventory", "read_locations")
WRITE_SCOPES: Final = ("write_products", "write_inventory")


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """`served_version` may be later than the version asked for. `missing_scopes` is empty unless it was asked to allow
    some to be missing."""

    shop_id: int
    name: str
    domain: str
    currency: str
    time_zone: str
    plan: str
    is_plus: bool
    is_development: bool
    served_version: str
    granted_scopes: tuple[str, ...]
    missing_scopes: tuple[str, ...]


async def check_store(
    client: ShopifyClient,
    *,
    scopes: Iterable[str] = (*READ_SCOPES, *WRITE_SCOPES),
    require_scopes: bool = True,
) -> StoreFacts:
    """Asks the store who it is. Raises `Fatal` with what to change: address, token, permissions, an unpaid bill.

    Raises `Retriable` when Shopify itself is not well.
    """
    CONNECTOR.version(client.config.api_version)
    try:
        answer = await client.execute(queries.STORE, idempotent=True)
    except UnreadableAnswer as error:
        raise NotAShopifyStore(
            f"{client.config.shop_domain} answers, but not as a Shopify store; check the address.",
            detail=error.detail,
            vendor_code=error.vendor_code,
        ) from error
    except NotProcessed as error:
        if error.vendor_code != "no_connection":
            raise
        raise Fatal(
            f"Nothing answers at {client.config.shop_domain}; check the address and this machine's network.",
            detail=error.detail,
            vendor_code=error.vendor_code,
        ) from error
    facts = _facts(answer.data, answer.served_version, tuple(scopes))
    _refuse_other_store(client, facts)
    if require_scopes and facts.missing_scopes:
        raise MissingScope(
            f"The access token of {facts.domain} lacks {_list(facts.missing_scopes)}; grant it in the store's app "
            "settings, make a new token and enter that.",
            vendor_code="missing_scope",
        )
    return facts


def _facts(data: dict[str, Any], served_version: str, wanted: tuple[str, ...]) -> StoreFacts:
    shop, plan = data["shop"], data["shop"]["plan"]
    granted = tuple(sorted(scope["handle"] for scope in data["currentAppInstallation"]["accessScopes"]))
    return StoreFacts(
        shop_id=ids.number_of(shop["id"]),
        name=shop["name"],
        domain=shop["myshopifyDomain"],
        currency=shop["currencyCode"],
        time_zone=shop["ianaTimezone"],
        plan=plan["publicDisplayName"],
        is_plus=plan["shopifyPlus"],
        is_development=plan["partnerDevelopment"],
        served_version=served_version,
        granted_scopes=granted,
        missing_scopes=tuple(scope for scope in wanted if not _covers(granted, scope)),
    )


def _covers(granted: Collection[str], scope: str) -> bool:
    """The right to write includes the right to read."""
    return scope in granted or scope.replace("read_", "write_", 1) in granted


def _refuse_other_store(client: ShopifyClient, facts: StoreFacts) -> None:
    """A renamed store answers under its old address too. Behind a base URL the address is only a label."""
    asked = client.config.shop_domain.lower()
    if client.config.base_url is None and facts.domain.lower() != asked:
        raise NotAShopifyStore(
            f"{asked} now belongs to {facts.domain}; use that address.",
            vendor_code="other_store",
        )


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
