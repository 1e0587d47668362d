from __future__ import annotations

import pytest

from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.metafields import MetafieldName
from syncline.apps.commerce.staging.diff import FieldChange
from syncline.apps.commerce.transfer.metafield_cells import MetafieldTypes
from syncline.apps.commerce.transfer.metafield_columns import find_title, parse_cell, title_of
from syncline.apps.commerce.transfer.problems import Problem
from syncline.apps.commerce.transfer.sheet_columns import Role, read_header

MATERIAL = "metafield.custom.material"


@pytest.mark.parametrize(
    ("title", "field", "type_"),
    [
        ("Material (product.metafields.custom.material)", MATERIAL, None),
        ("Size (EU) (variant.metafields.custom.size)", "variant_metafield.custom.size", None),
        ("product.metafields.custom.material", MATERIAL, None),
        ("Metafield: custom.material [number_integer]", MATERIAL, "number_integer"),
        ("Variant Metafield: custom.Size", "variant_metafield.custom.Size", None),
        ("metafield: care", "metafield.global.care", None),
        ("variant_metafield.my-app.x_1", "variant_metafield.my-app.x_1", None),
    ],
)
def test_a_title_in_any_published_form_names_its_metafield(title: str, field: str, type_: str | None) -> None:
    found = find_title(title)
    assert found is not None
    assert (found.name.field, found.type) == (field, type_)
    columns, problems = read_header(["Handle", title], ignore_unknown=False)
    assert [(column.role, column.target, column.type) for column in columns[1:]] == [(Role.METAFIELD, field, type_)]
    assert problems == []


@pytest.mark.parametrize(
    "title", ["Metafield: a.b [colour]", "Material (product.metafields.custom)", "X (order.metafields.a.b)"]
)
def test_what_is_no_name_of_a_metafield_is_never_read_as_one(title: str) -> None:
    assert find_title(title) is None
    _, problems = read_header(["Handle", title], ignore_unknown=False)
    assert len(problems) == 1


def test_the_title_that_is_written_is_read_as_the_same_metafield() -> None:
    name = MetafieldName("variant", "my_fields", "wash-Care_1")
    assert title_of(name) == "Wash Care 1 (variant.metafields.my_fields.wash-Care_1)"
    found = find_title(title_of(name))
    assert found is not None
    assert found.name == name


def test_members_of_a_list_stand_with_semicolons_or_as_json() -> None:
    wanted = {"type": "list.single_line_text_field", "value": '["red, dark","blue"]'}
    assert parse_cell("list.single_line_text_field", "red, dark; blue;") == wanted
    assert parse_cell("list.single_line_text_field", '["red, dark", "blue"]') == wanted


def test_a_cell_is_read_in_the_type_that_the_record_has_then_in_that_of_the_store() -> None:
    types = MetafieldTypes(has={MATERIAL: ["single_line_text_field"]}, titles={MATERIAL: "Material"})
    assert list(types.changes(2, {MATERIAL: "1.50"}, {MATERIAL: {"type": "number_decimal", "value": "1.5"}})) == [None]
    assert list(types.changes(2, {MATERIAL: "'=Wool"}, {})) == [
        FieldChange(MATERIAL, None, {"type": "single_line_text_field", "value": "=Wool"})
    ]


@pytest.mark.parametrize(
    ("types", "reason"),
    [
        (MetafieldTypes(), "Metafield: custom.material [single_line_text_field]"),
        (MetafieldTypes(has={MATERIAL: ["boolean", "json"]}), "several types in this store, boolean and json"),
        (MetafieldTypes(said={MATERIAL: "boolean"}), "neither true nor false"),
    ],
)
def test_a_cell_that_cannot_be_read_says_what_to_do(types: MetafieldTypes, reason: str) -> None:
    (found,) = types.changes(2, {MATERIAL: "Wool"}, {})
    assert isinstance(found, Problem)
    assert reason in found.reason


def test_the_owner_of_a_metafield_is_the_record_it_stands_beside() -> None:
    names = {MetafieldName(owner, "custom", "x").field for owner in (Owner.PRODUCT, Owner.VARIANT)}
    assert names == {"metafield.custom.x", "variant_metafield.custom.x"}
