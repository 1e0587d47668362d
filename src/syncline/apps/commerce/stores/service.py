from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.exc import IntegrityError

from syncline.apps.commerce.contract import Store, StoreExists, StoreNotFound, StoreRefused
from syncline.apps.commerce.mirror.redaction import take_up
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.connectors.shopify.auth import is_shop_domain
from syncline.connectors.shopify.client import ShopifyClient, ShopifyConfig
from syncline.connectors.shopify.store import StoreFacts, check_store
from syncline.kernel.errors import Fatal, FieldError, InvalidInput, Retriable
from syncline.runtime.audit.changes import note_change
from syncline.runtime.connect.retry import RetryPolicy
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.secrets import SecretBox

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

# What an HTTP header can carry; Shopify's tokens are 38 characters of it.
_TOKEN = re.compile(r"[\x21-\x7e]{1,500}")

_SOMEBODY_WAITS = RetryPolicy(attempts=3, base=timedelta(milliseconds=300))


def _is_loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or parts.hostname is None:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def check_address(*, name: str, shop_domain: str, token: str, base_url: str | None, settings: CommerceSettings) -> None:
    """Everything that can be said about address and token without asking the shop."""
    _refuse(
        [
            *_wrong_with_name(name),
            *_wrong_with_domain(shop_domain),
            *_wrong_with(token),
            *_wrong_with_url(base_url, settings),
        ]
    )


def check_shop(*, name: str, shop_domain: str, base_url: str | None, settings: CommerceSettings) -> None:
    """The same of a shop whose token is yet to come."""
    _refuse([*_wrong_with_name(name), *_wrong_with_domain(shop_domain), *_wrong_with_url(base_url, settings)])


def _refuse(wrong: Sequence[FieldError]) -> None:
    if wrong:
        raise InvalidInput(wrong[0].message, fields=wrong)


def _wrong_with_name(name: str) -> list[FieldError]:
    if _NAME.fullmatch(name):
        return []
    return [FieldError("name", "Use lower-case letters, digits and dashes, at most 63, like summer-store.")]


def _wrong_with_domain(shop_domain: str) -> list[FieldError]:
    if is_shop_domain(shop_domain):
        return []
    message = "Give the shop's permanent address, like summer-store.myshopify.com, without https."
    return [FieldError("shop_domain", message)]


def _wrong_with_url(base_url: str | None, settings: CommerceSettings) -> list[FieldError]:
    if base_url is None or (settings.allow_sandbox_urls and _is_loopback(base_url)):
        return []
    message = "Only a sandbox on this machine (a loopback address) may be given; leave it out for a real shop."
    return [FieldError("base_url", message)]


def check_token(token: str) -> None:
    """Raises `InvalidInput` for what cannot be one."""
    _refuse(_wrong_with(token))


def _wrong_with(token: str) -> list[FieldError]:
    if _TOKEN.fullmatch(token):
        return []
    message = "This is no access token: it is empty, or has a blank, a line break or a special letter in it."
    return [FieldError("token", message)]


async def ask_shop(config: ShopifyConfig) -> StoreFacts:
    """What the shop says of itself. Raises `StoreRefused` with the one thing to change."""
    async with ShopifyClient(config, retry=_SOMEBODY_WAITS) as client:
        try:
            return await check_store(client)
        except Fatal as error:
            raise StoreRefused(error.sentence) from error
        except Retriable as error:
            raise StoreRefused(f"{error.sentence} Try again in a moment; if it stays, check the address.") from error


async def ask_client(client: ShopifyClient) -> StoreFacts:
    """The same over a connection that is open, of a shop that may have taken scopes away. Raises `StoreRefused`."""
    try:
        return await check_store(client, require_scopes=False)
    except (Fatal, Retriable) as error:
        raise StoreRefused(error.sentence) from error


async def ask_granted(config: ShopifyConfig) -> StoreFacts:
    """Of a shop that grants what it likes: scopes may be missing, which features show. Raises `StoreRefused`."""
    async with ShopifyClient(config, retry=_SOMEBODY_WAITS) as client:
        return await ask_client(client)


def told_by(facts: StoreFacts) -> dict[str, Any]:
    """The columns that the shop tells."""
    return {
        "shop_name": facts.name,
        "currency": facts.currency,
        "plan": facts.plan,
        "scopes": list(facts.granted_scopes),
    }


def _values(facts: StoreFacts, *, name: str, config: ShopifyConfig) -> dict[str, Any]:
    return {
        "name": name,
        "shop_domain": config.shop_domain.lower(),
        "base_url": config.base_url,
        "api_version": config.api_version,
        **told_by(facts),
    }


async def add(
    session: WriteSession, secrets: SecretBox, *, name: str, config: ShopifyConfig, facts: StoreFacts
) -> Store:
    if await repository.find_by_name(session, name) is not None:
        raise StoreExists(f"A store called {name} is already connected; choose another name.")
    if await repository.find_by_name(session, config.shop_domain.lower()) is not None:
        raise StoreExists(f"{config.shop_domain} is already connected under another name; see `syncline stores list`.")
    try:
        row = await repository.add(
            session, token_sealed=secrets.seal(config.access_token), values=_values(facts, name=name, config=config)
        )
    except IntegrityError as error:  # somebody connected it between our look and our row
        raise StoreExists(
            f"{name} or {config.shop_domain} was connected a moment ago; see `syncline stores list`."
        ) from error
    await take_up(session, row.store.id, row.store.shop_domain)
    note_change(f"store {name}", after={"shop_domain": row.store.shop_domain, "plan": facts.plan})
    return row.store


async def refresh(session: WriteSession, row: StoreRow, *, facts: StoreFacts, token_sealed: bytes | None) -> Store:
    """Keep what the store told anew (plan, currency, scopes), and its new token when there is one. Without one the
    token is not touched: somebody may have replaced it while the shop was asked."""
    given = {} if token_sealed is None else {"token_sealed": token_sealed}
    after = (await repository.change(session, row.store.id, {**told_by(facts), **given})).store
    if token_sealed is not None:
        note_change(f"store {after.name}", before={"access_token": "before"}, after={"access_token": "after"})
    return after


async def get(session: Session, name: str) -> StoreRow:
    row = await repository.find_by_name(session, name)
    if row is None:
        raise not_connected(name)
    return row


def not_connected(name: str) -> StoreNotFound:
    return StoreNotFound(f"No store is called {name}; `syncline stores list` shows the connected ones.")


async def hold(session: WriteSession, store: Store) -> None:
    """Call it where something of a store is begun: it is not removed before the transaction ends. Raises
    `StoreNotFound` when it just was."""
    if not await repository.hold(session, store.id):
        raise not_connected(store.name)


async def list_all(session: Session) -> Sequence[Store]:
    return [row.store for row in await repository.list_all(session)]
