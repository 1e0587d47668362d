from __future__ import annotations

import pytest

from syncline.apps.commerce.fields import Value
from syncline.apps.commerce.staging.merge import merged

State = dict[str, Value]


@pytest.mark.parametrize(
    ("before", "after", "theirs", "kept"),
    [
        ({"price": "10.00"}, {"price": "11.00"}, {"price": "10.00"}, {"price": "11.00"}),
        ({"price": "10.00"}, {"price": "11.00"}, {"price": "12.00"}, {}),
        # the same amount, tags in another order and an empty SEO title are no movement
        ({"price": "10.00"}, {"price": "11.00"}, {"price": "10.0"}, {"price": "11.00"}),
        ({"tags": ["a", "b"]}, {"tags": ["a"]}, {"tags": ["b", "a"]}, {"tags": ["a"]}),
        ({"seo_title": None}, {"seo_title": "New"}, {"seo_title": ""}, {"seo_title": "New"}),
        # null and the empty text are two SKUs
        ({"sku": None}, {"sku": "A"}, {"sku": ""}, {}),
        # field by field
        (
            {"title": "A", "vendor": "V"},
            {"title": "B", "vendor": "W"},
            {"title": "A", "vendor": "moved"},
            {"title": "B"},
        ),
        # what the store was not asked about has moved for all we know, unless it was nothing before
        ({"sku": "A"}, {"sku": "B"}, {}, {}),
        ({"cost": None}, {"cost": "1.00"}, {}, {"cost": "1.00"}),
        ({}, {}, {"title": "A"}, {}),
    ],
)
def test_only_fields_that_did_not_move_keep_our_value(before: State, after: State, theirs: State, kept: State) -> None:
    assert merged(before, after, theirs) == kept
