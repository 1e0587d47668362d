from __future__ import annotations

from pathlib import Path

from syncline.apps.accounts.contract import KeyRing
from syncline.apps.outreach import facade
from syncline.apps.outreach.completion.jobs import JOBS as COMPLETION_JOBS
from syncline.apps.outreach.connections import endpoints as connection_endpoints
from syncline.apps.outreach.contract import Outreach
from syncline.apps.outreach.database import endpoints as database_endpoints
from syncline.apps.outreach.delivery.jobs import JOBS as DELIVERY_JOBS
from syncline.apps.outreach.events import endpoints as event_endpoints
from syncline.apps.outreach.namespaces import endpoints as namespace_endpoints
from syncline.apps.outreach.people.jobs import JOBS as PEOPLE_JOBS
from syncline.apps.outreach.personal_data import PERSONAL_DATA
from syncline.apps.outreach.routines import endpoints as routine_endpoints
from syncline.apps.outreach.settings import OutreachSettings
from syncline.apps.outreach.sync import endpoints as sync_endpoints
from syncline.apps.outreach.sync.jobs import JOBS as SYNC_JOBS
from syncline.apps.outreach.sync.schedules import JOBS as SCHEDULE_JOBS
from syncline.apps.outreach.sync.schedules import SCHEDULES
from syncline.apps.outreach.webhooks import endpoints as webhook_endpoints
from syncline.apps.outreach.webhooks.jobs import JOBS as WEBHOOK_JOBS
from syncline.runtime.app import App
from syncline.runtime.sealed import SealedColumn

APP = App(
    name="outreach",
    migrations=Path(__file__).parent / "migrations",
    settings=OutreachSettings,
    routers=(
        *database_endpoints.ROUTERS,
        *event_endpoints.ROUTERS,
        namespace_endpoints.router,
        routine_endpoints.router,
        *connection_endpoints.ROUTERS,
        *sync_endpoints.ROUTERS,
        *webhook_endpoints.ROUTERS,
    ),
    jobs=(*SYNC_JOBS, *DELIVERY_JOBS, *PEOPLE_JOBS, *COMPLETION_JOBS, *SCHEDULE_JOBS, *WEBHOOK_JOBS),
    schedules=SCHEDULES,
    sealed=(
        SealedColumn(table="outreach.connection", column="sealed", key="platform"),
        SealedColumn(table="outreach.completion", column="sealed_url"),
        SealedColumn(table="outreach.signing", column="sealed_secret", key="tenant_id"),
        SealedColumn(table="outreach.webhook_door", column="sealed_secret"),
    ),
    provides=Outreach,
    build=facade.build,
    needs=(KeyRing,),
    personal_data=PERSONAL_DATA,
)
