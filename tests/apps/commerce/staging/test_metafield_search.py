"""Searches by metafields: what they find and what they leave, and edits as people write them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.mirror.listing import list_records
from syncline.apps.commerce.mirror.loading import load_lines
from syncline.apps.commerce.staging.edits import apply, describe, parse_edit, parse_edits
from syncline.apps.commerce.staging.selection import mirror_condition, parse_where
from syncline.kernel.errors import InvalidInput
from syncline.main.testing.lines import load_catalog
from syncline.runtime.db.session import WriteSession

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def metafield_line(number: int, owner: str, key: str, value: str, kind: str = "single_line_text_field") -> bytes:
    return msgspec.json.encode({
        "id": f"gid://shopify/Metafield/{number}", "namespace": "my-app", "key": key, "type": kind, "value": value,
        "compareDigest": "d", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-11-22T10:00:00Z",
        "__parentId": f"gid://shopify/{owner}",
    })  # fmt: skip


@pytest.fixture
async def store(
    session: WriteSession,
    add_store: Callable[..., Awaitable[Store]],
    product_line: Callable[..., bytes],
    variant_line: Callable[..., bytes],
) -> Store:
    """Three products with a variant each; the third has no metafields."""
    made = await add_store()
    lines = [product_line(1), product_line(2), product_line(3)]
    lines += [variant_line(11), variant_line(21, product=2), variant_line(31, product=3)]
    await load_catalog(session, made.id, lines, read_from=NOON)
    metafields = [
        metafield_line(1, "Product/1", "material", "Merino Wool"),
        metafield_line(2, "Product/2", "material", "cotton"),
        metafield_line(3, "Product/1", "months", "24", "number_integer"),
        metafield_line(4, "Product/2", "months", "soon", "number_integer"),
        metafield_line(5, "ProductVariant/21", "Size", "XL"),
        metafield_line(6, "ProductVariant/1", "material", "of no product"),
    ]
    await load_lines(session, made.id, "metafields", metafields, read_from=NOON)
    return made


async def found(session: WriteSession, store: Store, owner: Owner, text: str) -> list[int]:
    condition = mirror_condition(owner, parse_where(text))
    pages = [page async for page in list_records(session, store.id, owner, condition, currency="USD")]
    return [record.resource_id for page in pages for record in page]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("metafield.my-app.material:COTTON", [2]),
        ("metafield.my-app.material:*wool*", [1]),
        ('metafield.my-app.material:"merino wool",cotton', [1, 2]),
        ("metafield.my-app.material:none", [3]),
        ("-metafield.my-app.material:none", [1, 2]),
        ("-metafield.my-app.material:cotton", [1, 3]),
        ("metafield.my-app.material:cotton,none", [2, 3]),
        ("metafield.my-app.months:>=12", [1]),
        ("metafield.my-app.months:12..24", [1]),
        ("metafield.my-app.months:>24", []),
        ("metafield.my-app.months:soon", [2]),
        ("metafield.my-app.Material:cotton", []),
        ("variant_metafield.my-app.Size:xl", [2]),
        ("-variant_metafield.my-app.Size:xl", [1, 3]),
    ],
)
@pytest.mark.parametrize("owner", [Owner.PRODUCT, Owner.PRODUCT_METAFIELD])
async def test_products(session: WriteSession, store: Store, owner: Owner, text: str, ids: list[int]) -> None:
    assert await found(session, store, owner, text) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("variant_metafield.my-app.Size:XL", [21]),
        ("variant_metafield.my-app.Size:none", [11, 31]),
        ("metafield.my-app.material:cotton", [21]),
    ],
)
@pytest.mark.parametrize("owner", [Owner.VARIANT, Owner.VARIANT_METAFIELD])
async def test_variants(session: WriteSession, store: Store, owner: Owner, text: str, ids: list[int]) -> None:
    assert await found(session, store, owner, text) == ids


def test_comparison_with_a_text_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'long' is not a number"):
        parse_where("metafield.my-app.months:>long")


def made(expression: str, held: Any) -> Any:
    edit = parse_edit(expression, currency="USD")
    return apply([edit], {edit.field: held}, "USD", row="Mug").get(edit.field, "unchanged")


def of(kind: str, value: str) -> dict[str, str]:
    return {"type": kind, "value": value}


@pytest.mark.parametrize(
    ("expression", "held", "after"),
    [
        ("metafield.a.b=Wool", of("single_line_text_field", "Silk"), of("single_line_text_field", "Wool")),
        ("metafield:a.b=Wool", of("single_line_text_field", "Wool"), "unchanged"),
        ('metafield.a.b=" none "', of("single_line_text_field", "x"), of("single_line_text_field", " none ")),
        ('metafield.a.b="none"', of("single_line_text_field", "x"), of("single_line_text_field", "none")),
        ("metafield.a.b=none", of("json", "1"), None),
        ("metafield.a.b=none", None, "unchanged"),
        ("metafield.a.b:boolean=yes", None, of("boolean", "true")),
        ("metafield.a.b=1.0", of("number_decimal", "1"), "unchanged"),
        ('metafield.a.b={"k": "v"}', of("json", "{}"), of("json", '{"k": "v"}')),
        ('metafield.a.b="v"', of("json", "{}"), of("json", '"v"')),
        (
            'metafield.a.b=red,"light, blue"',
            of("list.single_line_text_field", '["red"]'),
            of("list.single_line_text_field", '["red","light, blue"]'),
        ),
        ("metafield.a.b:list.number_integer=1, 2", None, of("list.number_integer", "[1,2]")),
        ("metafield.a.b=[3]", of("list.number_integer", "[1]"), of("list.number_integer", "[3]")),
        ("metafield.a.b=x=y", of("single_line_text_field", "x"), of("single_line_text_field", "x=y")),
    ],
)
def test_edits(expression: str, held: Any, after: Any) -> None:
    assert made(expression, held) == after


@pytest.mark.parametrize(
    ("expression", "advice"),
    [
        ("metafield.a.b:number_integer=x", "digits only"),
        ("metafield.a.b:text=x", "not a type of metafield"),
        ("metafield.a.b:boolean=none", "needs no type"),
        ("metafield.a.b=", "metafield.a.b=none to clear it"),
        ("metafield.a=x", "There is no field"),
    ],
)
def test_edits_that_cannot_be(expression: str, advice: str) -> None:
    with pytest.raises(InvalidInput, match=advice):
        parse_edit(expression, currency="USD")


def test_one_metafield_is_set_once_in_a_command() -> None:
    with pytest.raises(InvalidInput, match="a second time"):
        parse_edits(["metafield.a.b=1", "metafield:a.b:boolean=true"], currency="USD")


def test_edits_in_words() -> None:
    words = [describe(parse_edit(f"metafield.a.b={text}", currency="USD"), "USD") for text in ("Wool", "none")]
    assert words == ["metafield a.b set to Wool", "metafield a.b deleted"]
