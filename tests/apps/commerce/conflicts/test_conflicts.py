"""Conflicts on three sides, settled by hand and by rule: over the service and over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from syncline.apps.commerce.conflicts.endpoints import ROUTERS
from syncline.apps.commerce.conflicts.handlers import settle as settle_by_rules
from syncline.apps.commerce.contract import (
    BatchNotFound,
    ChangeNotReviewable,
    ChangeQuery,
    ChangeStatus,
    NothingToDo,
    PushFinished,
    StoreNotFound,
)
from syncline.apps.commerce.contract.conflicts import Choice, ConflictRuleNotFound
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId
from syncline.runtime.bus import HandlerContext

OURS, THEIRS, MERGE = Choice.OURS, Choice.THEIRS, Choice.MERGE
SHIRT = "vendor:Acme"
Call = Callable[..., Awaitable[httpx.Response]]


class Table:
    """A change of the shirt's vendor and tags that the shop moved under; `pulled` is the shop and its mirror."""

    def __init__(self, pulled: Any) -> None:
        self.pulled, self.commerce, self.actor = pulled, pulled.commerce, pulled.actor

    @property
    def shirt(self) -> Any:
        return self.pulled.shop.store.find_product_by_handle("linen-shirt")

    async def collide(self, *edits: str, **moved: Any) -> Any:
        """Stage and approve `edits`, move the shop, push; the change."""
        batch = await self.commerce.stage_edit(actor=self.actor, store="demo", where=SHIRT, edits=edits)
        await self.commerce.approve(actor=self.actor, query=ChangeQuery(batch_id=batch.id))
        self.pulled.shop.store.update_product(self.shirt, **moved)
        await self.pulled.push()
        (change,) = await self.changes(batch.id)
        return change

    async def changes(self, batch_id: Any) -> Any:
        found = await self.commerce.list_changes(
            actor=self.actor, query=ChangeQuery(batch_id=batch_id), page=PageRequest()
        )
        return found.items

    async def again(self, change: Any) -> Any:
        return await self.commerce.get_change(actor=self.actor, change_id=change.id)

    async def settle(self, change: Any, otherwise: Choice = THEIRS, **choices: Choice) -> Any:
        query = ChangeQuery(ids=(change.id,))
        return await self.commerce.settle_conflicts(actor=self.actor, query=query, choices=choices, otherwise=otherwise)

    async def by_rules(self) -> None:
        """What the end of a push does."""
        database = self.commerce.runtime.database
        store_id = (await self.commerce.overview(actor=self.actor, store="demo")).store.id
        async with database.writing(self.actor.tenant_id) as session:
            context = HandlerContext(self.commerce.runtime, session, new_id(), self.actor.tenant_id, clock.now(), 1)
            await settle_by_rules(context, PushFinished(store_id=store_id, run_id=new_id(), counts={}))


@pytest.fixture
def table(pulled: Any) -> Table:
    return Table(pulled)


@pytest.fixture
async def conflict(table: Table) -> Any:
    """Both sides moved the vendor and the tags."""
    return await table.collide("vendor=Mine", "tags=+sale,-summer", vendor="Theirs", tags=["Linen", "new", "summer"])


async def test_two_at_once_settle_it_once(table: Table, conflict: Any) -> None:
    done = await asyncio.gather(
        *(table.settle(conflict, choice) for choice in (OURS, THEIRS, MERGE, OURS)), return_exceptions=True
    )
    assert [type(one) for one in done].count(ChangeNotReviewable) == 3


async def test_three_sides_with_what_each_choice_makes(table: Table, conflict: Any) -> None:
    await table.commerce.set_conflict_rule(actor=table.actor, field="tags", choice=MERGE)
    found = await table.commerce.get_three_way(actor=table.actor, change_id=conflict.id)
    fields = {one.field: one for one in found.fields}
    vendor, tags = fields["vendor"], fields["tags"]
    assert (found.store, found.label) == ("demo", "Linen Shirt")
    assert (vendor.base, vendor.theirs, vendor.ours, vendor.verdict) == ("Acme", "Theirs", "Mine", "conflict")
    assert (vendor.merged, vendor.rule) == ({OURS: "Mine", THEIRS: "Theirs", MERGE: "Theirs"}, None)
    assert (tags.merged[MERGE], tags.rule) == (["Linen", "new", "sale"], MERGE)


