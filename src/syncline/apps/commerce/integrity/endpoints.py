"""`/api/shopify/stores/{name}/integrity`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from syncline.apps.commerce.contract import Commerce, StoreNotFound
from syncline.apps.commerce.integrity_contract import IntegrityFinding
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems

integrity = APIRouter(prefix="/api/shopify/stores/{name}/integrity", tags=["stores"])
ROUTERS = (integrity,)


class IntegrityReport(BaseModel):
    rules: list[IntegrityFinding]


@integrity.get("", summary="Check that what is stored fits together", responses=problems(StoreNotFound))
async def check_integrity(
    name: str,
    actor: Annotated[Actor, Depends(require("changes:read"))],
    commerce: Annotated[Commerce, Depends(uses(Commerce))],
) -> IntegrityReport:
    """Every rule, broken or not: records without their parent, records that outlive it, changes and receipts left
    hanging. Asks the store nothing."""
    return IntegrityReport(rules=list(await commerce.check_integrity(actor=actor, store=name)))
