from __future__ import annotations

from random import Random

import pytest

from syncline.sandbox.shopify.faults import Fault, Faults, parse_faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("throttle=3", [Fault("throttle", count=3)]),
        ("502=0.01", [Fault("http_502", probability=0.01)]),
        ("502=1%", [Fault("http_502", probability=0.01)]),
        ("slow=2s@products", [Fault("slow", seconds=2.0, match="products")]),
        ("drop", [Fault("drop_before")]),
        ("429=1:3s", [Fault("retry_after", count=1, seconds=3.0)]),
        ("token_revoked=after100", [Fault("token_revoked", after=100)]),
        ("field_removed=Product.vendor", [Fault("field_removed", field="Product.vendor")]),
        ("bulk_fail=1, html=2@Pull", [Fault("bulk_fail", count=1), Fault("html", count=2, match="Pull")]),
        ("", []),
    ],
)
def test_the_short_form(text: str, expected: list[Fault]) -> None:
    assert parse_faults(text) == expected


@pytest.mark.parametrize(
    ("text", "names"),
    [("explode=1", "explode"), ("throttle=often", "often"), ("field_removed=1", "needs a field")],
)
def test_what_is_wrong_is_named(text: str, names: str) -> None:
    with pytest.raises(ValueError, match=names):
        parse_faults(text)


def test_a_count_runs_out() -> None:
    faults = Faults(parse_faults("throttle=2"))
    fired = [faults.take("throttle") is not None for _ in range(3)]
    assert (fired, faults.active[0].fired) == ([True, True, False], 2)


def test_the_first_requests_pass() -> None:
    faults = Faults(parse_faults("token_revoked=after2"))
    assert [faults.take("token_revoked") is not None for _ in range(4)] == [False, False, True, True]


def test_only_matching_requests_are_hit() -> None:
    faults = Faults(parse_faults("502@Pull,502@products("))
    assert faults.take("http_502", "Push", "mutation Push{x}") is None
    assert faults.take("http_502", "Pull", "query Pull{x}") is faults.active[0]
    assert faults.take("http_502", None, "{products(first:1){id}}") is faults.active[1]


def test_a_probability_is_repeatable() -> None:
    runs = [
        [Faults(parse_faults("html=0.5"), Random(seed)).take("html") is not None for seed in range(20)]
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert set(runs[0]) == {True, False}


def test_a_removed_field_waits_for_a_request_that_names_it() -> None:
    faults = Faults(parse_faults("field_removed=Shop.name:1,field_removed=Product.vendor"))
    assert faults.removed_fields(None, "{products(first:1){nodes{id}}}") == frozenset()
    assert faults.removed_fields(None, "{shop{name}}") == {("Shop", "name")}
    assert faults.removed_fields(None, "{shop{name} x:products{vendor}}") == {("Product", "vendor")}


def test_kinds_do_not_take_one_another() -> None:
    assert Faults(parse_faults("throttle")).take("html") is None
