"""What HTTP accepts and returns beyond the contract's own types."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from syncline.apps.commerce.contract import (
    ChangeBatch,
    ChangeQuery,
    ChangeStatus,
    PullMode,
    PullPath,
    Receipt,
    Resolution,
    StagedChange,
    Store,
    StoreOverview,
)
from syncline.kernel.errors import InvalidInput
from syncline.runtime.http.schemas import Pagination


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StoreCreate(_Body):
    name: str = Field(description="What you call it", examples=["summer-store"])
    shop_domain: str = Field(examples=["summer-store.myshopify.com"])
    token: SecretStr = Field(description="Admin API access token; kept sealed, never shown again")
    base_url: str | None = Field(default=None, description="Only for a sandbox on this machine")
    api_version: str | None = Field(default=None, examples=["2026-10"])


class TokenReplace(_Body):
    token: SecretStr = Field(description="Admin API access token; kept sealed, never shown again")


class StoreList(BaseModel):
    stores: list[Store]


class StatusList(BaseModel):
    stores: list[StoreOverview]


class PullStart(_Body):
    store: str
    mode: PullMode = PullMode.INCREMENTAL
    streams: list[str] = Field(default_factory=list, description="All, when left out", examples=[["products"]])
    path: PullPath | None = Field(default=None, description="Chosen by predicted time, when left out")


class EditCreate(_Body):
    store: str
    where: str = Field(
        default="", description="The search syntax; everything, when empty", examples=["vendor:Acme status:active"]
    )
    edits: list[str] = Field(min_length=1, examples=[["price=+10%~.99", "tags=+sale"]])
    note: str | None = None


class ChangeChoice(_Body):
    """Which changes. At least one of the parts must be given, so that nobody approves everything by an empty body."""

    ids: list[UUID] = Field(default_factory=list, max_length=10_000)
    batch_id: UUID | None = None
    store: str | None = None
    search: str = Field(default="", examples=["field:price vendor:Acme"])
    selection_id: UUID | None = Field(default=None, description="What matched when the selection was made")

    def query(self, *statuses: ChangeStatus) -> ChangeQuery:
        if not (self.ids or self.batch_id or self.store or self.search.strip() or self.selection_id):
            raise InvalidInput("Say which changes: ids, batch_id, store, search or selection_id.")
        return ChangeQuery(
            store=self.store,
            batch_id=self.batch_id,
            statuses=statuses,
            ids=tuple(self.ids),
            search=self.search,
            selection_id=self.selection_id,
        )


class ChangeSelection(ChangeChoice):
    note: str | None = None


class ConflictResolution(ChangeSelection):
    resolution: Resolution


class Reviewed(BaseModel):
    changed: int = Field(description="How many changes were moved")


class PushStart(_Body):
    store: str
    batch_id: UUID | None = Field(default=None, description="Only this batch; all approved changes, when left out")


class RollbackCreate(_Body):
    change_ids: list[UUID] = Field(default_factory=list, description="The whole batch, when left out")
    note: str | None = None


class ReconcileStart(_Body):
    store: str
    depth: str = Field(default="ids", description="counts, ids or content")
    repair: bool = True


class ChangeList(BaseModel):
    changes: list[StagedChange]
    pagination: Pagination


class BatchList(BaseModel):
    batches: list[ChangeBatch]
    pagination: Pagination


class ReceiptList(BaseModel):
    receipts: list[Receipt]
    pagination: Pagination
