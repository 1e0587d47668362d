"""What goes with the merchant's browser to Shopify and has to come back with it. Pure, but for chance."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import TenantId

LIFETIME: Final = timedelta(minutes=10)
_STATE = re.compile(r"([0-9a-f]{32})_[A-Za-z0-9_-]{43}")
_SHOP = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-]*")
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,500}")


def new_state(tenant_id: TenantId) -> str:
    """The tenant stands in it because the database shows an install to its own tenant only. It proves nothing: the 256
    random bits after it do."""
    return f"{tenant_id.hex}_{secrets.token_urlsafe(32)}"


def tenant_of(state: str) -> TenantId | None:
    """None for what is no state of ours."""
    found = _STATE.fullmatch(state)
    return None if found is None else TenantId(UUID(found[1]))


def cookie_of(state: str) -> str | None:
    """The name of the cookie that goes with a state, so that two installs in one browser do not meet."""
    return f"syncline-install-{state[33:45]}" if _STATE.fullmatch(state) else None


def digest(text: str) -> bytes:
    """A fast hash is right for 256 random bits."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def domain_of(shop: str) -> str:
    """`acme` and `https://Acme.myshopify.com/admin` as people paste them, as `acme.myshopify.com`. What is no shop
    stays as it is, to be refused."""
    bare = shop.strip().removeprefix("https://").partition("/")[0] if shop.strip().startswith("https://") else shop
    return f"{bare}.myshopify.com".lower() if _SHOP.fullmatch(bare) else bare.lower()


def checked_return(path: str | None) -> str | None:
    """A path of ours: never another site's. Raises `InvalidInput`."""
    if path is not None and not _PATH.fullmatch(path):
        wrong = FieldError("return_to", "must be a path like /stores")
        raise InvalidInput("Come back to a page of ours: give a path like /stores.", fields=[wrong])
    return path


def state_in(authorize_url: str) -> str:
    return dict(parse_qsl(urlsplit(authorize_url).query)).get("state", "")