async def test_settled_field_by_field_and_pushed(table: Table, conflict: Any) -> None:
    done = await table.settle(conflict, vendor=OURS, tags=MERGE)
    assert (done.approved, done.skipped) == (1, 0)
    change = await table.again(conflict)
    assert (change.status, change.after) == (
        ChangeStatus.APPROVED,
        {"vendor": "Mine", "tags": ["Linen", "new", "sale"]},
    )
    assert change.before == {"vendor": "Theirs", "tags": ["Linen", "new", "summer"]}
    await table.pulled.push()
    assert (await table.again(conflict)).status is ChangeStatus.APPLIED
    assert (table.shirt.vendor, sorted(table.shirt.tags)) == ("Mine", ["Linen", "new", "sale"])


async def test_of_which_nothing_is_left_is_skipped(table: Table, conflict: Any) -> None:
    done = await table.settle(conflict)
    assert (done.approved, done.skipped, (await table.again(conflict)).status) == (0, 1, ChangeStatus.SKIPPED)
    with pytest.raises(ChangeNotReviewable, match="No conflict matches"):
        await table.settle(conflict)
    with pytest.raises(NothingToDo, match="in no conflict"):
        await table.commerce.get_three_way(actor=table.actor, change_id=conflict.id)


async def test_a_field_nobody_knows_settles_nothing(table: Table, conflict: Any) -> None:
    with pytest.raises(InvalidInput, match="Did you mean vendor"):
        await table.settle(conflict, vendr=OURS)
    assert (await table.again(conflict)).status is ChangeStatus.CONFLICT


async def test_rules_settle_later_conflicts_and_say_so(table: Table) -> None:
    await table.commerce.set_conflict_rule(actor=table.actor, field="vendor", choice=OURS)
    await table.commerce.set_conflict_rule(actor=table.actor, field="tags", choice=MERGE, store="demo")
    change = await table.collide("vendor=Mine", "tags=+sale", vendor="Theirs", tags=["Linen", "new"])
    await table.by_rules()
    await table.by_rules()
    settled = await table.again(change)
    assert (settled.status, settled.after) == (
        ChangeStatus.APPROVED,
        {"vendor": "Mine", "tags": ["Linen", "new", "sale"]},
    )
    assert "tags: merge (set by the owner), vendor: ours (set by the owner)" in settled.sentence
    assert "the next push sends it" in settled.sentence


async def test_a_rule_for_theirs_gives_the_change_up(table: Table) -> None:
    await table.commerce.set_conflict_rule(actor=table.actor, field="*", choice=THEIRS)
    change = await table.collide("vendor=Mine", vendor="Theirs")
    await table.by_rules()
    settled = await table.again(change)
    assert (settled.status, "the store's value stays" in settled.sentence) == (ChangeStatus.SKIPPED, True)


async def test_without_a_rule_for_every_field_it_waits_for_people(table: Table, conflict: Any) -> None:
    await table.by_rules()
    await table.commerce.set_conflict_rule(actor=table.actor, field="vendor", choice=OURS)
    await table.by_rules()
    assert (await table.again(conflict)).status is ChangeStatus.CONFLICT


async def test_a_stores_own_rule_goes_before_that_of_all(table: Table) -> None:
    await table.commerce.set_conflict_rule(actor=table.actor, field="vendor", choice=OURS)
    await table.commerce.set_conflict_rule(actor=table.actor, field="vendor", choice=MERGE, store="demo")
    await table.commerce.set_conflict_rule(actor=table.actor, field="vendor", choice=THEIRS, store="demo")
    rules = await table.commerce.list_conflict_rules(actor=table.actor, store="demo")
    assert [(rule.store, rule.choice) for rule in rules] == [(None, OURS), ("demo", THEIRS)]
    change = await table.collide("vendor=Mine", vendor="Theirs")
    await table.by_rules()
    assert (await table.again(change)).status is ChangeStatus.SKIPPED


async def test_where_four_eyes_are_asked_for_nobody_settles_his_own_not_even_by_rule(
    table: Table, conflict: Any
) -> None:
    await table.commerce.set_review_rule(actor=table.actor, four_eyes=True)
    await table.commerce.set_conflict_rule(actor=table.actor, field="*", choice=OURS)
    await table.by_rules()
    with pytest.raises(ChangeNotReviewable, match="No conflict that somebody else staged matches"):
        await table.settle(conflict, OURS)
    assert (await table.again(conflict)).status is ChangeStatus.CONFLICT
    other = replace(table.actor, name="bob")
    query = ChangeQuery(ids=(conflict.id,))
    done = await table.commerce.settle_conflicts(actor=other, query=query, choices={}, otherwise=OURS)
    assert done.approved == 1


