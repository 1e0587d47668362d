from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.commerce.contract.conflicts import Choice
from syncline.apps.commerce.fields import AnyValue, Value, same_value
from syncline.apps.commerce.staging.diff import Verdict, three_way
from syncline.apps.commerce.staging.merge import conflicting, merge_value, merged, settle

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


TAGS = st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True)
NUMBERS = st.integers(-50, 50)
AMOUNTS = st.sampled_from(["1.00", "2.00", "3.00", "4.00"])
SIDES: dict[str, st.SearchStrategy[AnyValue]] = {"tags": TAGS, "available": NUMBERS, "price": AMOUNTS}
Three = tuple[str, AnyValue, AnyValue, AnyValue]
Four = tuple[str, AnyValue, AnyValue, AnyValue, AnyValue]
FIELDS = st.sampled_from(sorted(SIDES))
FOUR = FIELDS.flatmap(lambda name: st.tuples(st.just(name), *[SIDES[name]] * 4))
THREE = FIELDS.flatmap(lambda name: st.tuples(st.just(name), *[SIDES[name]] * 3))
CHOICES = st.sampled_from(list(Choice))


@given(FOUR, CHOICES)
def test_whichever_two_are_merged_first_comes_to_the_same(values: Four, choice: Choice) -> None:
    name, base, one, two, three = values
    left = merge_value(name, base, merge_value(name, base, one, two, choice), three, choice)
    right = merge_value(name, base, one, merge_value(name, base, two, three, choice), choice)
    assert same_value(name, left, right)


@given(THREE.filter(lambda values: values[0] != "price"))
def test_tags_and_quantities_merge_in_either_order_to_the_same(values: Three) -> None:
    name, base, theirs, ours = values
    one = merge_value(name, base, theirs, ours, Choice.MERGE)
    assert same_value(name, one, merge_value(name, base, ours, theirs, Choice.MERGE))


@given(THREE, CHOICES)
def test_a_side_that_did_not_move_gives_way(values: Three, choice: Choice) -> None:
    name, base, moved, _ = values
    assert same_value(name, merge_value(name, base, moved, base, choice), moved)
    assert same_value(name, merge_value(name, base, base, moved, choice), moved)
    assert same_value(name, merge_value(name, base, base, base, choice), base)


@given(TAGS, TAGS, TAGS)
def test_merged_tags_hold_every_addition_and_no_removal(base: list[str], theirs: list[str], ours: list[str]) -> None:
    found = merge_value("tags", base, theirs, ours, Choice.MERGE)
    assert isinstance(found, list)
    assert set(found) == {tag for tag in "abcd" if sum(tag in side for side in (theirs, ours)) > (tag in base)}
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("field", "base", "theirs", "ours", "after"),
    [
        ("tags", ["Old", "a"], ["old", "a", "new"], ["A", "sale"], ["a", "new", "sale"]),
        ("tags", [], ["Sale"], ["sale"], ["Sale"]),
        ("available", 10, 7, 15, 12),
        ("price", "1.00", "2.00", "3.00", "2.00"),
        ("title", "A", "B", "C", "B"),
        ("taxable", True, False, False, False),
    ],
)
def test_merging_by_example(field: str, base: AnyValue, theirs: AnyValue, ours: AnyValue, after: AnyValue) -> None:
    assert merge_value(field, base, theirs, ours, Choice.MERGE) == after


STATES = st.fixed_dictionaries(SIDES)
CHOSEN = st.dictionaries(FIELDS, CHOICES)


@given(STATES, STATES, STATES, CHOSEN, CHOICES)
def test_what_is_settled_is_written_over_what_the_store_says(
    before: dict[str, AnyValue],
    after: dict[str, AnyValue],
    theirs: dict[str, AnyValue],
    choices: dict[str, Choice],
    otherwise: Choice,
) -> None:
    left = settle(before, after, theirs, choices, otherwise)
    assert left.before == {name: theirs[name] for name in left.after}
    assert not any(same_value(name, value, theirs[name]) for name, value in left.after.items())
    assert set(conflicting(before, after, theirs)) == {
        name for name, verdict in three_way(before, theirs, after).items() if verdict is Verdict.CONFLICT
    }


@given(STATES, STATES, STATES)
def test_all_ours_is_what_was_wanted_and_all_theirs_what_did_not_move(
    before: dict[str, AnyValue], after: dict[str, AnyValue], theirs: dict[str, AnyValue]
) -> None:
    wanted = {name: value for name, value in after.items() if not same_value(name, value, before[name])}
    ours = settle(before, wanted, theirs, {}, Choice.OURS).after
    assert ours == {name: value for name, value in wanted.items() if not same_value(name, value, theirs[name])}
    kept = settle(before, wanted, theirs, {}, Choice.THEIRS).after
    assert kept == {name: value for name, value in merged(before, wanted, theirs).items() if name in ours}


def test_stock_is_not_merged_below_zero() -> None:
    assert settle({"available": 10}, {"available": 4}, {"available": 3}, {}, Choice.MERGE).after == {}
    assert settle({"available": 10}, {"available": 4}, {"available": 3}, {}, Choice.OURS).after == {"available": 4}
