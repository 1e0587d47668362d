"""Fields of one store copied to another of the same tenant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from syncline.apps.commerce.alignment.service import align
from syncline.apps.commerce.alignment_contract import AlignedBy, Alignment
from syncline.apps.commerce.contract import ChangeQuery, Store, StoreNotFound
from syncline.apps.commerce.staging.repository import list_changes
from syncline.kernel.errors import InvalidInput
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor
from syncline.main.testing.lines import load_catalog
from syncline.runtime.db.session import WriteSession

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Line = Callable[..., bytes]
AddStore = Callable[..., Awaitable[Store]]


def size(value: str) -> list[dict[str, str]]:
    return [{"name": "Size", "value": value}]


@pytest.fixture
async def main(session: WriteSession, add_store: AddStore, product_line: Line, variant_line: Line) -> Store:
    """A shirt in two sizes, a mug, and two products that share a SKU."""
    made = await add_store("main")
    lines = [
        product_line(1, handle="shirt", title="Shirt", vendor="Acme"),
        product_line(2, handle="mug", title="Mug", vendor="Globex"),
        product_line(3, handle="cap", title="Cap"),
        variant_line(11, product=1, title="S", sku="SH-S", price="20.00"),
        variant_line(12, product=1, title="M", sku="SH-M", price="21.00", selectedOptions=size("M")),
        variant_line(21, product=2, title="S", sku="MUG", price="9.00"),
        variant_line(31, product=3, title="S", sku="TWICE", price="5.00"),
        variant_line(32, product=3, title="M", sku="TWICE", price="6.00", selectedOptions=size("M")),
        variant_line(33, product=3, title="L", sku=None, price="7.00", selectedOptions=size("L")),
        variant_line(34, product=3, title="X", sku="ONLY-HERE", price="7.00", selectedOptions=size("X")),
    ]
    await load_catalog(session, made.id, lines, read_from=NOON)
    return made


@pytest.fixture
async def outlet(session: WriteSession, add_store: AddStore, product_line: Line, variant_line: Line) -> Store:
    """The same goods under other numbers; its mug stands there twice."""
    made = await add_store("outlet")
    lines = [
        product_line(501, handle="shirt", title="Old shirt", vendor="Acme"),
        product_line(502, handle="cup", title="Cup", vendor="Other"),
        product_line(503, handle="cup-2", title="Cup again", vendor="Other"),
        variant_line(611, product=501, title="S", sku="SH-S", price="15.00"),
        variant_line(612, product=501, title="M", sku="SH-M", price="21.00", selectedOptions=size("M")),
        variant_line(621, product=502, title="S", sku="MUG", price="4.00"),
        variant_line(622, product=503, title="S", sku="MUG", price="4.50"),
        variant_line(631, product=503, title="M", sku="TWICE", price="1.00", selectedOptions=size("M")),
    ]
    await load_catalog(session, made.id, lines, read_from=NOON)
    return made


@pytest.fixture
def copy(session: WriteSession, main: Store, outlet: Store, owner: Actor) -> Any:
    async def run(*fields: str, by: AlignedBy = AlignedBy.SKU, where: str = "", back: bool = False) -> Alignment:
        source, target = (outlet, main) if back else (main, outlet)
        return await align(
            session, source=source, target=target, fields=fields, by=by, where=where, actor=owner, note=None
        )

    return run


async def staged(session: WriteSession) -> list[tuple[str, int, Any, Any]]:
    found = await list_changes(session, ChangeQuery(), PageRequest(limit=100))
    return [(one.kind, one.resource_id, one.before, one.after) for one in found.items]


async def test_what_differs_is_staged_on_the_target_and_the_ambiguous_is_named(
    session: WriteSession, copy: Any
) -> None:
    found = await copy("price")
    assert await staged(session) == [("variant", 611, {"price": "15.00"}, {"price": "20.00"})]
    assert (found.looked, found.staged, found.unchanged, found.unmatched, found.ambiguous) == (7, 1, 1, 1, 4)
    told = " ".join(found.problems)
    assert "MUG stands for 2 records of the target (Cup / S [MUG], Cup again / S [MUG]); give each its own." in told
    assert "TWICE stands for 2 records of the source; give each its own." in told
    assert "Cap / L has no SKU" in told


async def test_a_second_copy_finds_nothing_new_to_a_store_that_was_pushed(session: WriteSession, copy: Any) -> None:
    found = await copy("price", where="sku:SH-M")
    assert (found.batch_id, found.staged, found.unchanged) == (None, 0, 1)
    assert await staged(session) == []


async def test_products_are_told_by_their_skus(session: WriteSession, copy: Any) -> None:
    found = await copy("title", "vendor")
    assert await staged(session) == [
        ("product", 501, {"title": "Old shirt"}, {"title": "Shirt"}),
        ("product", 503, {"title": "Cup again", "vendor": "Other"}, {"title": "Cap", "vendor": "Acme"}),
    ]
    assert found.problems == ("The SKUs of Mug belong to 2 products of the target (Cup, Cup again).",)


async def test_by_handle_variants_are_told_by_their_options(session: WriteSession, copy: Any) -> None:
    found = await copy("price", "title", by=AlignedBy.HANDLE)
    assert await staged(session) == [
        ("product", 501, {"title": "Old shirt"}, {"title": "Shirt"}),
        ("variant", 611, {"price": "15.00"}, {"price": "20.00"}),
    ]
    assert (found.unmatched, found.ambiguous) == (2 + 5, 0)


async def test_the_search_chooses_records_of_the_source(session: WriteSession, copy: Any) -> None:
    found = await copy("price", where="vendor:Globex")
    assert (found.looked, found.ambiguous) == (1, 1)
    assert await staged(session) == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ((), "Say which fields to copy"),
        (("sku",), "The SKU cannot be copied"),
        (("available",), "cannot be copied from store to store"),
        (("pirce",), "There is no field 'pirce'"),
    ],
)
async def test_a_field_that_cannot_be_copied_is_refused(copy: Any, fields: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await copy(*fields)
    assert sentence in caught.value.sentence


async def test_amounts_are_not_copied_into_another_currency(
    session: WriteSession, main: Store, add_store: AddStore, owner: Actor
) -> None:
    tokyo = await add_store("tokyo", currency="JPY")
    with pytest.raises(InvalidInput, match="main has amounts in USD and tokyo in JPY"):
        await align(
            session, source=main, target=tokyo, fields=["price"], by=AlignedBy.SKU, where="", actor=owner, note=None
        )


async def test_a_store_is_not_copied_onto_itself_nor_from_another_tenant(pulled: Any, stranger: Actor) -> None:
    with pytest.raises(InvalidInput, match="the same store twice"):
        await pulled.commerce.align_stores(actor=pulled.actor, source="demo", target="demo", fields=["price"])
    with pytest.raises(StoreNotFound):
        await pulled.commerce.align_stores(actor=stranger, source="demo", target="demo", fields=["price"])
