from __future__ import annotations

from syncline.apps.commerce.reconcile.compare import NAMED, Difference, compare, total


def test_equal_sides_differ_in_nothing() -> None:
    found = compare("product", {(1,): 5, (2,): 6}, {(2,): 6, (1,): 5})
    assert found.is_none
    assert (found.in_store, found.in_mirror) == (2, 2)
    assert found.count().agrees


def test_each_kind_of_difference_is_named() -> None:
    found = compare("product", {(1,): 5, (2,): 6, (3,): 7}, {(2,): 6, (3,): 8, (4,): 9})
    assert (found.missing, found.extra, found.stale) == ([(1,)], [(4,)], [(3,)])
    assert total([found]) == 3
    assert not found.count().agrees


def test_ids_alone_say_nothing_of_content() -> None:
    assert compare("variant", {(1,): None}, {(1,): 8}).is_none


def test_keys_of_two_parts_are_shown_as_item_at_location() -> None:
    assert compare("inventory_level", {(7, 9): 1}, {}).count().missing == ["7 @ 9"]


def test_report_names_some_and_counts_all() -> None:
    count = Difference("product", 0, 200, extra=[(number,) for number in range(200)]).count()
    assert (len(count.extra), count.extra_count) == (NAMED, 200)


def test_same_number_of_other_records_does_not_agree() -> None:
    assert not compare("product", {(1,): None}, {(2,): 1}).count().agrees
