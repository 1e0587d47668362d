from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.testing import Result

Run = Callable[..., Result]
Said = Callable[[Result], Any]
NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"


def collide(pulled: Run, said: Said, shop: Any) -> str:
    """Both sides reprice; the change's id."""
    batch = said(pulled("change", "demo", "--where", "sku:SHIRT-S", "--set", "price=25", "--json"))["id"]
    assert pulled("review", "approve", "--batch", batch).exit_code == 0
    shop.reprice("SHIRT-S", "19.00")
    assert pulled("push", "demo").exit_code == 4
    (change,) = said(pulled("review", "list", "--batch", batch, "--json"))["changes"]
    return str(change["id"])


def test_shown_on_three_sides_and_settled(pulled: Run, said: Said, shop: Any) -> None:
    change = collide(pulled, said, shop)
    shown = pulled("conflicts", "show", change)
    for words in ("20.00", "19.00", "25.00", "conflict"):
        assert words in shown.stdout
    done = pulled("conflicts", "settle", change, "--field", "price=ours")
    assert (done.exit_code, done.stdout) == (
        0,
        "1 approved again, 0 left as the store has them. Send it: syncline push STORE\n",
    )
    assert pulled("push", "demo").exit_code == 0
    assert shop.price("SHIRT-S") == "25.00"


def test_a_rule_settles_what_a_push_meets(pulled: Run, said: Said, shop: Any) -> None:
    made = said(pulled("conflicts", "set-rule", "price", "theirs", "--store", "demo", "--json"))
    assert "theirs" in pulled("conflicts", "rules").stdout
    assert said(pulled("conflicts", "rules", "--json"))["rules"] == [made]
    assert said(pulled("conflicts", "remove-rule", made["id"], "--json")) == {"removed": made["id"]}
    assert pulled("conflicts", "rules").stdout == "No rules are set.\n"


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("show", NOWHERE), 1, "There is no staged change"),
    (("settle",), 2, "Say which conflicts"),
    (("settle", NOWHERE), 3, "No conflict matches"),
    (("settle", NOWHERE, "--field", "price=mine"), 2, "FIELD=ours"),
    (("settle", NOWHERE, "--field", "prize=ours"), 2, "Did you mean price?"),
    (("set-rule", "prize", "ours"), 2, "Did you mean price?"),
    (("set-rule", "price", "ours", "--store", "nope"), 1, "nope"),
    (("remove-rule", NOWHERE), 1, "syncline conflicts rules"),
)


def test_what_cannot_be_asked(pulled: Run) -> None:
    for arguments, code, sentence in REFUSED:
        done = pulled("conflicts", *arguments)
        assert (arguments, done.exit_code, done.stdout) == (arguments, code, "")
        assert sentence in done.stderr
