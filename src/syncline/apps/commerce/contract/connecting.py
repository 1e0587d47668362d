"""The part of the contract that is about joining stores by OAuth. `Commerce` has these methods too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from syncline.apps.commerce.contract.types import Store
from syncline.kernel.errors import Conflict, InvalidInput, NotFound, Unavailable
from syncline.kernel.tenant import Actor


class AppNotFound(NotFound):
    code = "STORE_004"
    title = "No such app"


class AppInUse(Conflict):
    code = "STORE_005"
    title = "Stores are connected through the app"


class CallbackNotBelieved(InvalidInput):
    code = "STORE_006"
    title = "This does not come from Shopify"


class InstallOver(Conflict):
    """Its state was used, took too long, belongs to another browser, or never was."""

    code = "STORE_007"
    title = "This install is over"


class ShopTaken(Conflict):
    code = "STORE_008"
    title = "The shop is connected through the same app elsewhere"


class InstallNotFound(NotFound):
    code = "STORE_009"
    title = "No such install"


class ShopifyUnavailable(Unavailable):
    code = "STORE_010"
    title = "Shopify does not answer at the moment"


class InstallStatus(StrEnum):
    """`waiting` for the merchant, `finishing` while the token is fetched; the rest are final."""

    WAITING = "waiting"
    FINISHING = "finishing"
    CONNECTED = "connected"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ShopifyApp:
    """An app at Shopify; its secrets are never in here. `has_other_secret` while a rotation is under way;
    `redirect_uri` is what has to be entered there; `stores` are connected through it."""

    client_id: str
    scopes: Sequence[str]
    has_other_secret: bool
    created_at: datetime
    rotated_at: datetime | None
    stores: int
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Install:
    """A shop on its way in. `authorize_url` is where the merchant's browser goes, told once, when it begins; `sentence`
    says why it failed; `store` is the store's name."""

    id: UUID
    shop_domain: str
    store: str
    client_id: str
    status: InstallStatus
    sentence: str | None
    requested_by: str
    created_at: datetime
    expires_at: datetime
    authorize_url: str | None = None
    return_to: str | None = None


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """How a store is connected. `kind` is custom (a token somebody typed in), code, token_exchange or
    client_credentials; `expires_at` None: the token lasts. `trouble` says why it could not be renewed. `missing` are
    the scopes that features lack, by feature; `needs_consent` whether the merchant has to allow the app again for the
    token or for scopes that the app asks for."""

    store: str
    shop_domain: str
    kind: str
    client_id: str | None
    has_webhook_secret: bool
    issued_at: datetime | None
    expires_at: datetime | None
    refresh_expires_at: datetime | None
    uninstalled_at: datetime | None
    trouble: str | None
    needs_consent: bool
    granted: Sequence[str]
    missing: Mapping[str, Sequence[str]]
    not_granted: Sequence[str]
    """Scopes that the app asks for and the shop has not granted."""


class Connecting(Protocol):
    async def list_apps(self, *, actor: Actor) -> Sequence[ShopifyApp]: ...

    async def set_app(self, *, actor: Actor, client_id: str, secret: str, scopes: Sequence[str] = ()) -> ShopifyApp:
        """Enters an app, or replaces its secret and scopes. Without scopes it keeps those it has; a new one asks for
        all that Syncline can use."""
        ...

    async def rotate_app(self, *, actor: Actor, client_id: str, secret: str | None) -> ShopifyApp:
        """A new secret, with the one before kept for what Shopify signed with it; None: that one was revoked at
        Shopify, so it is forgotten. Raises `AppNotFound`."""
        ...

    async def remove_app(self, *, actor: Actor, client_id: str) -> None:
        """Raises `AppNotFound`, and `AppInUse` while stores are connected through it."""
        ...

    async def start_install(
        self,
        *,
        actor: Actor,
        shop: str,
        name: str | None = None,
        client_id: str | None = None,
        base_url: str | None = None,
        return_to: str | None = None,
        browser: str | None = None,
    ) -> Install:
        """`shop` is the shop's address, its first word, or the name of a store that is connected already. `browser` is
        a secret that the browser has to bring back. Raises `AppNotFound`, `StoreExists`."""
        ...

    async def finish_install(self, *, query: Sequence[tuple[str, str]], browser: str | None = None) -> Install:
        """What Shopify sent the browser back with, decoded. Whose it is stands in the state. Raises
        `CallbackNotBelieved`, `InstallOver`, `ShopTaken`, `StoreRefused`, `ShopifyUnavailable`."""
        ...

    async def get_install(self, *, actor: Actor, install_id: UUID) -> Install: ...

    async def list_installs(self, *, actor: Actor) -> Sequence[Install]:
        """Of the last day, the newest first."""
        ...

    async def exchange_session_token(
        self, *, actor: Actor, session_token: str, name: str | None = None, base_url: str | None = None
    ) -> Store:
        """Connects the shop that a page inside Shopify's admin is of. Raises `CallbackNotBelieved`, `ShopTaken`,
        `StoreRefused`, `StoreExists`, `ShopifyUnavailable`."""
        ...

    async def connect_by_credentials(
        self,
        *,
        actor: Actor,
        shop: str,
        name: str | None = None,
        client_id: str | None = None,
        base_url: str | None = None,
    ) -> Store:
        """Connects a shop of the app's own organisation, without a merchant. Raises what `exchange_session_token` and
        `start_install` raise."""
        ...

    async def set_api_secret(self, *, actor: Actor, store: str, secret: str) -> StoreAccess:
        """Of a custom app, so that its webhooks can be believed; the one before is kept beside it. Raises
        `StoreNotFound`, and `InvalidInput` for a store that an app's own secret signs for."""
        ...

    async def list_access(self, *, actor: Actor, store: str | None = None) -> Sequence[StoreAccess]:
        """Of all stores, or of one. Raises `StoreNotFound`."""
        ...
