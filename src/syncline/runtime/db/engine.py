"""The connection pool and the transactions taken from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from syncline.kernel.tenant import TenantId
from syncline.runtime.db.access import Access
from syncline.runtime.db.errors import ConnectionLost, DatabaseFull, DatabaseUnavailable
from syncline.runtime.db.names import APP_ROLE
from syncline.runtime.db.opening import opened_whole
from syncline.runtime.db.pool import Pool
from syncline.runtime.db.session import ReadSession, Session, WriteSession
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.db.timings import TimedCursor
from syncline.runtime.db.urls import shown

OLDEST_VERSION = 15
POOL_WAIT_SECONDS = 30.0
_REVIVE_TRIES = 5
_SET_TENANT = text("SELECT set_config('syncline.tenant', :tenant, true)")
_NOBODY = text("SELECT 1")
# A plan kept from when a table was empty would read it whole for ever after: a first pull of 100,000 records took 60
# times as long. Planning anew costs 0.1 ms.
_PLAN_ANEW = "SET plan_cache_mode = force_custom_plan"

S = TypeVar("S", bound=Session)


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """Connections in use, open but idle, and the most there may be."""

    active: int
    idle: int
    limit: int


class Database:
    """Transactions for tenants. One per process; safe to use from many tasks of one event loop.

    A connection that died while idle is replaced unseen. One that dies within a transaction raises `ConnectionLost`
    once; the next transaction gets a new one, for which the embedded server is started again if need be.
    """

    def __init__(self, access: Access, settings: DatabaseSettings) -> None:
        self._access = access
        self._reviving = asyncio.Lock()
        self._pool_min = settings.pool_min
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+psycopg://",  # the address stays in `_connect`, so that no message of SQLAlchemy shows it
            async_creator=self._connect,
            poolclass=Pool,
            # Connections are opened as needed up to pool_max and then kept. With a pool_size of pool_min the rest would
            # be opened and closed for every transaction under load (3 ms each).
            pool_size=settings.pool_max,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_use_lifo=True,
            hide_parameters=True,  # values are people's data; messages and logs must not hold them
        )
        self._read_engine = self.engine.execution_options(postgresql_readonly=True)
        self._still_engine = self.engine.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")

    @classmethod
    async def open(cls, settings: DatabaseSettings, access: Access | None = None) -> Database:
        """Connect, and open `pool_min` connections. Takes over `access` when given.

        Raises `DatabaseUnavailable` when the server is too old, cannot be reached, or the role could read past
        row-level security.
        """
        if access is None:
            access = await asyncio.to_thread(Access, settings)
        database = cls(access, settings)
        try:
            await database._check()
            await database._warm()
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def conninfo(self) -> str:
        """libpq conninfo of the app role, for LISTEN connections and the queue library."""
        return self._access.app_conninfo

    @property
    def operator_url(self) -> str:
        """The address for migrations, psql and pg_dump; sees every tenant's rows."""
        return self._access.operator_url

    def writing(self, tenant: TenantId) -> AbstractAsyncContextManager[WriteSession]:
        """One transaction for `tenant`: committed at a clean end of the block, rolled back otherwise."""
        return self._transaction(WriteSession, self.engine, tenant)

    def reading(self, tenant: TenantId) -> AbstractAsyncContextManager[ReadSession]:
        """One read-only transaction for `tenant`."""
        return self._transaction(ReadSession, self._read_engine, tenant)

    def reading_still(self, tenant: TenantId) -> AbstractAsyncContextManager[ReadSession]:
        """The same, of one moment: what others commit meanwhile is not seen. For what reads long."""
        return self._transaction(ReadSession, self._still_engine, tenant)

    def system(self) -> AbstractAsyncContextManager[WriteSession]:
        """One transaction for no tenant: tenants' tables look empty and refuse rows. For the queue, the outbox and the
        directory of tenants."""
        return self._transaction(WriteSession, self.engine, None)

    def pool_status(self) -> PoolStatus:
        pool = self.engine.pool
        assert isinstance(pool, Pool)
        return PoolStatus(active=pool.checkedout(), idle=pool.checkedin(), limit=pool.size())

    async def renew_pool(self) -> None:
        """Idle connections are closed, and `pool_min` opened anew; those in use are closed when they are given back."""
        await self.engine.dispose()
        await self._warm()

    async def close(self) -> None:
        """Idle connections are closed now, those in use when they are given back: a look-up that nobody waits for any
        more may still hold one, or take one."""
        await self.engine.dispose()
        self.engine.pool.dispose()  # the new one that SQLAlchemy has made, still empty
        self._access.close()

    @asynccontextmanager
    async def _transaction(self, kind: type[S], engine: AsyncEngine, tenant: TenantId | None) -> AsyncIterator[S]:
        connection = await self._begin(engine, tenant)
        committing = False
        try:
            # The session joins the connection's transaction: a service that commits by mistake only flushes.
            async with kind(bind=connection, expire_on_commit=False) as session:
                session.tenant_id = tenant
                yield session
                await session.flush()
                committing = True
                await connection.commit()
        except (DBAPIError, InvalidRequestError, psycopg.Error) as exc:
            meaning = _meaning(exc, in_commit=committing, is_dead=connection.invalidated)
            if meaning is None:
                raise
            if isinstance(meaning, ConnectionLost):
                await connection.invalidate()
            raise meaning from exc
        finally:
            await asyncio.shield(connection.close())

    async def _begin(self, engine: AsyncEngine, tenant: TenantId | None) -> AsyncConnection:
        """A connection in a transaction whose tenant is set. That statement is also the test whether an idle connection
        still lives: SQLAlchemy drops the whole pool at the first that does not, so the second try gets a new one."""
        try:
            return await self._try_begin(engine, tenant)
        except ConnectionLost:
            return await self._try_begin(engine, tenant)

    async def _try_begin(self, engine: AsyncEngine, tenant: TenantId | None) -> AsyncConnection:
        connection = engine.connect()
        try:
            await connection.start()
            if tenant is None:
                await connection.execute(_NOBODY)
            else:
                await connection.execute(_SET_TENANT, {"tenant": str(tenant)})
        except PoolTimeoutError as exc:
            raise DatabaseUnavailable(
                f"All {self.pool_status().limit} database connections were busy for {POOL_WAIT_SECONDS:.0f} s. "
                "Try again; if it happens often, raise SYNCLINE_DATABASE_POOL_MAX.",
            ) from exc
        except BaseException as exc:
            if connection.sync_connection is not None:  # cancelled while it waited for one: there is nothing to close
                await connection.close()
            meaning = _meaning(exc) if isinstance(exc, (DBAPIError, psycopg.Error)) else None
            if meaning is None:
                raise
            raise meaning from exc
        return connection

    async def _connect(self) -> psycopg.AsyncConnection:
        for attempt in range(_REVIVE_TRIES):
            try:
                return await opened_whole(self._connect_once())
            except psycopg.OperationalError:
                if not self._access.is_embedded or attempt == _REVIVE_TRIES - 1:
                    raise
            async with self._reviving:
                await asyncio.to_thread(self._access.revive)
            await asyncio.sleep(0.05 * attempt)
        raise AssertionError

    async def _connect_once(self) -> psycopg.AsyncConnection:
        connection = await psycopg.AsyncConnection.connect(
            self.conninfo, autocommit=True, client_encoding="UTF8", cursor_factory=TimedCursor
        )
        try:
            await connection.execute(_PLAN_ANEW)
            await connection.set_autocommit(False)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _check(self) -> None:
        try:
            async with self.engine.connect() as connection:
                found = (await connection.execute(_FACTS, {"app": APP_ROLE})).one()
        except DBAPIError as exc:
            raise DatabaseUnavailable(_why_not(exc, self.conninfo)) from exc
        _refuse_unsuited(*found)

    async def _warm(self) -> None:
        async with AsyncExitStack() as opened:
            for _ in range(self._pool_min):
                await opened.enter_async_context(self.engine.connect())


