from __future__ import annotations

import psycopg

from syncline.apps.commerce.tables import METADATA
from syncline.kernel.ids import new_id
from syncline.main.targets import migration_sources
from syncline.runtime.db.migrate import differences, downgrade, upgrade
from syncline.runtime.db.settings import DatabaseSettings

_EVENT = """
    INSERT INTO commerce.webhook_event (id, tenant_id, store_id, delivery_id, topic, api_version, received_at,
        correlation_id, body_bytes, body_hash, state, due_at)
    VALUES (%s, %s, %s, '1', 'orders/create', '2026-10', now(), '', 0, 0, %s, now())
"""


def test_the_tables_are_what_the_models_say_and_the_way_back_is_open(database_settings: DatabaseSettings) -> None:
    url, sources = str(database_settings.admin_url), migration_sources()
    assert differences(url, [METADATA]) == []
    steps = downgrade(url, sources, "commerce@commerce_0017")
    assert steps[-2:] == ["commerce_0019", "commerce_0018"]
    assert upgrade(url, sources, "commerce@head") == steps[::-1]
    assert differences(url, [METADATA]) == []


def test_webhooks_that_were_dead_before_are_counted_afterwards(database_settings: DatabaseSettings) -> None:
    url, sources = str(database_settings.admin_url), migration_sources()
    downgrade(url, sources, "commerce@commerce_0020")
    dead = new_id()
    with psycopg.connect(url, autocommit=True) as operator:
        for event, state in ((dead, "dead"), (new_id(), "waiting")):
            operator.execute(_EVENT, (event, new_id(), new_id(), state))
        upgrade(url, sources, "commerce@head")
        assert operator.execute("SELECT event_id FROM commerce.webhook_dead").fetchall() == [(dead,)]
