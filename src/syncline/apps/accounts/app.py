from __future__ import annotations

from pathlib import Path

from syncline.apps.accounts import facade
from syncline.apps.accounts.contract import KeyRing
from syncline.apps.accounts.invitations import endpoints as invitations
from syncline.apps.accounts.keys import endpoints as keys
from syncline.apps.accounts.mail.jobs import JOBS as MAIL_JOBS
from syncline.apps.accounts.members import endpoints as members
from syncline.apps.accounts.recovery import endpoints as recovery
from syncline.apps.accounts.recovery.jobs import JOBS as RECOVERY_JOBS
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin import endpoints as signin
from syncline.apps.accounts.signin.jobs import JOBS as SIGNIN_JOBS
from syncline.apps.accounts.signin.jobs import SCHEDULES
from syncline.apps.accounts.twostep import endpoints as twostep
from syncline.runtime.app import App
from syncline.runtime.sealed import SealedColumn, Whose

APP = App(
    name="accounts",
    migrations=Path(__file__).parent / "migrations",
    settings=AccountsSettings,
    routers=(
        signin.router,
        signin.well_known,
        recovery.router,
        twostep.router,
        members.router,
        invitations.router,
        keys.router,
    ),
    jobs=(*MAIL_JOBS, *RECOVERY_JOBS, *SIGNIN_JOBS),
    schedules=SCHEDULES,
    sealed=(
        SealedColumn(table="accounts.signing_key", column="sealed_key", key="kid", whose=Whose.INSTALLATION),
        SealedColumn(table="accounts.totp_device", column="sealed_secret", key="user_id", whose=Whose.PERSON),
        SealedColumn(table="accounts.outgoing_mail", column="sealed_text", whose=Whose.INSTALLATION),
    ),
    provides=KeyRing,
    build=facade.build,
)
