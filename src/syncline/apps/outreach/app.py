from __future__ import annotations

from pathlib import Path

from syncline.apps.outreach import facade
from syncline.apps.outreach.contract import Outreach
from syncline.apps.outreach.namespaces import endpoints as namespace_endpoints
from syncline.apps.outreach.personal_data import PERSONAL_DATA
from syncline.apps.outreach.routines import endpoints as routine_endpoints
from syncline.apps.outreach.settings import OutreachSettings
from syncline.runtime.app import App

APP = App(
    name="outreach",
    migrations=Path(__file__).parent / "migrations",
    settings=OutreachSettings,
    routers=(namespace_endpoints.router, routine_endpoints.router),
    provides=Outreach,
    build=facade.build,
    personal_data=PERSONAL_DATA,
)
