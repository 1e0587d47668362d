from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]
NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"


def test_previewed_run_and_looked_at(pulled: Run, said: Said, shop: Any) -> None:
    asked = ("demo", "price", "--where", "vendor:acme", "--set", "price=+10%~.99")
    shown = pulled("batch", "preview", *asked)
    assert shown.exit_code == 0
    for words in ("price raised by 10 %, ending in .99 where vendor:acme", "1 products: 2 changes", "20.00 → 21.99"):
        assert words in shown.stdout
    assert pulled("batch", "history").stdout == "No bulk operation was run yet.\n"
    done = said(pulled("batch", "run", *asked, "--note", "autumn", "--json"))
    assert (done["status"], done["staged"], done["note"]) == ("completed", 2, "autumn")
    again = pulled("batch", "run", *asked)
    assert again.exit_code == 0
    assert "1 with this staged already" in again.stdout
    results = pulled("batch", "results", done["id"]).stdout
    for words in ("2 pending", "syncline review approve --batch"):
        assert words in results
    assert "completed" in pulled("batch", "status", done["id"]).stdout
    assert said(pulled("batch", "history", "demo", "--json"))["total"] == 2
    assert shop.price("SHIRT-S") == "20.00"


def test_products_that_are_refused_are_exit_4_and_retried(pulled: Run, said: Said) -> None:
    stock = ("--set", "available=-5", "--set", "location=Main warehouse", "--where", "sku:MUG-*")
    done = pulled("batch", "run", "demo", "inventory", *stock)
    assert done.exit_code == 4
    assert "5 refused" in done.stdout
    assert "Mug 0" in done.stdout
    (run,) = said(pulled("batch", "history", "--json"))["runs"]
    assert (run["staged"], run["refused"]) == (7, 5)
    again = pulled("batch", "retry", run["id"], "--json")
    assert again.exit_code == 4
    assert pulled("batch", "retry", run["id"]).exit_code == 3


def test_updates_as_json_for_one_product(pulled: Run, said: Said) -> None:
    found = said(pulled("review", "list", "--json"))
    assert found["total"] == 0
    shown = said(
        pulled(
            "batch",
            "preview",
            "demo",
            "tags",
            "--all",
            "--updates",
            '{"add": ["a, b"]}',
            "--set",
            "remove=summer",
            "--json",
        )
    )
    assert (shown["products"], shown["staged"]) == (13, 13)
    product = str(shown["changes"][0]["product_id"])
    done = said(pulled("batch", "run", "demo", "seo", "--product", product, "--set", 'title="x"', "--json"))
    assert (done["total"], done["staged"]) == (1, 1)
    cleared = said(pulled("batch", "preview", "demo", "seo", "--product", product, "--set", "title=none", "--json"))
    assert (cleared["staged"], cleared["unchanged"]) == (0, 1)


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("run", "demo", "status", "--set", "status=active"), 2, "Say for which products"),
    (("run", "demo", "status", "--all", "--where", "x", "--set", "status=active"), 2, "not both"),
    (("run", "demo", "status", "--all", "--set", "active"), 2, "write NAME=VALUE"),
    (("run", "demo", "status", "--all", "--updates", "{"), 2, "--updates is not JSON"),
    (("run", "demo", "status", "--all", "--updates", "[]"), 2, "--updates is an object"),
    (("run", "demo", "status", "--all"), 2, "Nothing to change"),
    (("run", "demo", "paint", "--all"), 2, "paint"),
    (("run", "nope", "status", "--all", "--set", "status=active"), 1, "nope"),
    (("preview", "demo", "price", "--all", "--set", "price=-200%"), 2, "more than 100 % off"),
    (("status", NOWHERE), 1, "syncline batch history"),
    (("cancel", NOWHERE), 1, "syncline batch history"),
    (("results", NOWHERE), 1, "syncline batch history"),
    (("retry", NOWHERE), 1, "syncline batch history"),
)


def test_what_cannot_be_asked(pulled: Run) -> None:
    for arguments, code, sentence in REFUSED:
        done = pulled("batch", *arguments)
        assert (arguments, done.exit_code, done.stdout) == (arguments, code, "")
        assert sentence in done.stderr


def test_what_ended_is_not_cancelled(pulled: Run, said: Said) -> None:
    done = said(pulled("batch", "run", "demo", "status", "--all", "--set", "status=draft", "--json"))
    refused = pulled("batch", "cancel", done["id"])
    assert (refused.exit_code, "reject its batches instead" in refused.stderr) == (3, True)
