from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from syncline.apps.commerce.contract import (
    BatchNotFound,
    ChangeNotReviewable,
    ChangeQuery,
    ChangeStatus,
    NothingToDo,
    Resolution,
    StagedChange,
    Store,
    StoreNotFound,
)
from syncline.apps.commerce.contract.decisions import Decided
from syncline.apps.commerce.facade import LocalCommerce
from syncline.apps.commerce.review.service import get_rule, set_rule
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.staging import repository, service
from syncline.apps.commerce.staging.models import change_batch, staged_change
from syncline.kernel.errors import InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor, TenantId
from syncline.main.testing.lines import load_catalog
from syncline.runtime.db.session import WriteSession

Line = Callable[..., bytes]
AddStore = Callable[..., Awaitable[Store]]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SETTINGS = CommerceSettings()


@pytest.fixture
def actor(tenant_id: TenantId) -> Actor:
    return Actor(tenant_id, "ada", "editor")


@pytest.fixture
async def store(
    session: WriteSession,
    add_store: AddStore,
    product_line: Line,
    variant_line: Line,
    location_line: Line,
    level_line: Line,
) -> Store:
    """Two shirts, the first in two sizes, stocked at two locations, and a mug at one."""
    made = await add_store()
    lines = [
        product_line(1, title="Red Shirt"),
        product_line(2, title="Blue Shirt"),
        product_line(3, title="Mug", productType="Mug", vendor="Globex"),
        variant_line(11, sku="RED-S", price="10.00"),
        variant_line(12, sku="RED-M", price="20.00", title="M"),
        variant_line(21, product=2, sku=None, price="0.50", title="Default Title"),
        variant_line(31, product=3, sku="MUG", price="9.99", title="Default Title"),
        location_line(5, name="Main warehouse"),
        location_line(6, name="Flagship store"),
        location_line(7, name="Closed", is_active=False),
        level_line(1100, place=5, available=3),
        level_line(1100, place=6, available=0),
        level_line(1200, place=5, available=1),
        level_line(3100, place=5, available=7),
        level_line(3100, place=7, available=9),
    ]
    await load_catalog(session, made.id, lines, read_from=NOON)
    return made


async def stage(session: WriteSession, store: Store, actor: Actor, where: str, *edits: str, **more: Any) -> UUID:
    batch = await service.stage_edit(
        session, store=store, where=where, expressions=edits, actor=actor, note=more.get("note")
    )
    return batch.id


async def changes_of(session: WriteSession, **query: Any) -> Sequence[StagedChange]:
    return (await repository.list_changes(session, ChangeQuery(**query), PageRequest(limit=100))).items


def seen(changes: Sequence[StagedChange]) -> list[tuple[str, int, Any, Any]]:
    return [(change.kind, change.resource_id, change.before, change.after) for change in changes]


async def test_product_variant_and_stock_in_one_command_are_one_batch(
    session: WriteSession, store: Store, actor: Actor
) -> None:
    edits = ("tags=+sale", "compare_at_price=price", "price=-10%~.95", "inventory=+5@main warehouse")
    batch_id = await stage(session, store, actor, 'title:"red shirt"', *edits, note="summer")
    changes = await changes_of(session, batch_id=batch_id)
    assert seen(changes) == [
        ("product", 1, {"tags": ["new", "Summer"]}, {"tags": ["new", "Summer", "sale"]}),
        (
            *("variant", 11),
            {"price": "10.00", "compare_at_price": None},
            {"price": "8.95", "compare_at_price": "10.00"},
        ),
        (
            *("variant", 12),
            {"price": "20.00", "compare_at_price": None},
            {"price": "17.95", "compare_at_price": "20.00"},
        ),
        ("inventory_level", 1100, {"available": 3}, {"available": 8}),
        ("inventory_level", 1200, {"available": 1}, {"available": 6}),
    ]
    assert [change.label for change in changes] == [
        "Red Shirt",
        "Red Shirt / S [RED-S]",
        "Red Shirt / M [RED-M]",
        "Red Shirt / S [RED-S] @ Main warehouse",
        "Red Shirt / M [RED-M] @ Main warehouse",
    ]
    assert {(change.status, change.author, change.note) for change in changes} == {("pending", "ada", "summer")}
    batch = await service.get_batch(session, batch_id)
    assert (batch.kind, batch.author, batch.store, batch.counts) == ("edit", "ada", "demo", {"pending": 5})
    assert batch.summary == (
        "tags sale added; compare-at price taken from the price; price lowered by 10 %, ending in .95; available "
        'quantity raised by 5 at main warehouse where title:"red shirt"'
    )


