from __future__ import annotations

from pathlib import Path

from syncline.apps.operations import facade
from syncline.apps.operations.contract import Notifications
from syncline.apps.operations.deliveries.handlers import HANDLERS
from syncline.apps.operations.deliveries.jobs import JOBS
from syncline.apps.operations.personal_data import PERSONAL_DATA
from syncline.apps.operations.settings import OperationsSettings
from syncline.runtime.app import App
from syncline.runtime.sealed import SealedColumn

APP = App(
    name="operations",
    migrations=Path(__file__).parent / "migrations",
    settings=OperationsSettings,
    web="syncline.apps.operations.web",
    jobs=JOBS,
    handlers=HANDLERS,
    provides=Notifications,
    sealed=(
        SealedColumn(table="operations.channel", column="sealed_address"),
        SealedColumn(table="operations.channel", column="sealed_secret"),
    ),
    personal_data=PERSONAL_DATA,
    build=facade.build,
)
