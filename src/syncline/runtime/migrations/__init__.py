"""The tables of the runtime itself: jobs (schema `jobs`), events (`bus`), the audit trail (`audit`), what is stopped
(`controls`). One branch, `runtime`."""

from pathlib import Path

from syncline.runtime.db.migrate import MigrationSource

SOURCE = MigrationSource("runtime", Path(__file__).parent)