_FACTS = text(
    "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'), "
    "current_user::text, rolsuper, rolbypassrls, "
    "(SELECT pg_has_role(current_user, oid, 'USAGE') FROM pg_roles WHERE rolname = :app) "
    "FROM pg_roles WHERE rolname = current_user",
)


def _refuse_unsuited(
    version: int, encoding: str, user: str, superuser: bool, bypasses: bool, is_member: bool | None
) -> None:
    if version < OLDEST_VERSION:
        raise DatabaseUnavailable(
            f"The database server is PostgreSQL {version}; Syncline needs {OLDEST_VERSION} or newer. "
            "Upgrade the server, or name another in SYNCLINE_DATABASE_URL.",
        )
    if encoding != "UTF8":
        raise DatabaseUnavailable(
            f"The database's encoding is {encoding}; Syncline needs UTF8. Make it anew with: "
            "CREATE DATABASE syncline ENCODING 'UTF8' TEMPLATE template0.",
        )
    if superuser or bypasses:
        what = "is a superuser" if superuser else "has BYPASSRLS"
        raise DatabaseUnavailable(
            f"The database role {user} {what}, so one tenant could read another's rows. Give SYNCLINE_DATABASE_URL an "
            f"ordinary role that is a member of {APP_ROLE}, and put this one into SYNCLINE_DATABASE_ADMIN_URL.",
        )
    if not is_member:
        missing = "does not exist yet" if is_member is None else f"has not been granted to {user}"
        raise DatabaseUnavailable(
            f"The database role {APP_ROLE} {missing}. Run `syncline db upgrade`, which makes it, "
            f"then as its administrator: GRANT {APP_ROLE} TO {user}.",
        )


def _why_not(exc: DBAPIError, conninfo: str) -> str:
    reason = " ".join(str(exc.orig).split())
    if f'role "{APP_ROLE}" does not exist' in reason:
        return f"The database role {APP_ROLE} does not exist yet; run `syncline db upgrade`."
    return f"The database at {shown(conninfo)} cannot be reached: {reason}"


def _meaning(
    exc: DBAPIError | InvalidRequestError | psycopg.Error, *, in_commit: bool = False, is_dead: bool = False
) -> DatabaseUnavailable | None:
    """What a driver's error says about the database as a whole; None when it is about the statement. `is_dead`: the
    connection was lost before, and whoever was told went on with it, which SQLAlchemy calls a request out of place."""
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    state = getattr(cause, "sqlstate", None) or ""
    if state in {"40P01", "40001"}:
        # Two transactions stood in each other's way and the server chose this one to begin again.
        return DatabaseUnavailable("Two pieces of work met in the database; nothing was changed. Try again.")
    if state in {"53100", "53200"}:
        return DatabaseFull(
            "The database server has no room left (disk or memory). Nothing was changed; free some and repeat."
        )
    lost = is_dead or (isinstance(exc, DBAPIError) and exc.connection_invalidated)
    # 57P0x: the server shuts down, crashed or starts; 08xxx: connection. Without a state it is libpq that lost it.
    gone = state.startswith(("57P0", "08")) or (isinstance(cause, psycopg.OperationalError) and not state)
    if lost or gone:
        doubt = "it may or may not have been saved" if in_commit else "nothing was changed"
        return ConnectionLost(f"The connection to the database was lost; {doubt}. Try again.", in_commit=in_commit)
    return None
