from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.commerce.fields import FIELDS, AnyValue, Kind, Value, same_value
from syncline.apps.commerce.staging.diff import (
    FieldChange,
    Verdict,
    applied,
    changed_fields,
    render_change,
    render_value,
    three_way,
)

VALUES: dict[Kind, st.SearchStrategy[AnyValue]] = {
    Kind.TEXT: st.text(max_size=20),
    Kind.HTML: st.text(max_size=200),
    Kind.MONEY: st.sampled_from(["0.00", "12.5", "12.50", "99.99"]),
    Kind.DECIMAL: st.sampled_from(["0", "0.5", "0.50", "3"]),
    Kind.INTEGER: st.integers(-5, 5),
    Kind.BOOLEAN: st.booleans(),
    Kind.CHOICE: st.sampled_from(["active", "draft"]),
    Kind.TAGS: st.lists(st.sampled_from(["a", "A", "b", "c"]), unique=True),
    Kind.MEDIUM: st.fixed_dictionaries(
        {"url": st.sampled_from(["", "a", "a?v=2", "b"]), "alt": st.sampled_from(["", "A"])}
    ),
    Kind.ORDER: st.lists(st.sampled_from(["1", "2", "3"]), unique=True),
    Kind.PRODUCT: st.fixed_dictionaries(
        {
            "title": st.sampled_from(["Shirt", "Mug"]),
            "options": st.just([{"name": "Size", "values": ["S"]}]),
            "variants": st.just([{"options": ["S"], "price": "1.00"}]),
        }
    ),
}
STATES = st.fixed_dictionaries(
    {
        field.name: st.one_of(st.none(), VALUES[field.kind]) if field.nullable else VALUES[field.kind]
        for field in FIELDS.values()
    }
)


def test_equal_values_in_other_spelling_are_no_change() -> None:
    before: dict[str, Value] = {"price": "12.5", "tags": ["a", "b"], "seo_title": None, "title": "Shirt"}
    after: dict[str, Value] = {"price": "12.50", "tags": ["b", "a"], "seo_title": "", "title": "Shirt"}
    assert changed_fields(before, after) == []


def test_null_and_empty_sku_are_a_change() -> None:
    assert changed_fields({"sku": None}, {"sku": ""}) == [FieldChange("sku", None, "")]


def test_fields_not_given_are_not_touched_and_unknown_ones_are_no_fields() -> None:
    before: dict[str, Value] = {"title": "Shirt", "vendor": "Acme"}
    after: dict[str, Value] = {"vendor": "Globex", "id": 7}
    assert changed_fields(before, after) == [FieldChange("vendor", "Acme", "Globex")]


@given(STATES, STATES)
def test_a_diff_applied_to_before_gives_after(before: dict[str, Value], after: dict[str, Value]) -> None:
    result = applied(before, changed_fields(before, after))
    assert result.keys() == after.keys()
    assert all(same_value(name, result[name], after[name]) for name in FIELDS)


@given(STATES)
def test_a_state_does_not_differ_from_itself(state: dict[str, Value]) -> None:
    assert changed_fields(state, state) == []
    assert set(three_way(state, state, state).values()) == {Verdict.SAME}


def test_three_way_says_who_moved_what() -> None:
    base: dict[str, Value] = {"title": "A", "vendor": "V", "price": "1.00", "tags": ["x"], "sku": None}
    theirs: dict[str, Value] = {"title": "B", "vendor": "V", "price": "2.0", "tags": ["x", "y"], "sku": "S"}
    ours: dict[str, Value] = {"title": "A", "vendor": "W", "price": "2.00", "tags": ["z"]}
    assert three_way(base, theirs, ours) == {
        "title": Verdict.THEIRS,
        "vendor": Verdict.OURS,
        "price": Verdict.SAME,
        "tags": Verdict.CONFLICT,
        "sku": Verdict.THEIRS,
    }


@given(STATES, STATES, STATES)
def test_three_way_mirrors_when_sides_swap(
    base: dict[str, Value], theirs: dict[str, Value], ours: dict[str, Value]
) -> None:
    swapped = {Verdict.OURS: Verdict.THEIRS, Verdict.THEIRS: Verdict.OURS}
    one, other = three_way(base, theirs, ours), three_way(base, ours, theirs)
    assert other == {name: swapped.get(verdict, verdict) for name, verdict in one.items()}


def test_changes_read_as_before_and_after() -> None:
    assert render_change(FieldChange("price", "12.00", "13.20")) == "12.00 → 13.20"
    assert render_change(FieldChange("compare_at_price", None, "13.20")) == "none → 13.20"
    assert render_change(FieldChange("taxable", True, False)) == "yes → no"
    assert render_change(FieldChange("sku", "A", "")) == 'A → ""'
    assert render_change(FieldChange("tags", ["a", "b"], ["b", "c"])) == "+c -a"
    assert render_value([]) == "no tags"


def test_long_html_is_cut_around_the_first_difference() -> None:
    before = "<p>" + "same " * 100 + "old words</p>"
    after = "<p>" + "same " * 100 + "new words</p>"
    shown = render_change(FieldChange("description_html", before, after), width=24)
    left, _, right = shown.partition(" → ")
    assert "old" in left
    assert "new" in right
    assert left.startswith("…")
    assert max(len(left), len(right)) <= 24


def test_control_characters_never_reach_a_terminal() -> None:
    assert render_change(FieldChange("title", "a\x1b[31m", "b\nc")) == "a·[31m → b⏎c"


@given(st.text(max_size=300), st.text(max_size=300), st.integers(12, 60))
def test_a_rendered_text_is_one_printable_line_of_the_width(before: str, after: str, width: int) -> None:
    shown = render_change(FieldChange("description_html", before, after), width=width)
    assert shown.isprintable()
    assert len(shown) <= 2 * width + 3


def test_media_are_shown_by_file_and_text_and_orders_by_the_places_of_before() -> None:
    medium = {"url": "https://cdn.example/files/front.jpg?v=1", "alt": "Front", "type": "image", "id": "38"}
    assert render_change(FieldChange("images", medium, None)) == 'front.jpg "Front" → none'
    assert render_change(FieldChange("images", {"among": "1,2"}, {**medium, "alt": ""})) == "none → front.jpg"
    assert render_value({"url": "", "alt": "", "type": "video"}) == "video"
    assert render_change(FieldChange("image_order", ["38", "39", "40"], ["40", "38", "39"])) == "1 2 3 → 3 1 2"
