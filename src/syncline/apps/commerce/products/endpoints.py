"""`/api/enhanced-sync/products` and `/api/shopify/products`: products to be made, and to be deleted."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.commerce.browse_contract import RecordNotFound, SeveralStoresHaveIt
from syncline.apps.commerce.contract import ChangeBatch, Commerce, NothingToDo, StoreNotFound
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems

products = APIRouter(prefix="/api/enhanced-sync/products", tags=["enhanced sync"])
catalog = APIRouter(prefix="/api/shopify/products", tags=["catalog"])
ROUTERS = (products, catalog)

Commerced = Annotated[Commerce, Depends(uses(Commerce))]
Stager = Annotated[Actor, Depends(require("changes:stage"))]

_EXAMPLE = {
    "title": "Linen Shirt",
    "vendor": "Acme",
    "options": ["Size"],
    "variants": [{"options": ["S"], "sku": "LS-S", "price": "49.00"}, {"options": ["M"], "sku": "LS-M"}],
    "media": [{"url": "https://example.com/front.jpg", "alt": "Front"}],
}


class ProductsCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    store: str
    products: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=1_000,
        description="Each with `title`, other fields of products, `options`, `variants`, `media` and `metafields`",
        examples=[[_EXAMPLE]],
    )
    note: str | None = None


class ProductsDelete(BaseModel):
    model_config = ConfigDict(extra="forbid")

    store: str
    where: str = Field(description="The search syntax", examples=["handle:old-mug"])
    note: str | None = None


@products.post("", status_code=201, summary="Stage new products", responses=problems(StoreNotFound))
async def stage_products(body: ProductsCreate, actor: Stager, commerce: Commerced) -> ChangeBatch:
    """Reviewed and pushed like any other change. Without a status a product is a draft; without a handle it is made of
    the title. One that is wrong refuses all of them, with the reason of each."""
    return await commerce.stage_products(actor=actor, store=body.store, products=body.products, note=body.note)


@products.post(
    "/delete", status_code=201, summary="Stage the deletion of products", responses=problems(StoreNotFound, NothingToDo)
)
async def stage_deletion(body: ProductsDelete, actor: Stager, commerce: Commerced) -> ChangeBatch:
    """Shopify cannot bring a product back. Each is kept whole in its change: an undo makes it again, with other ids."""
    return await commerce.stage_deletion(actor=actor, store=body.store, where=body.where, note=body.note)


@catalog.post("", status_code=201, summary="Stage new products of the catalog", responses=problems(StoreNotFound))
async def create_products(body: ProductsCreate, actor: Stager, commerce: Commerced) -> ChangeBatch:
    """The same as `POST /api/enhanced-sync/products`. Nothing is written to the store before it is approved and
    pushed."""
    return await commerce.stage_products(actor=actor, store=body.store, products=body.products, note=body.note)


@catalog.delete(
    "/{product_id}",
    status_code=201,
    summary="Stage the deletion of a product",
    responses=problems(StoreNotFound, RecordNotFound, SeveralStoresHaveIt, NothingToDo),
)
async def delete_product(
    product_id: Annotated[int, Path(ge=1, le=2**63 - 1, description="The store's own id")],
    actor: Stager,
    commerce: Commerced,
    store: Annotated[str | None, Query(description="Needed where two have the same id")] = None,
    note: Annotated[str | None, Query(description="For whoever reviews it", max_length=2_000)] = None,
) -> ChangeBatch:
    """It stays in the store until that is approved and pushed. The change keeps the product whole: an undo makes it
    again, with another id."""
    found = await commerce.get_product(actor=actor, product_id=product_id, store=store)
    return await commerce.stage_deletion(actor=actor, store=found.store, where=f"id:{product_id}", note=note)
