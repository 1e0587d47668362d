"""The quick reading of keys says what the whole reading of the line says, or leaves it to that."""

from __future__ import annotations

import pytest

from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.apps.commerce.mirror.lines import Key, array_texts, key_of, keys_of_texts, sort_lines
from syncline.kernel.errors import Skippable

GID = "gid://shopify/"
LEVEL = f'{{"id":"{GID}InventoryLevel/9?inventory_item_id=4","updatedAt":"2026-01-01T00:00:00Z",'
ITEM = f'"item":{{"id":"{GID}InventoryItem/4"}}'
PLACE = f'"__parentId":"{GID}Location/5"}}'

KEYS = [
    ("products", "product", f'{{"id":"{GID}Product/7","title":"A"}}', (7,)),
    ("products", "variant", f'{{"id":"{GID}ProductVariant/8","__parentId":"{GID}Product/7"}}', (8,)),
    ("inventory", "location", f'{{"id":"{GID}Location/5","name":"Main"}}', (5,)),
    ("inventory", "inventory_level", f'{LEVEL}{ITEM},"quantities":[],{PLACE}', (4, 5)),
    ("inventory", "inventory_level", f'{{"id":"{GID}InventoryLevel/9",{ITEM},{PLACE}', (4, 5)),
    ("collections", "collection_membership", f'{{"id":"{GID}Product/7","__parentId":"{GID}Collection/3"}}', (3, 7)),
    ("media", "product_ref", f'{{"id":"{GID}Product/7"}}', (7,)),
    ("media", "product_media", f'{{"id":"{GID}Model3d/2","alt":null,"__parentId":"{GID}Product/7"}}', (7, 2)),
    ("metafields", "metafield", f'{{"id":"{GID}Metafield/6","__parentId":"{GID}ProductVariant/8"}}', (6,)),
    ("metafields", "variant_ref", f'{{"id":"{GID}ProductVariant/8","__parentId":"{GID}Product/7"}}', (8,)),
]

UNUSUAL = [
    # Members in another order, spaces, escapes: valid JSON, but not as Shopify writes it.
    ("products", "product", f'{{"title":"A","id":"{GID}Product/7"}}', (7,)),
    ("products", "product", f'{{ "id" : "{GID}Product/7" }}', (7,)),
    ("products", "product", f'{{"id":"{GID}Product/007"}}', (7,)),
    ("products", "product", '{"id":"gid:\\/\\/shopify\\/Product\\/7"}', (7,)),
    ("inventory", "inventory_level", f'{LEVEL}"quantities":[],{ITEM},{PLACE}', (4, 5)),
    ("inventory", "inventory_level", f'{LEVEL}"__parentId":"{GID}Location/5",{ITEM}}}', (4, 5)),
    ("collections", "collection_membership", f'{{"__parentId":"{GID}Collection/3","id":"{GID}Product/7"}}', (3, 7)),
]

MISLEADING = [
    # What looks like a key stands inside a text or inside another object.
    (
        "collections",
        f'{{"id":"{GID}Product/7","title":"\\"__parentId\\":\\"{GID}Collection/1\\"}}","__parentId":"{GID}Collection/3"}}',
        (3, 7),
    ),
    (
        "inventory",
        f'{LEVEL}"note":"\\"item\\":{{\\"id\\":\\"{GID}InventoryItem/1\\"}}",{ITEM},{PLACE}',
        (4, 5),
    ),
    (
        "inventory",
        f'{LEVEL}"old":{{{ITEM.replace("4", "1")}}},{ITEM},{PLACE}',
        (4, 5),
    ),
]


@pytest.mark.parametrize(("stream", "kind", "line", "key"), [*KEYS, *UNUSUAL])
def test_key_of_a_line(stream: str, kind: str, line: str, key: Key) -> None:
    chunk = sort_lines([line.encode()], stream)
    assert {name: keys_of_texts(texts) for name, texts in chunk.texts.items()} == {kind: [key]}
    assert list(chunk.groups[kind].values()) == [line.encode()]


@pytest.mark.parametrize(("stream", "kind", "line", "key"), [*KEYS[:6], *UNUSUAL])
def test_the_whole_reading_agrees(stream: str, kind: str, line: str, key: Key) -> None:
    assert key_of(line.encode(), KINDS[kind].key_from) == key


@pytest.mark.parametrize(("stream", "line", "key"), MISLEADING)
def test_a_text_or_a_part_is_not_taken_for_a_key(stream: str, line: str, key: Key) -> None:
    (texts,) = sort_lines([line.encode()], stream).texts.values()
    assert keys_of_texts(texts) == [key]


@pytest.mark.parametrize(
    ("stream", "line"),
    [
        ("products", f'{{"id":"{GID}Metaobject/1"}}'),
        ("products", '{"id":"7"}'),
        ("products", '{"title":"A"}'),
        ("products", "{"),
        ("products", ""),
        ("inventory", f"{LEVEL}{PLACE}"),
        ("inventory", f'{LEVEL}{ITEM},"quantities":[]}}'),
        ("inventory", f'{LEVEL}{ITEM},"place":{{{PLACE}}}'),
        ("collections", f'{{"id":"{GID}Product/7"}}'),
    ],
)
def test_a_line_without_a_key_is_quoted_not_guessed_at(stream: str, line: str) -> None:
    chunk = sort_lines([line.encode()], stream)
    assert (chunk.groups, chunk.texts, chunk.read, chunk.duplicates) == ({}, {}, 1, 0)
    assert len(chunk.unreadable) == 1


def test_of_two_lines_of_one_record_the_later_is_kept() -> None:
    lines = [f'{{"id":"{GID}Product/{number}","title":"{title}"}}'.encode() for number, title in ((7, "a"), (8, "b"))]
    later = lines[0].replace(b'"a"', b'"c"')
    chunk = sort_lines([*lines, later], "products")
    assert (chunk.read, chunk.duplicates, list(chunk.groups["product"].values())) == (3, 1, [later, lines[1]])


def test_a_chunk_knows_whether_it_names_what_another_named() -> None:
    first, second, third = (
        sort_lines([f'{{"id":"{GID}{type_}/7"}}'.encode()], "products")
        for type_ in ("Product", "ProductVariant", "Product")
    )
    assert not second.names_any(first.keys())
    assert third.names_any(first.keys())


@pytest.mark.parametrize("text", [r"\u0000", r"\\\u0000", r"a\u0000b"])
def test_a_line_with_a_nul_is_refused(text: str) -> None:
    with pytest.raises(Skippable, match="NUL"):
        key_of(f'{{"id":"{GID}Product/7","title":"{text}"}}'.encode(), "own")


@pytest.mark.parametrize("text", [r"\\u0000", r"\\\\u0000", "u0000"])
def test_a_backslash_before_a_number_is_no_nul(text: str) -> None:
    assert key_of(f'{{"id":"{GID}Product/7","title":"{text}"}}'.encode(), "own") == (7,)


def test_array_texts_and_back() -> None:
    keys: list[Key] = [(1, 5), (2, 9_223_372_036_854_775_807)]
    assert array_texts(keys) == ["{1,2}", "{5,9223372036854775807}"]
    assert keys_of_texts(array_texts(keys)) == keys
