"""Where the state of stores comes from: the contract in this process, or the API of another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
from pydantic import TypeAdapter

from syncline.apps.commerce.contract import Commerce, Reconciliation, StoreOverview
from syncline.apps.commerce.integrity_contract import IntegrityFinding
from syncline.apps.commerce.schedule_contract import Schedule
from syncline.kernel.errors import NotAllowed, Unauthenticated, Unavailable
from syncline.kernel.tenant import Actor

_SYNC, _STORES = "/api/enhanced-sync", "/api/shopify/stores"
_overviews = TypeAdapter(list[StoreOverview])
_schedules = TypeAdapter(list[Schedule])
_rules = TypeAdapter(list[IntegrityFinding])
_reconciliation = TypeAdapter(Reconciliation)


class Source(Protocol):
    async def overviews(self) -> Sequence[StoreOverview]: ...

    async def schedules(self, store: str) -> Sequence[Schedule]: ...

    async def integrity(self, store: str) -> Sequence[IntegrityFinding]: ...

    async def reconcile(self, store: str, depth: str) -> Reconciliation:
        """Compares only; mends nothing."""
        ...


@dataclass(frozen=True, slots=True)
class LocalSource:
    commerce: Commerce
    actor: Actor

    async def overviews(self) -> Sequence[StoreOverview]:
        stores = await self.commerce.list_stores(actor=self.actor)
        return [await self.commerce.overview(actor=self.actor, store=store.name) for store in stores]

    async def schedules(self, store: str) -> Sequence[Schedule]:
        return await self.commerce.list_schedules(actor=self.actor, store=store)

    async def integrity(self, store: str) -> Sequence[IntegrityFinding]:
        return await self.commerce.check_integrity(actor=self.actor, store=store)

    async def reconcile(self, store: str, depth: str) -> Reconciliation:
        return await self.commerce.reconcile(actor=self.actor, store=store, depth=depth, repair=False)


@dataclass(frozen=True, slots=True)
class RemoteSource:
    client: httpx.AsyncClient

    async def overviews(self) -> Sequence[StoreOverview]:
        return _overviews.validate_python((await self._get(f"{_SYNC}/status"))["stores"])

    async def schedules(self, store: str) -> Sequence[Schedule]:
        return _schedules.validate_python((await self._get(f"{_STORES}/{store}/schedules"))["schedules"])

    async def integrity(self, store: str) -> Sequence[IntegrityFinding]:
        return _rules.validate_python((await self._get(f"{_STORES}/{store}/integrity"))["rules"])

    async def reconcile(self, store: str, depth: str) -> Reconciliation:
        body = {"store": store, "depth": depth, "repair": False}
        answer = await self.client.post(f"{_SYNC}/reconcile", json=body, timeout=None)
        return _reconciliation.validate_python(_checked(answer))

    async def _get(self, path: str) -> Any:
        return _checked(await self.client.get(path))


def _checked(answer: httpx.Response) -> Any:
    """The body. Raises what the server refused with."""
    if answer.is_success:
        return answer.json()
    is_ours = answer.headers.get("content-type") == "application/problem+json"
    sentence = answer.json()["error"] if is_ours else f"{answer.url} answers {answer.status_code}."
    if answer.status_code == 401:
        raise Unauthenticated(sentence)
    raise NotAllowed(sentence) if answer.status_code == 403 else Unavailable(sentence)
