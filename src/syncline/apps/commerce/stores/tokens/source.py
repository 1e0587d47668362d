"""Where the calls of a process get a store's token: from memory while it is good, renewed shortly before it ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog

from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.stores.tokens.renewal import renew
from syncline.apps.commerce.stores.tokens.timing import is_due_on_use, is_over
from syncline.kernel import clock
from syncline.kernel.errors import Fatal, Retriable, Unavailable
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.connect.errors import NotProcessed

log = structlog.get_logger(__name__)

_LOOK_AGAIN_SECONDS = 0.25
_LOOKS = 24
"""At what somebody else is renewing, while our own token is over: six seconds, less than one call may take."""


class AccessEnded(Fatal):
    """There is no token, and only a person can bring one."""


@dataclass(frozen=True, slots=True)
class _Known:
    token: str = field(repr=False)
    sealed: bytes | None = field(repr=False)
    issued_at: datetime
    expires_at: datetime | None
    trouble: str | None
    needs_consent: bool


class StoreTokens:
    """Of one store; shared by the tasks of a process, of which one renews while the others wait or go on."""

    def __init__(self, runtime: Runtime, tenant_id: TenantId, store_id: UUID) -> None:
        self._runtime = runtime
        self._tenant_id = tenant_id
        self._store_id = store_id
        self._known: _Known | None = None
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"StoreTokens({self._store_id})"

    async def current(self) -> str:
        """Raises `AccessEnded`, or `NotProcessed` while the token is over and the next is not there yet."""
        known = self._known or await self._look()
        if not is_due_on_use(known.issued_at, known.expires_at, clock.now()):
            return known.token
        async with self._lock:
            known = await self._look()
            if is_due_on_use(known.issued_at, known.expires_at, clock.now()):
                known = await self._renewed(known)
        return known.token

    async def other_than(self, refused: str) -> str | None:
        """After a 401: what somebody else has written meanwhile, or what a renewal brings."""
        async with self._lock:
            known = await self._look()
            if known.token != refused:
                return known.token
            if known.needs_consent:
                raise AccessEnded(known.trouble or "The token has ended.", vendor_code="needs_consent")
            await renew(self._runtime, self._tenant_id, self._store_id, seen=known.sealed)
            known = await self._look()
        return known.token if known.token != refused else None

    async def _renewed(self, known: _Known) -> _Known:
        """A newer one, or the same while that is good and no newer can be had."""
        for _ in range(_LOOKS):
            try:
                await renew(self._runtime, self._tenant_id, self._store_id, seen=known.sealed)
            except (Fatal, Retriable, Unavailable) as error:
                if is_over(known.expires_at, clock.now()):
                    raise
                log.warning("store.token_not_renewed", store_id=str(self._store_id), reason=error.sentence)
                return known
            found = await self._look()
            if found.sealed != known.sealed or not is_over(found.expires_at, clock.now()):
                return found
            if found.needs_consent:
                raise AccessEnded(found.trouble or "The token has ended.", vendor_code="needs_consent")
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        raise NotProcessed("The store's token has ended and is being renewed.", vendor_code="renewing")

    async def _look(self) -> _Known:
        # Both as of one moment: an old token with the end of the new one would be believed for an hour.
        async with self._runtime.database.reading_still(self._tenant_id) as session:
            row = await repository.find_by_id(session, self._store_id)
            grant = await grants.find(session, self._store_id)
        if row is None or row.token_sealed is None:
            name = "The store" if row is None else row.store.shop_domain
            raise AccessEnded(f"{name} is not connected any more: the app was uninstalled.", vendor_code="uninstalled")
        self._known = _Known(
            token=self._runtime.secrets.open(row.token_sealed),
            sealed=row.token_sealed,
            issued_at=row.store.created_at if grant is None else grant.issued_at,
            expires_at=None if grant is None else grant.expires_at,
            trouble=None if grant is None else grant.trouble,
            needs_consent=grant is not None and grant.needs_consent,
        )
        return self._known
