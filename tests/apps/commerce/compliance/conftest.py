"""Webhooks that came in at the real door."""

from __future__ import annotations

from tests.apps.commerce.webhooks.conftest import hooked, make_client, shop

__all__ = ["hooked", "make_client", "shop"]