async def test_only_records_that_become_different_are_staged(session: WriteSession, store: Store, actor: Actor) -> None:
    batch_id = await stage(session, store, actor, "", "price=9.99")
    assert [change.resource_id for change in await changes_of(session, batch_id=batch_id)] == [11, 12, 21]


async def test_nothing_that_matches_is_said(session: WriteSession, store: Store, actor: Actor) -> None:
    with pytest.raises(NothingToDo, match="Nothing in demo matches vendor:nobody;"):
        await stage(session, store, actor, "vendor:nobody", "price=1")


async def test_an_empty_mirror_is_said(session: WriteSession, add_store: AddStore, actor: Actor) -> None:
    with pytest.raises(NothingToDo, match="empty has nothing to change; pull the store first"):
        await stage(session, await add_store("empty"), actor, " ", "price=1")


async def test_nothing_that_would_change_is_said(session: WriteSession, store: Store, actor: Actor) -> None:
    with pytest.raises(NothingToDo, match="All 3 records that match have these values already"):
        await stage(session, store, actor, "", "status=active")


@pytest.mark.parametrize(
    ("edits", "sentence"),
    [
        ((), "Say what to change"),
        (("price",), "write field=value"),
        (("prize=1",), "Did you mean price?"),
        (("price=12,5o",), "write 12.50"),
        (("price=1", "price=2"), "a second time"),
        (("handle=new",), "cannot be changed here"),
        (("price=-150%",), "less than nothing"),
        (("available=1.5",), "whole number"),
        (("status=deleted",), "write active, draft, archived or unlisted"),
        (("title=none",), "cannot be cleared"),
    ],
)
async def test_an_edit_that_cannot_be_understood_is_refused(
    session: WriteSession, store: Store, actor: Actor, edits: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence.replace("?", r"\?")):
        await stage(session, store, actor, "", *edits)


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        ("price=-1", r"Blue Shirt: the price would go from 0.50 to -0.50, below zero"),
        ("inventory=-2@Main warehouse", r"Red Shirt / M \[RED-M\] @ Main warehouse: .* from 1 to -1, below zero"),
        ("price=compare_at_price", r"Red Shirt / S \[RED-S\]: there is no compare-at price"),
    ],
)
async def test_what_cannot_be_names_the_record(
    session: WriteSession, store: Store, actor: Actor, edit: str, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        await stage(session, store, actor, "-sku:MUG", edit)


async def test_stock_at_several_locations_needs_one_named(session: WriteSession, store: Store, actor: Actor) -> None:
    with pytest.raises(InvalidInput, match="They are Flagship store or Main warehouse") as caught:
        await stage(session, store, actor, "", "inventory=10")
    assert "lies at 2 locations" in caught.value.sentence
    assert 'inventory=10@"Flagship store"' in caught.value.sentence
    assert [wrong.field for wrong in caught.value.fields] == ["location"]
    assert (await session.execute(select(func.count()).select_from(change_batch))).scalar_one() == 0


@pytest.mark.parametrize(
    ("where", "edit", "levels"),
    [
        # what matches lies at one open location: no need to name it
        ("sku:MUG", "inventory=10", [(3100, 10)]),
        ("title:*shirt location:Main*", "inventory=+1", [(1100, 4), (1200, 2)]),
        ("", 'inventory=10@"FLAGSHIP STORE"', [(1100, 10)]),
        ("", "stock=0@Main warehouse", [(1100, 0), (1200, 0), (3100, 0)]),
    ],
)
async def test_stock_is_set_where_it_is_meant(
    session: WriteSession, store: Store, actor: Actor, where: str, edit: str, levels: list[tuple[int, int]]
) -> None:
    batch_id = await stage(session, store, actor, where, edit)
    changes = await changes_of(session, batch_id=batch_id)
    assert [(change.resource_id, change.after["available"]) for change in changes] == levels


async def test_two_locations_may_be_set_in_one_command(session: WriteSession, store: Store, actor: Actor) -> None:
    batch_id = await stage(session, store, actor, "", "stock=0@Main warehouse", "stock=9@Flagship store")
    assert [change.after for change in await changes_of(session, batch_id=batch_id)] == [
        {"available": 0},
        {"available": 9},
        {"available": 0},
        {"available": 0},
    ]


@pytest.mark.parametrize("place", ["Main", "main warehose", "Closed", "'; --"])
async def test_a_location_that_is_not_there_is_refused_with_the_list(
    session: WriteSession, store: Store, actor: Actor, place: str
) -> None:
    with pytest.raises(InvalidInput, match="It has Main warehouse or Flagship store") as caught:
        await stage(session, store, actor, "", f"inventory=10@{place}")
    assert ("Did you mean Main warehouse?" in caught.value.sentence) is (place == "main warehose")


async def test_a_location_before_the_first_pull_is_refused(
    session: WriteSession, add_store: AddStore, actor: Actor
) -> None:
    with pytest.raises(InvalidInput, match="pull the store first"):
        await stage(session, await add_store("empty"), actor, "", "inventory=1@Main warehouse")


async def test_a_currency_without_digits_gets_whole_amounts(
    session: WriteSession, add_store: AddStore, actor: Actor, product_line: Line, variant_line: Line
) -> None:
    store = await add_store("tokyo", currency="JPY")
    await load_catalog(session, store.id, [product_line(1), variant_line(11, price="1250")], read_from=NOON)
    batch_id = await stage(session, store, actor, "", "price=+10%", "compare_at_price=price")
    (change,) = await changes_of(session, batch_id=batch_id)
    assert (change.before, change.after) == (
        {"price": "1250", "compare_at_price": None},
        {"price": "1375", "compare_at_price": "1250"},
    )
    for edit in ("price=12.50", "price=+10%~.99"):
        with pytest.raises(InvalidInput, match="JPY"):
            await stage(session, store, actor, "", edit)


# Review.


async def staged(session: WriteSession, store: Store, actor: Actor) -> tuple[UUID, list[UUID]]:
    """A batch of four price changes, and their ids."""
    batch_id = await stage(session, store, actor, "", "price=+1")
    return batch_id, [change.id for change in await changes_of(session, batch_id=batch_id)]


async def approve(session: WriteSession, actor: Actor, *, may_self: bool = True, **query: Any) -> int:
    settings = CommerceSettings(author_may_approve=may_self)
    note = query.pop("note", None)
    done = await service.approve(session, ChangeQuery(**query), actor=actor, note=note, settings=settings)
    return done.changed


async def statuses(session: WriteSession, batch_id: UUID) -> list[str]:
    return [change.status.value for change in await changes_of(session, batch_id=batch_id)]


async def test_approving_by_ids_batch_store_and_search(session: WriteSession, store: Store, actor: Actor) -> None:
    batch_id, ids = await staged(session, store, actor)
    assert await approve(session, actor, ids=ids[:1]) == 1
    assert await approve(session, actor, search="sku:RED-M field:price") == 1
    assert await statuses(session, batch_id) == ["approved", "approved", "pending", "pending"]
    assert await approve(session, actor, batch_id=batch_id, ids=ids[:3]) == 1
    assert await approve(session, actor, store="demo.myshopify.com") == 1
    assert await statuses(session, batch_id) == ["approved"] * 4


async def test_a_review_keeps_who_when_and_why(session: WriteSession, store: Store, actor: Actor) -> None:
    batch_id, _ = await staged(session, store, actor)
    await approve(session, Actor(actor.tenant_id, "bob", "approver"), batch_id=batch_id, note="fine")
    change, *_ = await changes_of(session, batch_id=batch_id)
    assert (change.author, change.reviewer, change.note) == ("ada", "bob", "fine")
    assert change.reviewed_at is not None


async def test_what_was_moved_meanwhile_is_left_as_it_is(session: WriteSession, store: Store, actor: Actor) -> None:
    batch_id, ids = await staged(session, store, actor)
    await service.reject(session, ChangeQuery(ids=ids[:2]), actor=actor, note=None)
    assert await approve(session, actor, batch_id=batch_id) == 2
    with pytest.raises(ChangeNotReviewable, match="it is 2 approved, 2 rejected"):
        await approve(session, actor, batch_id=batch_id)
    assert await statuses(session, batch_id) == ["rejected", "rejected", "approved", "approved"]


@pytest.mark.parametrize("status", ["pending", "approved", "conflict", "failed"])
async def test_what_was_not_sent_can_be_rejected(
    session: WriteSession, store: Store, actor: Actor, status: str
) -> None:
    batch_id, _ = await staged(session, store, actor)
    await session.execute(update(staged_change).values(status=status))
    done = await service.reject(session, ChangeQuery(batch_id=batch_id), actor=actor, note="no")
    assert done == Decided(4, put_back=[])
    assert await statuses(session, batch_id) == ["rejected"] * 4


@pytest.mark.parametrize("status", ["sending", "applied", "skipped", "rejected"])
async def test_what_was_sent_or_is_settled_cannot_be_reviewed(
    session: WriteSession, store: Store, actor: Actor, status: str
) -> None:
    batch_id, _ = await staged(session, store, actor)
    await session.execute(update(staged_change).values(status=status))
    query = ChangeQuery(batch_id=batch_id)
    with pytest.raises(ChangeNotReviewable, match=f"approved: it is 4 {status}"):
        await approve(session, actor, batch_id=batch_id)
    with pytest.raises(ChangeNotReviewable, match=f"rejected: it is 4 {status}"):
        await service.reject(session, query, actor=actor, note=None)
    with pytest.raises(ChangeNotReviewable, match=f"resolved: it is 4 {status}"):
        await service.resolve(session, query, actor=actor, resolution=Resolution.SKIP, settings=CommerceSettings())
    assert await statuses(session, batch_id) == [status] * 4


async def test_only_conflicts_can_be_resolved(session: WriteSession, store: Store, actor: Actor) -> None:
    batch_id, ids = await staged(session, store, actor)
    is_first = staged_change.c.id == ids[0]
    await session.execute(update(staged_change).where(is_first).values(status="conflict", theirs={"price": "15.00"}))
    query = ChangeQuery(batch_id=batch_id)
    assert (
        await service.resolve(session, query, actor=actor, resolution=Resolution.OVERWRITE, settings=CommerceSettings())
        == 1
    )
    assert await statuses(session, batch_id) == ["approved", "pending", "pending", "pending"]
    change = await service.get_change(session, ids[0])
    assert (change.before, change.after, change.theirs) == ({"price": "15.00"}, {"price": "11.00"}, None)


async def test_an_empty_selection_says_so(session: WriteSession, store: Store, actor: Actor) -> None:
    await staged(session, store, actor)
    for query in ({"ids": [new_id()]}, {"search": "vendor:nobody"}, {"statuses": [ChangeStatus.APPLIED]}):
        with pytest.raises(ChangeNotReviewable, match="No staged change matches"):
            await approve(session, actor, **query)


async def test_a_mistyped_store_or_batch_is_not_an_empty_selection(
    session: WriteSession, store: Store, actor: Actor
) -> None:
    await staged(session, store, actor)
    with pytest.raises(StoreNotFound, match="No store is called demoo"):
        await approve(session, actor, store="demoo")
    with pytest.raises(BatchNotFound, match="There is no batch"):
        await approve(session, actor, batch_id=new_id())
    with pytest.raises(BatchNotFound, match="There is no staged change"):
        await service.get_change(session, new_id())


async def test_the_author_may_not_approve_where_the_rule_is_on(
    session: WriteSession, store: Store, actor: Actor
) -> None:
    batch_id, ids = await staged(session, store, actor)
    with pytest.raises(ChangeNotReviewable, match="somebody else has to approve"):
        await approve(session, actor, may_self=False, batch_id=batch_id)
    bob = Actor(actor.tenant_id, "bob", "approver")
    assert await approve(session, bob, may_self=False, ids=ids[:2]) == 2
    assert (await service.reject(session, ChangeQuery(ids=ids[2:3]), actor=actor, note=None)).changed == 1
    assert await statuses(session, batch_id) == ["approved", "approved", "rejected", "pending"]


async def test_of_a_mixed_selection_only_what_others_staged_is_approved(
    session: WriteSession, store: Store, actor: Actor
) -> None:
    mine, _ = await staged(session, store, actor)
    theirs = await stage(session, store, Actor(actor.tenant_id, "bob", "editor"), "sku:MUG", "cost=1")
    assert await approve(session, actor, may_self=False, store="demo") == 1
    assert (await statuses(session, theirs), set(await statuses(session, mine))) == (["approved"], {"pending"})


async def test_two_reviewers_at_once_move_each_change_once(pulled: Any, commerce: LocalCommerce, owner: Actor) -> None:
    batch = await commerce.stage_edit(actor=owner, store="demo", where="", edits=["price=+1"])
    query = ChangeQuery(batch_id=batch.id)
    moves = [commerce.approve(actor=owner, query=query), commerce.reject(actor=owner, query=query)]
    done = await asyncio.gather(
        *moves, *(commerce.approve(actor=owner, query=query) for _ in range(3)), return_exceptions=True
    )
    approved = [one.changed for one in (done[0], *done[2:]) if isinstance(one, Decided)]
    # Rejecting is allowed before and after an approval; approving only once.
    assert approved in ([], [4])
    assert done[1] == Decided(4, put_back=[])
    assert {type(one) for one in done} <= {Decided, ChangeNotReviewable}
    counts = await commerce.list_batches(actor=owner, store="demo", page=PageRequest())
    assert counts.items[0].counts == {"rejected": 4}


async def test_a_row_that_cannot_be_leaves_nothing_half_staged(
    pulled: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    with pytest.raises(InvalidInput, match=r"Linen Shirt / M \[SHIRT-M\] @ Main warehouse.*below zero"):
        await commerce.stage_edit(
            actor=owner, store="demo", where="", edits=["tags=+sale", "price=+1", "inventory=-2@Main warehouse"]
        )
    assert (await commerce.list_batches(actor=owner, store="demo", page=PageRequest())).total == 0
    assert (await commerce.list_changes(actor=owner, query=ChangeQuery(), page=PageRequest())).total == 0


async def test_a_tenant_may_ask_for_four_eyes_and_not_for_fewer_than_the_operator(
    session: WriteSession, store: Store, actor: Actor
) -> None:
    lax, strict = CommerceSettings(), CommerceSettings(author_may_approve=False)
    assert (await get_rule(session, lax)).four_eyes is False
    batch_id, _ = await staged(session, store, actor)
    made = await set_rule(session, lax, actor=actor, four_eyes=True)
    assert (made.four_eyes, made.is_fixed, made.changed_by) == (True, False, "ada")
    with pytest.raises(ChangeNotReviewable, match="somebody else"):
        await approve(session, actor, batch_id=batch_id)
    assert (await set_rule(session, strict, actor=actor, four_eyes=False)).four_eyes is True
    assert await approve(session, actor, batch_id=batch_id) == 4


async def test_who_takes_another_name_is_the_author_all_the_same(
    session: WriteSession, store: Store, actor: Actor
) -> None:
    ada = replace(actor, user_id=new_id(), method="session")
    batch_id, _ = await staged(session, store, ada)
    with pytest.raises(ChangeNotReviewable, match="somebody else"):
        await approve(session, replace(ada, name="Somebody else"), may_self=False, batch_id=batch_id)
    assert await approve(session, replace(ada, name="bob", user_id=new_id()), may_self=False, batch_id=batch_id) == 4


async def test_an_author_does_not_approve_his_own_conflict_again(
    session: WriteSession, store: Store, actor: Actor
) -> None:
    batch_id, _ = await staged(session, store, actor)
    await session.execute(update(staged_change).values(status="conflict", theirs={"price": "15.00"}))
    query, strict = ChangeQuery(batch_id=batch_id), CommerceSettings(author_may_approve=False)
    for resolution in (Resolution.OVERWRITE, Resolution.MERGE):
        with pytest.raises(ChangeNotReviewable, match="approve it again"):
            await service.resolve(session, query, actor=actor, resolution=resolution, settings=strict)
    assert await statuses(session, batch_id) == ["conflict"] * 4
    assert await service.resolve(session, query, actor=actor, resolution=Resolution.SKIP, settings=strict) == 4
