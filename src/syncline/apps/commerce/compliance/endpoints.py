"""`/api/privacy/requests`: what Shopify asks for people and shops, and the day it is due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from syncline.apps.commerce.compliance_contract import (
    PrivacyRequest,
    PrivacyRequestCompleted,
    PrivacyRequestNotFound,
)
from syncline.apps.commerce.contract import Commerce
from syncline.kernel.tenant import Actor
from syncline.runtime.http.audit import reads_people
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/privacy/requests", tags=["privacy"])
ROUTERS = (router,)

Commerced = Annotated[Commerce, Depends(uses(Commerce))]
Reader = Annotated[Actor, Depends(require("privacy:read"))]
Manager = Annotated[Actor, Depends(require("privacy:manage"))]


class PrivacyRequestList(BaseModel):
    requests: Sequence[PrivacyRequest]


class Completion(BaseModel):
    note: Annotated[str, Field(max_length=500)] = ""


@router.get("", summary="List what Shopify asked for people")
@reads_people
async def list_requests(
    actor: Reader, commerce: Commerced, is_open: Annotated[bool | None, Query(alias="open")] = None
) -> PrivacyRequestList:
    """What is due first comes first. Erasures begin by themselves; data is put together, and handed out by somebody."""
    return PrivacyRequestList(requests=await commerce.list_privacy_requests(actor=actor, is_open=is_open))


@router.get("/{request_id}", summary="Look at a request", responses=problems(PrivacyRequestNotFound))
@reads_people
async def get_request(request_id: UUID, actor: Reader, commerce: Commerced) -> PrivacyRequest:
    return await commerce.get_privacy_request(actor=actor, request_id=request_id)


@router.post(
    "/{request_id}/complete",
    summary="Say that a request was answered",
    responses=problems(PrivacyRequestNotFound, PrivacyRequestCompleted),
)
async def complete_request(
    request_id: UUID, actor: Manager, commerce: Commerced, body: Completion | None = None
) -> PrivacyRequest:
    """The data was handed out, or the rest was done by hand."""
    note = (body or Completion()).note
    return await commerce.complete_privacy_request(actor=actor, request_id=request_id, note=note)
