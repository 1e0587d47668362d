from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.commerce.batch_contract import BatchOperation, BatchPart, BatchRefusal, BatchRequest, BatchRun
from syncline.runtime.http.schemas import Pagination


class BatchProcess(BaseModel):
    """Products by their ids, by a filter, or those of the ids that the filter finds."""

    model_config = ConfigDict(extra="forbid")

    store: str
    operation: BatchOperation
    product_ids: list[int] = Field(default_factory=list, max_length=10_000, examples=[[8010000000001]])
    filter: str | None = Field(
        default=None, description="The search syntax; empty is every product", examples=["vendor:Acme status:active"]
    )
    updates: dict[str, Any] = Field(
        description="What to change, in the words of the operation",
        examples=[{"price": {"percent": -20, "ending": ".99"}, "compare_at_price": "price"}],
    )
    note: str | None = Field(default=None, max_length=2_000, description="For whoever reviews it")
    key: str | None = Field(
        default=None, min_length=1, max_length=200, description="Your own: sent twice, it is one operation"
    )

    def request(self) -> BatchRequest:
        return BatchRequest(
            store=self.store,
            operation=self.operation,
            updates=self.updates,
            where=self.filter,
            product_ids=tuple(self.product_ids),
            note=self.note,
            key=self.key,
        )


class BatchHistory(BaseModel):
    runs: list[BatchRun]
    pagination: Pagination


class BatchOutcome(BaseModel):
    """`refusals` is one page of them."""

    run: BatchRun
    parts: list[BatchPart]
    refusals: list[BatchRefusal]
    pagination: Pagination
