"""What HTTP accepts and returns beyond the contract's own types."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.commerce.browse_contract import ListedCustomer, ListedOrder, ListedProduct, StockLine
from syncline.runtime.http.schemas import Pagination


class ProductList(BaseModel):
    products: list[ListedProduct]
    pagination: Pagination


class StockList(BaseModel):
    inventory: list[StockLine]
    pagination: Pagination


class OrderList(BaseModel):
    orders: list[ListedOrder]
    pagination: Pagination


class CustomerList(BaseModel):
    customers: list[ListedCustomer]
    pagination: Pagination


class ProductEdit(BaseModel):
    """Staged, not written: the difference waits for review like any other."""

    model_config = ConfigDict(extra="forbid")

    edits: list[str] = Field(
        min_length=1,
        description="In the syntax of bulk edits",
        examples=[["title=Linen shirt", "price=19.99", "tags=+sale"]],
    )
    note: str | None = None
