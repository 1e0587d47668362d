from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]


def test_what_others_change_is_listed_accepted_and_put_back(pulled: Run, said: Said, shop: Any) -> None:
    assert "from the next pull on" in pulled("stores", "review", "demo", "inbound").stdout
    shop.reprice("SHIRT-S", "19.00")
    assert pulled("pull", "demo").exit_code == 0
    assert "made in the store" in pulled("review", "list", "--where", "direction:inbound").stdout
    (change,) = said(pulled("review", "list", "--where", "direction:inbound", "--json"))["changes"]
    assert (change["before"], change["after"]) == ({"price": "20.00"}, {"price": "19.00"})
    assert pulled("review", "reject", change["id"]).exit_code == 0
    batches = said(pulled("review", "list", "--batches", "--json"))["batches"]
    (back,) = [one for one in batches if one["kind"] == "put_back"]
    assert pulled("review", "approve", "--batch", back["id"]).exit_code == 0
    assert pulled("push", "demo").exit_code == 0
    assert shop.price("SHIRT-S") == "20.00"
    assert "without review" in pulled("stores", "review", "demo", "none").stdout


def test_what_cannot_be_asked(pulled: Run) -> None:
    assert pulled("stores", "review", "nope", "inbound").exit_code == 1
    assert pulled("stores", "review", "demo", "outbound").exit_code == 2
