from __future__ import annotations

from pathlib import Path

from syncline.apps.commerce import endpoints, facade
from syncline.apps.commerce.contract import Commerce
from syncline.apps.commerce.pull.jobs import JOBS as PULL_JOBS
from syncline.apps.commerce.push.jobs import JOBS as PUSH_JOBS
from syncline.apps.commerce.settings import CommerceSettings
from syncline.runtime.app import App

APP = App(
    name="commerce",
    migrations=Path(__file__).parent / "migrations",
    settings=CommerceSettings,
    routers=endpoints.ROUTERS,
    jobs=(*PULL_JOBS, *PUSH_JOBS),
    provides=Commerce,
    build=facade.build,
)
