from __future__ import annotations

from pathlib import Path

from syncline.apps.accounts.contract import KeyRing
from syncline.apps.outreach import facade
from syncline.apps.outreach.completion.jobs import JOBS as COMPLETION_JOBS
from syncline.apps.outreach.contract import Outreach
from syncline.apps.outreach.delivery.jobs import JOBS as DELIVERY_JOBS
from syncline.apps.outreach.freshness.jobs import JOBS as FRESHNESS_JOBS
from syncline.apps.outreach.freshness.jobs import SCHEDULES as FRESHNESS_SCHEDULES
from syncline.apps.outreach.people.jobs import JOBS as PEOPLE_JOBS
from syncline.apps.outreach.personal_data import PERSONAL_DATA
from syncline.apps.outreach.settings import OutreachSettings
from syncline.apps.outreach.sync.jobs import JOBS as SYNC_JOBS
from syncline.apps.outreach.sync.schedules import JOBS as SCHEDULE_JOBS
from syncline.apps.outreach.sync.schedules import SCHEDULES
from syncline.apps.outreach.webhooks.jobs import JOBS as WEBHOOK_JOBS
from syncline.runtime.app import App
from syncline.runtime.sealed import SealedColumn

APP = App(
    name="outreach",
    migrations=Path(__file__).parent / "migrations",
    settings=OutreachSettings,
    web="syncline.apps.outreach.web",
    jobs=(*SYNC_JOBS, *DELIVERY_JOBS, *PEOPLE_JOBS, *COMPLETION_JOBS, *SCHEDULE_JOBS, *FRESHNESS_JOBS, *WEBHOOK_JOBS),
    schedules=(*SCHEDULES, *FRESHNESS_SCHEDULES),
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
