"""Which database there is and how each role reaches it: our own server, or the one of SYNCLINE_DATABASE_URL."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

from psycopg.conninfo import make_conninfo

from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.names import APP_ROLE
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.db.urls import normalise, with_options

if TYPE_CHECKING:
    from syncline.runtime.db.server import ServerHandle


class Access:
    """Addresses of one database. Keeps our own server running until `close`.

    `app_conninfo` is for work (row-level security binds it), `operator_url` for migrations, psql and pg_dump.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        """Starts the embedded server when no URL is set, which blocks for up to a second or so.

        Raises `DatabaseUnavailable`.
        """
        self._data_dir = settings.data_dir
        self._lock = threading.Lock()
        self._server: ServerHandle | None = None
        if settings.url is None:
            self._server = _start(settings.data_dir)
            return
        url = normalise(settings.url)
        self._operator_url = normalise(settings.admin_url or settings.url)
        # With a single URL the role that migrates also works; from the first statement on it does so as syncline_app,
        # and with the search path that syncline_app would have.
        alone = url == self._operator_url
        app = with_options(url, role=APP_ROLE, search_path="public") if alone else url
        self._app_conninfo = make_conninfo(app, application_name="syncline", connect_timeout="10")

    @property
    def is_embedded(self) -> bool:
        return self._server is not None

    @property
    def server(self) -> ServerHandle | None:
        """Our own server; None with somebody else's."""
        return self._server

    @property
    def app_conninfo(self) -> str:
        if self._server is None:
            return self._app_conninfo
        return make_conninfo(self._server.url("app"), application_name="syncline")

    @property
    def operator_url(self) -> str:
        return self._operator_url if self._server is None else self._server.url("operator")

    @property
    def bin_dir(self) -> Path | None:
        """The folder of psql and pg_dump that match the embedded server; None with a server of somebody else's."""
        return None if self._server is None else self._server.bin_dir

    def revive(self) -> None:
        """Start the embedded server again if it is gone. With an external server there is nothing to do."""
        if self._server is None:
            return
        with self._lock:
            before, self._server = self._server, _start(self._data_dir)
            before.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _start(data_dir: Path) -> ServerHandle:
    if os.name == "nt":
        raise DatabaseUnavailable(
            "There is no embedded PostgreSQL for Windows; set SYNCLINE_DATABASE_URL, or run Syncline under WSL.",
        )
    # Not at the top: the module needs fcntl, which Windows has not, and Windows may use an external server.
    from syncline.runtime.db.server import ensure_server

    return ensure_server(data_dir)
