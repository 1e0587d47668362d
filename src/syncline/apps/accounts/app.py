from __future__ import annotations

from pathlib import Path

from syncline.apps.accounts import facade
from syncline.apps.accounts.contract import KeyRing
from syncline.apps.accounts.mail.jobs import JOBS as MAIL_JOBS
from syncline.apps.accounts.oidc.jobs import JOBS as OIDC_JOBS
from syncline.apps.accounts.oidc.jobs import SCHEDULES as OIDC_SCHEDULES
from syncline.apps.accounts.privacy.erasures.jobs import JOBS as ERASURE_JOBS
from syncline.apps.accounts.privacy.exports.jobs import JOBS as EXPORT_JOBS
from syncline.apps.accounts.privacy.held.personal_data import PERSONAL_DATA
from syncline.apps.accounts.privacy.retention.jobs import JOBS as RETENTION_JOBS
from syncline.apps.accounts.privacy.retention.jobs import SCHEDULES as RETENTION_SCHEDULES
from syncline.apps.accounts.recovery.jobs import JOBS as RECOVERY_JOBS
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin.jobs import JOBS as SIGNIN_JOBS
from syncline.apps.accounts.signin.jobs import SCHEDULES
from syncline.runtime.app import App
from syncline.runtime.sealed import SealedColumn, Whose

APP = App(
    name="accounts",
    migrations=Path(__file__).parent / "migrations",
    settings=AccountsSettings,
    web="syncline.apps.accounts.web",
    jobs=(*MAIL_JOBS, *OIDC_JOBS, *RECOVERY_JOBS, *SIGNIN_JOBS, *EXPORT_JOBS, *ERASURE_JOBS, *RETENTION_JOBS),
    schedules=(*SCHEDULES, *OIDC_SCHEDULES, *RETENTION_SCHEDULES),
    sealed=(
        SealedColumn(table="accounts.signing_key", column="sealed_key", key="kid", whose=Whose.INSTALLATION),
        SealedColumn(table="accounts.totp_device", column="sealed_secret", key="user_id", whose=Whose.PERSON),
        SealedColumn(table="accounts.outgoing_mail", column="sealed_text", whose=Whose.INSTALLATION),
        SealedColumn(table="accounts.privacy_key", column="sealed_key", key="tenant_id"),
        SealedColumn(table="accounts.personal_export", column="sealed_subject"),
        SealedColumn(table="accounts.personal_export_part", column="sealed_bytes"),
        SealedColumn(table="accounts.erasure", column="sealed_subject"),
        SealedColumn(table="accounts.oidc_provider", column="sealed_secret"),
        SealedColumn(table="accounts.oidc_flow", column="sealed_exchange", key="digest", whose=Whose.INSTALLATION),
    ),
    provides=KeyRing,
    build=facade.build,
    personal_data=PERSONAL_DATA,
)
