"""What this installation is made of: literal lists, and the only place that knows them all."""

from __future__ import annotations

from pathlib import Path

from syncline import runtime
from syncline.apps.accounts.app import APP as ACCOUNTS
from syncline.apps.commerce.app import APP as COMMERCE
from syncline.apps.operations.app import APP as OPERATIONS
from syncline.apps.outreach.app import APP as OUTREACH
from syncline.runtime.app import App
from syncline.runtime.db.migrate import MigrationSource

APPS: tuple[App, ...] = (ACCOUNTS, COMMERCE, OPERATIONS, OUTREACH)

VENDORS = ("smartlead", "lemlist", "shopify", "mixpanel", "attio", "slack")
"""Those whose APIs health speaks of, by the first word of their upstreams' names."""


def migration_sources() -> tuple[MigrationSource, ...]:
    """The runtime's own tables first, then each app's."""
    own = MigrationSource("runtime", Path(runtime.__file__).parent / "migrations")
    return (own, *(MigrationSource(app.name, app.migrations) for app in APPS))
