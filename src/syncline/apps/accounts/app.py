from __future__ import annotations

from pathlib import Path

from syncline.apps.accounts import endpoints, facade
from syncline.apps.accounts.contract import KeyRing
from syncline.apps.accounts.settings import AccountsSettings
from syncline.runtime.app import App

APP = App(
    name="accounts",
    migrations=Path(__file__).parent / "migrations",
    settings=AccountsSettings,
    routers=(endpoints.router,),
    provides=KeyRing,
    build=facade.build,
)
