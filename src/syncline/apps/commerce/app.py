from __future__ import annotations

from pathlib import Path

from syncline.apps.accounts.contract import KeyRing
from syncline.apps.commerce import facade
from syncline.apps.commerce.batch.jobs import JOBS as BATCH_JOBS
from syncline.apps.commerce.compliance.jobs import JOBS as COMPLIANCE_JOBS
from syncline.apps.commerce.conflicts.handlers import HANDLERS
from syncline.apps.commerce.contract import Commerce
from syncline.apps.commerce.decisions.jobs import JOBS as DECISION_JOBS
from syncline.apps.commerce.decisions.jobs import SCHEDULES as DECISION_SCHEDULES
from syncline.apps.commerce.privacy.personal_data import PERSONAL_DATA
from syncline.apps.commerce.pull.jobs import JOBS as PULL_JOBS
from syncline.apps.commerce.push.jobs import JOBS as PUSH_JOBS
from syncline.apps.commerce.removal.jobs import JOBS as REMOVAL_JOBS
from syncline.apps.commerce.schedules.jobs import JOBS as SCHEDULE_JOBS
from syncline.apps.commerce.schedules.jobs import SCHEDULES
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores.tokens.jobs import JOBS as TOKEN_JOBS
from syncline.apps.commerce.stores.tokens.jobs import SCHEDULES as TOKEN_SCHEDULES
from syncline.apps.commerce.webhook_watch.jobs import JOBS as WATCH_JOBS
from syncline.apps.commerce.webhook_watch.jobs import SCHEDULES as WATCH_SCHEDULES
from syncline.apps.commerce.webhooks.jobs import JOBS as WEBHOOK_JOBS
from syncline.apps.commerce.webhooks.letters import WebhookLetters
from syncline.runtime.app import App
from syncline.runtime.sealed import SealedColumn

SEALED = (
    SealedColumn(table="commerce.store", column="token_sealed"),
    SealedColumn(table="commerce.store_grant", column="refresh_sealed", key="store_id"),
    SealedColumn(table="commerce.store_grant", column="secret_sealed", key="store_id"),
    SealedColumn(table="commerce.store_grant", column="other_secret_sealed", key="store_id"),
    SealedColumn(table="commerce.shopify_app", column="secret_sealed"),
    SealedColumn(table="commerce.shopify_app", column="other_secret_sealed"),
)

APP = App(
    name="commerce",
    migrations=Path(__file__).parent / "migrations",
    settings=CommerceSettings,
    web="syncline.apps.commerce.web",
    jobs=(
        *(*PULL_JOBS, *PUSH_JOBS, *SCHEDULE_JOBS, *REMOVAL_JOBS, *BATCH_JOBS, *DECISION_JOBS),
        *(*WEBHOOK_JOBS, *WATCH_JOBS, *COMPLIANCE_JOBS, *TOKEN_JOBS),
    ),
    schedules=(*SCHEDULES, *DECISION_SCHEDULES, *WATCH_SCHEDULES, *TOKEN_SCHEDULES),
    handlers=HANDLERS,
    sealed=SEALED,
    letters=WebhookLetters,
    provides=Commerce,
    build=facade.build,
    needs=(KeyRing,),
    personal_data=PERSONAL_DATA,
)
