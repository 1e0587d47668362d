"""What can be wrong with the database as a whole, each with a sentence for the person who runs Syncline.

DatabaseUnavailable         503; nothing was done
├── ConnectionLost          the connection went away in the middle; the same work may be done again
└── DatabaseFull            no room on the disk of the server; the transaction was undone
MigrationConflict           409; a migration cannot be run or undone as things are
"""

from __future__ import annotations

from syncline.kernel.errors import Conflict, Unavailable


class DatabaseUnavailable(Unavailable):
    """The database cannot be started, reached or used as configured."""

    code = "DB_001"
    title = "The database is not available"


class ConnectionLost(DatabaseUnavailable):
    """The server went away during a transaction. Doing the same again is right when the work is idempotent;
    `in_commit` tells that the loss came while committing, so the change may have been kept."""

    code = "DB_006"
    title = "The database connection was lost"

    def __init__(self, sentence: str, *, in_commit: bool = False) -> None:
        super().__init__(sentence, extra={"in_commit": in_commit})
        self.in_commit = in_commit


class DatabaseFull(DatabaseUnavailable):
    """The server could not write for want of space. Nothing of the transaction was kept."""

    code = "DB_003"
    title = "The database has no room left"


class MigrationConflict(Conflict):
    """What was done before it failed is in `applied`."""

    code = "DB_002"
    title = "The migration cannot be done as things are"
