"""Price rules are exact: each result against a second computation in whole minor units, without decimals."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.commerce.batch.price_rules import price_edit
from syncline.apps.commerce.fields import FIELDS
from syncline.apps.commerce.staging.edits import apply
from syncline.kernel.money import minor_digits

CURRENCIES = ("USD", "JPY", "KWD", "CLF")
PRICE = FIELDS["price"]


def priced(rule: Any, price: str, currency: str = "USD", **more: Any) -> Any:
    edit = price_edit(PRICE, rule, currency)
    return apply([edit], {"price": price, **more}, currency).get("price", price)


def minor(text: str, currency: str) -> int:
    """The amount in minor units; the text has exactly the currency's digits."""
    whole, _, rest = text.partition(".")
    assert len(rest) == minor_digits(currency)
    return int(whole + rest)


def text_of(units: int, currency: str) -> str:
    digits = minor_digits(currency)
    written = str(units).zfill(digits + 1)
    return f"{written[: len(written) - digits]}.{written[len(written) - digits :]}" if digits else written


def down(exact: Fraction) -> int:
    return exact.numerator // exact.denominator


def up(exact: Fraction) -> int:
    return -((-exact.numerator) // exact.denominator)


def half_up(exact: Fraction) -> int:
    return down(exact + Fraction(1, 2))


def half_even(exact: Fraction) -> int:
    return round(exact)


MODES = {"half-up": half_up, "half-even": half_even, "up": up, "down": down}
UNITS = st.integers(0, 10**12)
PERCENT = st.decimals(-100, 1000, places=3)


@given(UNITS, PERCENT, st.sampled_from(sorted(MODES)), st.sampled_from(CURRENCIES))
def test_a_percentage_is_exact_to_the_minor_unit(units: int, percent: Decimal, mode: str, currency: str) -> None:
    after = priced({"percent": str(percent), "rounding": mode}, text_of(units, currency), currency)
    assert minor(after, currency) == MODES[mode](Fraction(units) * (100 + Fraction(percent)) / 100)


@given(UNITS, st.decimals(0, 1000, places=6), st.sampled_from(sorted(MODES)), st.sampled_from(CURRENCIES))
def test_times_is_exact_to_the_minor_unit(units: int, factor: Decimal, mode: str, currency: str) -> None:
    after = priced({"times": str(factor), "rounding": mode}, text_of(units, currency), currency)
    assert minor(after, currency) == MODES[mode](Fraction(units) * Fraction(factor))


@given(UNITS, st.integers(0, 10**12 - 1), st.sampled_from(CURRENCIES))
def test_an_amount_more_and_the_same_amount_less_is_the_price(units: int, step: int, currency: str) -> None:
    price, amount = text_of(units, currency), text_of(step, currency)
    raised = priced({"amount": amount}, price, currency)
    assert minor(raised, currency) == units + step
    assert priced({"amount": f"-{amount}"}, raised, currency) == price


@given(
    st.integers(0, 10**7), PERCENT, st.integers(0, 99), st.sampled_from(sorted(MODES)), st.sampled_from(["USD", "EUR"])
)
def test_an_ending_is_the_right_neighbour(units: int, percent: Decimal, ending: int, mode: str, currency: str) -> None:
    rule = {"percent": str(percent), "ending": f".{ending:02}", "rounding": mode}
    after = minor(priced(rule, text_of(units, currency), currency), currency)
    exact = Fraction(units) * (100 + Fraction(percent)) / 100
    assert after == max(MODES[mode]((exact - ending) / 100), 0) * 100 + ending


@given(st.integers(0, 10**9), st.integers(0, 99), st.sampled_from(sorted(MODES)))
def test_without_a_point_an_ending_is_the_last_digits(yen: int, ending: int, mode: str) -> None:
    after = int(priced({"times": "1.1", "ending": f"{ending:02}", "rounding": mode}, str(yen), "JPY"))
    exact = Fraction(yen) * Fraction(11, 10)
    assert after == max(MODES[mode]((exact - ending) / 100), 0) * 100 + ending


@pytest.mark.parametrize(
    ("rule", "price", "after", "currency"),
    [
        ("19.99", "20.00", "19.99", "USD"),
        (19.99, "20.00", "19.99", "USD"),
        ({"set": 5}, "20.00", "5.00", "USD"),
        # 10.1 is no fraction of two: it is taken as it was written
        ({"percent": 10.1}, "1000.00", "1101.00", "USD"),
        ({"percent": 10, "ending": ".99"}, "20.00", "21.99", "USD"),
        ({"percent": 10, "ending": ".99", "rounding": "up"}, "20.00", "22.99", "USD"),
        ({"percent": 10, "ending": ".99", "rounding": "up"}, "19.99", "21.99", "USD"),
        ({"ending": ".99", "rounding": "down"}, "19.98", "18.99", "USD"),
        ({"ending": ".99", "rounding": "down"}, "19.99", "19.99", "USD"),
        ({"ending": ".99", "rounding": "down"}, "0.20", "0.99", "USD"),
        ({"rounding": "up"}, "19.99", "19.99", "USD"),
        ({"percent": 7, "ending": "80"}, "2000", "2180", "JPY"),
        ({"percent": 7, "ending": "980"}, "2000", "1980", "JPY"),
        ({"percent": "0.5"}, "1.005", "1.010", "KWD"),
        ({"percent": 50, "rounding": "half-even"}, "0.03", "0.04", "USD"),
        ({"percent": 50, "rounding": "half-up"}, "0.03", "0.05", "USD"),
        ("+10%~.99 up", "20.00", "22.99", "USD"),
        ("+7%~down", "0.99", "1.05", "USD"),
        ("~.95", "20.10", "19.95", "USD"),
    ],
)
def test_rules_by_example(rule: Any, price: str, after: str, currency: str) -> None:
    assert priced(rule, price, currency) == after


def test_a_price_from_another_amount() -> None:
    assert priced({"from": "cost", "times": "2.5", "ending": ".95"}, "20.00", cost="8.50") == "20.95"
    assert priced({"from": "compare_at_price"}, "20.00", compare_at_price="25.00") == "25.00"
