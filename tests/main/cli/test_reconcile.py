from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]


def test_it_shows_each_stream_it_reads_and_that_both_sides_agree(pulled: Run) -> None:
    done = pulled("reconcile", "demo", "--depth", "content")
    assert done.exit_code == 0
    lines = done.stderr.splitlines()
    assert [line for line in lines if line.startswith("products: 27/27, 100 %")]
    assert [line for line in lines if line.startswith("inventory: 17/17, 100 %")]
    assert "Reconciliation by content" in done.stdout
    assert "Store and mirror agree: " in done.stdout


def test_both_sides_are_compared_in_each_depth(pulled: Run) -> None:
    for depth in ("counts", "ids", "content"):
        done = pulled("reconcile", "demo", "--depth", depth)
        assert (done.exit_code, done.stdout.count("✗")) == (0, 0)
        assert [line for line in done.stderr.splitlines() if line.startswith("products: ")]
        assert f"Reconciliation by {depth}" in done.stdout


def test_what_differs_is_named_is_exit_1_and_is_mended_when_asked(pulled: Run, shop: Any, said: Said) -> None:
    shop.reprice("SHIRT-S", "99.00")
    differs = pulled("reconcile", "demo", "--depth", "content", "--no-repair")
    assert (differs.exit_code, differs.stdout.count("✗")) == (1, 1)
    assert "variant different: " in differs.stdout
    assert "Store and mirror differ in variant." in differs.stdout
    mended = said(pulled("reconcile", "demo", "--depth", "content", "--json"))
    assert (mended["agreed"], mended["repaired"]) == (True, 1)
    assert {kind["agrees"] for kind in mended["kinds"]} == {True}
