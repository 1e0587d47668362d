from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import true

from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.mirror import listing
from syncline.apps.commerce.mirror.listing import Listed, list_places, list_records
from syncline.apps.commerce.mirror.models import inventory_level, variant
from syncline.apps.commerce.mirror.repository import list_locations
from syncline.main.testing.lines import load_catalog
from syncline.runtime.db.session import WriteSession

Line = Callable[..., bytes]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STORE = UUID("01920000-0000-7000-8000-000000000001")


async def every(session: WriteSession, owner: Owner, currency: str = "USD") -> list[Listed]:
    pages = [page async for page in list_records(session, STORE, owner, true(), currency=currency)]
    return [record for page in pages for record in page]


@pytest.fixture(autouse=True)
async def mirrored(
    session: WriteSession, product_line: Line, variant_line: Line, location_line: Line, level_line: Line
) -> None:
    lines = [
        product_line(1, title=" [b]Shirt[/b] «🧥» "),
        product_line(2, title="Mug"),
        variant_line(11, title="S / Red", sku="AB-1", price="12.5"),
        variant_line(12, title="M / Red", sku="", price="1250"),
        variant_line(21, product=2, title="Default Title", sku=None),
        location_line(5, name="Main"),
        location_line(6, name="Flagship"),
        location_line(7, name="Closed", is_active=False),
        level_line(1100, place=5, available=3),
        level_line(1100, place=6, available=-1),
        level_line(1200, place=7),
        level_line(2100, place=5, available=0),
        level_line(9900, place=5),
    ]
    await load_catalog(session, STORE, lines, read_from=NOON)


async def test_a_record_is_called_what_a_person_would_call_it(session: WriteSession) -> None:
    assert [one.label for one in await every(session, Owner.PRODUCT)] == [" [b]Shirt[/b] «🧥» ", "Mug"]
    assert [one.label for one in await every(session, Owner.VARIANT)] == [
        " [b]Shirt[/b] «🧥»  / S / Red [AB-1]",
        " [b]Shirt[/b] «🧥»  / M / Red",
        "Mug",
    ]
    assert [one.label for one in await every(session, Owner.INVENTORY_LEVEL)] == [
        " [b]Shirt[/b] «🧥»  / S / Red [AB-1] @ Main",
        " [b]Shirt[/b] «🧥»  / S / Red [AB-1] @ Flagship",
        "Mug @ Main",
    ]


async def test_a_record_has_its_own_values_and_its_parents_names(session: WriteSession) -> None:
    shirt, *_ = await every(session, Owner.VARIANT)
    assert (shirt.resource_id, shirt.product_id, shirt.location_id) == (11, 1, None)
    assert shirt.values == {
        "price": "12.50",
        "compare_at_price": None,
        "sku": "AB-1",
        "barcode": None,
        "taxable": True,
        "inventory_policy": "deny",
        "cost": "4.00",
        "weight": "0.6",
        "weight_unit": "kilograms",
        "requires_shipping": True,
        "tracked": True,
    }
    assert shirt.context == {"handle": "product-1", "title": " [b]Shirt[/b] «🧥» ", "sku": "AB-1"}
    _, flagship, _ = await every(session, Owner.INVENTORY_LEVEL)
    assert (flagship.resource_id, flagship.location_id, flagship.product_id) == (1100, 6, 1)
    assert (flagship.values, flagship.context["location"]) == ({"available": -1}, "Flagship")


async def test_amounts_have_the_digits_of_the_currency(session: WriteSession) -> None:
    prices = [one.values["price"] for one in await every(session, Owner.VARIANT, "KWD")]
    assert prices == ["12.500", "1250.000", "12.500"]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
async def test_pages_hold_every_record_once_also_where_a_key_has_two_parts(
    session: WriteSession, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    listed = [owner for owner in Owner if owner is not Owner.WHOLE_PRODUCT]
    whole = {owner: await every(session, owner) for owner in listed}
    monkeypatch.setattr(listing, "PAGE", size)
    assert {owner: await every(session, owner) for owner in listed} == whole
    pages = [page async for page in list_records(session, STORE, Owner.INVENTORY_LEVEL, true(), currency="USD")]
    assert max(map(len, pages)) == min(size, 3)


async def test_the_places_of_what_matches(session: WriteSession) -> None:
    assert await list_places(session, STORE, true()) == ["Flagship", "Main"]
    assert await list_places(session, STORE, variant.c.id == 21) == ["Main"]
    assert await list_places(session, STORE, inventory_level.c.available < 0) == ["Flagship"]
    assert await list_places(session, STORE, variant.c.id == 12) == []


async def test_locations_are_the_open_ones(session: WriteSession) -> None:
    assert await list_locations(session, STORE) == [(5, "Main"), (6, "Flagship")]
