from __future__ import annotations

import re
from collections.abc import Sequence

from syncline.apps.commerce.contract.connecting import AppInUse, AppNotFound, ShopifyApp
from syncline.apps.commerce.stores.credentials import repository
from syncline.apps.commerce.stores.credentials.repository import AppRow
from syncline.apps.commerce.stores.features import all_scopes
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.secrets import SecretBox

CALLBACK = "/api/shopify/oauth/callback"
_THIS_MACHINE = "http://127.0.0.1:8080"

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
# Shopify's are 38 characters; shorter than 14 is too weak to sign with (NIST SP 800-131A).
_SECRET = re.compile(r"[\x21-\x7e]{14,200}")
_SCOPE = re.compile(r"[a-z][a-z_]{2,60}")
_HOW = "Enter it with `syncline stores app set CLIENT_ID`."


async def put(session: WriteSession, box: SecretBox, *, client_id: str, secret: str, scopes: Sequence[str]) -> AppRow:
    """Raises `InvalidInput`."""
    wrong = [] if _CLIENT_ID.fullmatch(client_id) else [FieldError("client_id", "This is no client id of an app.")]
    wrong += wrong_with_secret(secret)
    wrong += [FieldError("scopes", f"{one!r} is no scope; write read_products.") for one in scopes if not is_scope(one)]
    if wrong:
        raise InvalidInput(wrong[0].message, fields=wrong)
    before = await repository.find(session, client_id)
    is_same = before is not None and box.open(before.secret_sealed) == secret
    other = before.other_secret_sealed if before is not None and is_same else None
    row = await repository.put(
        session,
        client_id,
        {
            "secret_sealed": box.seal(secret),
            "other_secret_sealed": other,
            "scopes": sorted(set(scopes)) or (all_scopes() if before is None else before.scopes),
        },
    )
    told = None if before is None else {"scopes": before.scopes, "client_secret": "before"}
    note_change(f"app {client_id}", before=told, after={"scopes": row.scopes, "client_secret": "after"})
    return row


def is_scope(text: str) -> bool:
    return _SCOPE.fullmatch(text) is not None


def wrong_with_secret(secret: str) -> list[FieldError]:
    if _SECRET.fullmatch(secret):
        return []
    return [FieldError("secret", "This is no secret of an app: it is too short, or has a blank or a line break in it.")]


async def rotate(session: WriteSession, box: SecretBox, *, client_id: str, secret: str | None) -> AppRow:
    """Raises `AppNotFound`, `InvalidInput`."""
    row = await get(session, client_id)
    if secret is None:
        if row.other_secret_sealed is None:
            return row
        note_change(f"app {client_id}", before={"other_secret": "kept"}, after={"other_secret": "forgotten"})
        return await repository.change(session, row.id, other_secret_sealed=None)
    if wrong := wrong_with_secret(secret):
        raise InvalidInput(wrong[0].message, fields=wrong)
    if box.open(row.secret_sealed) == secret:
        raise InvalidInput("This is the secret that is known already; make a new one at Shopify.")
    note_change(f"app {client_id}", before={"client_secret": "before"}, after={"client_secret": "after"})
    return await repository.change(
        session,
        row.id,
        secret_sealed=box.seal(secret),
        other_secret_sealed=row.secret_sealed,
        rotated_at=clock.now(),
    )


async def remove(session: WriteSession, row: AppRow, *, stores: int) -> None:
    """Raises `AppInUse` while so many stores are connected through it."""
    client_id = row.client_id
    if stores:
        raise AppInUse(
            f"{stores} stores are connected through the app {client_id}; remove those, or give them a token of another."
        )
    note_change(f"app {client_id}", before={"scopes": row.scopes})
    await repository.remove(session, row.id)


async def get(session: Session, client_id: str) -> AppRow:
    row = await repository.find(session, client_id)
    if row is None:
        raise AppNotFound(f"There is no app with the client id {client_id}. {_HOW}")
    return row


async def chosen(session: Session, client_id: str | None) -> AppRow:
    """The one that is named, or the only one. Raises `AppNotFound`, `InvalidInput`."""
    if client_id is not None:
        return await get(session, client_id)
    found = await repository.list_all(session)
    if not found:
        raise AppNotFound(f"No app is set up yet; its client id and secret are on its page at Shopify. {_HOW}")
    if len(found) > 1:
        known = ", ".join(one.client_id for one in found)
        raise InvalidInput(f"There are several apps; say through which: {known}.")
    return found[0]


def shown(row: AppRow, public_url: str | None, *, stores: int) -> ShopifyApp:
    return ShopifyApp(
        client_id=row.client_id,
        scopes=row.scopes,
        has_other_secret=row.other_secret_sealed is not None,
        created_at=row.created_at,
        rotated_at=row.rotated_at,
        stores=stores,
        redirect_uri=redirect_uri(public_url),
    )


def redirect_uri(public_url: str | None) -> str:
    """Without a public address a merchant can come back on this machine only, which is enough for a sandbox."""
    return (public_url or _THIS_MACHINE).rstrip("/") + CALLBACK


def opened(box: SecretBox, row: AppRow) -> tuple[str, ...]:
    """Its secrets, the newest first."""
    return tuple(box.open(one) for one in row.secrets_sealed)