async def test_rules_are_checked_and_removed(table: Table, stranger: Actor) -> None:
    with pytest.raises(InvalidInput, match="Did you mean price"):
        await table.commerce.set_conflict_rule(actor=table.actor, field="prize", choice=OURS)
    with pytest.raises(StoreNotFound):
        await table.commerce.set_conflict_rule(actor=table.actor, field="price", choice=OURS, store="nope")
    rule = await table.commerce.set_conflict_rule(actor=table.actor, field="price", choice=OURS)
    assert await table.commerce.list_conflict_rules(actor=stranger) == []
    with pytest.raises(ConflictRuleNotFound):
        await table.commerce.remove_conflict_rule(actor=stranger, rule_id=rule.id)
    await table.commerce.remove_conflict_rule(actor=table.actor, rule_id=rule.id)
    with pytest.raises(ConflictRuleNotFound):
        await table.commerce.remove_conflict_rule(actor=table.actor, rule_id=rule.id)


async def test_other_tenant_sees_and_settles_nothing(table: Table, conflict: Any, stranger: Actor) -> None:
    with pytest.raises(BatchNotFound):
        await table.commerce.get_three_way(actor=stranger, change_id=conflict.id)
    with pytest.raises(ChangeNotReviewable):
        await table.commerce.settle_conflicts(
            actor=stranger, query=ChangeQuery(ids=(conflict.id,)), choices={}, otherwise=OURS
        )


# Over HTTP.

NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"
BASE = "/api/enhanced-sync/conflicts"
ENDPOINTS: dict[str, tuple[Any, str]] = {
    f"GET {BASE}/rules": (None, "changes:read"),
    f"PUT {BASE}/rules": ({"field": "prize", "choice": "ours"}, "changes:approve"),
    f"DELETE {BASE}/rules/{{rule_id}}": (None, "changes:approve"),
    f"POST {BASE}/settle": ({"ids": [NOWHERE]}, "changes:approve"),
    f"GET {BASE}/{{change_id}}": (None, "changes:read"),
}


def filled(address: str) -> tuple[str, str]:
    method, path = address.replace("{rule_id}", NOWHERE).replace("{change_id}", NOWHERE).split(" ")
    return method, path


def test_the_table_above_holds_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_each_role_may_what_it_holds_and_nothing_else(call: Call, address: str) -> None:
    body, permission = ENDPOINTS[address]
    assert (await call(*filled(address), role=None)).json()["code"] == "API_001"
    answers = {role: await call(*filled(address), role=role, json=body) for role in PERMISSIONS}
    refused = {role for role, answer in answers.items() if answer.status_code == 403}
    assert refused == {role for role in PERMISSIONS if not Actor(TenantId(new_id()), "", role).may(permission)}


async def test_every_error_over_http(call: Call, table: Table) -> None:
    batch = await table.commerce.stage_edit(actor=table.actor, store="demo", where=SHIRT, edits=["vendor=Mine"])
    (pending,) = await table.changes(batch.id)
    for expected, method, path, body in (
        ("STORE_001", "GET", f"{BASE}/rules?store=nope", None),
        ("REQ_001", "PUT", f"{BASE}/rules", {"field": "prize", "choice": "ours"}),
        ("REQ_001", "PUT", f"{BASE}/rules", {"field": "price", "choice": "mine"}),
        ("STORE_001", "PUT", f"{BASE}/rules", {"field": "price", "choice": "ours", "store": "nope"}),
        ("CONFLICT_001", "DELETE", f"{BASE}/rules/{NOWHERE}", None),
        ("REQ_001", "POST", f"{BASE}/settle", {"otherwise": "ours"}),
        ("CHANGE_003", "POST", f"{BASE}/settle", {"ids": [NOWHERE]}),
        ("CHANGE_002", "POST", f"{BASE}/settle", {"batch_id": NOWHERE}),
        ("CHANGE_002", "GET", f"{BASE}/{NOWHERE}", None),
        ("CHANGE_004", "GET", f"{BASE}/{pending.id}", None),
    ):
        answer = await call(method, path, json=body)
        assert (path, answer.json()["code"]) == (path, expected)


async def test_shown_ruled_and_settled_over_http(call: Call, conflict: Any) -> None:
    rule = (await call("PUT", f"{BASE}/rules", json={"field": "tags", "choice": "merge"})).json()
    assert (await call("GET", f"{BASE}/rules", role="viewer")).json() == {"rules": [rule]}
    shown = (await call("GET", f"{BASE}/{conflict.id}", role="viewer")).json()
    assert {one["field"]: (one["theirs"], one["merged"]["ours"]) for one in shown["fields"]}["vendor"] == (
        *("Theirs", "Mine"),
    )
    body = {"ids": [str(conflict.id)], "fields": {"vendor": "ours"}, "otherwise": "merge"}
    answer = await call("POST", f"{BASE}/settle", json=body, role="approver")
    assert answer.json() == {"approved": 1, "skipped": 0}
    assert (await call("DELETE", f"{BASE}/rules/{rule['id']}")).status_code == 204
