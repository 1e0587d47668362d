"""OAuth with Shopify without I/O: where to send the browser, and whether what it comes back with is Shopify's word.

The rules are those of Shopify's own library (@shopify/shopify-api 15.0.0), which judges them in the tests.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from syncline.connectors.shopify.auth import is_shop_domain, store_origin

FRESH: Final = timedelta(seconds=90)
"""How far the callback's timestamp may be from our clock, either way."""

_UNSIGNED: Final = frozenset({"hmac", "signature"})
_HEX: Final = re.compile(r"[0-9a-f]{64}")


class NotBelieved(ValueError):
    """Why a callback or token is not Shopify's word, for the log: whoever sent it is told no more than that."""


@dataclass(frozen=True, slots=True)
class Callback:
    """What Shopify sent the browser back with, verified."""

    shop_domain: str
    code: str = field(repr=False)
    state: str = field(repr=False)


def authorize_url(
    shop_domain: str,
    *,
    client_id: str,
    scopes: Iterable[str],
    redirect_uri: str,
    state: str,
    is_online: bool = False,
    base_url: str | None = None,
) -> str:
    """The consent page. Raises `Fatal` for what is no shop's address."""
    asked = {"client_id": client_id, "scope": ",".join(scopes), "redirect_uri": redirect_uri, "state": state}
    if is_online:
        asked["grant_options[]"] = "per-user"
    return f"{store_origin(shop_domain, base_url)}/admin/oauth/authorize?{urlencode(asked, quote_via=quote)}"


def signature_of(given: Iterable[tuple[str, str]], secret: str) -> str:
    """What `hmac` must be: hex HMAC-SHA256 of the other parameters, decoded and sorted by name. What parts them is
    escaped inside of them, as ShopifyAPI 12.7.0 does, so that two cannot be passed off as one."""
    pairs = ((key.replace("%", "%25").replace("=", "%3D"), value.replace("%", "%25")) for key, value in sorted(given))
    message = "&".join(f"{key}={value}".replace("&", "%26") for key, value in pairs if key not in _UNSIGNED)
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def read_callback(
    given: Sequence[tuple[str, str]], *, secrets: Sequence[str], now: datetime, shop_domain: str | None = None
) -> Callback:
    """`given` are the decoded parameters of the query, `shop_domain` the only shop it may be of, in small letters.
    Raises `NotBelieved`; the state is for the caller to know."""
    values = dict(given)
    if len(values) < len(given):
        raise NotBelieved("a parameter twice")
    claimed = values.get("hmac", "")
    expected = [signature_of(given, secret) for secret in secrets]
    if not _HEX.fullmatch(claimed) or not any(hmac.compare_digest(claimed, one) for one in expected):
        raise NotBelieved("hmac")
    _require_fresh(values, now)
    shop = values.get("shop", "")
    if not is_shop_domain(shop) or shop_domain not in {None, shop.lower()}:
        raise NotBelieved("shop")
    if not values.get("code") or not values.get("state"):
        raise NotBelieved("code or state is missing")
    return Callback(shop.lower(), values["code"], values["state"])


def _require_fresh(values: Mapping[str, str], now: datetime) -> None:
    text = values.get("timestamp", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise NotBelieved("timestamp")
    if abs(now.timestamp() - int(text)) > FRESH.total_seconds():
        raise NotBelieved("too old")
