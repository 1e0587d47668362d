"""The declaration of the Shopify connector."""

from __future__ import annotations

from datetime import date
from typing import Final

from syncline.connectors.shopify.actions import ACTIONS
from syncline.connectors.shopify.client import ShopifyConfig
from syncline.connectors.shopify.cost import MAX_QUERY_COST
from syncline.connectors.shopify.streams import STREAMS
from syncline.runtime.connect.connector import ApiVersion, Auth, Connector, RateLimit

# Quarterly, each supported for at least twelve months; after that Shopify silently serves the oldest it still supports
# and says so in X-Shopify-API-Version (shopify.dev/docs/api/usage/versioning, November 2026).
_VERSIONS: Final = (
    ApiVersion("2026-10", date(2027, 10, 1)),
    ApiVersion("2025-10", date(2026, 10, 1)),
)

# shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits, November 2026. The bucket holds 20 s of the rate.
_RATES: Final = {"standard": 100.0, "advanced": 200.0, "plus": 1000.0, "enterprise": 2000.0}

CONNECTOR: Final = Connector(
    name="shopify",
    config=ShopifyConfig,
    auth=Auth(scheme="X-Shopify-Access-Token", secret_fields=("access_token",)),
    streams=tuple(STREAMS.values()),
    actions=ACTIONS,
    api_versions=_VERSIONS,
    rate_limits=(
        RateLimit(
            unit="cost points per app and store",
            per_second=_RATES,
            burst={plan: rate * 20 for plan, rate in _RATES.items()},
            per_call=MAX_QUERY_COST,
        ),
    ),
)
