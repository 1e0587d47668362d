"""`/api/sign-in-providers`: a tenant's own OpenID providers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from syncline.apps.accounts.contract import (
    OwnerNeeded,
    ProviderNameTaken,
    ProviderNotBelieved,
    ProviderNotFound,
    ProviderRefused,
    ProviderUnavailable,
    UnknownRole,
)
from syncline.apps.accounts.providers import service
from syncline.apps.accounts.providers.desk import ProviderDesk
from syncline.apps.accounts.providers.schemas import Provider, ProviderCreate, ProviderList, ProviderUpdate
from syncline.kernel.tenant import Actor
from syncline.runtime.connect.guard import AddressRefused
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading, uses
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/sign-in-providers", tags=["sign-in providers"])

Desk = Annotated[ProviderDesk, Depends(uses(ProviderDesk))]
_Manager = Annotated[Actor, Depends(require("signin:manage"))]
_TRIED = (AddressRefused, UnknownRole, ProviderUnavailable, ProviderRefused, ProviderNotBelieved, OwnerNeeded)


@router.get("", summary="List this tenant's sign-in providers")
async def list_providers(_actor: _Manager, session: Reading, desk: Desk) -> ProviderList:
    """Without their secrets."""
    rows = await service.list_rows(session)
    return ProviderList(providers=[Provider.of(row, desk.redirect_uri(str(row.id))) for row in rows])


@router.post("", status_code=201, summary="Add a sign-in provider", responses=problems(*_TRIED, ProviderNameTaken))
async def create_provider(body: ProviderCreate, actor: _Manager, desk: Desk) -> Provider:
    """Owners only. Its discovery document is fetched at once, so that a wrong address shows now. Then enter
    `redirect_uri` at the provider."""
    row = await desk.create(actor, body.model_dump())
    return Provider.of(row, desk.redirect_uri(str(row.id)))


@router.patch(
    "/{provider_id}",
    summary="Change a sign-in provider",
    responses=problems(*_TRIED, ProviderNotFound, ProviderNameTaken),
)
async def change_provider(provider_id: UUID, body: ProviderUpdate, actor: _Manager, desk: Desk) -> Provider:
    """Owners only. Another issuer needs the client secret again, knows nobody yet, and ends the sessions of the old
    one."""
    row = await desk.change(actor, provider_id, body.model_dump(exclude_unset=True))
    return Provider.of(row, desk.redirect_uri(str(row.id)))


@router.delete("/{provider_id}", summary="Remove a sign-in provider", responses=problems(OwnerNeeded, ProviderNotFound))
async def delete_provider(provider_id: UUID, actor: _Manager, desk: Desk) -> Provider:
    """Owners only. Whoever came in by it is signed out."""
    row = await desk.delete(actor, provider_id)
    return Provider.of(row, desk.redirect_uri(str(row.id)))
