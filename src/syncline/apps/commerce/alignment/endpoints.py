"""`/api/enhanced-sync/align`: fields of one store copied to another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.commerce.alignment_contract import AlignedBy, Alignment
from syncline.apps.commerce.contract import Commerce, StoreNotFound
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems

align = APIRouter(prefix="/api/enhanced-sync/align", tags=["enhanced sync"])
ROUTERS = (align,)

Commerced = Annotated[Commerce, Depends(uses(Commerce))]
Stager = Annotated[Actor, Depends(require("changes:stage"))]


class AlignStart(BaseModel):
    model_config = ConfigDict(extra="forbid")

    store: str = Field(description="The one that is changed")
    source: str = Field(description="The one whose values are copied", examples=["main-store"])
    fields: list[str] = Field(min_length=1, max_length=50, examples=[["price", "title"]])
    by: AlignedBy = Field(default=AlignedBy.SKU, description="What tells that two records are the same thing")
    where: str = Field(default="", description="Which records of the source", examples=["vendor:Acme"])
    note: str | None = None


@align.post("", summary="Copy fields from another store", responses=problems(StoreNotFound))
async def align_stores(body: AlignStart, actor: Stager, commerce: Commerced) -> Alignment:
    """Staged on the store that is changed, for review. What is ambiguous is named and left as it is."""
    return await commerce.align_stores(
        actor=actor,
        source=body.source,
        target=body.store,
        fields=body.fields,
        by=body.by,
        where=body.where,
        note=body.note,
    )
