from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]


def test_a_bulk_edit_is_staged_and_shown(pulled: Run, shop: Any) -> None:
    done = pulled("change", "demo", "--where", "vendor:acme", "--set", "price=+10%~.99", "--set", "tags=+sale")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "20.00 → 21.99" in done.stdout
    assert "+sale" in done.stdout
    assert "[red]Linen[/red] Shirt / S [SHIRT-S]" in done.stdout
    assert "3 pending" in done.stdout
    assert "syncline review approve --batch " in done.stdout
    assert shop.price("SHIRT-S") == "20.00"


def test_a_long_edit_is_shown_in_part(pulled: Run) -> None:
    done = pulled("change", "demo", "--set", "price=+1")
    assert done.stdout.count(" → ") == 11  # ten rows and the heading
    assert "and 4 more" in done.stdout


def test_json_is_the_batch(pulled: Run, said: Said) -> None:
    arguments = ("--where", "sku:MUG-1", "--set", "price=9", "--note", "why", "--json")
    batch = said(pulled("change", "demo", *arguments))
    assert (batch["store"], batch["kind"], batch["counts"]) == ("demo", "edit", {"pending": 1})
    assert batch["summary"] == "price set to 9.00 where sku:MUG-1"
    assert batch["author"].endswith("(command line)")


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("--set", "prize=1"), 2, "Did you mean price?"),
    (("--set", "price=12,5o"), 2, "write 12.50"),
    (("--set", "price"), 2, "write field=value"),
    (("--set", "price=1", "--where", "vendr:Acme"), 2, "Did you mean vendor?"),
    (("--set", "price=1", "--where", 'title:"open'), 2, "at character 7"),
    (("--set", "inventory=5"), 2, "They are Flagship store or Main warehouse"),
    (("--set", "inventory=5@Mane warehouse"), 2, "Did you mean Main warehouse?"),
    (("--set", "inventory=-5@Main warehouse"), 2, "below zero"),
    ((), 2, "--set"),
    (("--set", "price=1", "--where", "vendor:nobody"), 3, "Nothing in demo matches vendor:nobody"),
    (("--set", "status=active"), 3, "have these values already"),
)


def test_what_cannot_be_asked(pulled: Run) -> None:
    for arguments, code, sentence in REFUSED:
        done = pulled("change", "demo", *arguments)
        assert (arguments, done.exit_code, done.stdout) == (arguments, code, "")
        assert sentence in done.stderr
    assert pulled("review", "list", "--batches").stdout == "Nothing was staged yet.\n"


def test_a_sentence_is_said_once(pulled: Run, said: Said) -> None:
    done = pulled("change", "demo", "--set", "prize=1")
    assert done.stderr.count("There is no field") == 1
    as_json = pulled("change", "demo", "--set", "prize=1", "--set", "price=x", "--json")
    assert [wrong["field"] for wrong in said(as_json)["fields"]] == ["prize=1", "price=x"]


def test_stock_at_one_location(pulled: Run, said: Said) -> None:
    arguments = ("--where", "sku:SHIRT-S", "--set", "inventory=+5@flagship store", "--json")
    batch = said(pulled("change", "demo", *arguments))
    (change,) = said(pulled("review", "list", "--batch", batch["id"], "--json"))["changes"]
    assert (change["before"], change["after"]) == ({"available": 3}, {"available": 8})
