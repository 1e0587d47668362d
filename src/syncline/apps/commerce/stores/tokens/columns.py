"""What Shopify's answer is in the columns of a grant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syncline.connectors.shopify.oauth_client import Tokens
from syncline.runtime.secrets import SecretBox


def ends_at(tokens: Tokens, now: datetime) -> datetime | None:
    """Of the access token; None for one that lasts."""
    return None if tokens.expires_in is None else now + tokens.expires_in


def columns_of(tokens: Tokens, box: SecretBox, now: datetime) -> dict[str, Any]:
    """All but the access token, which stands in the store's own row."""
    lasts = tokens.refresh_expires_in
    return {
        "issued_at": now,
        "expires_at": ends_at(tokens, now),
        "refresh_sealed": None if tokens.refresh_token is None else box.seal(tokens.refresh_token),
        "refresh_expires_at": None if lasts is None else now + lasts,
    }
