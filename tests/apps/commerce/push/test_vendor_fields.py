from __future__ import annotations

import pytest

from syncline.apps.commerce.fields import Owner, fields_of
from syncline.apps.commerce.push.vendor_fields import answered, collection_input, product_input, variant_input


def test_given_fields_only_are_sent_under_shopifys_names() -> None:
    assert product_input({"title": "T", "status": "draft"}, {"vendor": "V"}) == {"title": "T", "status": "DRAFT"}
    assert variant_input({"price": "1.00", "cost": None, "inventory_policy": "continue"}, {}) == {
        "price": "1.00",
        "unitCost": None,
        "inventoryPolicy": "CONTINUE",
    }


def test_half_of_a_pair_is_sent_with_its_other_half_as_it_is() -> None:
    now = {"seo_title": "Old", "seo_description": "Kept", "weight": "0.6", "weight_unit": "kilograms"}
    assert product_input({"seo_title": "New"}, now) == {"seo": {"title": "New", "description": "Kept"}}
    assert variant_input({"weight": "0.7"}, now) == {"weight": {"value": 0.7, "unit": "KILOGRAMS"}}
    assert variant_input({"weight_unit": "grams"}, now) == {"weight": {"value": 0.6, "unit": "GRAMS"}}


def test_every_editable_field_is_sent() -> None:
    product = {field.name: "1" for field in fields_of(Owner.PRODUCT) if field.editable}
    variant = {field.name: "1" for field in fields_of(Owner.VARIANT) if field.editable}
    assert len(product_input(product, {})) == len(product) - 1
    assert len(variant_input(variant, {})) == len(variant) - 1


ANSWER = {
    "title": "Shirt",
    "tags": ["a", "b"],
    "status": "DRAFT",
    "seo": {"title": None, "description": "D"},
    "price": "12.5",
    "inventoryItem": {
        "tracked": True,
        "requiresShipping": False,
        "unitCost": None,
        "measurement": {"weight": {"value": 0.6, "unit": "KILOGRAMS"}},
    },
}


@pytest.mark.parametrize(
    ("field", "wanted", "kept"),
    [
        ("title", " Shirt ", "Shirt"),
        ("tags", ["b", "a"], ["a", "b"]),
        ("status", "draft", "draft"),
        ("seo_title", "", None),
        ("price", "12.50", "12.50"),
        ("cost", None, None),
        ("weight", "0.60", "0.6"),
        ("weight_unit", "kilograms", "kilograms"),
        ("tracked", True, True),
        ("vendor", "not in the answer", "not in the answer"),
    ],
)
def test_what_the_store_answers_is_kept(field: str, wanted: object, kept: object) -> None:
    assert answered({field: wanted}, ANSWER, "USD") == {field: kept}  # type: ignore[dict-item]


def test_answer_is_read_for_every_field_of_the_catalogue() -> None:
    # What a collection holds is answered without values; what a product shows is no field of a record.
    owners = set(Owner) - {Owner.COLLECTION_MEMBERSHIP, Owner.PRODUCT_IMAGE, Owner.PRODUCT_GALLERY}
    asked = {field.name: "1" for owner in owners for field in fields_of(owner) if field.editable}
    assert answered(asked, {}, "USD") == asked


def test_half_of_a_collections_seo_is_filled_in_and_its_order_is_shopifys_word() -> None:
    now = {"collection_seo_title": "Sun", "collection_seo_description": "Warm"}
    after = {"collection_seo_title": "Sea", "collection_sort_order": "price_desc", "collection_title": "Summer"}
    assert collection_input(after, now) == {
        "title": "Summer",
        "sortOrder": "PRICE_DESC",
        "seo": {"title": "Sea", "description": "Warm"},
    }
