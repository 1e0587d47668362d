"""Where sealed secrets lie, and sealing them again under the newest key while everything goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text

from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.secrets import SecretBox

_ROWS_AT_ONCE = 200
_PEOPLE_AT_ONCE = 100
_SEE_PERSON = text("SELECT set_config('syncline.user', :id, true)")


class Whose(StrEnum):
    """Under whose name the database shows the rows of a table."""

    TENANT = "tenant"
    PERSON = "person"
    INSTALLATION = "installation"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedColumn:
    """`table` is `schema.table`, `key` the column that tells rows apart. An app lists its own in `App.sealed`."""

    table: str
    column: str
    key: str = "id"
    whose: Whose = Whose.TENANT

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


async def reseal(database: Database, secrets: SecretBox, sealed: SealedColumn, *, owners: Sequence[UUID] = ()) -> int:
    """Seals again, under the newest key, what another key sealed; answers how many there were. `owners` are the tenants
    or people whose rows they are; none for rows of the installation.

    In short transactions, so that it holds nobody up: killed in the middle, the next run finds the rest, for a row says
    itself which key sealed it. A secret that is replaced meanwhile stays as it was replaced. Raises `SecretKeyMissing`
    for one that no key opens; its batch is left as it was.
    """
    match sealed.whose:
        case Whose.INSTALLATION:
            return await _of_installation(database, secrets, sealed)
        case Whose.TENANT:
            return sum([await _of_tenant(database, secrets, sealed, TenantId(one)) for one in owners])
        case Whose.PERSON:
            batches = [owners[at : at + _PEOPLE_AT_ONCE] for at in range(0, len(owners), _PEOPLE_AT_ONCE)]
            return sum([await _of_people(database, secrets, sealed, people) for people in batches])


async def _of_installation(database: Database, secrets: SecretBox, sealed: SealedColumn) -> int:
    page = _Page(secrets, sealed)
    while not page.is_last:
        async with database.system() as session:
            await page.turn(session)
    return page.done


async def _of_tenant(database: Database, secrets: SecretBox, sealed: SealedColumn, tenant: TenantId) -> int:
    page = _Page(secrets, sealed)
    while not page.is_last:
        async with database.writing(tenant) as session:
            await page.turn(session)
    return page.done


async def _of_people(database: Database, secrets: SecretBox, sealed: SealedColumn, people: Sequence[UUID]) -> int:
    # A person has a row or few; a transaction each would be most of the work.
    done = 0
    async with database.system() as session:
        for person in people:
            await session.execute(_SEE_PERSON, {"id": str(person)})
            page = _Page(secrets, sealed)
            while not page.is_last:
                await page.turn(session)
            done += page.done
    return done


class _Page:
    """A walk over the rows that a session may see, in the order of their keys."""

    def __init__(self, secrets: SecretBox, sealed: SealedColumn) -> None:
        self.done = 0
        self.is_last = False
        self._secrets = secrets
        self._sealed = sealed
        self._after: Any = None

    async def turn(self, session: WriteSession) -> None:
        """Seals the next rows again."""
        rows = await self._rows(session)
        for key, value in rows:
            if not self._secrets.is_newest(value):
                self.done += await self._replace(session, key, value, self._secrets.reseal(value))
        self._after = rows[-1][0] if rows else None
        self.is_last = len(rows) < _ROWS_AT_ONCE

    async def _rows(self, session: WriteSession) -> list[tuple[Any, bytes]]:
        one = self._sealed
        further = "" if self._after is None else f"AND {one.key} > :after"
        # The names come from the code of our apps, never from outside.
        query = (
            f"SELECT {one.key}, {one.column} FROM {one.table}"  # noqa: S608
            f" WHERE {one.column} IS NOT NULL {further} ORDER BY {one.key} LIMIT :limit"
        )
        values = {"limit": _ROWS_AT_ONCE} | ({} if self._after is None else {"after": self._after})
        found = await session.execute(text(query), values)
        return [(row[0], bytes(row[1])) for row in found]

    async def _replace(self, session: WriteSession, key: Any, before: bytes, after: bytes) -> int:
        one = self._sealed
        statement = (
            f"UPDATE {one.table} SET {one.column} = :after"  # noqa: S608
            f" WHERE {one.key} = :key AND {one.column} = :before RETURNING 1"
        )
        found = await session.execute(text(statement), {"key": key, "before": before, "after": after})
        return len(found.all())
