from __future__ import annotations

import pytest

from syncline.apps.commerce.push.verdict import Outcome, Verdict, judge, judge_read_back

BEFORE, AFTER = {"price": "10.00", "barcode": None}, {"price": "12.00", "barcode": "5"}


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        ({"price": "10.00", "barcode": None}, Verdict.WRITE),
        ({"price": "10", "barcode": None}, Verdict.WRITE),
        ({"price": "12.0", "barcode": "5"}, Verdict.ALREADY),
        ({"price": "11.00", "barcode": None}, Verdict.CONFLICT),
        ({"price": "12.00", "barcode": None}, Verdict.CONFLICT),
        ({"price": "10.00"}, Verdict.WRITE),
        ({"price": "10.00", "barcode": ""}, Verdict.CONFLICT),
    ],
)
def test_before_a_write(now: dict[str, str | None], verdict: Verdict) -> None:
    assert judge(BEFORE, AFTER, now) is verdict


def test_change_to_the_same_value_needs_no_write() -> None:
    assert judge(BEFORE, BEFORE, BEFORE) is Verdict.ALREADY


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        ({"price": "12.00", "barcode": "5"}, Outcome.ARRIVED),
        ({"price": "10.00", "barcode": None}, Outcome.LOST),
        ({"price": "12.00", "barcode": None}, Outcome.MOVED),
        ({"price": "13.00", "barcode": "5"}, Outcome.MOVED),
    ],
)
def test_after_a_write_whose_answer_never_came(now: dict[str, str | None], outcome: Outcome) -> None:
    assert judge_read_back(BEFORE, AFTER, now) is outcome


def test_order_of_tags_is_no_difference() -> None:
    assert judge({"tags": ["a", "b"]}, {"tags": ["a", "c"]}, {"tags": ["b", "a"]}) is Verdict.WRITE
