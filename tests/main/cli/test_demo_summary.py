from __future__ import annotations

import io

from rich.console import Console

from syncline.main.cli.demo_steps import Timing
from syncline.main.cli.demo_summary import Summary, summary_view
from syncline.main.demo.checks import Check
from syncline.main.demo.shop import Traffic


def drawn(summary: Summary, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(summary_view(summary))
    return console.export_text().splitlines()


def summary(*checks: Check) -> Summary:
    return Summary([Timing("pull", 27_220, 2.0)], checks, Traffic(2_162, 0, 27_710.0), 41.0)


def test_it_says_how_many_counts_agree() -> None:
    made = summary(Check("products in the mirror", 2_000, 2_000), Check("conflicts met", 1, 1))
    assert made.agreed
    lines = drawn(made, 100)
    assert "All 2 counts agree. 2,162 requests, 27,710 query points, 0 throttled; 41 s in all." in " ".join(lines)
    assert any("27,220  2.0 s  13,610/s" in line and "2,000" in line for line in lines)


def test_it_names_what_does_not() -> None:
    made = summary(Check("products in the mirror", 2_000, 1_999), Check("conflicts met", 1, 1))
    assert not made.agreed
    assert "1 of 2 counts do not agree: products in the mirror: 2,000 expected, 1,999 found." in " ".join(
        drawn(made, 160)
    )


def test_it_fits_the_terminal_and_never_grows_wider_than_a_hundred_columns() -> None:
    checks = [Check("approved prices in the store", 10_000, 10_000)] * 3
    assert [max(len(line) for line in drawn(summary(*checks), width)) for width in (72, 100, 200)] == [72, 100, 100]
