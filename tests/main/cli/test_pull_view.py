"""How a pull looks, in each state and on terminals of two widths."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from syncline.apps.commerce.contract import KindCount, PullMode, PullRun, Reconciliation, RunStatus, StreamProgress
from syncline.kernel.ids import new_id
from syncline.main.cli.progress import progress
from syncline.main.cli.pull_view import PullBars, in_order, phase_of, pull_json, pull_view

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ORDERS = "orders is left out: the token of demo lacks read_orders."
IDLE = StreamProgress(
    stream="products",
    status="running",
    path=None,
    reason=None,
    total=None,
    expected=None,
    read=0,
    inserted=0,
    updated=0,
    unchanged=0,
    deleted=0,
    duplicates=0,
    started_at=NOON,
    finished_at=None,
    error=None,
    notes=(),
    is_incomplete=False,
)


def stream(name: str, status: str = "completed", seconds: float | None = 2, **more: Any) -> StreamProgress:
    ended = None if seconds is None else NOON + timedelta(seconds=seconds)
    return replace(IDLE, stream=name, status=status, finished_at=ended, **more)


def run(*streams: StreamProgress, status: RunStatus = RunStatus.COMPLETED, **more: Any) -> PullRun:
    ended = NOON + timedelta(seconds=4) if status.is_final else None
    whole = PullRun(new_id(), "demo", PullMode.FULL, status, "me", NOON, NOON, ended, None, streams, None)
    return replace(whole, **more)


def reconciled(*kinds: KindCount) -> Reconciliation:
    return Reconciliation(new_id(), "demo", "counts", all(kind.agrees for kind in kinds), 0, kinds, NOON)


def drawn(what: Any, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(what)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("one", "is_stuck", "said"),
    [
        (replace(IDLE, status="queued"), False, "waits for its turn"),
        (IDLE, False, "planning"),
        (replace(IDLE, path="bulk"), False, "asks Shopify for a bulk operation"),
        (
            replace(IDLE, path="bulk", expected=12_000),
            False,
            "waiting for Shopify's bulk operation: 12,000 objects so far",
        ),
        (replace(IDLE, path="bulk", expected=12_000, read=500), False, "bulk"),
        (replace(IDLE, path="paged", read=500, error="Slow down."), True, "tries again: Slow down."),
        (replace(IDLE, path="paged", read=500, error="Slow down."), False, "paged"),
    ],
)
def test_what_a_stream_is_doing(one: StreamProgress, is_stuck: bool, said: str) -> None:
    assert phase_of(one, is_stuck=is_stuck) == said


def test_products_come_first_and_unknown_streams_last() -> None:
    names = [one.stream for one in in_order([stream("zebras"), stream("customers"), stream("products")])]
    assert names == ["products", "customers", "zebras"]


def test_at_the_end_there_is_a_line_a_stream_and_one_for_all() -> None:
    shown = drawn(
        pull_view(
            run(
                stream("inventory", path="paged", read=3_000, inserted=2_990, updated=10, duplicates=4),
                stream("products", path="bulk", read=1_000, inserted=1_000),
                reconciliation=reconciled(
                    KindCount("product", 1_000, 1_000), KindCount("inventory_level", None, 3_000)
                ),
            )
        )
    )
    lines = [line.split() for line in shown.splitlines()]
    assert ["✓", "products", "bulk", "1,000", "1,000", "0", "0", "0", "2.0", "500"] in lines
    assert ["✓", "inventory", "paged", "3,000", "2,990", "10", "0", "0", "2.0", "1,500", "4", "came", "twice"] in lines
    assert ["✓", "all", "4,000", "3,990", "10", "0", "0", "4.0", "1,000"] in lines
    assert ["✓", "inventory_level", "not", "counted", "3,000"] in lines
    assert "Store and mirror agree: 4,000 records." in shown
    assert "missing" not in shown


def test_what_was_left_out_and_what_failed_say_why() -> None:
    shown = drawn(
        pull_view(
            run(
                stream("products", "failed", path="paged", read=7, error="The token is revoked."),
                stream("orders", "skipped", error=ORDERS),
                stream("customers", notes=("1 line could not be read.",)),
                status=RunStatus.FAILED,
                error="The token is revoked.",
            )
        )
    )
    assert "✗ products: The token is revoked." in shown
    assert f"– {ORDERS}" in shown
    assert "1 line could not be read." in shown
    assert not [line for line in shown.splitlines() if line.split()[:2] == ["✓", "orders"]]


def test_differences_are_named() -> None:
    missing = KindCount("variant", 14, 2, missing=[str(n) for n in range(12)], missing_count=12)
    shown = drawn(pull_view(run(stream("products"), status=RunStatus.FAILED, reconciliation=reconciled(missing))))
    assert "variant missing: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more" in shown
    assert "Store and mirror differ in variant." in shown
    assert ["✗", "variant", "14", "2", "12"] in [line.split() for line in shown.splitlines()]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_number_is_cut_however_narrow_it_gets(width: int) -> None:
    streams = (stream(name, path="bulk", read=350_000, inserted=350_000) for name in ("products", "inventory_items"))
    shown = drawn(pull_view(run(*streams)), width)
    assert shown.count("350,000") == 4
    assert "700,000" in shown
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= width


def test_elsewhere_than_on_a_terminal_each_stream_is_one_plain_line() -> None:
    out = io.StringIO()
    with progress(stream=out) as bars:
        shown = PullBars(bars)
        waiting = stream("inventory", "running", None)
        shown.show(run(stream("products", read=10, total=9), waiting, status=RunStatus.RUNNING))
        both = (stream("products", read=10, total=9), stream("inventory", read=3), stream("orders", "skipped"))
        shown.show(run(*both, status=RunStatus.RUNNING))
        shown.show(run(*both, reconciliation=reconciled(KindCount("product", 10, 10))))
    lines = [line.split(", ")[0] for line in out.getvalue().splitlines()]
    assert lines == ["products: 10/10", "inventory: 3/3", "comparison: 10/10"]
    assert out.getvalue().endswith("10 records agree\n")


def test_json_has_what_the_table_computes() -> None:
    body = pull_json(run(stream("products", read=500), reconciliation=reconciled(KindCount("product", 2, 1))))
    assert (body["read"], body["seconds"], body["records_per_second"]) == (500, 4, 125)
    assert (body["streams"][0]["seconds"], body["streams"][0]["records_per_second"]) == (2, 250)
    assert (body["reconciliation"]["agreed"], body["reconciliation"]["kinds"][0]["agrees"]) == (False, False)
    assert pull_json(run(IDLE, status=RunStatus.RUNNING))["records_per_second"] is None
