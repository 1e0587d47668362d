from __future__ import annotations

from syncline.apps.accounts.tables import METADATA
from syncline.main.targets import migration_sources
from syncline.runtime.db.migrate import differences, downgrade, upgrade
from syncline.runtime.db.settings import DatabaseSettings


def test_the_tables_are_what_the_models_say_and_the_way_back_is_open(database_settings: DatabaseSettings) -> None:
    steps = [f"accounts_{number:04}" for number in range(1, 10)]
    url, sources = str(database_settings.admin_url), migration_sources()
    assert differences(url, [METADATA]) == []
    assert downgrade(url, sources, "accounts@base") == steps[::-1]
    assert upgrade(url, sources, "accounts@head") == steps
    assert differences(url, [METADATA]) == []
