"""`syncline align`, and a schedule that repeats it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]


@pytest.fixture
def both(pulled: Run, outlet: Any) -> Run:
    """Another shop is connected as `outlet`; one of its mugs has another price."""
    outlet.reprice("MUG-3", "1.25")
    assert pulled("stores", "add", "outlet", *outlet.options, "--token", "shpat_sandbox").exit_code == 0
    assert pulled("pull", "outlet", "--json").exit_code == 0
    return pulled


def test_what_differs_is_staged_and_once(both: Run, said: Said) -> None:
    first = said(both("align", "demo", "outlet", "--field", "price", "--by", "handle", "--json"))
    assert (first["staged"], first["waiting"]) == (1, 0)
    again = said(both("align", "demo", "outlet", "--field", "price", "--by", "handle", "--json"))
    assert (again["staged"], again["waiting"], again["batch_id"]) == (0, first["staged"], None)
    shown = both("align", "demo", "outlet", "--field", "price", "--by", "handle").stdout
    assert f"{first['staged']} staged before" in shown


def test_a_schedule_repeats_it(both: Run, said: Said) -> None:
    asked = ("schedule", "add", "outlet", "--every", "1h", "--align", "demo", "--field", "price", "--by", "handle")
    made = said(both(*asked, "--json"))
    assert (made["action"], made["alignment"]) == (
        "align",
        {"source": "demo", "fields": ["price"], "by": "handle", "where": ""},
    )
    done = both("schedule", "run-now", made["id"])
    assert done.exit_code == 0
    assert "for review on outlet" in " ".join(done.stdout.split())
    assert "Nothing to stage" in " ".join(both("schedule", "run-now", made["id"]).stdout.split())
    assert "align price with demo by handle" in " ".join(both("schedule", "list").stdout.split())


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("align", "demo", "demo", "--field", "price"), 2, "the same store twice"),
        (("align", "demo", "nope", "--field", "price"), 1, "syncline stores list"),
        (("align", "demo", "outlet", "--field", "sku"), 2, "The SKU cannot be copied"),
        (("schedule", "add", "outlet", "--every", "1h", "--field", "price"), 2, "belong to --align"),
        (("schedule", "add", "outlet", "--every", "1h", "--align", "demo"), 2, "Say which fields to copy"),
        (
            ("schedule", "add", "outlet", "--every", "1h", "--align", "demo", "--field", "price", "--full"),
            *(2, "a schedule does one thing"),
        ),
    ],
)
def test_what_cannot_be_asked(both: Run, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    done = both(*arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert sentence in " ".join(done.stderr.split())
