"""`/api/enhanced-sync/conflicts`: conflicts on three sides, settled by hand or by rules."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from syncline.apps.commerce.contract import BatchNotFound, ChangeNotReviewable, Commerce, NothingToDo, StoreNotFound
from syncline.apps.commerce.contract.conflicts import Choice, ConflictRule, ConflictRuleNotFound, Settled, ThreeWay
from syncline.apps.commerce.contract.decisions import SelectionNotFound
from syncline.apps.commerce.schemas import ChangeSelection
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import uses
from syncline.runtime.http.problems import problems

conflicts = APIRouter(prefix="/api/enhanced-sync/conflicts", tags=["enhanced sync"])
ROUTERS = (conflicts,)

Commerced = Annotated[Commerce, Depends(uses(Commerce))]
Reader = Annotated[Actor, Depends(require("changes:read"))]
Approver = Annotated[Actor, Depends(require("changes:approve"))]


class Settling(ChangeSelection):
    fields: dict[str, Choice] = Field(default_factory=dict, examples=[{"price": "ours", "tags": "merge"}])
    otherwise: Choice = Field(default=Choice.THEIRS, description="For every field that is not named")


class RuleCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    field: str = Field(description="A field's name, or * for every one without a rule of its own", examples=["tags"])
    choice: Choice
    store: str | None = Field(default=None, description="All stores, when left out")


class RuleList(BaseModel):
    rules: list[ConflictRule]


@conflicts.get("/rules", summary="List the rules for conflicts", responses=problems(StoreNotFound))
async def list_rules(
    actor: Reader, commerce: Commerced, store: Annotated[str | None, Query(description="That hold for it")] = None
) -> RuleList:
    return RuleList(rules=list(await commerce.list_conflict_rules(actor=actor, store=store)))


@conflicts.put("/rules", summary="Set a rule for conflicts", responses=problems(StoreNotFound))
async def set_rule(body: RuleCreate, actor: Approver, commerce: Commerced) -> ConflictRule:
    """Conflicts of later pushes are settled by it as soon as the push has ended; one of the same field and store is
    replaced."""
    return await commerce.set_conflict_rule(actor=actor, field=body.field, choice=body.choice, store=body.store)


@conflicts.delete(
    "/rules/{rule_id}",
    status_code=204,
    summary="Remove a rule for conflicts",
    responses=problems(ConflictRuleNotFound),
)
async def remove_rule(rule_id: UUID, actor: Approver, commerce: Commerced) -> None:
    """What it settled stays settled."""
    await commerce.remove_conflict_rule(actor=actor, rule_id=rule_id)


@conflicts.post(
    "/settle",
    summary="Settle conflicts field by field",
    responses=problems(StoreNotFound, BatchNotFound, SelectionNotFound, ChangeNotReviewable),
)
async def settle(body: Settling, actor: Approver, commerce: Commerced) -> Settled:
    """What is left of each is approved again over the store's value, and sent with the next push."""
    return await commerce.settle_conflicts(
        actor=actor, query=body.query(), choices=body.fields, otherwise=body.otherwise
    )


@conflicts.get("/{change_id}", summary="Show a conflict", responses=problems(BatchNotFound, NothingToDo))
async def three_way(change_id: UUID, actor: Reader, commerce: Commerced) -> ThreeWay:
    """Each field as it was, as it is in the store, as it is wanted, and what each choice would make of it."""
    return await commerce.get_three_way(actor=actor, change_id=change_id)
