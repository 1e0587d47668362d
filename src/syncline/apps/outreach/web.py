"""What is answered over HTTP."""

from __future__ import annotations

from syncline.apps.outreach.connections import endpoints as connection_endpoints
from syncline.apps.outreach.database import endpoints as database_endpoints
from syncline.apps.outreach.events import endpoints as event_endpoints
from syncline.apps.outreach.namespaces import endpoints as namespace_endpoints
from syncline.apps.outreach.routines import endpoints as routine_endpoints
from syncline.apps.outreach.sync import endpoints as sync_endpoints
from syncline.apps.outreach.webhooks import endpoints as webhook_endpoints
from syncline.runtime.app import Web

WEB = Web(
    routers=(
        *database_endpoints.ROUTERS,
        *event_endpoints.ROUTERS,
        namespace_endpoints.router,
        routine_endpoints.router,
        *connection_endpoints.ROUTERS,
        *sync_endpoints.ROUTERS,
        *webhook_endpoints.ROUTERS,
    ),
)
