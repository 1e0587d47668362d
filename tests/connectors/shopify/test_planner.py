import math

import pytest

from syncline.connectors.shopify.bulk import BulkState
from syncline.connectors.shopify.planner import BulkModel, Measured, predict
from syncline.connectors.shopify.streams import INVENTORY, PRODUCTS
from syncline.runtime.connect.bucket import Bucket


def bucket(rate: float = 100, level: float | None = None) -> Bucket:
    return Bucket(rate * 20, rate, level=rate * 20 if level is None else level, at=0)


def test_small_store_is_paged() -> None:
    plan = predict(PRODUCTS, {"product": 200, "variant": 900}, bucket=bucket())
    assert plan.path == "paged"
    assert plan.seconds["paged"] < plan.seconds["bulk"]


def test_large_store_goes_in_bulk() -> None:
    plan = predict(PRODUCTS, {"product": 100_000, "variant": 350_000}, bucket=bucket())
    assert plan.path == "bulk"


def test_same_store_is_paged_where_points_are_plenty() -> None:
    counts = {"product": 20_000, "variant": 40_000}
    assert predict(PRODUCTS, counts, bucket=bucket(100)).path == "bulk"
    assert predict(PRODUCTS, counts, bucket=bucket(2000), measured=Measured(page_seconds=0.2)).path == "paged"


def test_small_part_of_a_large_store_is_paged() -> None:
    counts = {"product": 100_000, "variant": 350_000}
    assert predict(PRODUCTS, counts, bucket=bucket(), share=0.001).path == "paged"


def test_empty_bucket_makes_paging_slower() -> None:
    counts = {"product": 2_000, "variant": 9_000}
    full, empty = (predict(PRODUCTS, counts, bucket=bucket(level=n)).seconds["paged"] for n in (2000, 0))
    assert empty > full


def test_points_of_a_page_follow_the_law() -> None:
    # Seen live: 250 products with about one variant each cost 2 + 11 * 4 without these objects; here a family of one.
    plan = predict(PRODUCTS, {"product": 250, "variant": 250}, bucket=bucket())
    assert plan.points == 2 + 11 * (4 + 2 + 1 * 5)


def test_variants_beyond_a_page_are_counted() -> None:
    few = predict(PRODUCTS, {"product": 10, "variant": 1_000}, bucket=bucket())
    many = predict(PRODUCTS, {"product": 10, "variant": 10_000}, bucket=bucket())
    assert many.points == few.points + 10 * 4 * (1 + 2 + 11 * 5)


def test_more_levels_than_can_be_paged_go_in_bulk() -> None:
    plan = predict(INVENTORY, {"location": 2, "inventory_level": 100_000}, bucket=bucket(2000), locations=2)
    assert plan.path == "bulk"
    assert math.isinf(plan.seconds["paged"])
    assert "more than can be paged" in plan.reason


def test_levels_are_guessed_from_variants() -> None:
    known = predict(INVENTORY, {"inventory_level": 6_000}, bucket=bucket(), locations=2)
    guessed = predict(INVENTORY, {"inventory_level": None, "variant": 3_000}, bucket=bucket(), locations=2)
    assert known.points == guessed.points


def test_unknown_counts_are_a_small_store() -> None:
    assert predict(PRODUCTS, {"product": None, "variant": None}, bucket=bucket()).path == "paged"


def test_reason_gives_both_times() -> None:
    reason = predict(PRODUCTS, {"product": 2_000, "variant": 9_000}, bucket=bucket()).reason
    assert "11,000 records" in reason
    assert "in bulk" in reason


def finished(objects: int, seconds: int, status: str = "COMPLETED") -> BulkState:
    at = f"2026-11-22T10:{seconds // 60:02}:{seconds % 60:02}Z"
    return BulkState("x", status, None, None, None, objects, 1, None, "2026-11-22T10:00:00Z", at, "")


@pytest.mark.parametrize(("objects", "seconds"), [(1_000_000, 200), (100_000, 900)])
def test_model_moves_towards_what_was_measured(objects: int, seconds: int) -> None:
    before = BulkModel()
    after = before
    for _ in range(20):
        after = after.learned(finished(objects, seconds))
    assert after.start_seconds + objects / after.objects_per_second == pytest.approx(seconds, rel=0.02)


def test_small_operation_tells_the_start() -> None:
    model = BulkModel()
    for _ in range(20):
        model = model.learned(finished(5, 2))
    assert model.start_seconds == pytest.approx(2, abs=0.1)


def test_failed_operation_teaches_nothing() -> None:
    assert BulkModel().learned(finished(5, 2, "FAILED")) == BulkModel()


def test_what_was_measured_is_kept_and_what_an_earlier_release_kept_is_read() -> None:
    measured = Measured(BulkModel(4.0, 2_000.0, 30_000.0), page_seconds=0.2)
    assert Measured.load(measured.dump()) == measured
    earlier = {"start_seconds": 4.0, "objects_per_second": 2_000.0, "file_rows_per_second": 30_000.0}
    assert Measured.load(earlier) == Measured(measured.bulk)
    assert Measured.load(None) == Measured()
