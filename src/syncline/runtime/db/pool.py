"""The pool of a `Database`: what is in use when it is disposed of is closed too, when it is given back."""

from __future__ import annotations

from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry


class Pool(AsyncAdaptedQueuePool):
    """SQLAlchemy's own closes only what lies idle: the rest would come back into a queue that nobody empties any more,
    and stay open until the collector finds it."""

    is_over = False

    def dispose(self) -> None:
        self.is_over = True
        super().dispose()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self.is_over:
            record.close()
        super()._do_return_conn(record)  # emptied: whoever still waits for one in this pool opens it anew
