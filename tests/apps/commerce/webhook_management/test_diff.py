"""Which values differ between two payloads."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.apps.commerce.webhook_management.diff import changes_of

VARIANTS = [{"id": 41, "price": "9.00"}, {"id": 42, "price": "8.00"}]


def told(before: Any, after: Any) -> list[tuple[str, str, Any, Any]]:
    return [(one.path, one.what, one.before, one.after) for one in changes_of(before, after)]


def test_the_same_differs_in_nothing() -> None:
    assert told({"variants": VARIANTS, "tags": "a"}, {"tags": "a", "variants": VARIANTS}) == []


def test_elements_with_ids_are_matched_by_them() -> None:
    after = [{"id": 42, "price": "8.00"}, {"id": 41, "price": "9.50"}]
    assert told({"variants": VARIANTS}, {"variants": after}) == [("variants[id=41].price", "changed", "9.00", "9.50")]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": None}, {"a": 1}, [("a", "changed", None, 1)]),
        ({}, {"a": None}, [("a", "added", None, None)]),
        ({"a": {"b": 1}}, {"a": {}}, [("a.b", "removed", 1, None)]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [("a[1]", "changed", 2, 3), ("a[2]", "added", None, 4)]),
        ({"a": "1"}, {"a": 1}, [("a", "changed", "1", 1)]),
        ({"a": True}, {"a": 1}, [("a", "changed", True, 1)]),
        ({"a": [{"id": 1}]}, {"a": []}, [("a[id=1]", "removed", {"id": 1}, None)]),
        ({"a": {"b": 1}}, {"a": [1]}, [("a", "changed", {"b": 1}, [1])]),
    ],
)
def test_what_differs_is_named_by_its_path(before: Any, after: Any, found: list[tuple[str, str, Any, Any]]) -> None:
    assert told(before, after) == found
