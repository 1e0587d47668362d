"""What is answered over HTTP."""

from __future__ import annotations

from syncline.apps.commerce import endpoints
from syncline.apps.commerce.alignment import endpoints as alignment_endpoints
from syncline.apps.commerce.batch import endpoints as batch_endpoints
from syncline.apps.commerce.browse import endpoints as browse_endpoints
from syncline.apps.commerce.compliance import endpoints as compliance_endpoints
from syncline.apps.commerce.conflicts import endpoints as conflict_endpoints
from syncline.apps.commerce.dashboard import endpoints as dashboard_endpoints
from syncline.apps.commerce.decisions import endpoints as decision_endpoints
from syncline.apps.commerce.inbound import endpoints as inbound_endpoints
from syncline.apps.commerce.integrity import endpoints as integrity_endpoints
from syncline.apps.commerce.products import endpoints as product_endpoints
from syncline.apps.commerce.push import endpoints as push_endpoints
from syncline.apps.commerce.removal import endpoints as removal_endpoints
from syncline.apps.commerce.review import endpoints as review_endpoints
from syncline.apps.commerce.schedules import endpoints as schedule_endpoints
from syncline.apps.commerce.stores import endpoints as store_endpoints
from syncline.apps.commerce.stores.credentials import endpoints as credential_endpoints
from syncline.apps.commerce.stores.installing import endpoints as install_endpoints
from syncline.apps.commerce.transfer import endpoints as sheet_endpoints
from syncline.apps.commerce.webhook_management import endpoints as management_endpoints
from syncline.apps.commerce.webhooks import endpoints as webhook_endpoints
from syncline.apps.commerce.webhooks.hot_routes import HOT_ROUTES
from syncline.runtime.app import Web

WEB = Web(
    routers=(
        *endpoints.ROUTERS,
        *push_endpoints.ROUTERS,
        *browse_endpoints.ROUTERS,
        *store_endpoints.ROUTERS,
        *credential_endpoints.ROUTERS,
        *install_endpoints.ROUTERS,
        *removal_endpoints.ROUTERS,
        *schedule_endpoints.ROUTERS,
        *integrity_endpoints.ROUTERS,
        *review_endpoints.ROUTERS,
        *batch_endpoints.ROUTERS,
        *conflict_endpoints.ROUTERS,
        *decision_endpoints.ROUTERS,
        *inbound_endpoints.ROUTERS,
        *product_endpoints.ROUTERS,
        *sheet_endpoints.ROUTERS,
        *alignment_endpoints.ROUTERS,
        *webhook_endpoints.ROUTERS,
        *management_endpoints.ROUTERS,
        *compliance_endpoints.ROUTERS,
        *dashboard_endpoints.ROUTERS,
    ),
    hot_routes=HOT_ROUTES,
)
