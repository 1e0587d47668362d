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
    rejected = pulled("review", "reject", change["id"])
    batches = said(pulled("review", "list", "--batches", "--json"))["batches"]
    (back,) = [one for one in batches if one["kind"] == "put_back"]
    assert rejected.stdout == (
        "1 change rejected.\n"
        f"What was made in the store is still there. Batch {back['id']} puts it back, once approved and pushed:\n"
        f"  syncline review list --batch {back['id']}\n"
    )
    assert pulled("review", "approve", "--batch", back["id"]).exit_code == 0
    assert pulled("push", "demo").exit_code == 0
    assert shop.price("SHIRT-S") == "20.00"
    assert "without review" in pulled("stores", "review", "demo", "none").stdout


def test_what_was_made_in_the_store_has_nothing_to_push(pulled: Run, said: Said, shop: Any) -> None:
    pulled("stores", "review", "demo", "inbound")
    shop.reprice("SHIRT-S", "19.00")
    pulled("pull", "demo")
    pulled("change", "demo", "--where", "sku:SHIRT-M", "--set", "price=30")
    both = pulled("review", "approve", "--all").stdout.splitlines()
    assert both[0].startswith("1 change made in the store accepted. There is nothing to push: the store has it")
    assert both[1] == "1 change approved. Send it: syncline push STORE"
    shop.reprice("MUG-1", "19.00")
    pulled("pull", "demo")
    alone = pulled("review", "approve", "--where", "direction:inbound status:pending", "--json")
    assert said(alone) == {"approved": 1, "to_push": 0, "accepted": 1}


def test_what_cannot_be_asked(pulled: Run) -> None:
    assert pulled("stores", "review", "nope", "inbound").exit_code == 1
    assert pulled("stores", "review", "demo", "outbound").exit_code == 2
