"""The part of the local `Commerce` that is about what Shopify asks for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from syncline.apps.commerce.compliance import repository, service
from syncline.apps.commerce.compliance_contract import PrivacyRequest
from syncline.apps.commerce.settings import CommerceSettings
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalPrivacyRequests:
    runtime: Runtime
    settings: CommerceSettings

    async def list_privacy_requests(self, *, actor: Actor, is_open: bool | None = None) -> Sequence[PrivacyRequest]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await repository.list_all(session, is_open=is_open)

    async def get_privacy_request(self, *, actor: Actor, request_id: UUID) -> PrivacyRequest:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return (await service.get(session, request_id)).request

    async def complete_privacy_request(self, *, actor: Actor, request_id: UUID, note: str = "") -> PrivacyRequest:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.complete(session, request_id, actor=actor, note=note)
