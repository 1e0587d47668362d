from __future__ import annotations

from pathlib import Path

from syncline.apps.accounts import facade
from syncline.apps.accounts.contract import KeyRing
from syncline.apps.accounts.keys import endpoints as keys
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin import endpoints as signin
from syncline.runtime.app import App

APP = App(
    name="accounts",
    migrations=Path(__file__).parent / "migrations",
    settings=AccountsSettings,
    routers=(signin.router, signin.well_known, keys.router),
    provides=KeyRing,
    build=facade.build,
)
